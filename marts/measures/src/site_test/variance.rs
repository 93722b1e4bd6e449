//! C2: the spread between subjects.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest, enough};
use crate::site_test::permutation::{Alternative, pool_test};
use crate::site_test::permutation_tail::Pool;

/// Whether a group's spread differs, from one value per subject (NaN where missing): the test of Brown and Forsythe on
/// absolute deviations from each side's own median, with its permutation distribution. The effect is the ratio of the
/// mean absolute deviations, group over rest. Three subjects are needed on each side.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
// Source: Brown MB, Forsythe AB, J Am Stat Assoc 1974;69:364-367; the deviation that is zero, or of which there are two,
// by construction is taken out as Hines WGS, Hines RJO, Biometrics 2000;56:451-454 say, since small groups would else
// seem too uniform. What is left has the mean and the variance of independent deviations within 5 % from five
// subjects on, whatever the distribution.
pub fn variance(cohort: &Cohort, values: &[f64]) -> Result<Vec<SiteTest>, MeasureError> {
    let values = cohort.per_subject(values)?;
    let side = |group: usize, inside: bool| -> Vec<f64> {
        let of_side = |(subject, value): (usize, &Option<f64>)| {
            value.filter(|_| (cohort.group_of(subject) == group) == inside)
        };
        values.iter().enumerate().filter_map(of_side).collect()
    };
    Ok(cohort.each(|group| {
        let (inside, outside) = (side(group, true), side(group, false));
        enough(inside.len(), outside.len(), 3)?;
        let (group_size, rest_size) = (inside.len(), outside.len());
        let (inside, outside) = (deviations(inside), deviations(outside));
        let all = [inside.as_slice(), &outside].concat();
        let mut outcome = pool_test(Pool::new(&all).as_ref(), &inside, all.len(), Alternative::TwoSided)?;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        outcome.effect = mean(&inside) / mean(&outside);
        (outcome.group_size, outcome.rest_size) = (group_size, rest_size);
        Ok(outcome)
    }))
}

/// Absolute deviations from the median, one fewer than values.
fn deviations(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let middle = count / 2;
    let median =
        if count % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    deviations.sort_by(f64::total_cmp);
    // Odd: the median's own deviation is zero. Even: the two next to it are equal, and one of them, times the root of
    // two, stands for both.
    let smallest = deviations.remove(0);
    if count.is_multiple_of(2) {
        deviations[0] = smallest * std::f64::consts::SQRT_2;
    }
    deviations
}
