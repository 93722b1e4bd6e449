//! C5: the spread of a subject's own values.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::{Alternative, score_test};

/// Whether the values of one subject spread more or less in a group than elsewhere, from repeated values (NaN where
/// missing): invented values often vary too little. The effect is the ratio of the within-subject standard
/// deviations, group over rest. A subject counts from two values on.
///
/// A subject's score is the cube root of its variance over its expectation's factor `1 - 2 / (9 df)`, which is
/// nearly normal and has the same mean whatever the number of values.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
// Source: Wilson EB, Hilferty MM, Proc Natl Acad Sci 1931;17:684-688.
pub fn within_subject_deviation(
    cohort: &Cohort,
    subjects: &[usize],
    values: &[f64],
) -> Result<Vec<SiteTest>, MeasureError> {
    let spreads: Vec<Option<Spread>> =
        cohort.series(subjects, values)?.iter().map(|series| spread(series)).collect();
    let score = |spread: &Option<Spread>| {
        spread.map(|Spread { squares, degrees }| (squares / degrees).cbrt() / (1.0 - 2.0 / (9.0 * degrees)))
    };
    let scores: Vec<Option<f64>> = spreads.iter().map(score).collect();
    let mut outcomes = score_test(cohort, &scores, Alternative::TwoSided);
    for (group, outcome) in outcomes.iter_mut().enumerate() {
        if let Ok(outcome) = outcome {
            outcome.effect = (pooled(cohort, &spreads, |of| of == group)
                / pooled(cohort, &spreads, |of| of != group))
            .sqrt();
        }
    }
    Ok(outcomes)
}

/// A sum of squares about the mean and its degrees of freedom.
#[derive(Debug, Clone, Copy)]
struct Spread {
    squares: f64,
    degrees: f64,
}

fn spread(series: &[f64]) -> Option<Spread> {
    if series.len() < 2 {
        return None;
    }
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let squares = series.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Spread { squares, degrees: (series.len() - 1) as f64 })
}

fn pooled(cohort: &Cohort, spreads: &[Option<Spread>], chosen: impl Fn(usize) -> bool) -> f64 {
    let of_side = spreads
        .iter()
        .enumerate()
        .filter(|(subject, _)| chosen(cohort.group_of(*subject)))
        .filter_map(|(_, spread)| *spread);
    let (squares, degrees) =
        of_side.fold((0.0, 0.0), |sum, spread| (sum.0 + spread.squares, sum.1 + spread.degrees));
    squares / degrees
}
