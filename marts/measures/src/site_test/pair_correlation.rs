//! C6, second part: how two variables depend on each other.

use crate::error::MeasureError;
use crate::law::normal_two_sided;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::site_test::ranks::ranks;

/// Whether two variables correlate in a group as they do elsewhere, from one pair per subject (NaN where missing):
/// Spearman's correlation of each side, compared by Fisher's transformation with the variance
/// `(1 + r² / 2) / (n - 3)`. Two-sided, by the normal distribution; ten subjects are needed on each side. The effect
/// is the difference of the correlations, group less rest.
///
/// Two variables whose correlation over all subjects is beyond 0.9 say the same: what is left is decided by the few
/// subjects of whom one value is missing, and the variance above does not hold near one. They are not compared.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
// Source: Bonett DG, Wright TA, Psychometrika 2000;65:23-28, whose variance is for correlations up to 0.95.
pub fn pair_correlation(
    cohort: &Cohort,
    first: &[f64],
    second: &[f64],
) -> Result<Vec<SiteTest>, MeasureError> {
    let (first, second) = (cohort.per_subject(first)?, cohort.per_subject(second)?);
    let side = |group: usize, inside: bool| -> (Vec<f64>, Vec<f64>) {
        (0..cohort.subjects())
            .filter(|subject| (cohort.group_of(*subject) == group) == inside)
            .filter_map(|subject| first[subject].zip(second[subject]))
            .unzip()
    };
    let (all, with) = first.iter().zip(&second).filter_map(|(left, right)| left.zip(*right)).unzip();
    if correlation(&(all, with)).is_some_and(|r| r.abs() > SAME) {
        return Ok(cohort.each(|_| Err(NotApplicable::Collinear)));
    }
    Ok(cohort.each(|group| compared(&side(group, true), &side(group, false))))
}

/// Variables that correlate more than this, over all subjects, say the same.
const SAME: f64 = 0.9;

fn correlation(side: &(Vec<f64>, Vec<f64>)) -> Option<f64> {
    pearson(&ranks(&side.0), &ranks(&side.1))
}

fn compared(group: &(Vec<f64>, Vec<f64>), rest: &(Vec<f64>, Vec<f64>)) -> SiteTest {
    let (group_size, rest_size) = (group.0.len(), rest.0.len());
    enough(group_size, rest_size, 10)?;
    let inside = correlation(group).ok_or(NotApplicable::Constant)?;
    let outside = correlation(rest).ok_or(NotApplicable::Constant)?;
    // A perfect correlation has no finite transform: it counts as that of the ranks next to it.
    let transform = |r: f64, count: usize| {
        let largest = 1.0 - 6.0 / (count as f64).powi(3);
        r.clamp(-largest, largest).atanh()
    };
    let variance = |r: f64, count: usize| (1.0 + r * r / 2.0) / (count as f64 - 3.0);
    let difference = transform(inside, group_size) - transform(outside, rest_size);
    let error = (variance(inside, group_size) + variance(outside, rest_size)).sqrt();
    let p_value = normal_two_sided(difference / error);
    Ok(Outcome { p_value, effect: inside - outside, group_size, rest_size })
}

/// None where one side is constant.
fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (left, right) = (mean(first), mean(second));
    let (mut products, mut squares) = (0.0, (0.0, 0.0));
    for (x, y) in first.iter().zip(second) {
        products += (x - left) * (y - right);
        squares = (squares.0 + (x - left).powi(2), squares.1 + (y - right).powi(2));
    }
    (squares.0 > 0.0 && squares.1 > 0.0).then(|| products / (squares.0 * squares.1).sqrt())
}
