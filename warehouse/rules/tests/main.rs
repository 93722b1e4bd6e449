//! The contract of the crate: each operator, joins and scopes on small studies; refusals; and the published rules on
//! the published fixtures and on a whole study.

#[path = "main/archive.rs"]
mod archive;
#[path = "main/execution.rs"]
mod execution;
#[path = "main/fixture.rs"]
mod fixture;
#[path = "main/guideline_study.rs"]
mod guideline_study;
#[path = "main/operators.rs"]
mod operators;
#[path = "main/published.rs"]
mod published;
#[path = "main/refusals.rs"]
mod refusals;
#[path = "main/small.rs"]
mod small;
