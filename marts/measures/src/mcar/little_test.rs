//! Whether values are missing completely at random.

use crate::error::MeasureError;
use crate::mcar::incomplete_table::{Block, blocks, check};
use crate::mcar::normal_em::Fit;
use crate::tail_probability::chi_square_upper;

/// Little's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LittleTest {
    /// `d²`, the sum over patterns of how far their means lie from the common ones.
    pub statistic: f64,
    /// The ranks of the patterns' covariances less that of all columns.
    pub degrees_of_freedom: usize,
    /// The upper chi-square tail; none with no degree of freedom, that is without gaps that could tell anything.
    pub p_value: Option<f64>,
    /// Patterns of missing values, that of no gap and that of nothing but gaps included.
    pub patterns: usize,
    /// Steps of the estimate.
    pub iterations: usize,
}

/// Little's test that the patterns of gaps (NaN) in columns of one length have one mean:
/// `d² = sum n_j (m_j - mu)' Sigma_j⁻ (m_j - mu)` over the patterns, with the mean and covariance of [`normal_em`] (maximum
/// likelihood, converged). A small p-value speaks against values missing completely at random; a large one is no
/// proof of it. Only means are compared, not covariances, and with many small patterns it rejects too seldom.
///
/// Columns that depend on each other linearly cost degrees of freedom instead of making the test fail.
///
/// # Errors
/// As [`normal_em`], and where there are fewer than about two rows for each pattern. At the maximum of the likelihood `d²` and the
/// like sum within patterns add up to the number of values, whatever these are. So `d²` varies as the chi-square law says
/// only where the values within patterns, their means taken off, are many; where each row is a pattern of its own `d²` is
/// that number, and tells nothing.
///
/// [`normal_em`]: crate::mcar::normal_em()
// Source: Little RJA, J Am Stat Assoc 1988;83:1198-1202.
pub fn little_test(columns: &[&[f64]]) -> Result<LittleTest, MeasureError> {
    let rows = check(columns)?;
    let blocks = blocks(columns, rows);
    if !patterns_are_shared(&blocks, columns.len()) {
        return Err(MeasureError::FewRowsPerPattern { patterns: blocks.len(), rows });
    }
    let fit = Fit::new(columns, &blocks)?;
    let (mut statistic, mut ranks) = (0.0, 0);
    for pattern in &fit.sums {
        let mean = |column: &usize| fit.normal.mean[*column];
        let offset =
            pattern.observed.iter().zip(&pattern.sum).map(|(column, sum)| sum / pattern.rows - mean(column));
        let columns = (pattern.observed.as_slice(), pattern.missing.as_slice());
        statistic += pattern.rows * fit.normal.form(columns, &offset.collect::<Vec<f64>>());
        ranks += fit.normal.rank_of(&pattern.observed);
    }
    let all: Vec<usize> = (0..columns.len()).collect();
    let degrees_of_freedom = ranks.saturating_sub(fit.normal.rank_of(&all));
    let tail = || chi_square_upper(statistic, degrees_of_freedom as f64);
    Ok(LittleTest {
        statistic,
        degrees_of_freedom,
        p_value: (degrees_of_freedom > 0).then(tail),
        patterns: fit.sums.len(),
        iterations: fit.iterations,
    })
}

/// Whether there are as many degrees of freedom within patterns as between them.
fn patterns_are_shared(blocks: &[Block], width: usize) -> bool {
    let (mut within, mut between) = (0, 0);
    for block in blocks {
        let observed = block.observed.iter().filter(|observed| **observed).count();
        within += (block.rows.len() - 1) * observed;
        between += observed;
    }
    within >= between.saturating_sub(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_columns_have_nothing_to_tell() {
        let test = little_test(&[&[1.0, 2.0, 3.0], &[2.0, 2.0, 5.0]]).expect("the columns are valid");
        assert!(test.statistic.abs() < 1e-20);
        assert_eq!((test.degrees_of_freedom, test.p_value, test.patterns), (0, None, 1));
    }

    #[test]
    fn rows_of_nothing_but_gaps_add_a_pattern_and_nothing_else() {
        let gap = f64::NAN;
        let (x, y) = ([1.0, 2.5, 3.0, 6.0, 4.0, 0.5], [1.0, 3.0, 3.0, gap, 5.0, gap]);
        let plain = little_test(&[&x, &y]).expect("the columns are valid");
        let longer = |values: &[f64]| [values, &[gap; 9]].concat();
        let other = little_test(&[&longer(&x), &longer(&y)]).expect("the columns are valid");
        assert!((plain.statistic / other.statistic - 1.0).abs() < 1e-9);
        assert_eq!(
            (plain.degrees_of_freedom, plain.patterns + 1),
            (other.degrees_of_freedom, other.patterns)
        );
    }

    #[test]
    fn gaps_that_hardly_two_rows_share_tell_nothing() {
        let gap = f64::NAN;
        let (x, y, z) = ([1.0, 2.5, 3.0, 6.0], [1.0, gap, 3.0, gap], [2.0, 1.0, gap, gap]);
        let refused = MeasureError::FewRowsPerPattern { patterns: 4, rows: 4 };
        assert_eq!(little_test(&[&x, &y, &z]), Err(refused));
    }

    #[test]
    fn as_many_degrees_of_freedom_are_asked_for_within_patterns_as_between_them() {
        let block = |observed: [bool; 2], rows: usize| Block {
            observed: observed.to_vec(),
            rows: (0..rows).collect(),
        };
        // Between: 2 and 1 values, less two columns.
        assert!(patterns_are_shared(&[block([true; 2], 1), block([true, false], 2)], 2));
        assert!(!patterns_are_shared(&[block([true; 2], 1), block([true, false], 1)], 2));
        assert!(patterns_are_shared(&[block([true; 2], 2), block([true, false], 1)], 2));
        assert!(patterns_are_shared(&[block([true; 2], 1)], 2));
    }

    #[test]
    fn the_unit_of_a_column_does_not_matter() {
        let gap = f64::NAN;
        let x = [1.0, 2.5, 3.0, 6.0, 4.0, 0.5, 2.0, 7.0];
        let y = [1.0, 3.0, 3.0, gap, 5.0, 1.5, gap, gap];
        let large: Vec<f64> = y.iter().map(|value| 1e12 * value - 3e12).collect();
        let plain = little_test(&[&x, &y]).expect("the columns are valid");
        let other = little_test(&[&x, &large]).expect("the columns are valid");
        assert!((plain.statistic / other.statistic - 1.0).abs() < 1e-9);
        assert_eq!(plain.degrees_of_freedom, other.degrees_of_freedom);
    }
}
