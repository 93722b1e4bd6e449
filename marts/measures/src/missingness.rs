//! How much of what was due is not there, and whether the row or only the value is missing.

use crate::error::MeasureError;

/// What one cell was to hold and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rows that the plan asks for.
    pub expected: u64,
    /// Rows of the plan that were received.
    pub rows: u64,
    /// Rows received with a value.
    pub observed: u64,
}

/// The missingness of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Missingness {
    /// Rows received without a value.
    pub item_missing: u64,
    /// Rows expected and not received.
    pub visit_missing: u64,
    /// The share of the rows received that lack a value; none where no row was received.
    pub of_rows: Option<f64>,
    /// The share of the rows expected that lack a value; none where no row was expected.
    pub of_expected: Option<f64>,
}

/// The missingness that a cell's counts amount to.
///
/// Rows beyond the plan (repeats, unscheduled ones) belong to no expected row: count each expected row at most
/// once before the call.
///
/// # Errors
/// If more values than rows, or more rows than expected, are given.
// Source: the definitions of this project, with the cells of `tests/data/g16_missingness_mart`.
pub fn missingness(counts: Counts) -> Result<Missingness, MeasureError> {
    let Counts { expected, rows, observed } = counts;
    if observed > rows || rows > expected {
        return Err(MeasureError::Counts { observed, rows, expected });
    }
    Ok(Missingness {
        item_missing: rows - observed,
        visit_missing: expected - rows,
        of_rows: share(rows - observed, rows),
        of_expected: share(expected - observed, expected),
    })
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_cell(expected: u64, rows: u64, observed: u64, shares: (Option<f64>, Option<f64>)) {
        let cell = missingness(Counts { expected, rows, observed }).expect("the counts are valid");
        assert_eq!((cell.of_rows, cell.of_expected), shares);
        assert_eq!(cell.item_missing + cell.visit_missing, expected - observed);
    }

    #[test]
    fn a_missing_row_counts_against_the_plan_only() {
        check_cell(10, 8, 8, (Some(0.0), Some(0.2)));
        check_cell(10, 8, 6, (Some(0.25), Some(0.4)));
    }

    #[test]
    fn no_row_leaves_nothing_to_take_a_share_of() {
        check_cell(10, 0, 0, (None, Some(1.0)));
        check_cell(0, 0, 0, (None, None));
    }

    #[test]
    fn counts_that_contradict_each_other_are_refused() {
        assert!(missingness(Counts { expected: 1, rows: 2, observed: 1 }).is_err());
        assert!(missingness(Counts { expected: 3, rows: 1, observed: 2 }).is_err());
    }
}
