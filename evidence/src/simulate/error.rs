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
    /// A plan file is not a plan.
    #[error("`{}` is not a study plan: {reason}", path.display())]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the place.
        reason: String,
    },
    /// There is no such kind of anomaly.
    #[error("there is no anomaly `{name}`; `cairn simulate --help` lists them")]
    UnknownAnomaly {
        /// The name.
        name: String,
    },
    /// There is no such format.
    #[error("there is no format `{name}`; there are `edc`, `sdtm-xpt` and `sdtm-datasetjson`")]
    UnknownFormat {
        /// The name.
        name: String,
    },
    /// An anomaly is not written as it should be.
    #[error("`{text}` is not `TYPE@TARGET[:MAGNITUDE[:START]]`: it needs {part}")]
    AnomalySyntax {
        /// What was written.
        text: String,
        /// What it lacks.
        part: &'static str,
    },
    /// An anomaly is of an impossible size.
    #[error("the magnitude of `{name}` ({unit}) must be between {least} and {most}, not {magnitude}")]
    Magnitude {
        /// The anomaly.
        name: &'static str,
        /// What the magnitude counts.
        unit: &'static str,
        /// The one that was given.
        magnitude: f64,
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// An anomaly is meant for a site that the study does not have.
    #[error("the plan has no site `{site}` for its anomaly")]
    UnknownSite {
        /// The site, by id or by rank; or a country or a subject.
        site: String,
    },
    /// The folder holds something that a simulation did not make.
    #[error("`{}` holds `{found}`, which no simulation made; name a new folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// The first foreign thing in it.
        found: String,
    },
    /// The folder holds an earlier simulation.
    #[error("`{}` holds an earlier simulation; replace it with `--force`, or name a new folder", path.display())]
    Present {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
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
    /// A batch could not be encoded, or decoded again.
    #[error("failed to encode dataset `{dataset}`")]
    Encode {
        /// The dataset.
        dataset: &'static str,
        /// The cause.
        #[source]
        source: ParquetError,
    },
    /// An SDTM dataset could not be written.
    #[error("failed to write SDTM dataset `{dataset}`")]
    Sdtm {
        /// The dataset.
        dataset: &'static str,
        /// The cause: the disk, or a value that does not fit its column.
        #[source]
        source: formats::Error,
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
