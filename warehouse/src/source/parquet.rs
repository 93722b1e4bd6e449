//! Parquet files. Each value becomes the text that a person would write for it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::xpt::{append_number, text_schema};
use super::{BATCH_ROWS, Dataset, Source, SourceColumn, SourceType, damaged, stem};
use crate::{Error, Result};

const FORMAT: &str = "Parquet";

/// A Parquet file whose footer was read.
pub(super) struct ParquetSource {
    path: PathBuf,
    dataset: Dataset,
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
}

impl ParquetSource {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
        let failed = |error: parquet::errors::ParquetError| damaged(path, FORMAT, error.to_string());
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
        let columns: Vec<SourceColumn> = builder
            .schema()
            .fields()
            .iter()
            .map(|field| SourceColumn {
                name: field.name().clone(),
                kind: source_type(field.data_type()),
                type_name: field.data_type().to_string(),
            })
            .collect();
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(failed)?;
        let dataset = Dataset {
            file: crate::error::file_name(path),
            name: stem(path),
            format: FORMAT,
            encoding: "utf-8",
            columns,
            rows,
        };
        Ok(Self { path: path.to_owned(), schema: text_schema(&dataset.columns), dataset, reader })
    }
}

impl Source for ParquetSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| damaged(&self.path, FORMAT, error.to_string()))?;
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

fn source_type(kind: &DataType) -> SourceType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => SourceType::Text,
        DataType::Dictionary(_, values) => source_type(values),
        DataType::Boolean => SourceType::Bool,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => SourceType::Time,
        kind if kind.is_numeric() => SourceType::Number,
        _ => SourceType::Other,
    }
}

fn text_of(array: &ArrayRef, kind: SourceType) -> Result<ArrayRef> {
    match array.data_type() {
        // No mapping can use such a column; the raw zone keeps the file itself.
        _ if kind == SourceType::Other => Ok(Arc::new(StringArray::new_null(array.len()))),
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

pub(super) fn empty_to_null(texts: ArrayRef) -> ArrayRef {
    let strings = texts.as_string::<i32>();
    if (0..strings.len()).all(|row| strings.is_null(row) || !strings.value(row).is_empty()) {
        return texts;
    }
    let cleaned: StringArray = strings.iter().map(|text| text.filter(|text| !text.is_empty())).collect();
    Arc::new(cleaned)
}
