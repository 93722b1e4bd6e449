//! Which values are missing together.

use crate::error::MeasureError;
use crate::mcar::incomplete_table::{blocks, check};

/// One combination of columns with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPattern {
    /// For each column whether there is a value.
    pub observed: Vec<bool>,
    /// Rows of this pattern.
    pub rows: u64,
}

/// The patterns of missing values (NaN) in columns of one length, the commonest first; ties by the columns in order,
/// those with a value first.
///
/// # Errors
/// For no column, no row, more than a hundred columns, columns of different lengths, and infinite values.
// Source: as `md.pattern` of mice, in another order.
pub fn missing_patterns(columns: &[&[f64]]) -> Result<Vec<MissingPattern>, MeasureError> {
    let rows = check(columns)?;
    let mut patterns: Vec<MissingPattern> = blocks(columns, rows)
        .into_iter()
        .map(|block| MissingPattern { observed: block.observed, rows: block.rows.len() as u64 })
        .collect();
    patterns.sort_by(|left, right| right.rows.cmp(&left.rows).then(right.observed.cmp(&left.observed)));
    Ok(patterns)
}

/// How a column's gaps and values meet those of the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flux {
    /// The share of rows with a value.
    pub observed: f64,
    /// How well the others can stand in for its gaps: pairs of a gap here and a value elsewhere in the row, over all
    /// values. None where there is no value at all.
    pub influx: Option<f64>,
    /// How well it can stand in for theirs: pairs of a value here and a gap elsewhere in the row, over all gaps.
    /// None where there is no gap at all.
    pub outflux: Option<f64>,
}

/// Influx and outflux of each column, from the patterns of a table.
#[must_use]
// Source: van Buuren S, Flexible Imputation of Missing Data, 2nd ed., 4.1.3.
pub fn flux(patterns: &[MissingPattern]) -> Vec<Flux> {
    let width = patterns.first().map_or(0, |pattern| pattern.observed.len());
    let rows: u64 = patterns.iter().map(|pattern| pattern.rows).sum();
    let present = |pattern: &MissingPattern| pattern.observed.iter().filter(|has| **has).count() as u64;
    let values: u64 = patterns.iter().map(|pattern| pattern.rows * present(pattern)).sum();
    let gaps = rows * width as u64 - values;
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let of_column = |column: usize| {
        let (mut own, mut into, mut out) = (0, 0, 0);
        for pattern in patterns {
            let present = present(pattern);
            if pattern.observed[column] {
                own += pattern.rows;
                out += pattern.rows * (width as u64 - present);
            } else {
                into += pattern.rows * present;
            }
        }
        Flux { observed: own as f64 / rows as f64, influx: share(into, values), outflux: share(out, gaps) }
    };
    (0..width).map(of_column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    #[test]
    fn the_commonest_pattern_comes_first() {
        let patterns = missing_patterns(&[&[1.0, GAP, GAP, 1.0, GAP], &[1.0, 1.0, GAP, GAP, 2.0]]);
        let seen: Vec<(Vec<bool>, u64)> =
            patterns.expect("the columns are valid").into_iter().map(|p| (p.observed, p.rows)).collect();
        let expected =
            [(vec![false, true], 2), (vec![true, true], 1), (vec![true, false], 1), (vec![false, false], 1)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn patterns_of_many_columns_do_not_collide() {
        // As doubles 2^60 and 2^60 + 1 are one number.
        let columns: Vec<[f64; 2]> = (0..61).map(|k| [GAP, if k == 0 { 1.0 } else { GAP }]).collect();
        let columns: Vec<&[f64]> = columns.iter().map(<[f64; 2]>::as_slice).collect();
        assert_eq!(missing_patterns(&columns).map(|patterns| patterns.len()), Ok(2));
    }

    #[test]
    fn without_gaps_there_is_no_outflux() {
        let patterns = missing_patterns(&[&[1.0, 2.0], &[3.0, 4.0]]).expect("the columns are valid");
        assert_eq!(flux(&patterns)[0], Flux { observed: 1.0, influx: Some(0.0), outflux: None });
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(missing_patterns(&[]).is_err());
        assert!(missing_patterns(&[&[]]).is_err());
        assert!(missing_patterns(&[&[1.0], &[1.0, 2.0]]).is_err());
        assert!(missing_patterns(&[&[f64::INFINITY]]).is_err());
        assert!(missing_patterns(&[&[1.0][..]; 101]).is_err());
    }
}
