//! Studies and data sets made with known truth, and their comparison with observed data.
//! Read [`mod@simulate`]: a study plan and a seed become an extract and the ledger of what was planted in it.
pub mod simulate;

pub use simulate::plan::{Anomaly, Rates, StudyPlan, Target};
pub use simulate::truth::{AnomalyKind, Planted, Truth};
pub use simulate::{Progress, SimulateError, simulate};
