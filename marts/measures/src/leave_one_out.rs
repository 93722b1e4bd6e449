//! The normal approximation without self-masking: a group is compared with the rest, and neither its events nor
//! its distance enter the mean and the over-dispersion that it is measured by.

use crate::bounds::{Bound, exposure_grid};
use crate::error::MeasureError;
use crate::exact::Pooled;
use crate::law::normal_two_sided;
use crate::normal_approximation::unit_variance;
use crate::proportion_table::{Kind, check, check_shares};
use crate::tail_probability::student_two_sided;

/// One group beside the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeftOut {
    /// Numerator over denominator.
    pub metric: f64,
    /// The metric of all other groups together; none where there is no other.
    pub rest: Option<f64>,
    /// The numerator that the group would have at the metric of the rest; zero where there is no other.
    pub expected: f64,
    /// The over-dispersion of the other groups, at least one.
    pub factor: f64,
    /// The distance from the rest in units of its over-dispersed error.
    pub score: f64,
    /// The two-sided p-value of the score by Student's law, whose degrees of freedom are those of the factor.
    pub p: f64,
}

/// Scores each group by its distance from the rest.
///
/// With `N_i` events in `D_i` of group `i` of `m`, and `N_r`, `D_r` those of all others: the reference is
/// `mu = N_r / D_r`, the variance of one unit `V = mu` for rates and `mu (1 - mu)` for shares, the factor
/// `phi = max(1, sum over the others of D_j (y_j - mu)² / V / (m - 2))`, and the score
/// `(y_i - mu) / sqrt(phi V (1 / D_i + 1 / D_r))`: the rest is an estimate too. Nothing bounds a score by the
/// number of groups, as in [`crate::normal_approximation()`] where no score exceeds the root of `m`. Groups more
/// alike than chance would have them (`phi` below one) do not make a score larger.
///
/// The factor is an estimate from `m - 1` groups, so that a score has Student's law with `m - 2` degrees of freedom and
/// not the normal one, whose tails are too thin by far: with 23 groups a score of 4 has a p-value of 0.0006 instead of
/// 0.00006. Three groups are needed for that; with fewer the normal law stays.
///
/// Where the others do not vary (no event at all, or nothing but events), `V` is taken from all groups together
/// and the factor is one. Where all groups together do not vary either, and where there is one group, every score
/// is zero and every p-value one. The factor needs three groups, and is coarse below ten.
///
/// # Errors
/// As [`crate::normal_approximation()`].
// Source: the leave-one-out reference of cross-validated funnel plots, Spiegelhalter D et al., "Statistical methods
// for healthcare regulation: rating, screening and surveillance", J R Stat Soc A 2012;175:1-47, section 4; the law of the
// score as that of a deleted residual, Cook RD, Weisberg S, "Residuals and Influence in Regression", 1982, 2.2.1.
pub fn leave_one_out(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
) -> Result<Vec<LeftOut>, MeasureError> {
    check(numerators, denominators)?;
    if kind == Kind::Binary {
        check_shares(numerators, denominators)?;
    }
    let all = Pooled::of(numerators, denominators);
    let squares = sums_of_others(&squares(numerators, denominators, all));
    let rests = sums_of_others(numerators).into_iter().zip(sums_of_others(denominators));
    let rests = rests.map(|(numerator, denominator)| Pooled { numerator, denominator });
    let groups = numerators.iter().zip(denominators).zip(rests.zip(squares));
    let scored = groups.map(|((&numerator, &denominator), (rest, squares))| {
        let metric = numerator / denominator;
        if rest.denominator == 0.0 {
            return LeftOut { metric, rest: None, expected: 0.0, factor: 1.0, score: 0.0, p: 1.0 };
        }
        let others = Others::of(kind, all, rest, squares, numerators.len() - 1);
        let error = (others.spread() * (1.0 / denominator + 1.0 / rest.denominator)).sqrt();
        let score = if error > 0.0 { (metric - others.mean) / error } else { 0.0 };
        LeftOut {
            metric,
            rest: Some(others.mean),
            expected: others.mean * denominator,
            factor: others.factor,
            score,
            p: others.two_sided(score),
        }
    });
    Ok(scored.collect())
}

