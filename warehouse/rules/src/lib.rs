//! Conformance rules as CDISC publishes them ("open rules", YAML), executed as they are over SDTM datasets.
//! No rule is part of this crate: a [`RulePack`] is imported from a folder of rule files.
//!
//! Read [`study`] first (the data that rules see), then [`rule`] (what a rule says), [`pack`] (a folder of rules),
//! [`mod@execute`] (how a rule is run) and [`outcome`] (what it answers). The rest is inside: `frame` is the table
//! that a check is evaluated on, `joins` and `operations` build it, `operators` judge its rows.
mod class;
mod date;
mod error;
pub mod execute;
mod frame;
mod joins;
mod operations;
mod operators;
pub mod outcome;
pub mod pack;
mod pool;
pub mod rule;
pub mod study;

pub use error::RuleError;
pub use execute::{Limits, execute, execute_all};
pub use outcome::{DatasetOutcome, Issue, RuleOutcome, Verdict};
pub use pack::{NotExecutable, RulePack, rule_files};
pub use rule::{Authority, Rule, RuleType, Sensitivity};
pub use study::{DatasetHeader, Kind, Study, StudyBuilder, VariableHeader};
