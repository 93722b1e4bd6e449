//! Arrow columns as text: each value becomes what a person would write for it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float16Type, Float32Type, Float64Type, SchemaRef};

use crate::dataset::{Column, ColumnKind, Dataset};
use crate::source::BATCH_ROWS;
use crate::text::{BATCH_BYTES, TextColumn, empty_to_null};
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

/// Batches of a reader, cut so that their text stays within bounds: a dictionary, or a page that is one, may hold
/// a long text once and mean it a million times.
#[derive(Default)]
pub(crate) struct Portions {
    pending: Option<RecordBatch>,
}

impl Portions {
    /// The next rows; `pull` is asked when nothing is pending.
    pub(crate) fn next(
        &mut self,
        mut pull: impl FnMut() -> Result<Option<RecordBatch>>,
    ) -> Result<Option<RecordBatch>> {
        loop {
            let batch = match self.pending.take() {
                Some(batch) => batch,
                None => match pull()? {
                    Some(batch) => batch,
                    None => return Ok(None),
                },
            };
            let count = fitting_rows(&batch);
            if count < batch.num_rows() {
                self.pending = Some(batch.slice(count, batch.num_rows() - count));
            }
            if count > 0 {
                return Ok(Some(batch.slice(0, count)));
            }
        }
    }
}

/// How many of the first rows surely fit into a batch of text; at least one.
fn fitting_rows(batch: &RecordBatch) -> usize {
    let mut count = batch.num_rows().min(BATCH_ROWS);
    while count > 1 {
        let bytes: usize = batch.columns().iter().map(|array| text_bytes(&array.slice(0, count))).sum();
        if bytes <= BATCH_BYTES {
            break;
        }
        count /= 2;
    }
    count
}

/// A bound of the bytes that a column has as text; what is not text is short.
fn text_bytes(array: &ArrayRef) -> usize {
    let ends = |first: Option<i64>, last: Option<i64>| {
        usize::try_from(last.unwrap_or_default() - first.unwrap_or_default()).unwrap_or(usize::MAX)
    };
    match array.data_type() {
        DataType::Utf8 => {
            let offsets = array.as_string::<i32>().offsets();
            ends(offsets.first().map(|at| i64::from(*at)), offsets.last().map(|at| i64::from(*at)))
        }
        DataType::LargeUtf8 => {
            let offsets = array.as_string::<i64>().offsets();
            ends(offsets.first().copied(), offsets.last().copied())
        }
        DataType::Utf8View => array.as_string_view().lengths().map(|length| length as usize).sum(),
        DataType::Dictionary(_, _) => longest(array).saturating_mul(array.len()),
        _ => array.len().saturating_mul(SHORT),
    }
}

/// Bytes that a value that is no text surely does not exceed as text.
const SHORT: usize = 32;

/// A bound of the bytes of a column's longest text. A dictionary may have any number of empty values: only texts, which
/// take room in the file, are looked at one by one.
fn longest(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().offsets().lengths().max().unwrap_or_default(),
        DataType::LargeUtf8 => array.as_string::<i64>().offsets().lengths().max().unwrap_or_default(),
        DataType::Utf8View => array.as_string_view().lengths().max().unwrap_or_default() as usize,
        DataType::Dictionary(_, _) => longest(array.as_any_dictionary().values()),
        _ => SHORT,
    }
}

/// A batch whose columns are all text. A value that has no text, such as a day past the calendar, is the file's
/// fault.
pub(crate) fn text_batch(
    batch: &RecordBatch,
    dataset: &Dataset,
    format: &'static str,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let texts = batch.columns().iter().zip(&dataset.columns).map(|(array, column)| {
        text_of(array, column.kind).map_err(|error| match error {
            Error::Arrow { source, .. } => {
                Error::damaged(&dataset.file, format, format!("column `{}`: {source}", column.name))
            }
            error => error,
        })
    });
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
            numbers(values, TextColumn::push_number)
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
