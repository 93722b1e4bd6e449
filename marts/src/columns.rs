//! The rows of a mart that a function makes, column by column.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::{Error, Result};

/// A column: its name, whether it may be null, its values.
pub(crate) type Column = (&'static str, bool, ArrayRef);

/// A column of texts.
pub(crate) fn texts<R>(name: &'static str, rows: &[R], of: fn(&R) -> &str) -> Column {
    (name, false, Arc::new(StringArray::from_iter_values(rows.iter().map(of))))
}

/// A column of texts that a row may lack.
pub(crate) fn some_texts<R>(name: &'static str, rows: &[R], of: fn(&R) -> Option<&str>) -> Column {
    (name, true, Arc::new(rows.iter().map(of).collect::<StringArray>()))
}

/// A column of numbers that every row has.
pub(crate) fn numbers<R>(name: &'static str, rows: &[R], of: fn(&R) -> f64) -> Column {
    (name, false, Arc::new(Float64Array::from_iter_values(rows.iter().map(of))))
}

/// A column of numbers that a row may lack.
pub(crate) fn some_numbers<R>(name: &'static str, rows: &[R], of: fn(&R) -> Option<f64>) -> Column {
    (name, true, Arc::new(rows.iter().map(of).collect::<Float64Array>()))
}

/// The columns of a table any of which may be null, as a query has them.
pub(crate) fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let column = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
    Arc::new(Schema::new(columns.iter().map(column).collect::<Vec<_>>()))
}

/// The table of these columns.
///
/// # Errors
/// [`Error::Definition`] when they are not of one length, which a mart's own tests rule out.
pub(crate) fn table(mart: &str, columns: Vec<Column>) -> Result<RecordBatch> {
    let field = |(name, nullable, column): &Column| Field::new(*name, column.data_type().clone(), *nullable);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let columns = columns.into_iter().map(|(_, _, column)| column).collect();
    RecordBatch::try_new(Arc::new(schema), columns)
        .map_err(|error| Error::Definition { mart: mart.to_owned(), reason: error.to_string() })
}
