//! Sites against indicators.

use serde::{Deserialize, Serialize};

use super::{Definition, Downloads, Frame, Indicator, SiteRow};
use crate::query::RbqmQuery;

/// What the RBQM page needs. The page filters and sorts the sites by the query itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RbqmView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: RbqmQuery,
    /// The indicators, in catalogue order.
    pub indicators: Vec<Indicator>,
    /// Every site of the study.
    pub sites: Vec<SiteRow>,
    /// How scores, flags and the site risk score are made.
    pub definition: Definition,
    /// The matrix as a file.
    pub downloads: Downloads,
}
