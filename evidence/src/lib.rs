//! Studies and data sets made with known truth, and their comparison with observed data.
//! Read [`mod@simulate`]: a study plan and a seed become an extract and the ledger of what was planted in it. [`rate`] says
//! how often that is found.
pub mod rate;
pub mod simulate;

pub use rate::Rate;
pub use simulate::anomaly::{Anomaly, AnomalyKind, Facts, KINDS, Target};
pub use simulate::folder::{Earlier, claim};
pub use simulate::plan::{Format, Protocol, StudyPlan};
pub use simulate::rates::Rates;
pub use simulate::truth::{Planted, Truth};
pub use simulate::{Progress, SimulateError, simulate};
