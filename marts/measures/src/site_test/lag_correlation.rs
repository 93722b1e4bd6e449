//! C6, first part: how a subject's value depends on the one before.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::{Alternative, score_test};

/// Whether successive values of a subject depend on each other more or less than elsewhere, from repeated values in
/// order of time within each subject (NaN where missing). The effect is the difference of the mean lag-1
/// autocorrelations, group less rest. A subject counts from four values that are not all equal on.
///
/// A subject's score is `sum d_t d_t+1 / sum d_t² + 1/n` over the deviations `d` from its mean: the last term takes out
/// the bias that the mean of few values brings.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
// Source: Kendall MG, Biometrika 1954;41:403-404, for the bias at independence.
pub fn lag_correlation(
    cohort: &Cohort,
    subjects: &[usize],
    values: &[f64],
) -> Result<Vec<SiteTest>, MeasureError> {
    let series = cohort.series(subjects, values)?;
    let scores: Vec<Option<f64>> = series.iter().map(|series| autocorrelation(series)).collect();
    let mut outcomes = score_test(cohort, &scores, Alternative::TwoSided);
    let spread = deviation(&scores);
    for outcome in outcomes.iter_mut().flatten() {
        outcome.effect *= spread;
    }
    Ok(outcomes)
}

fn autocorrelation(series: &[f64]) -> Option<f64> {
    if series.len() < 4 || series.iter().all(|value| *value == series[0]) {
        return None;
    }
    let count = series.len() as f64;
    let mean = series.iter().sum::<f64>() / count;
    let products: f64 = series.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let squares: f64 = series.iter().map(|value| (value - mean).powi(2)).sum();
    Some(products / squares + 1.0 / count)
}

/// The standard deviation of the scores, with their number as divisor, which is the unit of the permutation test.
fn deviation(scores: &[Option<f64>]) -> f64 {
    let count = scores.iter().flatten().count() as f64;
    let mean = scores.iter().flatten().sum::<f64>() / count;
    (scores.iter().flatten().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt()
}
