//! Arrow columns as text: each value becomes what a person would write for it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float16Type, Float32Type, Float64Type, SchemaRef};

use crate::dataset::{Column, ColumnKind};
use crate::text::{TextColumn, empty_to_null};
use crate::{Error, Result};

const STEP: &str = "read an Arrow column as text";

/// A column as Arrow describes it.
pub(crate) fn column_of(field: &Field) -> Column {
    Column::new(field.name(), kind_of(field.data_type()), field.data_type().to_string())
}

fn kind_of(kind: &DataType) -> ColumnKind {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => ColumnKind::Text,
        DataType::Dictionary(_, values) => kind_of(values),
        DataType::Boolean => ColumnKind::Bool,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => ColumnKind::Time,
        DataType::Time32(_) | DataType::Time64(_) => ColumnKind::Time,
        kind if kind.is_numeric() => ColumnKind::Number,
        _ => ColumnKind::Other,
    }
}

/// A batch whose columns are all text.
pub(crate) fn text_batch(batch: &RecordBatch, columns: &[Column], schema: &SchemaRef) -> Result<RecordBatch> {
    let texts = batch.columns().iter().zip(columns).map(|(array, column)| text_of(array, column.kind));
    let texts: Vec<ArrayRef> = texts.collect::<Result<_>>()?;
    RecordBatch::try_new(schema.clone(), texts).map_err(Error::arrow(STEP))
}

fn text_of(array: &ArrayRef, kind: ColumnKind) -> Result<ArrayRef> {
    match array.data_type() {
        // No mapping can use such a column; the raw zone keeps the file itself.
        _ if kind == ColumnKind::Other => Ok(Arc::new(StringArray::new_null(array.len()))),
        DataType::Dictionary(_, values) => text_of(&cast(array, values).map_err(Error::arrow(STEP))?, kind),
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().iter();
            numbers(values, |cells, value| cells.push_number(value))
        }
        // Of a short number the shortest form is that of its own width: 0.1, not 0.10000000149011612.
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().iter();
            numbers(values, push_short)
        }
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>().iter();
            numbers(values.map(|value| value.map(f32::from)), push_short)
        }
        // An instant with a zone is written in UTC, as system times are kept (rule R-04).
        DataType::Timestamp(unit, Some(_)) => {
            let utc = cast(array, &DataType::Timestamp(*unit, None)).map_err(Error::arrow(STEP))?;
            cast(&utc, &DataType::Utf8).map_err(Error::arrow(STEP))
        }
        _ => {
            let texts = cast(array, &DataType::Utf8).map_err(Error::arrow(STEP))?;
            Ok(empty_to_null(texts))
        }
    }
}

fn push_short(cells: &mut TextColumn, value: f32) {
    if value.is_nan() {
        cells.push_null();
    } else {
        // Zero has no sign.
        cells.push_display(value + 0.0);
    }
}

fn numbers<T>(
    values: impl Iterator<Item = Option<T>>,
    push: impl Fn(&mut TextColumn, T),
) -> Result<ArrayRef> {
    let mut cells = TextColumn::default();
    for value in values {
        match value {
            Some(value) => push(&mut cells, value),
            None => cells.push_null(),
        }
    }
    cells.finish(STEP).map(|texts| Arc::new(texts) as ArrayRef)
}
