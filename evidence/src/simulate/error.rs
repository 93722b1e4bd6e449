//! What can go wrong between a plan and its files.

use std::io;
use std::path::PathBuf;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Why a study could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A value of the plan makes no study.
    #[error("the plan's `{field}` must be {rule}")]
    Plan {
        /// The value at fault.
        field: &'static str,
        /// What it has to be.
        rule: &'static str,
    },
    /// An anomaly is meant for a site that the study does not have.
    #[error("the plan has no site `{site}` for its anomaly")]
    UnknownSite {
        /// The site, by id or by rank.
        site: String,
    },
    /// The folder or a file could not be made.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Rows could not be put together as a batch.
    #[error("failed to assemble rows of `{dataset}`")]
    Assemble {
        /// The dataset.
        dataset: &'static str,
        /// The cause.
        #[source]
        source: ArrowError,
    },
    /// A batch could not be encoded.
    #[error("failed to encode dataset `{dataset}`")]
    Encode {
        /// The dataset.
        dataset: &'static str,
        /// The cause.
        #[source]
        source: ParquetError,
    },
    /// The plan or the ledger could not be rendered.
    #[error("failed to render `{file}`")]
    Render {
        /// The file.
        file: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}
