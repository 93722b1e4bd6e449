//! The reference method: every group against the mean of all, in units of an over-dispersed normal error,
//! and the limits that a group of a given exposure would have to cross.

use crate::bounds::{Bound, exposure_grid};
use crate::error::MeasureError;
use crate::proportion_table::{GroupScore, Kind, check, check_exposures, check_shares};

/// What all groups have in common, and each group's score in the order of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalApproximation {
    /// What the numerators count.
    pub kind: Kind,
    /// All numerators over all denominators.
    pub overall: f64,
    /// The over-dispersion: the mean squared score without it. One means that chance alone explains the
    /// groups' differences; it is not floored at one.
    pub factor: f64,
    /// One score per group.
    pub groups: Vec<GroupScore>,
}

impl NormalApproximation {
    /// The variance of one unit of exposure.
    #[must_use]
    pub fn variance(&self) -> f64 {
        unit_variance(self.kind, self.overall)
    }
}

/// Scores each group by its distance from the overall metric.
///
/// With `N` numerators, `D` denominators and `y = N / D`: the overall metric is `mu = sum N / sum D`; the
/// variance is `V = mu` for rates and `V = mu (1 - mu)` for shares; `z = (y - mu) / sqrt(V / D)`; the factor is
/// `phi = mean(z²)` over all groups; the score is `(y - mu) / sqrt(phi V / D)`. Where `V` or `phi` is zero
/// the groups do not differ and every score is zero.
///
/// Groups without exposure have no metric: leave them out before the call, for they are refused here.
///
/// # Errors
/// For slices that do not pair, are empty, or hold a value that is not a count; for an exposure of zero; and,
/// for shares, for a numerator above its denominator.
// Source: Zink RC, Castro-Schilo L, Ding J, "Understanding the influence of individual variables contributing
// to multivariate outliers in assessments of data quality", Pharm Stat 2018; funnel limits with
// multiplicative over-dispersion after Spiegelhalter DJ, "Funnel plots for comparing institutional
// performance", Stat Med 2005;24:1185-1202. Evaluated as gsm.core 1.1.3 `Analyze_NormalApprox` does.
pub fn normal_approximation(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
) -> Result<NormalApproximation, MeasureError> {
    check(numerators, denominators)?;
    if kind == Kind::Binary {
        check_shares(numerators, denominators)?;
    }
    let overall = numerators.iter().sum::<f64>() / denominators.iter().sum::<f64>();
    let variance = unit_variance(kind, overall);
    let deviations = numerators.iter().zip(denominators).map(|(numerator, denominator)| {
        let metric = numerator / denominator;
        let z = if variance > 0.0 { (metric - overall) / (variance / denominator).sqrt() } else { 0.0 };
        (metric, z)
    });
    let deviations: Vec<(f64, f64)> = deviations.collect();
    let factor = deviations.iter().map(|(_, z)| z * z).sum::<f64>() / deviations.len() as f64;
    let score_of = |z: f64| if factor > 0.0 { z / factor.sqrt() } else { 0.0 };
    let groups = deviations.iter().map(|&(metric, z)| GroupScore { metric, score: score_of(z) }).collect();
    Ok(NormalApproximation { kind, overall, factor, groups })
}

/// The curves of constant score that a chart of numerators over denominators shows.
///
/// The exposures run from one step below the smallest to one step above the largest in 250 steps of the
/// range (of 1, where all are equal), as far as they are positive. Each threshold gives a curve, in the order
/// given, and the overall metric (threshold 0) the last. Points with a negative numerator are left out:
/// a small group cannot fall below such a limit.
///
/// # Errors
/// For an empty slice and for exposures that are not finite and positive.
// Source: gsm.core 1.1.3 `Analyze_NormalApprox_PredictBounds`.
pub fn bounds(
    fit: &NormalApproximation,
    denominators: &[f64],
    thresholds: &[f64],
) -> Result<Vec<Bound>, MeasureError> {
    if denominators.is_empty() {
        return Err(MeasureError::NoGroups);
    }
    check_exposures(denominators)?;
    let grid = exposure_grid(denominators);
    let spread = fit.factor * fit.variance();
    let mut points = Vec::with_capacity(grid.len() * (thresholds.len() + 1));
    for &threshold in thresholds.iter().chain(&[0.0]) {
        points.extend(grid.iter().filter_map(|&denominator| {
            let metric = fit.overall + threshold * (spread / denominator).sqrt();
            let numerator = metric * denominator;
            (numerator >= 0.0).then_some(Bound { threshold, denominator, numerator, metric })
        }));
    }
    Ok(points)
}

