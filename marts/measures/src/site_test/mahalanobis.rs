//! C7: subjects too far from the centre of all variables together, or too near to it.

use crate::cholesky::Cholesky;
use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, SiteTest};
use crate::site_test::permutation::{Alternative, score_test};

/// At most so many variables.
const VARIABLES: usize = 50;

/// Whether a group has more distant subjects than the rest, from several variables with one value per subject each
/// (subjects with a missing one are left out): the mean squared Mahalanobis distance from the centre of all, one-sided
/// by permutation. The effect is the ratio of the mean squared distances, group over rest.
///
/// # Errors
/// For slices that do not pair, infinite values, no variable, and more than fifty.
pub fn mahalanobis_outliers(cohort: &Cohort, variables: &[&[f64]]) -> Result<Vec<SiteTest>, MeasureError> {
    test(cohort, variables, Alternative::Greater, |square| square)
}

/// Whether a group's subjects lie nearer to the centre than the rest, as invented ones do: as
/// [`mahalanobis_outliers`], but on the cube root of the squared distance, in which small distances weigh more, and
/// one-sided towards small ones.
///
/// # Errors
/// As there.
// Source: Kirkwood AA et al., Clin Trials 2013;10:783-806, for inliers.
pub fn mahalanobis_inliers(cohort: &Cohort, variables: &[&[f64]]) -> Result<Vec<SiteTest>, MeasureError> {
    test(cohort, variables, Alternative::Less, f64::cbrt)
}

fn test(
    cohort: &Cohort,
    variables: &[&[f64]],
    alternative: Alternative,
    score: fn(f64) -> f64,
) -> Result<Vec<SiteTest>, MeasureError> {
    if variables.is_empty() {
        return Err(MeasureError::Nothing { what: "variables" });
    }
    if variables.len() > VARIABLES {
        let found = variables.len();
        return Err(MeasureError::TooMany { what: "variables", found, limit: VARIABLES });
    }
    let columns: Vec<Vec<Option<f64>>> =
        variables.iter().map(|values| cohort.per_subject(values)).collect::<Result<_, _>>()?;
    let points: Vec<Option<Vec<f64>>> = (0..cohort.subjects())
        .map(|subject| columns.iter().map(|column| column[subject]).collect())
        .collect();
    let Some(squares) = squared_distances(&points, variables.len()) else {
        return Ok(cohort.each(|_| Err(NotApplicable::Collinear)));
    };
    let scores: Vec<Option<f64>> = squares.iter().map(|square| square.map(score)).collect();
    let mut outcomes = score_test(cohort, &scores, alternative);
    for (group, outcome) in outcomes.iter_mut().enumerate() {
        if let Ok(outcome) = outcome {
            outcome.effect = ratio(cohort, &squares, group);
        }
    }
    Ok(outcomes)
}

/// None where the covariance has no inverse.
fn squared_distances(points: &[Option<Vec<f64>>], width: usize) -> Option<Vec<Option<f64>>> {
    let known: Vec<&Vec<f64>> = points.iter().flatten().collect();
    let count = known.len() as f64;
    let centre: Vec<f64> =
        (0..width).map(|column| known.iter().map(|point| point[column]).sum::<f64>() / count).collect();
    let from_centre = |point: &[f64]| -> Vec<f64> { point.iter().zip(&centre).map(|(x, c)| x - c).collect() };
    let mut covariance = vec![0.0; width * width];
    for point in &known {
        let offset = from_centre(point);
        for (place, value) in covariance.iter_mut().enumerate() {
            *value += offset[place / width] * offset[place % width] / count;
        }
    }
    let root = Cholesky::new(&covariance, width)?;
    let square =
        |point: &Option<Vec<f64>>| point.as_ref().map(|point| root.inverse_form(&from_centre(point)));
    Some(points.iter().map(square).collect())
}

fn ratio(cohort: &Cohort, squares: &[Option<f64>], group: usize) -> f64 {
    let mean = |inside: bool| {
        let of_side = squares
            .iter()
            .enumerate()
            .filter(|(subject, _)| (cohort.group_of(*subject) == group) == inside)
            .filter_map(|(_, square)| *square);
        let (sum, count) = of_side.fold((0.0, 0.0), |(sum, count), square| (sum + square, count + 1.0));
        sum / count
    };
    mean(true) / mean(false)
}
