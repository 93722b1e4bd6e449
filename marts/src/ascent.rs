//! Whether the rows of a table stand in the order of its key, so that no key occurs twice or is null. To look at them one
//! after the other costs a tenth of sorting them into a table.

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::kernels::cmp::{eq, lt};
use arrow::compute::{and, or};
use arrow::error::ArrowError;

/// Rows being looked at, some at a time.
#[derive(Debug)]
pub(crate) struct Ascent<'a> {
    key: &'a [&'a str],
    last: Option<RecordBatch>,
    holds: bool,
}

impl<'a> Ascent<'a> {
    /// Of a table with that key.
    pub(crate) const fn by(key: &'a [&'a str]) -> Self {
        Self { key, last: None, holds: true }
    }

    /// Looks at the rows that come next. Rows without a column of the key, or whose key has a fraction, stand in no order.
    ///
    /// # Errors
    /// When a column is of a kind that has no order.
    pub(crate) fn see(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        let Some(others) = rows.num_rows().checked_sub(1).filter(|_| self.holds) else { return Ok(()) };
        let places = self.key.iter().map(|column| rows.schema_ref().index_of(column));
        let Ok(places) = places.collect::<Result<Vec<usize>, _>>() else {
            self.holds = false;
            return Ok(());
        };
        let keys = rows.project(&places)?;
        // Two numbers that are equal in SQL may differ in their bits: -0.0 is 0.0.
        if keys.columns().iter().any(|column| column.data_type().is_floating()) {
            self.holds = false;
            return Ok(());
        }
        self.holds = keys.columns().iter().all(|column| column.null_count() == 0)
            && all_below(&keys.slice(0, others), &keys.slice(1, others))?;
        if let Some(last) = &self.last {
            self.holds &= all_below(last, &keys.slice(0, 1))?;
        }
        self.last = Some(keys.slice(others, 1));
        Ok(())
    }

    /// The row that comes next is compared with none before it.
    pub(crate) fn part(&mut self) {
        self.last = None;
    }

    /// Whether no key has a null, and each is above the one before it.
    pub(crate) const fn holds(&self) -> bool {
        self.holds
    }
}

/// Whether each row is below the row in the same place of `next`, by the first column in which they differ.
fn all_below(one: &RecordBatch, next: &RecordBatch) -> Result<bool, ArrowError> {
    let mut below = BooleanArray::from(vec![false; one.num_rows()]);
    for (one, next) in one.columns().iter().zip(next.columns()).rev() {
        below = or(&lt(one, next)?, &and(&eq(one, next)?, &below)?)?;
    }
    Ok(below.true_count() == below.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn keys(words: &[&str], numbers: &[Option<i64>]) -> RecordBatch {
        let words: ArrayRef = Arc::new(StringArray::from(words.to_vec()));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("number", numbers, true), ("word", words, true)])
            .expect("the columns are as long as each other")
    }

    fn ascends(batches: &[RecordBatch]) -> bool {
        let mut ascent = Ascent::by(&["word", "number"]);
        for batch in batches {
            ascent.see(batch).expect("they compare");
        }
        ascent.holds()
    }

    #[test]
    fn a_row_is_below_another_by_the_first_column_in_which_they_differ() {
        assert!(ascends(&[keys(&["a", "a", "b"], &[Some(2), Some(9), Some(1)])]));
        assert!(!ascends(&[keys(&["a", "a"], &[Some(2), Some(2)])]), "none is below itself");
        assert!(!ascends(&[keys(&["a", "b", "a"], &[Some(1), Some(2), Some(3)])]));
        assert!(!ascends(&[keys(&["a", "a"], &[Some(3), None])]), "a null is no key");
        assert!(!ascends(&[keys(&["a"], &[None])]), "nor is it one alone");
    }

    #[test]
    fn the_first_row_of_some_is_above_the_last_of_those_before() {
        let (one, next) = (keys(&["a"], &[Some(2)]), keys(&["a", "b"], &[Some(3), Some(1)]));
        let none = one.slice(0, 0);
        assert!(ascends(&[one.clone(), none.clone(), next.clone()]));
        assert!(!ascends(&[next.clone(), none, next.clone()]));
        assert!(!ascends(&[next, one.clone(), one]), "what did not hold does not hold again");
        assert!(ascends(&[]), "of no rows every one is");
    }

    #[test]
    fn rows_without_a_column_of_the_key_stand_in_no_order() {
        let mut ascent = Ascent::by(&["word", "day"]);
        ascent.see(&keys(&["a", "b"], &[Some(1), Some(2)])).expect("they compare");
        assert!(!ascent.holds());
    }

    #[test]
    fn numbers_with_fractions_are_left_to_the_engine() {
        let zeros: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![-0.0, 0.0]));
        let rows = RecordBatch::try_from_iter([("threshold", zeros)]).expect("one column");
        let mut ascent = Ascent::by(&["threshold"]);
        ascent.see(&rows).expect("they compare");
        assert!(!ascent.holds(), "they are one key");
    }
}
