//! Mean and covariance of incomplete data, by maximum likelihood under a normal distribution.

use std::collections::BTreeSet;

use crate::cholesky::Cholesky;
use crate::error::MeasureError;
use crate::mcar::incomplete_table::{Block, blocks, check};

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
/// As [`crate::mcar::missing_patterns()`], for a column without spread, where 20,000 steps do not settle, and where the
/// likelihood has no maximum: it grows without bound towards a dependence of columns that too few rows have together to show
/// it.
// Source: Little RJA, Rubin DB, Statistical Analysis with Missing Data, 3rd ed., 11.2.1.
pub fn normal_em(columns: &[&[f64]]) -> Result<NormalEstimate, MeasureError> {
    let rows = check(columns)?;
    let fit = Fit::new(columns, &blocks(columns, rows))?;
    let width = columns.len();
    let mean = (0..width).map(|k| fit.centre[k] + fit.scale[k] * fit.normal.mean[k]).collect();
    let covariance = (0..width * width)
        .map(|place| fit.normal.covariance[place] * fit.scale[place / width] * fit.scale[place % width])
        .collect();
    Ok(NormalEstimate { mean, covariance, iterations: fit.iterations })
}

/// The estimate on the standardised scale, with what it was made from.
pub(super) struct Fit {
    pub(super) sums: Vec<PatternSums>,
    pub(super) normal: Normal,
    centre: Vec<f64>,
    scale: Vec<f64>,
    pub(super) iterations: usize,
}

