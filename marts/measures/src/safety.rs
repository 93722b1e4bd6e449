//! How often something untoward happens, and how laboratory values move.
//! [`incidence_rate`](mod@incidence_rate) counts per exposure, [`proportion_interval`](mod@proportion_interval) per
//! subject; [`shift_table`](mod@shift_table) and [`hys_law`](mod@hys_law) read laboratory results.
pub mod hys_law;
pub mod incidence_rate;
pub mod proportion_interval;
pub mod shift_table;

pub use hys_law::{HysLawCase, LiverAnalyte, LiverResult, hys_law};
pub use incidence_rate::{IncidenceRate, incidence_rate};
pub use proportion_interval::{ProportionInterval, clopper_pearson, wilson};
pub use shift_table::{ShiftTable, shift_table};
