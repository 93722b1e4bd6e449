//! Reading a delivered file: whatever its format, it becomes batches of verbatim text columns.
//!
//! A file is checked as a whole before the first row is handed out, so that a damaged one stops the
//! delivery before anything is staged.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;

use crate::error::file_name;
use crate::{Error, Result};

mod csv;
mod parquet;
mod xpt;

/// Rows per batch: large enough to spread the cost of a call, small enough that wide text stays in cache.
pub const BATCH_ROWS: usize = 16_384;

/// What a file's column can hold, as far as its format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceType {
    /// Text, or a format that has only text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A day or an instant.
    Time,
    /// Something that is not one value: a list, a structure, bytes.
    Other,
}

/// One column of a dataset.
#[derive(Debug, Clone)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: SourceType,
    /// Its type in the words of the format.
    pub type_name: String,
}

/// What is known of a dataset before its rows are read.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The file, as delivered.
    pub file: String,
    /// The dataset's name, in upper case: from the file's header where it has one, else the file's name.
    pub name: String,
    /// `SAS XPT v5`, `Parquet` …
    pub format: &'static str,
    /// The encoding that the texts were read with (rule R-18).
    pub encoding: &'static str,
    /// Its columns in file order.
    pub columns: Vec<SourceColumn>,
    /// Its rows, where the format says or the check counted them.
    pub rows: Option<u64>,
}

impl Dataset {
    /// The position of a column, whatever the case of its name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// A dataset whose rows can be read in order, once.
pub trait Source {
    /// What the rows belong to.
    fn dataset(&self) -> &Dataset;

    /// The next rows, every column as nullable UTF-8, empty text as null; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the row where reading stopped.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>>;
}

/// Opens and checks a file by what its first bytes say.
///
/// # Errors
/// [`Error::EmptyFile`], [`Error::UnknownFormat`] or [`Error::Damaged`].
pub fn open(path: &Path) -> Result<Box<dyn Source>> {
    let name = file_name(path);
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut head))
        .map_err(|source| Error::io("open", path, source))?;
    if head.is_empty() {
        return Err(Error::EmptyFile { file: name });
    }
    if head.starts_with(b"PAR1") {
        return Ok(Box::new(parquet::ParquetSource::open(path)?));
    }
    if head.starts_with(b"HEADER RECORD*******LIB") {
        return Ok(Box::new(xpt::XptSource::open(path)?));
    }
    match suffix(path).as_deref() {
        Some("csv" | "tsv" | "txt") => Ok(Box::new(csv::CsvSource::open(path)?)),
        // The name promises what the bytes do not hold: that is damage, not an unknown format.
        Some("xpt") => Err(damaged(path, "SAS XPT", "it does not start with a library header")),
        Some("parquet") => Err(damaged(path, "Parquet", "it does not start with the bytes PAR1")),
        _ => Err(Error::UnknownFormat { file: name }),
    }
}

/// Whether a file's name says that it holds data, so that a folder may also hold a note or a definition.
#[must_use]
pub fn looks_like_data(path: &Path) -> bool {
    matches!(suffix(path).as_deref(), Some("xpt" | "parquet" | "csv" | "tsv" | "txt"))
}

fn suffix(path: &Path) -> Option<String> {
    path.extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase())
}

/// A dataset's name from its file's name.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().to_ascii_uppercase())
}

fn damaged(path: &Path, format: &'static str, reason: impl Into<String>) -> Error {
    Error::Damaged { file: file_name(path), format, reason: reason.into() }
}
