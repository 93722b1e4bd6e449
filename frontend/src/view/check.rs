//! What the checks of the data's quality found.

use serde::{Deserialize, Serialize};

/// The checks of one snapshot, judged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChecksView {
    /// Those that fail, the gravest first.
    pub failing: Vec<FailingCheck>,
    /// How many pass.
    pub pass_count: u64,
    /// Those that were asked of no row: neither passed nor failed.
    pub not_applicable: Vec<String>,
    /// Address of all checks with their counts.
    pub list_href: String,
}

/// A check with more violations than are accepted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FailingCheck {
    /// Its id.
    pub id: String,
    /// How much a violation weighs.
    pub severity: CheckSeverity,
    /// `conformance`, `completeness` or `plausibility`.
    pub category: String,
    /// The entity.
    pub entity: String,
    /// What holds when nothing is violated.
    pub description: String,
    /// What to do.
    pub remedy: String,
    /// Rows it was asked of.
    pub denominator: u64,
    /// Rows that violate it.
    pub violations: u64,
    /// What is accepted, by whom and why.
    pub accepted: String,
    /// Address of the violating rows.
    pub href: String,
}

/// How much a violation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSeverity {
    /// The data is wrong.
    Error,
    /// The data is doubtful.
    #[default]
    Warn,
    /// Worth knowing.
    Info,
}
