//! How many subjects centres will enrol, and when a target is reached.
//!
//! Every centre enrols by a Poisson process; the rates of centres differ, and are drawn from one gamma distribution.
//! [`recruitment_law`] learns that distribution from what centres have enrolled so far, [`recruitment_belief`] how much
//! they leave open about it; [`total`] says what all will have enrolled at a horizon, and
//! [`time_to_target`](mod@time_to_target) when the sum is reached. No draws are made.
//!
//! Rates are taken as constant over time: a centre that tires, or starts slowly, is not modelled.
// Source: Anisimov VV, Fedorov VV, "Modelling, prediction and adaptive adjustment of recruitment in multicentre trials",
// Stat Med 2007;26:4958-4975; Anisimov VV, Commun Stat Theory Methods 2011;40:4109-4129.
mod count_distribution;
pub mod recruitment_belief;
pub mod recruitment_law;
pub mod time_to_target;
pub mod total;

pub use recruitment_belief::RecruitmentBelief;
pub use recruitment_law::{Centre, PosteriorRate, RecruitmentFit, RecruitmentLaw, fit_recruitment};
pub use time_to_target::{TimeToTarget, time_to_target};
pub use total::{Forecast, Method, TotalEnrolment, total_enrolment};
