//! Pure statistics on slices. Knows no trials and no I/O; it compiles for the browser.
//! Read [`proportion_table`] first (the numbers a group brings), then a method that scores groups
//! ([`mod@normal_approximation`] or [`mod@identity`]), then [`flag`] (what a score means) and [`mod@risk_score`] (what
//! a group's flags add up to). [`mod@missingness`] stands alone.
//!
//! The statistics that are no risk indicators each have a module with a map of its own: [`site_test`] (is a group like the
//! rest?) and [`mod@cauchy_combination`] (one p-value of many), [`mcar`] (why values are missing), [`survival`] (times
//! until something happens), [`safety`] (rates, shares, laboratory shifts) and [`enrolment`] (forecasts).
pub mod error;
pub mod proportion_table;

pub mod identity;
pub mod normal_approximation;

pub mod flag;
pub mod risk_score;

pub mod missingness;

pub mod enrolment;
pub mod mcar;
pub mod safety;
pub mod site_test;
pub mod survival;

pub mod cauchy_combination;

mod cholesky;
mod symmetric_eigen;
mod tail_probability;

pub use cauchy_combination::{cauchy_combination, cauchy_combination_weighted};
pub use error::MeasureError;
pub use flag::{Accrual, FlagRule, Judged};
pub use identity::{Basis, identity};
pub use missingness::{Counts, Missingness, missingness};
pub use normal_approximation::{Bound, NormalApproximation, bounds, normal_approximation};
pub use proportion_table::{GroupScore, Kind};
pub use risk_score::{RiskScore, Weights, risk_score};
