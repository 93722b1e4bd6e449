//! Sites against indicators.

use serde::{Deserialize, Serialize};

use super::{Definition, Downloads, Frame, Indicator, SiteRow};
use crate::query::{Level, RbqmQuery};

/// What the RBQM page needs. The page filters and sorts the sites by the query itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RbqmView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: RbqmQuery,
    /// The levels that the study has groups at.
    pub levels: Vec<Level>,
    /// The indicators, in catalogue order.
    pub indicators: Vec<Indicator>,
    /// Every site of the study, or every group of the level that was asked for.
    pub sites: Vec<SiteRow>,
    /// Indicators that no source of the study tells of, each with why.
    pub not_applicable: Vec<NotApplicable>,
    /// The tolerance limits that the study's sources can answer.
    pub limits: Vec<ToleranceLimit>,
    /// How scores, flags and the site risk score are made.
    pub definition: Definition,
    /// The matrix as a file.
    pub downloads: Downloads,
    /// The tolerance limits by every method, as a file.
    pub limit_downloads: Downloads,
}

/// An indicator that no source of the study tells of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotApplicable {
    /// Its place in the catalogue: `P10`.
    pub code: String,
    /// As it starts a sentence.
    pub title: String,
    /// Why.
    pub reason: String,
}

/// A tolerance limit of the whole study.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToleranceLimit {
    /// As it stands in a heading.
    pub title: String,
    /// What was counted.
    pub events: u64,
    /// Of what.
    pub units: u64,
    /// The share that is expected.
    pub expected: f64,
    /// The share that is tolerated.
    pub tolerated: f64,
    /// How the share stands to it.
    pub verdict: LimitVerdict,
    /// The probability that the study ends above the limit, where its size is planned.
    pub chance_above: Option<f64>,
}

/// How a study stands to a tolerance limit, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LimitVerdict {
    /// Too little was counted to say.
    #[default]
    TooFew,
    /// Below the secondary limit.
    Within,
    /// At the secondary limit or above.
    Secondary,
    /// At the limit or above.
    Breach,
}
