//! From a flag to subjects, and from a subject to rows.

use serde::{Deserialize, Serialize};

use super::{Choice, Definition, Downloads, Frame, Indicator, SiteRow};
use crate::query::{RowsQuery, SubjectsQuery};

/// What the subjects of one site and indicator need.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteSubjectsView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: SubjectsQuery,
    /// The indicator.
    pub indicator: Indicator,
    /// The site with exactly one signal: this indicator's.
    pub site: SiteRow,
    /// One row per subject of the site.
    pub subjects: Vec<SubjectContribution>,
    /// How it is computed.
    pub definition: Definition,
    /// The table as a file.
    pub downloads: Downloads,
}

/// What one subject adds to an indicator.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubjectContribution {
    /// The subject's key, as it stands in the address.
    pub subject: String,
    /// Arm, status or both; may be empty.
    pub note: String,
    /// What the subject adds to the numerator.
    pub numerator: f64,
    /// What the subject adds to the denominator.
    pub denominator: f64,
}

/// What the rows behind one subject's contribution need.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubjectRowsView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: RowsQuery,
    /// The indicator.
    pub indicator: Indicator,
    /// The site.
    pub site: Choice,
    /// The subject's key.
    pub subject: String,
    /// The table the rows are from: `fact_ae`.
    pub table: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One text per column and row, as received.
    pub rows: Vec<Vec<String>>,
    /// Rows on all pages together.
    pub row_count: u64,
    /// Rows on a full page.
    pub page_size: u64,
    /// The table as a file.
    pub downloads: Downloads,
}
