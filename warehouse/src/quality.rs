//! Is the data fit for use? Every check asks one question of one entity's current rows and leaves its count:
//! how many rows it was asked of, and how many violate it. Whether that is good enough is judged when it is
//! read ([`threshold`]), so that a threshold can change without computing anything again.
//!
//! Read [`registry`] first (which checks there are), then [`mod@build`] (how they become the tables
//! `quality_check` and `quality_finding` of a snapshot), [`foreign`] (how another engine's findings come in),
//! and [`conformance`] (the rules of a standard).

pub mod build;
pub mod conformance;
pub mod foreign;
pub mod page;
pub mod registry;
pub mod rows;
pub mod threshold;

mod drift;
mod evaluate;

pub use foreign::{ForeignCheck, add};
pub use registry::{Category, Check, Severity, checks};
pub use rows::{CheckRow, Finding, Status, read_checks, read_findings};
pub use threshold::{Judgement, Thresholds, Verdict};

/// The table with one row per check.
pub const CHECK_TABLE: &str = "quality_check";
/// The table with one row per violating row.
pub const FINDING_TABLE: &str = "quality_finding";
/// The `source` of our own checks.
pub const OWN_SOURCE: &str = "cairn";
/// How many violating rows of one check are kept; the count is always whole.
pub const FINDINGS_AT_MOST: u64 = 1_000;

const CHECK_GRAIN: &str =
    "one row per check of the data's quality, with what it was asked of and what violates it";
const FINDING_GRAIN: &str =
    "one row per row that violates a check of the data's quality, the first ones of each check";