impl Fit {
    /// Of columns that have been checked, and their blocks.
    pub(super) fn new(columns: &[&[f64]], blocks: &[Block]) -> Result<Self, MeasureError> {
        const STEPS: usize = 20_000;
        let rows: usize = blocks.iter().map(|block| block.rows.len()).sum();
        let (centre, scale) = standards(columns)?;
        let standardised =
            |column: usize, row: usize| (columns[column][row] - centre[column]) / scale[column];
        let sums: Vec<PatternSums> =
            blocks.iter().map(|block| PatternSums::new(block, standardised)).collect();
        let width = columns.len();
        let observed = Moments::observed(&sums, width);
        let mut covariance = vec![0.0; width * width];
        (0..width).for_each(|k| covariance[k * width + k] = 1.0);
        let mut normal = Normal::new(vec![0.0; width], covariance);
        for iterations in 1..=STEPS {
            let next = step(&sums, &observed, &normal).estimate(rows as f64);
            let change = |old: &[f64], new: &[f64]| {
                old.iter().zip(new).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max)
            };
            let moved = change(&normal.mean, &next.mean).max(change(&normal.covariance, &next.covariance));
            normal = next;
            if normal.precision.is_none()
                && let Some((rows, involved)) = unseen_dependence(columns, &normal.covariance)
            {
                return Err(MeasureError::Undetermined { rows, columns: involved });
            }
            if moved <= 1e-12 {
                return Ok(Self { sums, normal, centre, scale, iterations });
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
    pub(super) missing: Vec<usize>,
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

/// Part of a matrix of `width` columns, by rows.
fn part(matrix: &[f64], width: usize, rows: &[usize], columns: &[usize]) -> Vec<f64> {
    let mut part = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        let row = &matrix[row * width..][..width];
        part.extend(columns.iter().map(|column| row[*column]));
    }
    part
}

/// A normal distribution.
pub(super) struct Normal {
    pub(super) mean: Vec<f64>,
    covariance: Vec<f64>,
    /// The inverse of the covariance, where no column comes near to depending on others.
    precision: Option<Vec<f64>>,
}

/// What a row lacks given what it has: `E(x_m) = mean_m + weights (x_o - mean_o)` with the covariance `rest`.
struct Regression {
    weights: Vec<f64>,
    rest: Vec<f64>,
}

impl Normal {
    fn new(mean: Vec<f64>, covariance: Vec<f64>) -> Self {
        let precision = exact_inverse(&covariance, mean.len());
        Self { mean, covariance, precision }
    }

    /// The root of the covariance of some columns.
    fn root_of(&self, columns: &[usize]) -> Cholesky {
        let matrix = part(&self.covariance, self.mean.len(), columns, columns);
        Cholesky::of_independent(&matrix, columns.len(), DEPENDENT)
    }

    /// A generalised inverse of the covariance of some columns.
    fn inverse_of(&self, columns: &[usize]) -> Vec<f64> {
        self.root_of(columns).generalised_inverse(columns.len())
    }

    /// The rank of the covariance of some columns.
    pub(super) fn rank_of(&self, columns: &[usize]) -> usize {
        if self.precision.is_some() { columns.len() } else { self.root_of(columns).rank() }
    }

    /// `v' Sigma⁻ v` over the observed columns.
    pub(super) fn form(&self, (observed, missing): (&[usize], &[usize]), vector: &[f64]) -> f64 {
        let form = |matrix: &[f64], vector: &[f64]| -> f64 {
            let rows = matrix.chunks_exact(vector.len().max(1));
            rows.zip(vector).map(|(row, left)| left * dot(row, vector)).sum()
        };
        let Some(precision) = &self.precision else {
            return form(&self.inverse_of(observed), vector);
        };
        // The smallest of the forms over all columns that vectors with these elements have.
        let mut whole = vec![0.0; self.mean.len()];
        observed.iter().zip(vector).for_each(|(column, value)| whole[*column] = *value);
        let Regression { weights, .. } = self.regression((observed, missing));
        for (column, weights) in missing.iter().zip(weights.chunks_exact(observed.len().max(1))) {
            whole[*column] = dot(weights, vector);
        }
        form(precision, &whole)
    }

    fn regression(&self, (observed, missing): (&[usize], &[usize])) -> Regression {
        let width = self.mean.len();
        // What is missing is mostly little: by the precision `K` the rest is `K_mm⁻¹`, and the weights are `-K_mm⁻¹ K_mo`.
        // Source: Rue H, Held L, Gaussian Markov Random Fields, 2005, theorem 2.5.
        if let Some(precision) = &self.precision
            && let Some(rest) = exact_inverse(&part(precision, width, missing, missing), missing.len())
        {
            let across = part(precision, width, missing, observed);
            let mut weights = product(&rest, &across, missing.len());
            weights.iter_mut().for_each(|weight| *weight = -*weight);
            return Regression { weights, rest };
        }
        let inverse = self.inverse_of(observed);
        let weights = product(&part(&self.covariance, width, missing, observed), &inverse, observed.len());
        let across = part(&self.covariance, width, observed, missing);
        let explained = product(&weights, &across, observed.len());
        let mut rest = part(&self.covariance, width, missing, missing);
        rest.iter_mut().zip(explained).for_each(|(rest, explained)| *rest -= explained);
        Regression { weights, rest }
    }
}

/// A variable depends on others that leave less than this share of its variance: more than the last steps still take off
/// where it does, and less than the rounding of values to three or four digits leaves where it does not.
const DEPENDENT: f64 = 1e-9;
/// From this share on it comes near to that.
const NEAR: f64 = 1e-6;
/// What weighs less, of one standard deviation of each, has no part in a dependence.
const LIGHT: f64 = 1e-2;

/// Columns that come to depend on each other in the estimate alone: how many different rows have all of them, and how
/// many they are. A plane goes through as many points as the space around it has dimensions, so that the likelihood grows
/// without bound as the covariance narrows to it; one point more makes the dependence one of the data.
fn unseen_dependence(columns: &[&[f64]], covariance: &[f64]) -> Option<(usize, usize)> {
    let width = columns.len();
    let root = Cholesky::of_independent(covariance, width, NEAR);
    let inverse = root.inverse();
    let kept = root.kept();
    (0..width).filter(|variable| !kept.contains(variable)).find_map(|variable| {
        let across: Vec<f64> = kept.iter().map(|column| covariance[variable * width + column]).collect();
        let weights = inverse.chunks_exact(kept.len().max(1)).map(|row| dot(row, &across));
        let heavy = kept.iter().zip(weights).filter(|(_, weight)| weight.abs() > LIGHT);
        let involved: Vec<usize> = heavy.map(|(column, _)| *column).chain([variable]).collect();
        let rows = different_rows(columns, &involved);
        (rows <= involved.len()).then_some((rows, involved.len()))
    })
}

/// How many different rows have all of some columns.
fn different_rows(columns: &[&[f64]], involved: &[usize]) -> usize {
    let rows = (0..columns[involved[0]].len()).filter_map(|row| {
        let values = involved.iter().map(|column| columns[*column][row]);
        // Zero has two signs.
        values.map(|value| (!value.is_nan()).then(|| (value + 0.0).to_bits())).collect::<Option<Vec<u64>>>()
    });
    rows.collect::<BTreeSet<_>>().len()
}

/// The inverse of a covariance matrix; none where variables come near to depending on each other.
fn exact_inverse(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let root = Cholesky::of_independent(matrix, size, DEPENDENT);
    (root.smallest_pivot(matrix) > NEAR).then(|| root.inverse())
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The product of two matrices by rows, of which the left one has `inner` columns.
fn product(left: &[f64], right: &[f64], inner: usize) -> Vec<f64> {
    let columns = right.len().checked_div(inner).unwrap_or(0);
    let rows = left.len().checked_div(inner).unwrap_or(0);
    let mut product = vec![0.0; rows * columns];
    if columns > 0 {
        for (sums, left) in product.chunks_exact_mut(columns).zip(left.chunks_exact(inner)) {
            for (left, right) in left.iter().zip(right.chunks_exact(columns)) {
                sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += left * right);
            }
        }
    }
    product
}

/// Sums over rows, and those of the products of each two columns.
#[derive(Clone)]
struct Moments {
    first: Vec<f64>,
    second: Vec<f64>,
    /// Those of missing columns, by rows, with observed ones: they count on both sides of the diagonal.
    across: Vec<f64>,
}

impl Moments {
    /// Of what is observed: the same at each step.
    fn observed(sums: &[PatternSums], width: usize) -> Self {
        let square = vec![0.0; width * width];
        let mut moments = Self { first: vec![0.0; width], second: square.clone(), across: square };
        for pattern in sums {
            let observed = &pattern.observed;
            observed.iter().zip(&pattern.sum).for_each(|(column, sum)| moments.first[*column] += sum);
            let second = &mut moments.second;
            let mut add = |products: &[f64]| add_part((second, width), (observed, observed), products);
            match &pattern.products {
                Products::Sums(sums) => add(sums),
                Products::Rows(rows) => {
                    let mut sums = vec![0.0; observed.len().pow(2)];
                    rows.chunks_exact(observed.len().max(1)).for_each(|row| add_square(&mut sums, row));
                    add(&sums);
                }
            }
        }
        moments
    }

    fn estimate(self, rows: f64) -> Normal {
        let width = self.first.len();
        let mean: Vec<f64> = self.first.iter().map(|sum| sum / rows).collect();
        let covariance = (0..width * width).map(|k| {
            let (row, column) = (k / width, k % width);
            let second = self.second[k] + self.across[k] + self.across[column * width + row];
            second / rows - mean[row] * mean[column]
        });
        let covariance = covariance.collect();
        Normal::new(mean, covariance)
    }
}

/// Adds to some rows and columns of a matrix of `width` columns.
fn add_part((matrix, width): (&mut [f64], usize), (rows, columns): (&[usize], &[usize]), added: &[f64]) {
    for (row, added) in rows.iter().zip(added.chunks_exact(columns.len().max(1))) {
        let row = &mut matrix[row * width..][..width];
        columns.iter().zip(added).for_each(|(column, added)| row[*column] += added);
    }
}

/// One step: what is missing is replaced by its expectation given the rest of the row and the current estimate.
fn step(sums: &[PatternSums], observed: &Moments, normal: &Normal) -> Moments {
    let mut moments = observed.clone();
    for pattern in sums.iter().filter(|pattern| !pattern.missing.is_empty()) {
        add_expected(pattern, normal, &mut moments);
    }
    moments
}

/// Adds the expected sums and products of what one pattern's rows lack. In a row with the observed values `y` that is
/// `c + A y`.
fn add_expected(pattern: &PatternSums, normal: &Normal, moments: &mut Moments) {
    let (observed, missing) = (pattern.observed.as_slice(), pattern.missing.as_slice());
    let (known, lacking) = (observed.len(), missing.len());
    let Regression { weights, rest } = normal.regression((observed, missing));
    let mean: Vec<f64> = observed.iter().map(|column| normal.mean[*column]).collect();
    let explained = product(&weights, &mean, known);
    // Without anything observed there is nothing to map.
    let of = |sums: &[f64], place: usize| sums.get(place).copied().unwrap_or(0.0);
    let constant: Vec<f64> = missing
        .iter()
        .enumerate()
        .map(|(place, column)| normal.mean[*column] - of(&explained, place))
        .collect();
    let mapped = product(&weights, &pattern.sum, known);
    // The sums of `A y y'` and of `A y y' A'`.
    let (mut across, mut within) = (vec![0.0; lacking * known], vec![0.0; lacking * lacking]);
    match &pattern.products {
        Products::Sums(sums) => {
            across = product(&weights, sums, known);
            for (row, across) in within.chunks_exact_mut(lacking).zip(across.chunks_exact(known.max(1))) {
                let weights = weights.chunks_exact(known.max(1));
                row.iter_mut().zip(weights).for_each(|(sum, weights)| *sum = dot(across, weights));
            }
        }
        Products::Rows(rows) => {
            for row in rows.chunks_exact(known.max(1)) {
                let mapped = product(&weights, row, known);
                for (sums, left) in across.chunks_exact_mut(known).zip(&mapped) {
                    sums.iter_mut().zip(row).for_each(|(sum, right)| *sum += left * right);
                }
                add_square(&mut within, &mapped);
            }
        }
    }
    for (place, column) in missing.iter().enumerate() {
        moments.first[*column] += pattern.rows * constant[place] + of(&mapped, place);
        let across = across.chunks_exact_mut(known.max(1)).nth(place).into_iter().flatten();
        across.zip(&pattern.sum).for_each(|(product, sum)| *product += constant[place] * sum);
        for other in 0..lacking {
            within[place * lacking + other] += of(&mapped, place) * constant[other]
                + constant[place] * of(&mapped, other)
                + pattern.rows * (constant[place] * constant[other] + rest[place * lacking + other]);
        }
    }
    let width = normal.mean.len();
    add_part((&mut moments.across, width), (missing, observed), &across);
    add_part((&mut moments.second, width), (missing, missing), &within);
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

    #[test]
    fn a_likelihood_without_a_bound_is_refused() {
        // A line goes through any two points: as the covariance narrows to it their density grows without bound.
        let gap = f64::NAN;
        let (x, y) = ([1.0, 2.0, gap, 4.0, gap], [2.0, gap, 5.0, 7.0, 1.0]);
        assert_eq!(normal_em(&[&x, &y]), Err(MeasureError::Undetermined { rows: 2, columns: 2 }));
        // A point that is there twice is one point.
        let (x, y) = ([1.0, 2.0, gap, 4.0, gap, 1.0], [2.0, gap, 5.0, 7.0, 1.0, 2.0]);
        assert_eq!(normal_em(&[&x, &y]), Err(MeasureError::Undetermined { rows: 2, columns: 2 }));
        // A third point on the line makes it one of the data.
        let (x, y) = ([1.0, 2.0, gap, 4.0, 7.0], [2.0, gap, 5.0, 7.0, 12.0]);
        let estimate = normal_em(&[&x, &y]).expect("the data lie on a line");
        let [a, b, _, d] = estimate.covariance[..] else { panic!("two columns have four covariances") };
        assert!((a * d - b * b).abs() < 1e-9 && (b / a - 5.0 / 3.0).abs() < 1e-9);
    }

    // Gaps of others do not hide a dependence: no row here has all columns.
    #[test]
    fn a_dependence_is_seen_in_the_rows_that_have_its_columns() {
        let wave = |place: usize, by: f64| (place as f64 * by).sin();
        let x: Vec<f64> = (0..60).map(|k| wave(k, 1.7)).collect();
        let y: Vec<f64> = (0..60).map(|k| wave(k, 2.3)).collect();
        let sum: Vec<f64> = x
            .iter()
            .zip(&y)
            .enumerate()
            .map(|(k, (x, y))| if k % 9 == 4 { f64::NAN } else { x + y })
            .collect();
        let half = |odd: usize, by: f64| -> Vec<f64> {
            (0..60).map(|k| if k % 2 == odd { f64::NAN } else { wave(k, by) }).collect()
        };
        let (even, odd) = (half(1, 0.9), half(0, 3.1));
        let estimate = normal_em(&[&x, &y, &sum, &even, &odd]).expect("the dependence is one of the data");
        let variance = |column: usize| estimate.covariance[column * 6];
        let both = estimate.covariance[1];
        assert!((variance(2) - variance(0) - variance(1) - 2.0 * both).abs() < 1e-9);
    }

    // The regression by the covariance of what is observed is the textbook's.
    #[test]
    fn both_ways_to_regress_and_to_measure_agree() {
        let covariance =
            vec![2.0, 0.6, -0.3, 0.5, 0.6, 1.5, 0.2, 0.1, -0.3, 0.2, 1.0, -0.4, 0.5, 0.1, -0.4, 3.0];
        let by_precision = Normal::new(vec![0.0; 4], covariance.clone());
        let by_covariance = Normal { mean: vec![0.0; 4], covariance, precision: None };
        assert!(by_precision.precision.is_some());
        let near = |ours: &[f64], theirs: &[f64]| {
            assert_eq!(ours.len(), theirs.len());
            assert!(ours.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-13));
        };
        for gaps in 0..16_usize {
            let (missing, observed): (Vec<usize>, Vec<usize>) = (0..4).partition(|k| gaps >> k & 1 == 1);
            let columns = (observed.as_slice(), missing.as_slice());
            let [ours, theirs] = [&by_precision, &by_covariance].map(|normal| normal.regression(columns));
            near(&ours.weights, &theirs.weights);
            near(&ours.rest, &theirs.rest);
            let vector: Vec<f64> = observed.iter().map(|column| [1.0, -2.0, 0.5, 3.0][*column]).collect();
            let [ours, theirs] = [&by_precision, &by_covariance].map(|normal| normal.form(columns, &vector));
            near(&[ours], &[theirs]);
            assert_eq!(by_precision.rank_of(&observed), by_covariance.rank_of(&observed));
        }
    }
}
