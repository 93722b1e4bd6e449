//! One indicator over all sites, or all groups of another level.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Definition, Downloads, Frame, Indicator, SiteRow};
use crate::query::{IndicatorQuery, Level};

/// What the page of one indicator needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IndicatorView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: IndicatorQuery,
    /// The indicator.
    pub indicator: Indicator,
    /// The levels that the study has groups at.
    pub levels: Vec<Level>,
    /// The methods that can judge the indicator, its own first.
    pub methods: Vec<String>,
    /// Every site, or group of the level that was asked for, each with exactly one signal: this indicator's.
    pub sites: Vec<SiteRow>,
    /// What former snapshots said of each site or group, by its name.
    pub courses: BTreeMap<String, SiteCourse>,
    /// Limits over the denominator, one curve per threshold; empty where there are none.
    pub bounds: Vec<Bound>,
    /// How it is computed.
    pub definition: Definition,
    /// The table as a file.
    pub downloads: Downloads,
}

/// What former snapshots said of one site by this indicator.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteCourse {
    /// The metric less that of the snapshot before.
    pub change: Option<f64>,
    /// In how many snapshots, the one shown among them, the site was red or amber.
    pub flagged: u64,
    /// In how many it was judged.
    pub judged: u64,
}

/// The limit that belongs to one threshold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bound {
    /// The threshold; 0 is the study's own value.
    pub threshold: f64,
    /// Points in ascending order of the denominator.
    pub points: Vec<BoundPoint>,
}

/// One point of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BoundPoint {
    /// Where on the horizontal axis.
    pub denominator: f64,
    /// The metric at the limit.
    pub metric: f64,
}
