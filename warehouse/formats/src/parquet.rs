//! Parquet files.
//!
//! The check reads the footer and the header of every page, which costs little: that they lie inside the file, and
//! that no page grows without bound. A page's content is decoded when it is read.

mod pages;
mod thrift;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::arrow_text::{Portions, column_of, text_batch};
use crate::dataset::{Column, Dataset, Format, check_cells, check_columns};
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
    let length = path.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    check_cells(&file, FORMAT, rows, &columns, length)?;
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
        with_views(file).map_err(|error| Error::damaged(&name, FORMAT, error.to_string()))
    })
}

/// A reader that does not copy a text of a dictionary page for each of its rows.
fn with_views(file: File) -> Result<ParquetRecordBatchReaderBuilder<File>, ParquetError> {
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    let fields = found.schema().fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => field.clone(),
    });
    let schema = Schema::new_with_metadata(fields.collect::<Fields>(), found.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = ArrowReaderMetadata::try_new(found.metadata().clone(), options)?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata))
}

/// The rows of a Parquet file that was checked.
pub(crate) struct ParquetSource {
    dataset: Dataset,
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    portions: Portions,
    row: u64,
}

impl ParquetSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let builder = start(path)?.with_batch_size(BATCH_ROWS);
        let reader = guarded(&dataset.file, FORMAT, || {
            builder.build().map_err(|error| Error::damaged(&dataset.file, FORMAT, error.to_string()))
        })?;
        let (schema, portions) = (schema(&dataset.columns), Portions::default());
        Ok(Self { schema, dataset: dataset.clone(), reader, portions, row: 0 })
    }
}

impl Source for ParquetSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Self { dataset, reader, schema, portions, row } = self;
        let damaged = |reason: String| Error::damaged(&dataset.file, FORMAT, reason);
        guarded(&dataset.file, FORMAT, || {
            let pull =
                || reader.next().transpose().map_err(|error| damaged(format!("behind row {row}: {error}")));
            if let Some(batch) = portions.next(pull)? {
                *row += batch.num_rows() as u64;
                return text_batch(&batch, dataset, FORMAT, schema).map(Some);
            }
            let promised = dataset.rows.unwrap_or_default();
            if promised == *row {
                return Ok(None);
            }
            Err(damaged(format!("its footer promises {promised} rows, it holds {row}")))
        })
    }
}
