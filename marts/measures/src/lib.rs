//! Pure statistics on slices. Knows no trials and no I/O; it compiles for the browser.
//! Read [`proportion_table`] first (the numbers a group brings), then a method that scores groups: the reference's
//! ([`mod@normal_approximation`], [`mod@identity`], [`mod@fisher_exact`], [`mod@poisson_regression`]) or ours, in which
//! no group is measured by itself and small ones are judged exactly ([`mod@leave_one_out`], [`mod@exact`],
//! [`mod@in_frame`]). Then what follows: [`flag`] (what a score means), [`false_discovery`] (what it means among many),
//! [`mod@change`] and [`mod@risk_score`] (what a group's flags add up to). [`tolerance`] judges a whole study by its
//! limits. [`mod@missingness`] stands alone.
//!
//! The statistics that are no risk indicators each have a module with a map of its own: [`site_test`] (is a group like the
//! rest?) and [`mod@cauchy_combination`] (one p-value of many), [`mcar`] (why values are missing), [`survival`] (times
//! until something happens), [`safety`] (rates, shares, laboratory shifts) and [`enrolment`] (forecasts).
pub mod error;
pub mod proportion_table;

pub mod bounds;
pub mod fisher_exact;
pub mod identity;
pub mod normal_approximation;
pub mod poisson_regression;

pub mod exact;
pub mod in_frame;
mod law;
pub mod leave_one_out;

pub mod change;
pub mod false_discovery;
pub mod flag;
pub mod risk_score;

pub mod tolerance;

pub mod missingness;

pub mod enrolment;
pub mod mcar;
pub mod safety;
pub mod site_test;
pub mod survival;

pub mod cauchy_combination;

mod cholesky;
mod tail_probability;

pub use bounds::Bound;
pub use cauchy_combination::{cauchy_combination, cauchy_combination_weighted};
pub use change::{Change, change, changes};
pub use error::MeasureError;
pub use exact::{Against, ExactGroup, exact, exact_bounds};
pub use false_discovery::benjamini_hochberg;
pub use fisher_exact::{FisherGroup, fisher_exact};
pub use flag::{Accrual, FlagRule, Judged};
pub use identity::{Basis, identity};
pub use in_frame::{InFrame, Pool, Reported, in_frame};
pub use leave_one_out::{LeftOut, leave_one_out, leave_one_out_bounds};
pub use missingness::{Counts, Missingness, missingness};
pub use normal_approximation::{NormalApproximation, bounds, normal_approximation};
pub use poisson_regression::{Exposure, PoissonGroup, PoissonRegression, poisson_bounds, poisson_regression};
pub use proportion_table::{GroupScore, Kind};
pub use risk_score::{RiskScore, Weights, risk_score};
