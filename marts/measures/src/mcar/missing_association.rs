//! Which observed values go with a gap elsewhere: signs that values are missing at random, not completely so.

use crate::error::MeasureError;
use crate::mcar::incomplete_table::check;
use crate::tail_probability::student_two_sided;

/// One column's values where another has a gap, against those where it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingAssociation {
    /// The column with gaps, by its position.
    pub missing: usize,
    /// The column whose values are compared.
    pub compared: usize,
    /// Values compared in rows with a gap.
    pub with_gap: usize,
    /// Values compared in rows without.
    pub without_gap: usize,
    /// The comparison; none where a side has fewer than two values, or neither side has any spread.
    pub comparison: Option<Comparison>,
}

/// The difference between rows with a gap and rows without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The difference of the means, with a gap less without, over the root of the mean of both variances.
    pub standardised_difference: f64,
    /// The point-biserial correlation of the gap with the value, from -1 to 1.
    pub correlation: f64,
    /// Welch's statistic.
    pub t: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Its two-sided p-value. There are as many as pairs of columns: adjust them together.
    pub p_value: f64,
}

/// Compares, for each column with gaps (NaN) and each other column, the values of the latter where the former has a gap
/// with those where it has none. In the order of the columns with gaps, then of those compared.
///
/// # Errors
/// As [`crate::mcar::missing_patterns()`].
// Source: Welch BL, Biometrika 1947;34:28-35; the standardised difference after Austin PC, Stat Med 2009;28:3083-3107.
pub fn missing_association(columns: &[&[f64]]) -> Result<Vec<MissingAssociation>, MeasureError> {
    check(columns)?;
    let mut associations = Vec::new();
    for (missing, gaps) in columns.iter().enumerate() {
        if !gaps.iter().any(|value| value.is_nan()) {
            continue;
        }
        for (compared, values) in columns.iter().enumerate().filter(|(compared, _)| *compared != missing) {
            let where_gap = |is: bool| {
                let rows = gaps.iter().zip(values.iter());
                rows.filter(move |(gap, _)| gap.is_nan() == is).map(|(_, value)| *value)
            };
            let GapComparison { with_gap, without_gap, comparison } =
                gap_comparison(where_gap(true), where_gap(false));
            associations.push(MissingAssociation { missing, compared, with_gap, without_gap, comparison });
        }
    }
    Ok(associations)
}

/// Values in rows with a gap elsewhere against those in rows without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GapComparison {
    /// Values compared in rows with a gap.
    pub with_gap: usize,
    /// Values compared in rows without.
    pub without_gap: usize,
    /// The comparison; none where a side has fewer than two values, or neither side has any spread.
    pub comparison: Option<Comparison>,
}

/// Compares values (NaN where there is none) of rows with a gap elsewhere with those of rows without.
pub fn gap_comparison(
    with_gap: impl Iterator<Item = f64> + Clone,
    without_gap: impl Iterator<Item = f64> + Clone,
) -> GapComparison {
    let (with, without) = (Side::new(with_gap), Side::new(without_gap));
    GapComparison {
        with_gap: with.count,
        without_gap: without.count,
        comparison: comparison(&with, &without),
    }
}

/// Size, mean and variance of some values.
struct Side {
    count: usize,
    mean: f64,
    variance: f64,
}

impl Side {
    fn new(values: impl Iterator<Item = f64> + Clone) -> Self {
        let known = values.filter(|value| !value.is_nan());
        let first = known.clone().next().unwrap_or(f64::NAN);
        let (mut count, mut sum, mut differ) = (0_usize, 0.0, false);
        known.clone().for_each(|value| {
            count += 1;
            sum += value;
            differ |= value != first;
        });
        let n = count as f64;
        let mean = sum / n;
        let squares = known.map(|value| (value - mean).powi(2)).sum::<f64>();
        Self { count, mean, variance: if differ { squares / (n - 1.0) } else { 0.0 } }
    }
}

fn comparison(with: &Side, without: &Side) -> Option<Comparison> {
    if with.count < 2 || without.count < 2 || with.variance + without.variance <= 0.0 {
        return None;
    }
    let (n, m) = (with.count as f64, without.count as f64);
    let difference = with.mean - without.mean;
    let errors = (with.variance / n, without.variance / m);
    let error = errors.0 + errors.1;
    let degrees_of_freedom =
        error * error / (errors.0 * errors.0 / (n - 1.0) + errors.1 * errors.1 / (m - 1.0));
    let within = (n - 1.0) * with.variance + (m - 1.0) * without.variance;
    let between = n * m / (n + m) * difference * difference;
    let t = difference / error.sqrt();
    Some(Comparison {
        standardised_difference: difference / f64::midpoint(with.variance, without.variance).sqrt(),
        correlation: difference.signum() * (between / (between + within)).sqrt(),
        t,
        degrees_of_freedom,
        p_value: student_two_sided(t, degrees_of_freedom),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_by_hand() {
        // Where the first has a gap the second is 4 and 6, elsewhere 1 and 3: difference 3, both variances 2.
        let gap = f64::NAN;
        let found = missing_association(&[&[gap, gap, 7.0, 8.0], &[4.0, 6.0, 1.0, 3.0]]).expect("valid");
        assert_eq!((found.len(), found[0].missing, found[0].compared), (1, 0, 1));
        let comparison = found[0].comparison.expect("both sides have two values");
        let close =
            |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 1e-12, "{ours} against {theirs}");
        close(comparison.standardised_difference, 3.0 / 2.0_f64.sqrt());
        close(comparison.t, 3.0 / 2.0_f64.sqrt());
        close(comparison.degrees_of_freedom, 2.0);
        // Of 13 in all about the mean, 9 are between.
        close(comparison.correlation, (9.0_f64 / 13.0).sqrt());
    }

    #[test]
    fn too_little_to_compare_is_said() {
        let gap = f64::NAN;
        for second in [[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0], [gap, gap, 3.0, 4.0]] {
            let found = missing_association(&[&[gap, 1.0, 7.0, 8.0], &second]).expect("valid");
            assert_eq!(found[0].comparison, None);
        }
    }
}
