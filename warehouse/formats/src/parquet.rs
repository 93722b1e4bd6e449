//! Parquet files. Each value becomes the text that a person would write for it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use crate::dataset::{Column, ColumnKind, Dataset, Format};
use crate::error::file_name;
use crate::source::{BATCH_ROWS, Source, stem};
use crate::text::{append_number, empty_to_null, schema};
use crate::{Error, Result};

const FORMAT: &str = "Parquet";

/// Reads the footer.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    let builder = start(path)?;
    let columns =
        builder.schema().fields().iter().map(|field| {
            Column::new(field.name(), kind_of(field.data_type()), field.data_type().to_string())
        });
    Ok(Dataset {
        file: file_name(path),
        name: stem(path),
        label: String::new(),
        format: Format::Parquet,
        encoding: "utf-8",
        created_at: None,
        columns: columns.collect(),
        rows: u64::try_from(builder.metadata().file_metadata().num_rows()).ok(),
    })
}

fn start(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let failed = |error: ParquetError| Error::damaged(&file_name(path), FORMAT, error.to_string());
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)
}

/// The rows of a Parquet file whose footer was read.
pub(crate) struct ParquetSource {
    dataset: Dataset,
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
}

impl ParquetSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let reader = start(path)?.with_batch_size(BATCH_ROWS).build();
        let reader = reader.map_err(|error| Error::damaged(&dataset.file, FORMAT, error.to_string()))?;
        Ok(Self { schema: schema(&dataset.columns), dataset: dataset.clone(), reader })
    }
}

impl Source for ParquetSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| Error::damaged(&self.dataset.file, FORMAT, error.to_string()))?;
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(&self.dataset.columns)
            .map(|(array, column)| text_of(array, column.kind))
            .collect::<Result<_>>()?;
        RecordBatch::try_new(self.schema.clone(), columns)
            .map(Some)
            .map_err(Error::arrow("read Parquet rows"))
    }
}

fn kind_of(kind: &DataType) -> ColumnKind {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => ColumnKind::Text,
        DataType::Dictionary(_, values) => kind_of(values),
        DataType::Boolean => ColumnKind::Bool,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => ColumnKind::Time,
        kind if kind.is_numeric() => ColumnKind::Number,
        _ => ColumnKind::Other,
    }
}

fn text_of(array: &ArrayRef, kind: ColumnKind) -> Result<ArrayRef> {
    match array.data_type() {
        // No mapping can use such a column; the raw zone keeps the file itself.
        _ if kind == ColumnKind::Other => Ok(Arc::new(StringArray::new_null(array.len()))),
        DataType::Float64 => Ok(numbers(array.as_primitive::<Float64Type>().iter())),
        DataType::Float32 => {
            Ok(numbers(array.as_primitive::<Float32Type>().iter().map(|value| value.map(f64::from))))
        }
        // An instant with a zone is written in UTC, as system times are kept (rule R-04).
        DataType::Timestamp(unit, Some(_)) => {
            let utc =
                cast(array, &DataType::Timestamp(*unit, None)).map_err(Error::arrow("read an instant"))?;
            cast(&utc, &DataType::Utf8).map_err(Error::arrow("read a Parquet column as text"))
        }
        _ => {
            let texts =
                cast(array, &DataType::Utf8).map_err(Error::arrow("read a Parquet column as text"))?;
            Ok(empty_to_null(texts))
        }
    }
}

/// Numbers in their shortest exact form, so that a whole number stored as floating point has no point.
fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for value in values {
        match value.filter(|value| !value.is_nan()) {
            Some(value) => append_number(&mut builder, value),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}
