//! Derived tables. Every mart is a function of one published snapshot and nothing else.
//! Read [`mart`] first (what a mart is), then [`registry`] (which exist), [`mod@plan`] (what a build would make, and why),
//! [`mod@build`] (how they are made) and [`run`] (what a build came to).
pub mod error;
pub mod mart;
pub mod registry;
pub mod test;

mod ascent;
pub mod build;
mod by_key;
mod check;
mod columns;
mod crew;
pub mod definitions;
pub mod docs;
pub mod enrolment;
pub mod freshness;
pub mod indicators;
pub mod lineage;
pub mod mechanism;
mod missingness;
pub mod openlineage;
pub mod plan;
pub mod retention;
pub mod run;
pub mod safety;
mod seen;
pub mod selector;
pub mod site_test;
pub mod tolerance;

pub use build::{Cancel, Order, Publication, build};
pub use definitions::{Change, Definitions, Override, Reach};
pub use error::{Error, Result};
pub use freshness::Freshness;
pub use indicators::{IndicatorDefinition, Model};
pub use mart::{Column, Definition, Mart};
pub use plan::{Action, Base, Planned, Reason, plan};
pub use registry::MARTS;
pub use run::{Built, Outcome, Run, Status, Tested};
pub use selector::Selection;
pub use test::{Rule, Severity, Test};
