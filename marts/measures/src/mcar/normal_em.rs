//! Mean and covariance of incomplete data, by maximum likelihood under a normal distribution.

use crate::cholesky::Cholesky;
use crate::error::MeasureError;
use crate::mcar::incomplete_table::{Block, blocks, check};
use crate::symmetric_eigen::PseudoInverse;

/// The estimate, in the units of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalEstimate {
    /// One mean per column.
    pub mean: Vec<f64>,
    /// The covariance matrix by rows, with the number of rows as divisor.
    pub covariance: Vec<f64>,
    /// Steps until nothing changed.
    pub iterations: usize,
}

/// Estimates mean and covariance from columns of one length with gaps (NaN). Columns are put on the scale of their
/// observed mean and standard deviation first, and steps are taken until no parameter changes by more than 1e-12 of that,
/// so that units of any size do no harm. Columns that depend on each other linearly are allowed.
///
/// # Errors
/// As [`crate::mcar::missing_patterns()`], for a column without spread, and where 20,000 steps do not settle.
// Source: Little RJA, Rubin DB, Statistical Analysis with Missing Data, 3rd ed., 11.2.1.
pub fn normal_em(columns: &[&[f64]]) -> Result<NormalEstimate, MeasureError> {
    let fit = Fit::new(columns)?;
    let width = columns.len();
    let mean = (0..width).map(|k| fit.centre[k] + fit.scale[k] * fit.mean[k]).collect();
    let covariance = (0..width * width)
        .map(|place| fit.covariance[place] * fit.scale[place / width] * fit.scale[place % width])
        .collect();
    Ok(NormalEstimate { mean, covariance, iterations: fit.iterations })
}

/// The estimate on the standardised scale, with what it was made from.
pub(super) struct Fit {
    pub(super) sums: Vec<PatternSums>,
    pub(super) mean: Vec<f64>,
    pub(super) covariance: Vec<f64>,
    centre: Vec<f64>,
    scale: Vec<f64>,
    pub(super) iterations: usize,
}

impl Fit {
    pub(super) fn new(columns: &[&[f64]]) -> Result<Self, MeasureError> {
        const STEPS: usize = 20_000;
        let rows = check(columns)?;
        let (centre, scale) = standards(columns)?;
        let standardised =
            |column: usize, row: usize| (columns[column][row] - centre[column]) / scale[column];
        let sums: Vec<PatternSums> =
            blocks(columns, rows).iter().map(|block| PatternSums::new(block, standardised)).collect();
        let width = columns.len();
        let mut mean = vec![0.0; width];
        let mut covariance = vec![0.0; width * width];
        for k in 0..width {
            covariance[k * width + k] = 1.0;
        }
        for iterations in 1..=STEPS {
            let (next_mean, next_covariance) = step(&sums, &mean, &covariance, rows as f64);
            let change = |old: &[f64], new: &[f64]| {
                old.iter().zip(new).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max)
            };
            let moved = change(&mean, &next_mean).max(change(&covariance, &next_covariance));
            (mean, covariance) = (next_mean, next_covariance);
            if moved <= 1e-12 {
                return Ok(Self { sums, mean, covariance, centre, scale, iterations });
            }
        }
        Err(MeasureError::NotConverged { what: "estimate of mean and covariance", iterations: STEPS })
    }
}

/// Mean and standard deviation of what each column has.
fn standards(columns: &[&[f64]]) -> Result<(Vec<f64>, Vec<f64>), MeasureError> {
    let (mut centres, mut scales) = (Vec::new(), Vec::new());
    for (index, column) in columns.iter().enumerate() {
        let observed: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
        let count = observed.len() as f64;
        let first = observed.first().copied().unwrap_or_default();
        let centre = first + observed.iter().map(|value| value - first).sum::<f64>() / count;
        let scale = (observed.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / count).sqrt();
        if observed.iter().all(|value| *value == first) || !(scale.is_finite() && scale > 0.0) {
            return Err(MeasureError::NoSpread { what: "column", index });
        }
        centres.push(centre);
        scales.push(scale);
    }
    Ok((centres, scales))
}

