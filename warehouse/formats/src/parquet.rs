//! Parquet files.
//!
//! The check reads the footer and the header of every page, which costs little: that they lie inside the file, and
//! that no page grows without bound. A page's content is decoded when it is read.

mod pages;
mod thrift;

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::arrow_text::{column_of, text_batch};
use crate::dataset::{Column, Dataset, Format, check_columns};
use crate::error::file_name;
use crate::guard::guarded;
use crate::source::{BATCH_ROWS, Source, stem};
use crate::text::schema;
use crate::{Error, Result};

const FORMAT: &str = "Parquet";

/// Reads the footer and the header of every page.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    let file = file_name(path);
    pages::check_footer(path)?;
    let builder = start(path)?;
    let columns: Vec<Column> = builder.schema().fields().iter().map(|field| column_of(field)).collect();
    check_columns(&file, FORMAT, &columns)?;
    let rows = guarded(&file, FORMAT, || pages::check_pages(path, builder.metadata()))?;
    Ok(Dataset {
        name: stem(path),
        label: String::new(),
        format: Format::Parquet,
        encoding: "utf-8",
        created_at: None,
        columns,
        rows: Some(rows),
        file,
    })
}

fn start(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let name = file_name(path);
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    guarded(&name, FORMAT, || {
        ParquetRecordBatchReaderBuilder::try_new(file)
            .map_err(|error| Error::damaged(&name, FORMAT, error.to_string()))
    })
}

/// The rows of a Parquet file that was checked.
pub(crate) struct ParquetSource {
    dataset: Dataset,
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    row: u64,
}

impl ParquetSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let builder = start(path)?.with_batch_size(BATCH_ROWS);
        let reader = guarded(&dataset.file, FORMAT, || {
            builder.build().map_err(|error| Error::damaged(&dataset.file, FORMAT, error.to_string()))
        })?;
        Ok(Self { schema: schema(&dataset.columns), dataset: dataset.clone(), reader, row: 0 })
    }
}

impl Source for ParquetSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Self { dataset, reader, schema, row } = self;
        let damaged = |reason: String| Error::damaged(&dataset.file, FORMAT, reason);
        guarded(&dataset.file, FORMAT, || match reader.next() {
            None if dataset.rows.is_some_and(|promised| promised != *row) => {
                let promised = dataset.rows.unwrap_or_default();
                Err(damaged(format!("its footer promises {promised} rows, it holds {row}")))
            }
            None => Ok(None),
            Some(Err(error)) => Err(damaged(format!("behind row {row}: {error}"))),
            Some(Ok(batch)) => {
                *row += batch.num_rows() as u64;
                text_batch(&batch, &dataset.columns, schema).map(Some)
            }
        })
    }
}
