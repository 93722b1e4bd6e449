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
        "`{table}` would hold {rows} members twice: one source system has several records of the same ones; deliver \
         one record for each"
    )]
    RepeatedMember {
        /// The dimension, or the entity behind it.
        table: String,
        /// How many rows too many.
        rows: u64,
    },
    /// A fact does not have one row for each record; a defect of its definition.
    #[error("`{table}` has {rows} rows of the {records} records of `{entity}`; nothing was published")]
    LostRows {
        /// The fact.
        table: String,
        /// The entity whose records are its rows.
        entity: String,
        /// The rows it has.
        rows: u64,
        /// The rows it should have.
        records: u64,
    },
    /// A key names no member of its dimension; a defect of a definition.
    #[error(
        "{rows} rows of `{table}` have a `{column}` that `{dimension}` does not hold; nothing was published"
    )]
    BrokenRelationship {
        /// The table with the key.
        table: String,
        /// The key.
        column: String,
        /// The dimension.
        dimension: String,
        /// How many rows.
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
    /// The registry of quality checks is wrong; a defect of the build.
    #[error("the registry of quality checks is not usable: {reason}")]
    Checks {
        /// What is wrong and where.
        reason: String,
    },
    /// A file of thresholds is wrong.
    #[error("the thresholds in `{file}` are not usable: {reason}")]
    Thresholds {
        /// The file.
        file: String,
        /// What is wrong and where.
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
    /// A manifest of another version of the program.
    #[error(
        "the snapshot's manifest is of form {found}, this program reads form {known}; deliver the study's files again into a new data folder"
    )]
    ManifestForm {
        /// The form that was found.
        found: u32,
        /// The form that is read.
        known: u32,
    },
    /// A part of a file does not begin where the last one ended.
    #[error(
        "file `{file}`: {received} bytes have been received, the part begins at {offset}; go on at {received}"
    )]
    PartOutOfPlace {
        /// The file.
        file: String,
        /// What is there.
        received: u64,
        /// Where the part was said to begin.
        offset: u64,
    },
    /// A file would become longer than was announced.
    #[error("file `{file}` was announced with {announced} bytes, and more were sent")]
    PartTooLarge {
        /// The file.
        file: String,
        /// What was announced.
        announced: u64,
    },
    /// A file is not whole yet.
    #[error("file `{file}` is not whole: {received} of {announced} bytes have been received; send the rest")]
    FileNotWhole {
        /// The file.
        file: String,
        /// What is there.
        received: u64,
        /// What was announced.
        announced: u64,
    },
    /// A file is not what was announced.
    #[error(
        "file `{file}` is not what was announced: its BLAKE3 is {found}, announced was {announced}; what was received is discarded, send it again"
    )]
    FileNotAsAnnounced {
        /// The file.
        file: String,
        /// Its hash.
        found: String,
        /// The announced hash.
        announced: String,
    },
    /// A name cannot be that of a delivered file.
    #[error(
        "`{name}` cannot be a file's name here: it takes 1 to 200 letters without `/`, `\\` or control characters, and not a leading point"
    )]
    FileName {
        /// The name.
        name: String,
    },
    /// Conformance rules are not usable.
    #[error("the conformance rules are not usable")]
    Rules {
        /// What is wrong, and where.
        #[source]
        source: rules::RuleError,
    },
    /// The source's cut is said to be of the future.
    #[error("the cut is dated {extracted_at}, which is after now ({now}); correct `--extracted-at`")]
    CutOfTheFuture {
        /// When the source is said to have been read.
        extracted_at: String,
        /// When it was received.
        now: String,
    },
    /// Nothing is known of the sources at that instant.
    #[error("no source was read until {instant}{}", first.as_ref().map_or_else(String::new, |first| format!("; the first cut is of {first}")))]
    NoCutUntil {
        /// The wanted instant.
        instant: String,
        /// The instant of the first cut.
        first: Option<String>,
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
        self.write(f, &format!("`{}`: ", self.value))
    }
}

impl Overflow {
    fn write(&self, f: &mut impl std::fmt::Write, value: &str) -> std::fmt::Result {
        let Self { file, dataset, entity, quarantined, rows, row, column, source_column, reason, .. } = self;
        let from = if source_column.is_empty() { "a column" } else { source_column };
        write!(
            f,
            "file `{file}`: {quarantined} of {rows} rows of dataset `{dataset}` do not fit `{entity}` (the limit is \
             1 %); first: row {row}, column `{from}` for `{column}`: {value}{reason}"
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
            | Self::CutOfTheFuture { .. }
            | Self::NoCutUntil { .. }
            | Self::Rules { .. }
            | Self::PartOutOfPlace { .. }
            | Self::PartTooLarge { .. }
            | Self::FileNotWhole { .. }
            | Self::FileNotAsAnnounced { .. }
            | Self::FileName { .. }
            | Self::ChangedMeanwhile { .. }
            | Self::RepeatedMember { .. }
            | Self::NothingToIngest { .. }
            | Self::Mapping { .. }
            | Self::Thresholds { .. } => true,
            _ => false,
        }
    }

    /// The message without any value of the data, for records that may hold none.
    #[must_use]
    pub fn without_values(&self) -> String {
        let mut text = String::new();
        match self {
            // Writing into a string cannot fail.
            Self::TooManyQuarantined(overflow) => drop(overflow.write(&mut text, "")),
            other => text = other.to_string(),
        }
        text
    }

    pub(crate) fn io(step: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::Io { step, path: file_name(path), source }
    }

    /// A failure of Arrow while `step` was done.
    pub fn arrow(step: impl Into<String>) -> impl FnOnce(arrow::error::ArrowError) -> Self {
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
