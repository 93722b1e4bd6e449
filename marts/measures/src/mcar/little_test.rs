//! Whether values are missing completely at random.

use crate::error::MeasureError;
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
/// proof of it. Only means are compared, not covariances, and with many small patterns it rejects too often.
///
/// Columns that depend on each other linearly cost degrees of freedom instead of making the test fail.
///
/// # Errors
/// As [`normal_em`].
///
/// [`normal_em`]: crate::mcar::normal_em()
// Source: Little RJA, J Am Stat Assoc 1988;83:1198-1202.
pub fn little_test(columns: &[&[f64]]) -> Result<LittleTest, MeasureError> {
    let fit = Fit::new(columns)?;
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
