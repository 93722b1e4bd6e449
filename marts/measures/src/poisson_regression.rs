//! The reference's count method: a log-linear Poisson model of counts on exposure, scored by deviance residuals.

use crate::bounds::{Bound, log_exposure_grid};
use crate::error::MeasureError;
use crate::law::saddle_point::deviance_part;
use crate::proportion_table::{check, check_exposures};

/// How the exposure enters the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// `ln E(N) = intercept + ln D`: twice the exposure, twice the events.
    Offset,
    /// `ln E(N) = intercept + slope ln D`: what the reference fits though it documents an offset.
    Covariate,
}

/// One group's count, what the model expects, and how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonGroup {
    /// Numerator over denominator.
    pub metric: f64,
    /// The count that the model expects.
    pub predicted: f64,
    /// The deviance residual.
    pub score: f64,
}

/// The fitted model, and each group's score in the order of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonRegression {
    /// The logarithm of the rate; minus infinity where nothing happened.
    pub intercept: f64,
    /// What the logarithm of the exposure is multiplied by: 1 for an offset, 0 for a covariate that is the same
    /// in all groups.
    pub slope: f64,
    /// The sum of the squared scores.
    pub deviance: f64,
    /// One score per group.
    pub groups: Vec<PoissonGroup>,
}

/// Scores each group by its deviance residual from a Poisson model of the counts.
///
/// With `f` the count expected: `score = sign(N - f) sqrt(2 (N ln(N / f) - (N - f)))`, and `sqrt(2 f)` below zero
/// for a count of zero. The reference documents ±5 and ±7 as thresholds. Where nothing happened, every score
/// is zero.
///
/// # Errors
/// As [`crate::normal_approximation()`].
// Source: gsm.core 1.1.3 `Analyze_Poisson`. It writes `stats::offset(LogDenominator)` into the formula, which R 4.2
// does not take as an offset but as a variable with a slope; `Exposure::Covariate` does what it does.
pub fn poisson_regression(
    numerators: &[f64],
    denominators: &[f64],
    exposure: Exposure,
) -> Result<PoissonRegression, MeasureError> {
    check(numerators, denominators)?;
    let (intercept, slope) = match exposure {
        Exposure::Offset => ((numerators.iter().sum::<f64>() / denominators.iter().sum::<f64>()).ln(), 1.0),
        Exposure::Covariate => fit(numerators, denominators),
    };
    let groups: Vec<PoissonGroup> = numerators
        .iter()
        .zip(denominators)
        .map(|(&numerator, &denominator)| {
            let predicted = (intercept + slope * denominator.ln()).exp();
            let half = deviance_part(numerator, predicted).max(0.0);
            let size = (2.0 * half).sqrt();
            PoissonGroup {
                metric: numerator / denominator,
                predicted,
                score: if numerator < predicted { -size } else { size },
            }
        })
        .collect();
    let deviance = groups.iter().map(|group| group.score * group.score).sum();
    Ok(PoissonRegression { intercept, slope, deviance, groups })
}

/// The counts at which a group would have a threshold as its deviance residual.
///
/// The exposures are steps of their logarithm, from one below the smallest to one above the largest in 250 steps
/// of the range (of 0.05, where all are equal). Each threshold gives a curve in the order given, and the
/// expected count (threshold 0) the last. A lower threshold has no point where even a count of zero has a
/// higher residual.
///
/// # Errors
/// For an empty slice and for exposures that are not finite and positive.
// Source: gsm.core 1.1.3 `Analyze_Poisson_PredictBounds`, which solves the same equation by Lambert's W.
pub fn poisson_bounds(
    fit: &PoissonRegression,
    denominators: &[f64],
    thresholds: &[f64],
) -> Result<Vec<Bound>, MeasureError> {
    if denominators.is_empty() {
        return Err(MeasureError::NoGroups);
    }
    check_exposures(denominators)?;
    let grid = log_exposure_grid(denominators);
    let mut points = Vec::with_capacity(grid.len() * (thresholds.len() + 1));
    for &threshold in thresholds.iter().chain(&[0.0]) {
        points.extend(grid.iter().filter_map(|&log_denominator| {
            let expected = (fit.intercept + fit.slope * log_denominator).exp();
            let numerator = expected * ratio_at(threshold, expected)?;
            let denominator = log_denominator.exp();
            Some(Bound { threshold, denominator, numerator, metric: numerator / denominator })
        }));
    }
    Ok(points)
}

/// The ratio `t` of count to expectation at which `t ln t + 1 - t = residual² / (2 expected)`, on the side of
/// the residual's sign; none if there is no such count.
fn ratio_at(residual: f64, expected: f64) -> Option<f64> {
    if residual == 0.0 {
        return Some(1.0);
    }
    let goal = residual * residual / (2.0 * expected);
    if !goal.is_finite() || (residual < 0.0 && goal > 1.0) {
        return None;
    }
    // The first terms of the series around 1; Newton's steps then stay on the convex side of the root.
    let apart = (2.0 * goal).sqrt();
    let start = if residual > 0.0 { 1.0 + apart + goal } else { 1.0 - apart };
    let mut ratio = start.max(f64::MIN_POSITIVE);
    for _ in 0..200 {
        let step = (deviance_part(ratio, 1.0) - goal) / ratio.ln();
        let next = (ratio - step).max(f64::MIN_POSITIVE);
        if (next - ratio).abs() <= 1e-16 * ratio {
            break;
        }
        ratio = next;
    }
    Some(ratio)
}

