//! C8: values carried forward, and records that occur twice.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest, check_finite};
use crate::site_test::permutation::{Alternative, permutation_test};
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

/// A record that so many subjects share is a common one, not a copy.
const COMMON: usize = 20;

/// Whether subjects of a group are copies of others: a subject's score is the share of its records that any single other
/// subject has as well, in every variable, where that subject is the one with which it shares the most. Records and
/// variables as for [`duplicated_records()`]; let one of the variables be the visit. One-sided; the effect is the
/// difference of the mean scores, group less rest, in standard deviations of all scores.
///
/// A copied subject and the one it was copied from score alike: the data cannot tell who was first.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
pub fn duplicated_subjects(
    cohort: &Cohort,
    subjects: &[usize],
    variables: &[&[f64]],
) -> Result<Vec<SiteTest>, MeasureError> {
    check(cohort, subjects, variables)?;
    let order = in_order(subjects, variables);
    let mut records = vec![0_usize; cohort.subjects()];
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for run in order.chunk_by(|left, right| compare(variables, *left, *right) == Ordering::Equal) {
        let mut here: Vec<usize> = run.iter().map(|record| subjects[*record]).collect();
        here.iter().for_each(|subject| records[*subject] += 1);
        here.sort_unstable();
        here.dedup();
        if here.len() > COMMON {
            continue;
        }
        for (place, left) in here.iter().enumerate() {
            for right in &here[place + 1..] {
                *shared.entry((*left, *right)).or_default() += 1;
            }
        }
    }
    let mut most = vec![0_usize; cohort.subjects()];
    for ((left, right), count) in shared {
        most[left] = most[left].max(count);
        most[right] = most[right].max(count);
    }
    let scores: Vec<f64> = most
        .iter()
        .zip(&records)
        .map(|(most, all)| if *all == 0 { f64::NAN } else { (*most as f64 / *all as f64).min(1.0) })
        .collect();
    permutation_test(cohort, &scores, Alternative::Greater)
}

fn check(cohort: &Cohort, subjects: &[usize], variables: &[&[f64]]) -> Result<(), MeasureError> {
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
fn in_order(subjects: &[usize], variables: &[&[f64]]) -> Vec<usize> {
    let complete = |record: &usize| variables.iter().all(|values| !values[*record].is_nan());
    let mut order: Vec<usize> = (0..subjects.len()).filter(complete).collect();
    order.sort_by(|left, right| compare(variables, *left, *right).then(left.cmp(right)));
    order
}

fn compare(variables: &[&[f64]], left: usize, right: usize) -> Ordering {
    // Adding zero makes the two zeros one.
    let key = |value: f64| value + 0.0;
    let by_variable = variables.iter().map(|values| key(values[left]).total_cmp(&key(values[right])));
    by_variable.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    // By hand: of eight subjects with two records each, numbers 0 and 4 share both, and nobody else shares one. Their
    // scores are 1, all others 0. Of the 28 pairs that could be the group {0, 1}, 13 hold at least one of the two.
    #[test]
    fn a_copied_subject_shows_at_both_sites() {
        let cohort = Cohort::new(&[0, 0, 1, 1, 1, 1, 1, 1]).expect("the groups are valid");
        let subjects: Vec<usize> = (0..16).map(|record| record / 2).collect();
        let visit: Vec<f64> = (0..16_u8).map(|record| f64::from(record % 2)).collect();
        let mut value: Vec<f64> = (0..16_u8).map(|record| 100.0 + f64::from(record)).collect();
        (value[8], value[9]) = (value[0], value[1]);
        let tests = duplicated_subjects(&cohort, &subjects, &[&visit, &value]).expect("the slices pair");
        let found = tests[0].as_ref().expect("two subjects are enough");
        assert!((found.p_value - 13.0 / 28.0).abs() < 1e-12, "{}", found.p_value);
        assert!(found.effect > 0.0);
    }

    #[test]
    fn nobody_is_a_copy_where_all_records_differ() {
        let cohort = Cohort::new(&[0, 0, 1, 1]).expect("the groups are valid");
        let tests =
            duplicated_subjects(&cohort, &[0, 1, 2, 3], &[&[1.0, 2.0, 3.0, 4.0]]).expect("the slices pair");
        assert!(tests.iter().all(Result::is_err), "nothing differs between any two subjects");
    }
}