pub(crate) fn unit_variance(kind: Kind, overall: f64) -> f64 {
    match kind {
        Kind::Rate => overall,
        Kind::Binary => overall * (1.0 - overall),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_scores(kind: Kind, groups: &[(f64, f64)], overall: f64, factor: f64, scores: &[f64]) {
        let (numerators, denominators): (Vec<f64>, Vec<f64>) = groups.iter().copied().unzip();
        let fit = normal_approximation(&numerators, &denominators, kind).expect("the groups are valid");
        let close = |left: f64, right: f64| (left - right).abs() < 1e-12;
        assert!(close(fit.overall, overall), "overall {} against {overall}", fit.overall);
        assert!(close(fit.factor, factor), "factor {} against {factor}", fit.factor);
        for (group, score) in fit.groups.iter().zip(scores) {
            assert!(close(group.score, *score), "score {} against {score}", group.score);
        }
    }

    #[test]
    fn two_equal_groups_always_stand_one_apart() {
        // By hand: mu = 4/8, V = 1/2, z = -/+ (1/4) / sqrt(1/8), z² = 1/2.
        check_scores(Kind::Rate, &[(1.0, 4.0), (3.0, 4.0)], 0.5, 0.5, &[-1.0, 1.0]);
        // By hand: V = 1/4, z² = 1/16 / (1/16) = 1.
        check_scores(Kind::Binary, &[(1.0, 4.0), (3.0, 4.0)], 0.5, 1.0, &[-1.0, 1.0]);
    }

    #[test]
    fn groups_without_events_do_not_differ() {
        check_scores(Kind::Rate, &[(0.0, 4.0), (0.0, 9.0)], 0.0, 0.0, &[0.0, 0.0]);
        check_scores(Kind::Binary, &[(4.0, 4.0), (9.0, 9.0)], 1.0, 0.0, &[0.0, 0.0]);
    }

    #[test]
    fn one_group_is_its_own_mean() {
        check_scores(Kind::Rate, &[(3.0, 4.0)], 0.75, 0.0, &[0.0]);
    }

    #[test]
    fn a_share_above_one_is_refused() {
        let fit = normal_approximation(&[5.0], &[4.0], Kind::Binary);
        assert!(matches!(fit, Err(MeasureError::MoreThanAll { group: 0, .. })));
        assert!(normal_approximation(&[5.0], &[4.0], Kind::Rate).is_ok());
    }

    #[test]
    fn bounds_of_equal_groups_step_by_one() {
        let fit = normal_approximation(&[1.0, 3.0], &[4.0, 4.0], Kind::Binary).expect("the groups are valid");
        let points = bounds(&fit, &[4.0, 4.0], &[]).expect("the exposures are valid");
        let exposures: Vec<f64> = points.iter().map(|point| point.denominator).collect();
        assert_eq!(exposures, [3.0, 4.0, 5.0]);
        assert!(points.iter().all(|point| point.metric == 0.5 && point.threshold == 0.0));
    }

    #[test]
    fn bounds_need_an_exposure() {
        let fit = normal_approximation(&[1.0], &[4.0], Kind::Rate).expect("the group is valid");
        assert_eq!(bounds(&fit, &[], &[2.0]), Err(MeasureError::NoGroups));
        assert_eq!(bounds(&fit, &[0.0], &[2.0]), Err(MeasureError::NoExposure { group: 0 }));
    }
}
