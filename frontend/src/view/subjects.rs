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
    /// What was said before; none when nobody asked.
    pub corrections: Option<Corrections>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One text per column and row, as received.
    pub rows: Vec<Vec<String>>,
    /// Further columns, in which no row has anything.
    pub empty: Vec<String>,
    /// Rows on all pages together.
    pub row_count: u64,
    /// Rows on a full page.
    pub page_size: u64,
    /// The table as a file.
    pub downloads: Downloads,
}

/// What was said of a subject before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Corrections {
    /// How many snapshots were looked at.
    pub snapshots: u64,
    /// Values of the page's rows that were changed, newest first.
    pub changes: Vec<RowCorrection>,
    /// What the sources' audit trails say of the subject, newest first; none while it may not be seen.
    pub trail: Option<Vec<SourceCorrection>>,
}

/// A value that a later snapshot says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowCorrection {
    /// The row, by the first digits of `source_row_id`.
    pub row: String,
    /// The column; `the row` when it was taken back as a whole.
    pub column: String,
    /// What was said before.
    pub before: String,
    /// What is said since.
    pub after: String,
    /// When the snapshot became visible that says so first.
    pub published_unix_s: i64,
    /// Why, when the source told.
    pub reason: Option<String>,
}

/// An entry of a source's audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceCorrection {
    /// The item, as the source names it.
    pub item: String,
    /// The value before.
    pub before: String,
    /// The value after.
    pub after: String,
    /// Why, when the source told.
    pub reason: Option<String>,
    /// Who, by the source's pseudonym.
    pub by: String,
    /// When.
    pub at_unix_s: i64,
}
