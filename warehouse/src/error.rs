//! What can go wrong between a file and a published table. Each variant names the place and, where the
//! cause does not make it plain, the remedy.

use std::io;

/// The result of a warehouse operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the warehouse. What a sender can mend is told apart by [`Error::is_refusal`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("failed to {step} `{path}`")]
    Io {
        /// What was being done.
        step: &'static str,
        /// The file, without the folder it stands in.
        path: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The object store refused.
    #[error("failed to {step} `{key}` in storage")]
    Storage {
        /// What was being done.
        step: &'static str,
        /// The object.
        key: String,
        /// The store's word.
        #[source]
        source: object_store::Error,
    },
    /// A delivered file cannot be read.
    #[error(transparent)]
    File(#[from] formats::Error),
    /// No mapping knows the dataset.
    #[error("file `{file}` holds the dataset `{dataset}`, which mapping `{mapping}` does not know{near}")]
    UnknownDataset {
        /// The delivered file.
        file: String,
        /// The dataset's name in the file.
        dataset: String,
        /// The mapping that was used.
        mapping: String,
        /// The nearest known names, as a hint that starts with `; `.
        near: String,
    },
    /// No shipped mapping fits the delivery.
    #[error(
        "no mapping fits the datasets {datasets}{candidates}; name one with `--mapping`, or write one (`cairn mapping new`)"
    )]
    NoMapping {
        /// The datasets found.
        datasets: String,
        /// The mappings that know some of them and why none was taken, in parentheses; empty when none does.
        candidates: String,
    },
    /// A lookup needs more keys than memory should hold.
    #[error(
        "lookup `{lookup}` of dataset `{dataset}` needs more than {limit} keys; deliver the datasets that use it in parts"
    )]
    LookupTooLarge {
        /// The lookup.
        lookup: String,
        /// The dataset that values are looked up in.
        dataset: String,
        /// How many keys may be held.
        limit: usize,
    },
    /// A column that a required canon column needs is not in the file.
    #[error("file `{file}`: dataset `{dataset}` has no column `{column}`, which `{entity}.{target}` needs")]
    MissingColumn {
        /// The delivered file.
        file: String,
        /// The dataset.
        dataset: String,
        /// The absent column.
        column: String,
        /// The canon entity.
        entity: String,
        /// The canon column.
        target: String,
    },
    /// A column has a type that cannot hold what canon wants.
    #[error("file `{file}`: dataset `{dataset}` column `{column}` is of type {found}, {wanted} is needed")]
    WrongType {
        /// The delivered file.
        file: String,
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
        /// Its type in the file.
        found: String,
        /// What canon needs.
        wanted: String,
    },
    /// Too many rows of a dataset do not fit the contract.
    #[error("{0}")]
    TooManyQuarantined(Box<Overflow>),
    /// The same key came before with other bytes.
    #[error(
        "idempotency key `{key}` was used for another delivery (its manifest is {committed}, this one is {given}); use a new key"
    )]
    KeyReused {
        /// The key.
        key: String,
        /// The hash of the committed delivery.
        committed: String,
        /// The hash of this one.
        given: String,
    },
    /// A file was written to while it was taken in.
    #[error("file `{file}` changed while it was taken in; send it again when it is complete")]
    ChangedMeanwhile {
        /// The delivered file.
        file: String,
    },
    /// A dimension would have a member twice.
    #[error(
        "`{table}` would hold {rows} members twice: two sources name the same ones; deliver them from one source system"
    )]
    RepeatedMember {
        /// The dimension.
        table: String,
        /// How many rows too many.
        rows: u64,
    },
    /// The delivery holds no file.
    #[error(
        "there is nothing to ingest: `{place}` is not there, or holds no data files (.xpt, .parquet, .csv)"
    )]
    NothingToIngest {
        /// Where files were looked for.
        place: String,
    },
    /// A mapping file is wrong.
    #[error("mapping `{mapping}` is not usable: {reason}")]
    Mapping {
        /// The mapping.
        mapping: String,
        /// What is wrong and where.
        reason: String,
    },
    /// The model contract is wrong; a defect of the build.
    #[error("the model contract is not usable: {reason}")]
    Contract {
        /// What is wrong.
        reason: String,
    },
    /// DuckDB refused a statement.
    #[error("failed to {step}")]
    Engine {
        /// What was being computed.
        step: String,
        /// The engine's word.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A Parquet file of the warehouse could not be written or read.
    #[error("failed to {step} the Parquet file `{file}`")]
    Parquet {
        /// What was being done.
        step: &'static str,
        /// The file.
        file: String,
        /// The library's word.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// An Arrow kernel refused.
    #[error("failed to {step}")]
    Arrow {
        /// What was being computed.
        step: String,
        /// The library's word.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A stored object is not what its manifest says.
    #[error("stored file `{key}` is not what its manifest says: {reason}; restore it from a copy")]
    Corrupt {
        /// The object.
        key: String,
        /// What differs.
        reason: String,
    },
    /// The snapshot has no such table.
    #[error("the snapshot has no table `{table}`")]
    NoTable {
        /// The wanted table.
        table: String,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// More rows set aside than a delivery may have.
#[derive(Debug)]
pub struct Overflow {
    /// The delivered file.
    pub file: String,
    /// The dataset.
    pub dataset: String,
    /// The canon entity.
    pub entity: String,
    /// Rows set aside.
    pub quarantined: u64,
    /// Rows read.
    pub rows: u64,
    /// The first row that was set aside, counted from 1.
    pub row: u64,
    /// The canon column that did not fit.
    pub column: String,
    /// The sender's column that feeds it; empty when none does.
    pub source_column: String,
    /// Why.
    pub reason: String,
    /// The start of the text that did not fit.
    pub value: String,
}

impl std::fmt::Display for Overflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, dataset, entity, quarantined, rows, row, column, source_column, reason, value } =
            self;
        let from = if source_column.is_empty() { "a column" } else { source_column };
        write!(
            f,
            "file `{file}`: {quarantined} of {rows} rows of dataset `{dataset}` do not fit `{entity}` (the limit is \
             1 %); first: row {row}, column `{from}` for `{column}`: `{value}`: {reason}"
        )
    }
}

impl Error {
    /// Whether the sender can mend it: the delivery was refused, nothing of it was published.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::File(error) => error.is_refusal(),
            Self::UnknownDataset { .. }
            | Self::NoMapping { .. }
            | Self::LookupTooLarge { .. }
            | Self::MissingColumn { .. }
            | Self::WrongType { .. }
            | Self::TooManyQuarantined { .. }
            | Self::KeyReused { .. }
            | Self::ChangedMeanwhile { .. }
            | Self::RepeatedMember { .. }
            | Self::NothingToIngest { .. }
            | Self::Mapping { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn io(step: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::Io { step, path: file_name(path), source }
    }

    pub(crate) fn arrow(step: impl Into<String>) -> impl FnOnce(arrow::error::ArrowError) -> Self {
        let step = step.into();
        move |source| Self::Arrow { step, source }
    }

    pub(crate) fn parquet(
        step: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let file = file_name(path);
        move |source| Self::Parquet { step, file, source }
    }
}

/// A path's last part: messages never tell a machine's folders.
pub(crate) fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
