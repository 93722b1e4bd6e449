//! What an artefact came from. Built twice from the same lineage, it has the same bytes.

use serde::{Deserialize, Serialize};

use crate::{Seed, SnapshotId};

/// The version of the code that builds artefacts.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The inputs that determine a mart, a dataset or a pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The snapshot whose tables were read; `None` for what starts from nothing, such as a simulation.
    pub snapshot: Option<SnapshotId>,
    /// The definition's parameters, as one canonical text.
    pub parameters: String,
    /// The seed, where chance took part.
    pub seed: Option<Seed>,
    /// The version of the code.
    pub code_version: String,
}
