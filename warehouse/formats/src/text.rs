//! Batches of text columns: what every reader makes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::dataset::Column;
use crate::{Error, Result};

/// The schema of a dataset's batches: every column nullable text.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

/// Rows that are being collected.
pub(crate) struct Rows {
    schema: SchemaRef,
    pub(crate) columns: Vec<StringBuilder>,
}

impl Rows {
    pub(crate) fn new(schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|_| StringBuilder::new()).collect();
        Self { schema: schema.clone(), columns }
    }

    pub(crate) fn finish(self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> =
            self.columns.into_iter().map(|mut builder| Arc::new(builder.finish()) as _).collect();
        RecordBatch::try_new(self.schema, columns).map_err(Error::arrow("collect rows"))
    }
}

/// A number in its shortest exact form: `3.1`, and `3` without a point.
pub(crate) fn append_number(builder: &mut StringBuilder, number: f64) {
    use std::fmt::Write;
    // Writing into a string builder cannot fail.
    let _ = write!(builder, "{number}");
    builder.append_value("");
}

pub(crate) fn append_text(builder: &mut StringBuilder, text: &str) {
    if text.is_empty() { builder.append_null() } else { builder.append_value(text) }
}

/// Empty text is null on entry.
pub(crate) fn empty_to_null(texts: ArrayRef) -> ArrayRef {
    let strings = texts.as_string::<i32>();
    if (0..strings.len()).all(|row| strings.is_null(row) || !strings.value(row).is_empty()) {
        return texts;
    }
    let cleaned: StringArray = strings.iter().map(|text| text.filter(|text| !text.is_empty())).collect();
    Arc::new(cleaned)
}