/// Intercept and slope of largest likelihood, by Newton's method with halved steps.
fn fit(numerators: &[f64], denominators: &[f64]) -> (f64, f64) {
    let total: f64 = numerators.iter().sum();
    let logs: Vec<f64> = denominators.iter().map(|denominator| denominator.ln()).collect();
    // Centred, the two coefficients hardly disturb each other.
    let centre = logs.iter().sum::<f64>() / logs.len() as f64;
    let centred: Vec<f64> = logs.iter().map(|log| log - centre).collect();
    let spread = centred.iter().map(|x| x * x).sum::<f64>();
    let level = (total / numerators.len() as f64).ln();
    if total == 0.0 || spread <= 1e-20 {
        return (level, 0.0);
    }
    let likelihood = |level: f64, slope: f64| -> f64 {
        let terms = numerators.iter().zip(&centred);
        terms.map(|(count, x)| count * (level + slope * x) - (level + slope * x).exp()).sum()
    };
    let (mut level, mut slope) = (level, 0.0);
    for _ in 0..200 {
        let (level_step, slope_step) = newton_step(numerators, &centred, level, slope);
        let before = likelihood(level, slope);
        let mut part = 1.0;
        while part > 1e-10 && likelihood(level + part * level_step, slope + part * slope_step) < before {
            part *= 0.5;
        }
        if part <= 1e-10 {
            break;
        }
        level += part * level_step;
        slope += part * slope_step;
        if level_step.abs() + slope_step.abs() < 1e-14 {
            break;
        }
    }
    (level - slope * centre, slope)
}

/// The solution of `H step = gradient` for the two coefficients; no step where the counts do not determine one.
fn newton_step(numerators: &[f64], centred: &[f64], level: f64, slope: f64) -> (f64, f64) {
    let (mut gradient, mut h) = ([0.0; 2], [0.0; 3]);
    for (count, x) in numerators.iter().zip(centred) {
        let expected = (level + slope * x).exp();
        gradient[0] += count - expected;
        gradient[1] += (count - expected) * x;
        h[0] += expected;
        h[1] += expected * x;
        h[2] += expected * x * x;
    }
    let determinant = h[0] * h[2] - h[1] * h[1];
    if !determinant.is_finite() || determinant <= 0.0 {
        return (0.0, 0.0);
    }
    (
        (h[2] * gradient[0] - h[1] * gradient[1]) / determinant,
        (h[0] * gradient[1] - h[1] * gradient[0]) / determinant,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_close(ours: f64, expected: f64) {
        assert!((ours - expected).abs() < 1e-12, "{ours} against {expected}");
    }

    #[test]
    fn an_offset_expects_the_common_rate() {
        // By hand: 6 events in 30 days are 2 in 10 and 4 in 20; residuals of 0 and 6 are those of the formula.
        let fit = poisson_regression(&[0.0, 6.0], &[10.0, 20.0], Exposure::Offset).expect("valid");
        check_close(fit.intercept, 0.2_f64.ln());
        check_close(fit.groups[0].predicted, 2.0);
        check_close(fit.groups[0].score, -2.0);
        check_close(fit.groups[1].score, (2.0 * (6.0 * 1.5_f64.ln() - 2.0)).sqrt());
    }

    #[test]
    fn a_covariate_meets_two_groups_exactly() {
        // By hand: two coefficients reproduce two counts; 8 / 2 = 4 over 40 / 10 = 4 is a slope of 1.
        let fit = poisson_regression(&[2.0, 8.0], &[10.0, 40.0], Exposure::Covariate).expect("valid");
        check_close(fit.slope, 1.0);
        check_close(fit.groups[0].predicted, 2.0);
        check_close(fit.deviance, 0.0);
    }

    #[test]
    fn degenerate_groups_have_defined_scores() {
        for exposure in [Exposure::Offset, Exposure::Covariate] {
            let none = poisson_regression(&[0.0, 0.0], &[10.0, 40.0], exposure).expect("valid");
            assert_eq!(none.intercept, f64::NEG_INFINITY);
            assert!(none.groups.iter().all(|group| group.score == 0.0 && group.predicted == 0.0));
            assert!(
                poisson_bounds(&none, &[10.0], &[-5.0, 5.0])
                    .expect("valid")
                    .iter()
                    .all(|p| p.numerator == 0.0)
            );
            let lone = poisson_regression(&[4.0], &[10.0], exposure).expect("valid");
            check_close(lone.groups[0].score, 0.0);
        }
        let equal = poisson_regression(&[1.0, 3.0], &[10.0, 10.0], Exposure::Covariate).expect("valid");
        assert_eq!(equal.slope, 0.0);
        check_close(equal.groups[1].predicted, 2.0);
        let apart = poisson_regression(&[0.0, 5.0], &[1.0, 10.0], Exposure::Covariate).expect("valid");
        assert!(apart.groups.iter().all(|group| group.score.abs() < 1e-3), "{apart:?}");
    }

    #[test]
    fn a_count_on_a_bound_has_the_threshold_as_its_residual() {
        for expected in [0.3, 4.0, 90.0, 5e6] {
            for residual in [-7.0, -2.0, -0.7, 0.5, 2.0, 7.0] {
                let Some(ratio) = ratio_at(residual, expected) else {
                    assert!(residual < 0.0 && residual * residual > 2.0 * expected);
                    continue;
                };
                assert!((ratio - 1.0) * residual > 0.0);
                let deviance = 2.0 * expected * deviance_part(ratio, 1.0);
                assert!(
                    (deviance - residual * residual).abs() < 1e-8,
                    "{deviance} for {residual} at {expected}"
                );
            }
        }
    }
}
