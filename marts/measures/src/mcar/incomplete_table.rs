//! Columns of one length with gaps, by which of them a row has.

use crate::error::MeasureError;

/// At most so many columns: the work grows with their cube.
const COLUMNS: usize = 100;

/// Rows that have values in the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) observed: Vec<bool>,
    pub(super) rows: Vec<usize>,
}

/// Checks the columns and gives the number of rows.
pub(super) fn check(columns: &[&[f64]]) -> Result<usize, MeasureError> {
    let Some(first) = columns.first() else {
        return Err(MeasureError::Nothing { what: "columns" });
    };
    if columns.len() > COLUMNS {
        return Err(MeasureError::TooMany { what: "columns", found: columns.len(), limit: COLUMNS });
    }
    for column in columns {
        if column.len() != first.len() {
            return Err(MeasureError::Unpaired {
                what: "values of a column",
                length: column.len(),
                expected: first.len(),
            });
        }
        if let Some(index) = column.iter().position(|value| value.is_infinite()) {
            return Err(MeasureError::OutOfRange { what: "value", index, value: column[index] });
        }
    }
    if first.is_empty() {
        return Err(MeasureError::Nothing { what: "rows" });
    }
    Ok(first.len())
}

/// The rows by what they have, those with the most columns first. The columns must have been checked.
pub(super) fn blocks(columns: &[&[f64]], rows: usize) -> Vec<Block> {
    let observed = |row: usize| -> Vec<bool> { columns.iter().map(|column| !column[row].is_nan()).collect() };
    let mut keyed: Vec<(Vec<bool>, usize)> = (0..rows).map(|row| (observed(row), row)).collect();
    keyed.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    let of_run = |run: &[(Vec<bool>, usize)]| Block {
        observed: run[0].0.clone(),
        rows: run.iter().map(|(_, row)| *row).collect(),
    };
    keyed.chunk_by(|left, right| left.0 == right.0).map(of_run).collect()
}