/// The numerators at which a further group would reach a threshold, judged against all groups given.
///
/// The exposures are those of [`crate::bounds()`]. Each threshold gives a curve in the order given, and the overall
/// metric (threshold 0) the last. Points below zero, and for shares points above the whole, are left out.
///
/// # Errors
/// As [`leave_one_out`].
pub fn leave_one_out_bounds(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
    thresholds: &[f64],
) -> Result<Vec<Bound>, MeasureError> {
    check(numerators, denominators)?;
    if kind == Kind::Binary {
        check_shares(numerators, denominators)?;
    }
    let all = Pooled::of(numerators, denominators);
    let mean = all.numerator / all.denominator;
    let squares = squares(numerators, denominators, all).iter().sum();
    let others = Others::of(kind, all, all, squares, numerators.len());
    let grid = exposure_grid(denominators);
    let mut points = Vec::with_capacity(grid.len() * (thresholds.len() + 1));
    for &threshold in thresholds.iter().chain(&[0.0]) {
        points.extend(grid.iter().filter_map(|&denominator| {
            let metric = if others.spread() > 0.0 {
                let error = others.spread() * (1.0 / denominator + 1.0 / all.denominator);
                mean + threshold * error.sqrt()
            } else {
                alone(kind, mean, denominator, all.denominator, threshold)
            };
            let possible = metric >= 0.0 && (kind == Kind::Rate || metric <= 1.0);
            possible.then_some(Bound { threshold, denominator, numerator: metric * denominator, metric })
        }));
    }
    Ok(points)
}

/// What a group is measured by.
struct Others {
    mean: f64,
    variance: f64,
    factor: f64,
    /// The degrees of freedom of the factor; zero where it is not estimated.
    freedom: f64,
}

impl Others {
    /// `squares` is `sum D (y - mean of all)²` over the `count` other groups.
    fn of(kind: Kind, all: Pooled, rest: Pooled, squares: f64, count: usize) -> Self {
        let mean = rest.numerator / rest.denominator;
        let variance = unit_variance(kind, mean);
        if variance <= 0.0 {
            let pooled = unit_variance(kind, all.numerator / all.denominator).max(0.0);
            return Self { mean, variance: pooled, factor: 1.0, freedom: 0.0 };
        }
        // About their own mean instead of that of all: Steiner's theorem.
        let shift = mean - all.numerator / all.denominator;
        let squares = squares - rest.denominator * shift * shift;
        let freedom = count.saturating_sub(1) as f64;
        let factor = if freedom > 0.0 { (squares / variance / freedom).max(1.0) } else { 1.0 };
        Self { mean, variance, factor, freedom }
    }

    fn two_sided(&self, score: f64) -> f64 {
        if self.freedom > 0.0 { student_two_sided(score, self.freedom) } else { normal_two_sided(score) }
    }

    fn spread(&self) -> f64 {
        self.factor * self.variance
    }
}

/// For each group `D (y - mean of all)²`.
fn squares(numerators: &[f64], denominators: &[f64], all: Pooled) -> Vec<f64> {
    let mean = all.numerator / all.denominator;
    let square = |(n, d): (&f64, &f64)| d * (n / d - mean).powi(2);
    numerators.iter().zip(denominators).map(square).collect()
}

/// For each value the sum of all others, without the cancellation of a difference.
fn sums_of_others(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; values.len()];
    let mut before = 0.0;
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = before;
        before += value;
    }
    let mut after = 0.0;
    for (sum, value) in sums.iter_mut().zip(values).rev() {
        *sum += after;
        after += value;
    }
    sums
}

/// The metric at a threshold where the others do not vary, so that the variance is the further group's own
/// addition: the solution of `(y - mean)² = k² V(all and the group) (1 / D + 1 / D_r)`.
fn alone(kind: Kind, mean: f64, denominator: f64, rest: f64, threshold: f64) -> f64 {
    let square = threshold * threshold;
    match kind {
        Kind::Rate => (square / rest).copysign(threshold),
        Kind::Binary => {
            let whole = denominator + rest;
            let away = square * whole / (rest * whole + square * denominator);
            mean + away.copysign(threshold)
        }
    }
}

#[cfg(test)]
mod tests;
