//! Where a value came from.

use serde::{Deserialize, Serialize};

/// A value that was not observed says so, and says what made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// Collected in the trial.
    Observed,
    /// Filled in by a model.
    Imputed {
        /// The model's name.
        model: String,
    },
    /// Made by a generator or a simulator.
    Synthetic {
        /// The generator's name.
        generator: String,
    },
}
