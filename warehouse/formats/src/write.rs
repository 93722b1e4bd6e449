//! Batches of text become files, in the formats that are also read.
//!
//! A writer checks what it is given: a text that does not fit its column is refused with its row and its column,
//! never cut.

mod csv;
mod dataset_json;
mod parquet;
mod xpt;

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::DataType;

use crate::dataset::Dataset;
use crate::error::file_name;
use crate::{Error, Result};

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// SAS transport: version 5, or 8 where a name has more than 8 characters, a label more than 40 or a text more
    /// than 200 bytes. Every column that is not a number needs its `length`.
    Xpt,
    /// Dataset-JSON 1.1 as one document. The dataset needs `created_at`.
    DatasetJson,
    /// Dataset-JSON 1.1, one line for each row. The dataset needs `created_at`.
    DatasetNdjson,
    /// Dataset-JSON 1.1, one line for each row, compressed (zlib). The dataset needs `created_at` and `rows`.
    Dsjc,
    /// RFC 4180 with a header line.
    Csv,
    /// Every column UTF-8 and nullable, compressed.
    Parquet,
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::Xpt => "SAS XPT",
            Self::DatasetJson | Self::DatasetNdjson | Self::Dsjc => "Dataset-JSON",
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
        }
    }
}

/// Writes a dataset as a whole; says how many rows it has.
///
/// # Errors
/// Those of [`DatasetWriter`].
pub fn write(
    path: &Path,
    dataset: &Dataset,
    target: Target,
    batches: impl IntoIterator<Item = RecordBatch>,
) -> Result<u64> {
    let mut writer = DatasetWriter::create(path, dataset, target)?;
    for batch in batches {
        writer.write(&batch)?;
    }
    writer.close()
}

/// A file that is being written. Without [`Self::close`] it is not whole.
pub struct DatasetWriter {
    sink: Box<dyn Sink>,
    file: String,
    target: Target,
    columns: usize,
    promised: Option<u64>,
    rows: u64,
}

/// The part of a writer that knows a format.
trait Sink {
    /// Adds rows; `row` counts those before.
    fn write(&mut self, columns: &[&StringArray], row: u64) -> Result<()>;

    /// Writes what stands behind the rows.
    fn close(self: Box<Self>, rows: u64) -> Result<()>;
}

impl DatasetWriter {
    /// Begins a file; one that is there is replaced.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Unwritable`] where the target cannot hold the dataset.
    pub fn create(path: &Path, dataset: &Dataset, target: Target) -> Result<Self> {
        crate::dataset::check_columns(&file_name(path), target.name(), &dataset.columns)?;
        let file = File::create(path).map_err(|source| Error::io("create", path, source))?;
        let place = Place { file: file_name(path), format: target.name() };
        let sink: Box<dyn Sink> = match target {
            Target::Xpt => Box::new(xpt::XptSink::begin(file, place.clone(), dataset)?),
            Target::DatasetJson | Target::DatasetNdjson | Target::Dsjc => {
                dataset_json::begin(file, place.clone(), dataset, target)?
            }
            Target::Csv => Box::new(csv::CsvSink::begin(file, place.clone(), dataset)?),
            Target::Parquet => Box::new(parquet::ParquetSink::begin(file, place.clone(), dataset)?),
        };
        let promised = if target == Target::Dsjc { dataset.rows } else { None };
        Ok(Self { sink, file: place.file, target, columns: dataset.columns.len(), promised, rows: 0 })
    }

    /// Adds the rows of a batch, whose columns are text in the order of the dataset's.
    ///
    /// # Errors
    /// [`Error::Unwritable`] with row and column, [`Error::Io`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let is_text = batch.columns().iter().all(|column| column.data_type() == &DataType::Utf8);
        if !is_text || batch.num_columns() != self.columns {
            let (found, wanted) = (batch.num_columns(), self.columns);
            let reason = format!("a batch has {found} columns, {wanted} of text are expected");
            return Err(Error::unwritable(&self.file, self.target.name(), reason));
        }
        let columns: Vec<&StringArray> = batch.columns().iter().map(AsArray::as_string).collect();
        self.sink.write(&columns, self.rows)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the file, brings it to disk and says how many rows it has.
    ///
    /// # Errors
    /// [`Error::Unwritable`] where `rows` promised another count, [`Error::Io`].
    pub fn close(self) -> Result<u64> {
        if let Some(promised) = self.promised.filter(|promised| *promised != self.rows) {
            let reason = format!("`rows` promised {promised} rows, {} were written", self.rows);
            return Err(Error::unwritable(&self.file, self.target.name(), reason));
        }
        self.sink.close(self.rows)?;
        Ok(self.rows)
    }
}

/// What messages of a sink name.
#[derive(Clone)]
struct Place {
    file: String,
    format: &'static str,
}

impl Place {
    fn unwritable(&self, reason: impl Into<String>) -> Error {
        Error::unwritable(&self.file, self.format, reason)
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { step: "write", file: self.file.clone(), source }
    }
}

/// A cell's text; null as empty text.
fn text_at(column: &StringArray, row: usize) -> &str {
    if column.is_null(row) { "" } else { column.value(row) }
}
