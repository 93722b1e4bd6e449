//! Times until something happens, where some are cut short before it does.
//! [`kaplan_meier`](mod@kaplan_meier) estimates how many remain, [`log_rank`](mod@log_rank) compares groups, and
//! [`cumulative_incidence`](mod@cumulative_incidence) splits those who left by their reason.
pub mod cumulative_incidence;
pub mod kaplan_meier;
pub mod log_rank;
mod risk_table;

pub use cumulative_incidence::{CauseStep, cumulative_incidence};
pub use kaplan_meier::{Band, SurvivalStep, kaplan_meier, survival_quantile};
pub use log_rank::{LogRank, LogRankGroup, log_rank};
