//! C8: values carried forward, and records that occur twice.

use std::cmp::Ordering;

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest, check_finite};
use crate::site_test::permutation::Alternative;
use crate::site_test::share::Tally;

/// Whether a subject's value equals its previous one more often in a group than elsewhere, from repeated values in order
/// of time within each subject (NaN where missing, and passed over). One-sided; the effect is the difference of the
/// shares of equal pairs, group less rest.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
pub fn repeated_values(
    cohort: &Cohort,
    subjects: &[usize],
    values: &[f64],
) -> Result<Vec<SiteTest>, MeasureError> {
    let mut tally = Tally::new(cohort.subjects());
    for (subject, series) in cohort.series(subjects, values)?.iter().enumerate() {
        for pair in series.windows(2) {
            tally.add(subject, pair[0] == pair[1]);
        }
    }
    Ok(tally.test(cohort, Alternative::Greater))
}

/// Whether more records of a group than of the rest have a twin: a record of another subject that agrees in every
/// variable. Each variable has one value per record; a record without a missing one (NaN) counts. Choose variables
/// that rarely agree by chance, three or more measurements say. One-sided; the effect is the difference of the shares of
/// records with a twin, group less rest.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
pub fn duplicated_records(
    cohort: &Cohort,
    subjects: &[usize],
    variables: &[&[f64]],
) -> Result<Vec<SiteTest>, MeasureError> {
    check(cohort, subjects, variables)?;
    let order = in_order(subjects, variables);
    let mut tally = Tally::new(cohort.subjects());
    for run in order.chunk_by(|left, right| compare(variables, *left, *right) == Ordering::Equal) {
        let shared = run.iter().any(|record| subjects[*record] != subjects[run[0]]);
        for record in run {
            tally.add(subjects[*record], shared);
        }
    }
    Ok(tally.test(cohort, Alternative::Greater))
}

pub(super) fn check(cohort: &Cohort, subjects: &[usize], variables: &[&[f64]]) -> Result<(), MeasureError> {
    if variables.is_empty() {
        return Err(MeasureError::Nothing { what: "variables" });
    }
    for values in variables {
        cohort.check_records(subjects, "values", values.len())?;
        check_finite(values)?;
    }
    Ok(())
}

/// The complete records, equal ones side by side.
pub(super) fn in_order(subjects: &[usize], variables: &[&[f64]]) -> Vec<usize> {
    let complete = |record: &usize| variables.iter().all(|values| !values[*record].is_nan());
    let mut order: Vec<usize> = (0..subjects.len()).filter(complete).collect();
    order.sort_by(|left, right| compare(variables, *left, *right).then(left.cmp(right)));
    order
}

pub(super) fn compare(variables: &[&[f64]], left: usize, right: usize) -> Ordering {
    // Adding zero makes the two zeros one.
    let key = |value: f64| value + 0.0;
    let by_variable = variables.iter().map(|values| key(values[left]).total_cmp(&key(values[right])));
    by_variable.fold(Ordering::Equal, Ordering::then)
}
