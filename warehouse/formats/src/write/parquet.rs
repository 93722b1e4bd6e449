//! Parquet with columns of text.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{Place, Sink};
use crate::dataset::Dataset;
use crate::text::schema;
use crate::{Error, Result};

pub(super) struct ParquetSink {
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    place: Place,
}

impl ParquetSink {
    pub(super) fn begin(file: File, place: Place, dataset: &Dataset) -> Result<Self> {
        let schema = schema(&dataset.columns);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
        let writer = writer.map_err(|error| place.unwritable(error.to_string()))?;
        Ok(Self { writer, schema, place })
    }

    fn failed(place: &Place, error: ParquetError) -> Error {
        match error {
            ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
                Ok(source) => place.io(*source),
                Err(cause) => place.unwritable(cause.to_string()),
            },
            error => place.unwritable(error.to_string()),
        }
    }
}

impl Sink for ParquetSink {
    fn write(&mut self, columns: &[&StringArray], _: u64) -> Result<()> {
        let columns = columns.iter().map(|column| Arc::new((*column).clone()) as ArrayRef).collect();
        let batch =
            RecordBatch::try_new(self.schema.clone(), columns).map_err(Error::arrow("write Parquet rows"))?;
        self.writer.write(&batch).map_err(|error| Self::failed(&self.place, error))
    }

    fn close(self: Box<Self>, _: u64) -> Result<()> {
        let Self { writer, place, .. } = *self;
        let file = writer.into_inner().map_err(|error| Self::failed(&place, error))?;
        file.sync_all().map_err(|source| place.io(source))
    }
}
