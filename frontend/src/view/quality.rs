//! What is missing, where and when.

use serde::{Deserialize, Serialize};

use super::{Choice, Definition, Downloads, Frame};
use crate::query::QualityQuery;

/// What the missingness page needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct QualityView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: QualityQuery,
    /// The variables to choose from.
    pub variables: Vec<Choice>,
    /// The visits to choose from, in order.
    pub visits: Vec<Choice>,
    /// The sites to choose from.
    pub sites: Vec<Choice>,
    /// Rows that match the query's variable, visit and site. Their grain may be variable, visit and
    /// site or coarser; the page adds them up to what it shows.
    pub rows: Vec<MissingnessRow>,
    /// How it is computed.
    pub definition: Definition,
    /// The table as a file.
    pub downloads: Downloads,
}

/// Counts of one variable, visit and site.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MissingnessRow {
    /// The variable.
    pub variable: Choice,
    /// The visit with its place in the schedule.
    pub visit: VisitLabel,
    /// The site; an empty key when the row is for all sites.
    pub site: Choice,
    /// Values the schedule asks for.
    pub n_expected: u64,
    /// Values on pages that were received.
    pub n_received: u64,
    /// Values that are there.
    pub n_observed: u64,
    /// Values missing on a page that was received.
    pub n_item_missing: u64,
    /// Values missing because the visit or page was not received.
    pub n_visit_missing: u64,
}

/// A visit with its place in the schedule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VisitLabel {
    /// As it stands in the address.
    pub key: String,
    /// As people say it.
    pub label: String,
    /// Visits are shown in ascending order of this.
    pub order: f64,
}