/// What the likelihood needs to know of all rows of one pattern.
pub(super) struct PatternSums {
    pub(super) observed: Vec<usize>,
    missing: Vec<usize>,
    pub(super) rows: f64,
    /// Sums over the rows of each observed column.
    pub(super) sum: Vec<f64>,
    products: Products,
}

/// What the sums of products of observed columns are made of: whichever is smaller, so that all patterns together take
/// no more room than the table.
enum Products {
    /// The rows themselves.
    Rows(Vec<f64>),
    /// The sums for each two columns.
    Sums(Vec<f64>),
}

impl PatternSums {
    fn new(block: &Block, value: impl Fn(usize, usize) -> f64) -> Self {
        let (observed, missing): (Vec<usize>, Vec<usize>) =
            (0..block.observed.len()).partition(|column| block.observed[*column]);
        let width = observed.len();
        let rows = block.rows.iter().map(|row| observed.iter().map(|column| value(*column, *row)));
        let mut sum = vec![0.0; width];
        for row in rows.clone() {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let products = if block.rows.len() <= width {
            Products::Rows(rows.flatten().collect())
        } else {
            let mut sums = vec![0.0; width * width];
            for row in rows {
                add_square(&mut sums, &row.collect::<Vec<f64>>());
            }
            Products::Sums(sums)
        };
        Self { observed, missing, rows: block.rows.len() as f64, sum, products }
    }
}

/// Adds the products of each two elements.
fn add_square(sums: &mut [f64], row: &[f64]) {
    if row.is_empty() {
        return;
    }
    for (sums, left) in sums.chunks_exact_mut(row.len()).zip(row) {
        for (sum, right) in sums.iter_mut().zip(row) {
            *sum += left * right;
        }
    }
}

/// Adds `A S A'` for the map `A` of `known` columns and the sums of products `S`.
fn add_mapped(second: &mut [f64], map: &[f64], known: usize, products: &Products) {
    if known == 0 {
        return;
    }
    let apply = |values: &[f64]| -> Vec<f64> {
        let weights = map.chunks_exact(known);
        weights
            .map(|weights| weights.iter().zip(values).map(|(weight, value)| weight * value).sum())
            .collect()
    };
    match products {
        Products::Rows(rows) => {
            for row in rows.chunks_exact(known) {
                add_square(second, &apply(row));
            }
        }
        Products::Sums(sums) => {
            // The sums are symmetric, so that their rows are their columns.
            let half: Vec<Vec<f64>> = sums.chunks_exact(known).map(apply).collect();
            let width = map.len() / known;
            for row in 0..width {
                let across: Vec<f64> = half.iter().map(|column| column[row]).collect();
                let mapped = apply(&across);
                second[row * width..][..width].iter_mut().zip(mapped).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}

/// Part of a matrix of `width` columns, by rows.
fn part(matrix: &[f64], width: usize, rows: &[usize], columns: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|row| columns.iter().map(move |column| matrix[row * width + column])).collect()
}

/// The inverse of the covariance of some columns, and its rank.
pub(super) fn inverse_of_part(covariance: &[f64], width: usize, columns: &[usize]) -> PseudoInverse {
    let matrix = part(covariance, width, columns, columns);
    match Cholesky::of_independent(&matrix, columns.len()) {
        // Well away from dependence the triangular root is exact enough, and far cheaper.
        root if root.smallest_pivot(&matrix) > 1e-6 => {
            PseudoInverse { matrix: root.inverse(), rank: columns.len() }
        }
        _ => PseudoInverse::new(&matrix, columns.len()),
    }
}

/// One step: what is missing is replaced by its expectation given the rest of the row and the current estimate.
fn step(sums: &[PatternSums], mean: &[f64], covariance: &[f64], rows: f64) -> (Vec<f64>, Vec<f64>) {
    let width = mean.len();
    let mut first = vec![0.0; width];
    let mut second = vec![0.0; width * width];
    for pattern in sums {
        add_expected(pattern, mean, covariance, &mut first, &mut second);
    }
    let mean: Vec<f64> = first.iter().map(|sum| sum / rows).collect();
    let covariance =
        (0..width * width).map(|k| second[k] / rows - mean[k / width] * mean[k % width]).collect();
    (mean, covariance)
}

/// Adds the expected sums and products of one pattern's rows. A row is `c + A y` for its observed values `y`, with the
/// identity for the observed columns and the regression on them for the missing ones.
fn add_expected(
    pattern: &PatternSums,
    mean: &[f64],
    covariance: &[f64],
    first: &mut [f64],
    second: &mut [f64],
) {
    let width = mean.len();
    let (observed, missing) = (&pattern.observed, &pattern.missing);
    let known = observed.len();
    let mut map = vec![0.0; width * known];
    let mut constant = vec![0.0; width];
    for (place, column) in observed.iter().enumerate() {
        map[column * known + place] = 1.0;
    }
    if !missing.is_empty() {
        let inverse = inverse_of_part(covariance, width, observed);
        for column in missing {
            constant[*column] = mean[*column];
            for place in 0..known {
                let weight: f64 = (0..known)
                    .map(|k| covariance[column * width + observed[k]] * inverse.matrix[k * known + place])
                    .sum();
                map[column * known + place] = weight;
                constant[*column] -= weight * mean[observed[place]];
            }
        }
        for left in missing {
            for right in missing {
                let explained: f64 =
                    (0..known).map(|k| map[left * known + k] * covariance[observed[k] * width + right]).sum();
                second[left * width + right] += pattern.rows * (covariance[left * width + right] - explained);
            }
        }
    }
    let moved: Vec<f64> =
        (0..width).map(|row| (0..known).map(|k| map[row * known + k] * pattern.sum[k]).sum()).collect();
    add_mapped(second, &map, known, &pattern.products);
    for left in 0..width {
        first[left] += pattern.rows * constant[left] + moved[left];
        for right in 0..width {
            second[left * width + right] += moved[left] * constant[right]
                + constant[left] * moved[right]
                + pattern.rows * constant[left] * constant[right];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_columns_have_their_own_moments() {
        let estimate = normal_em(&[&[1.0, 2.0, 3.0], &[2.0, 2.0, 5.0]]).expect("the columns are valid");
        for (ours, theirs) in estimate.mean.iter().zip([2.0, 3.0]) {
            assert!((ours - theirs).abs() < 1e-12);
        }
        // By hand: variances 2/3 and 2, covariance 1.
        for (ours, theirs) in estimate.covariance.iter().zip([2.0 / 3.0, 1.0, 1.0, 2.0]) {
            assert!((ours - theirs).abs() < 1e-12);
        }
    }

    #[test]
    fn a_gap_is_filled_by_regression() {
        // By hand: over the first three rows y has the mean 7/3 at the mean 2 of x, and slope 1; with one column complete the
        // mean of y is that of this line at the mean of x over all four rows.
        let gap = f64::NAN;
        let (x, y) = ([1.0, 2.0, 3.0, 6.0], [1.0, 3.0, 3.0, gap]);
        let estimate = normal_em(&[&x, &y]).expect("the columns are valid");
        let at_mean = 7.0 / 3.0 + (3.0 - 2.0);
        assert!((estimate.mean[0] - 3.0).abs() < 1e-10);
        assert!((estimate.mean[1] - at_mean).abs() < 1e-9, "{}", estimate.mean[1]);
    }

    #[test]
    fn a_column_without_spread_is_refused() {
        for column in [[4.0, 4.0, 4.0], [f64::NAN; 3], [1.0, f64::NAN, f64::NAN]] {
            let result = normal_em(&[&[1.0, 2.0, 3.0], &column]);
            assert_eq!(result, Err(MeasureError::NoSpread { what: "column", index: 1 }));
        }
    }
}
