//! Derived tables. Every mart is a function of one published snapshot and nothing else.
//! Read [`mart`] first (what a mart is), then [`registry`] (which exist), then [`mod@build`] (how they are made).
pub mod error;
pub mod mart;
pub mod registry;

pub mod build;
mod columns;
pub mod indicators;
pub mod retention;
pub mod tolerance;

pub use build::{Built, Outcome, build};
pub use error::{Error, Result};
pub use indicators::{IndicatorDefinition, Model};
pub use mart::{Mart, Test};
pub use registry::MARTS;
