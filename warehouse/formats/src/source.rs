//! Checking and reading a delivered file.
//!
//! A file is checked as a whole before its first row is handed out, so that a damaged one stops the delivery
//! before anything is staged. The [`Dataset`] is the proof of that check; reading again does not repeat it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;

use crate::csv::CsvSource;
use crate::dataset::{Dataset, Format};
use crate::error::file_name;
use crate::odm::OdmSource;
use crate::parquet::ParquetSource;
use crate::xpt::XptSource;
use crate::{Error, Result};

/// Rows per batch: large enough to spread the cost of a call, small enough that wide text stays in cache.
pub const BATCH_ROWS: usize = 16_384;

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

/// Finds out a file's format by its first bytes, checks the whole file and says which datasets it holds.
///
/// # Errors
/// [`Error::EmptyFile`], [`Error::UnknownFormat`] or [`Error::Damaged`].
pub fn datasets(path: &Path) -> Result<Vec<Dataset>> {
    let name = file_name(path);
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut head))
        .map_err(|source| Error::io("open", path, source))?;
    if head.is_empty() {
        return Err(Error::EmptyFile { file: name });
    }
    if head.starts_with(b"PAR1") {
        return Ok(vec![crate::parquet::check(path)?]);
    }
    if head.starts_with(b"HEADER RECORD*******LIB") {
        return Ok(vec![crate::xpt::check(path)?]);
    }
    let suffix = suffix(path);
    let is_delimited = matches!(suffix.as_deref(), Some("csv" | "tsv" | "txt"));
    if !is_delimited && crate::xml::looks_like_xml(&head) {
        return crate::odm::check(path);
    }
    match suffix.as_deref() {
        Some("csv" | "tsv" | "txt") => Ok(vec![crate::csv::check(path)?]),
        // The name promises what the bytes do not hold: that is damage, not an unknown format.
        Some("xpt") => Err(Error::damaged(&name, "SAS XPT", "it does not start with a library header")),
        Some("parquet") => Err(Error::damaged(&name, "Parquet", "it does not start with the bytes PAR1")),
        Some("xml") => Err(Error::damaged(&name, "ODM-XML", "it does not start with a tag")),
        _ => Err(Error::UnknownFormat { file: name, known: KNOWN.to_owned() }),
    }
}

const KNOWN: &str = "SAS XPT (v5, v8), Parquet, ODM-XML (1.3, 2.0) and CSV";

/// Opens one dataset of a file that [`datasets`] checked.
///
/// # Errors
/// [`Error::Io`], or [`Error::Damaged`] when the file is no longer what was checked.
pub fn open(path: &Path, dataset: &Dataset) -> Result<Box<dyn Source>> {
    Ok(match dataset.format {
        Format::XptV5 | Format::XptV8 => Box::new(XptSource::open(path, dataset)?),
        Format::Parquet => Box::new(ParquetSource::open(path, dataset)?),
        Format::Csv { delimiter } => Box::new(CsvSource::open(path, dataset, delimiter)?),
        Format::Odm { .. } => Box::new(OdmSource::open(path, dataset)?),
    })
}

/// Whether a file's name says that it holds data, so that a folder may also hold a note or a definition.
#[must_use]
pub fn looks_like_data(path: &Path) -> bool {
    match suffix(path).as_deref() {
        // A definition is XML too.
        Some("xml") => crate::odm::looks_like_odm(path),
        suffix => matches!(suffix, Some("xpt" | "parquet" | "csv" | "tsv" | "txt")),
    }
}

fn suffix(path: &Path) -> Option<String> {
    path.extension().map(|suffix| suffix.to_string_lossy().to_ascii_lowercase())
}

/// A dataset's name from its file's name.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().to_ascii_uppercase())
}
