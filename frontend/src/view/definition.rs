//! What stands beside every figure: how it was computed and where to take it away.

use serde::{Deserialize, Serialize};

/// How a figure was computed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Definition {
    /// What is defined: `Adverse event rate`.
    pub title: String,
    /// One or two sentences for a clinical reader.
    pub summary: String,
    /// What is counted; may be empty.
    pub numerator: String,
    /// What it is divided by; may be empty.
    pub denominator: String,
    /// The method's name: `normal_approximation`; may be empty.
    pub method: String,
    /// The formula as text.
    pub formula: String,
    /// When a group is scored at all: `denominator of at least 30 patient-days`; may be empty.
    pub accrual: String,
    /// Guideline, package or paper.
    pub source: String,
    /// Further names and values: thresholds, weights, code version.
    pub parameters: Vec<(String, String)>,
    /// What people changed of it, newest first.
    pub changes: Vec<DefinitionChange>,
}

/// One change of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// What was changed: `Adverse event rate`.
    pub title: String,
    /// `this study` or `every study`.
    pub place: String,
    /// What was said there before.
    pub before: String,
    /// What is said since.
    pub after: String,
    /// Why.
    pub reason: String,
    /// Who: an account, or `operator`.
    pub by: String,
    /// When.
    pub at_unix_s: i64,
}

/// Where the table of a page can be taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Downloads {
    /// Address of the table as CSV.
    pub csv_href: Option<String>,
    /// Address of the table as Parquet.
    pub parquet_href: Option<String>,
}
