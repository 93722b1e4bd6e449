//! C8, last part: subjects that are copies of others.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::site_test::duplicates::{check, compare, in_order};
use crate::tail_probability::beta_lower;

/// A record that so many subjects share is a common one, not a copy.
const COMMON: usize = 20;

/// Whether a subject of a group is a copy of any other: records and variables as for
/// [`crate::site_test::duplicated_records()`]; let one of the variables be the visit.
///
/// Subjects of whom one has `k` records and the other at least as many share `s` of them by chance with the probability
/// `min(1, r k) P(X >= s - 1)`, `X` binomial of `k - 1` trials with the chance `c`: `r` is how often two records of subjects
/// outside the group agree, and `c` how often those of two subjects do who share one already, since some bodies are more
/// alike than others. Both count one agreement more than was seen. The p-value is that of the unlikeliest pair with a
/// subject of the group, for as many pairs as there are (Šidák). The effect is the largest share of a subject's records
/// that one other subject has.
///
/// Nothing is assumed of how copies are spread, so that one pair is enough. A copied subject and the one it was copied
/// from are alike: the data cannot tell who was first. Where nobody shares a record no group is judged.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and infinite values.
// Source: Šidák Z, J Am Stat Assoc 1967;62:626-633, for many pairs. The law of a pair is the independence of records
// with the first agreement as the only rare event.
pub fn duplicated_subjects(
    cohort: &Cohort,
    subjects: &[usize],
    variables: &[&[f64]],
) -> Result<Vec<SiteTest>, MeasureError> {
    check(cohort, subjects, variables)?;
    let table = Shared::of(cohort, subjects, variables);
    Ok(cohort.each(|group| table.test(cohort, group)))
}

/// Who shares how many records with whom.
struct Shared {
    /// Complete records by subject.
    records: Vec<usize>,
    pairs: BTreeMap<(usize, usize), usize>,
}

/// Sums over pairs of subjects.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Records that could agree.
    could: f64,
    /// Records that do.
    agree: f64,
    /// Ordered pairs of agreements of one pair of subjects, and how many there could be given its agreements.
    again: f64,
    could_again: f64,
}

impl Shared {
    fn of(cohort: &Cohort, subjects: &[usize], variables: &[&[f64]]) -> Self {
        let mut records = vec![0_usize; cohort.subjects()];
        let mut pairs: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let order = in_order(subjects, variables);
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
                    *pairs.entry((*left, *right)).or_default() += 1;
                }
            }
        }
        Self { records, pairs }
    }

    /// The records of two subjects that could agree.
    fn comparable(&self, (left, right): (usize, usize)) -> usize {
        self.records[left].min(self.records[right])
    }

    fn test(&self, cohort: &Cohort, group: usize) -> SiteTest {
        let present = |inside: bool| -> Vec<usize> {
            (0..cohort.subjects())
                .filter(|subject| {
                    self.records[*subject] > 0 && (cohort.group_of(*subject) == group) == inside
                })
                .collect()
        };
        let (inside, outside) = (present(true), present(false));
        enough(inside.len(), outside.len(), 1)?;
        if self.pairs.is_empty() {
            return Err(NotApplicable::Constant);
        }
        let is_in = |subject: usize| cohort.group_of(subject) == group;
        let concerns = |pair: &(usize, usize)| is_in(pair.0) || is_in(pair.1);
        let rest = self.sums(&outside, |pair| !concerns(pair));
        let (size, others) = (inside.len() as f64, outside.len() as f64);
        let looked_at = size * others + size * (size - 1.0) / 2.0;
        let (mut p_value, mut effect) = (1.0_f64, 0.0_f64);
        for (pair, shared) in self.pairs.iter().filter(|(pair, _)| concerns(pair)) {
            let could = self.comparable(*pair);
            p_value = p_value.min(rest.chance(could, *shared));
            effect = effect.max(*shared as f64 / could as f64);
        }
        let p_value = if p_value >= 1.0 { 1.0 } else { -(looked_at * (-p_value).ln_1p()).exp_m1() };
        Ok(Outcome { p_value, effect: effect.min(1.0), group_size: inside.len(), rest_size: outside.len() })
    }

    fn sums(&self, subjects: &[usize], counts: impl Fn(&(usize, usize)) -> bool) -> Sums {
        let mut sums =
            Sums { could: pairwise_least(subjects.iter().map(|s| self.records[*s])), ..Sums::default() };
        for (pair, shared) in self.pairs.iter().filter(|(pair, _)| counts(pair)) {
            let (shared, could) = (*shared as f64, self.comparable(*pair) as f64);
            sums.agree += shared;
            sums.again += shared * (shared - 1.0);
            sums.could_again += shared * (could - 1.0).max(0.0);
        }
        sums
    }
}

impl Sums {
    /// The probability that two subjects who could share `could` records share `shared` or more.
    fn chance(&self, could: usize, shared: usize) -> f64 {
        let many = could as f64;
        let first = (many * (self.agree + 1.0) / (self.could + 1.0)).min(1.0);
        let shared = shared.min(could);
        if shared < 2 {
            return first;
        }
        let again = ((self.again + 1.0) / (self.could_again + many)).min(1.0);
        let further = (shared - 1) as f64;
        first * beta_lower(further, many - further, again)
    }
}

/// The sum of the smaller of two numbers over all pairs.
fn pairwise_least(numbers: impl Iterator<Item = usize>) -> f64 {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    let count = numbers.len();
    numbers.iter().enumerate().map(|(place, number)| (*number * (count - place - 1)) as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // By hand: of eight subjects with two records each, numbers 0 and 4 share both, and nobody else shares one. The rest of
    // {0, 1} has 15 pairs with 30 records that could agree and none that does: r = 1/31, c = 1/2, and both agree with the
    // probability 2/31 * 1/2. The group is in 13 pairs.
    #[test]
    fn a_copied_subject_shows_at_both_sites() {
        let cohort = Cohort::new(&[0, 0, 1, 1, 1, 1, 1, 1]).expect("the groups are valid");
        let subjects: Vec<usize> = (0..16).map(|record| record / 2).collect();
        let visit: Vec<f64> = (0..16_u8).map(|record| f64::from(record % 2)).collect();
        let mut value: Vec<f64> = (0..16_u8).map(|record| 100.0 + f64::from(record)).collect();
        (value[8], value[9]) = (value[0], value[1]);
        let tests = duplicated_subjects(&cohort, &subjects, &[&visit, &value]).expect("the slices pair");
        let found = tests[0].as_ref().expect("two subjects are enough");
        assert!((found.p_value - (1.0 - (30.0_f64 / 31.0).powi(13))).abs() < 1e-12, "{}", found.p_value);
        assert!((found.effect - 1.0).abs() < 1e-12);
        assert!(tests[1].as_ref().expect("six subjects are enough").p_value < 1.0);
    }

    #[test]
    fn one_copied_subject_among_many_is_proof() {
        // Sixty subjects at six sites with eight records each; number 3 of site 0 is number 17 of site 1.
        let groups: Vec<usize> = (0..60).map(|subject| subject / 10).collect();
        let cohort = Cohort::new(&groups).expect("the groups are valid");
        let subjects: Vec<usize> = (0..480).map(|record| record / 8).collect();
        let visit: Vec<f64> = (0..480_u16).map(|record| f64::from(record % 8)).collect();
        let mut value: Vec<f64> = (0..480_u16).map(f64::from).collect();
        for visit in 0..8 {
            value[17 * 8 + visit] = value[3 * 8 + visit];
        }
        let tests = duplicated_subjects(&cohort, &subjects, &[&visit, &value]).expect("the slices pair");
        let p = |site: usize| tests[site].as_ref().map(|found| found.p_value);
        assert!(p(0).is_ok_and(|p| p < 1e-5) && p(1).is_ok_and(|p| p < 1e-5), "{:?} {:?}", p(0), p(1));
        assert!((2..6).all(|site| p(site) == Ok(1.0)));
    }

    #[test]
    fn nobody_is_a_copy_where_all_records_differ() {
        let cohort = Cohort::new(&[0, 0, 1, 1]).expect("the groups are valid");
        let tests =
            duplicated_subjects(&cohort, &[0, 1, 2, 3], &[&[1.0, 2.0, 3.0, 4.0]]).expect("the slices pair");
        assert!(tests.iter().all(Result::is_err), "nothing is shared");
    }

    #[test]
    fn the_smaller_of_two_is_summed_over_pairs() {
        assert!((pairwise_least([3, 1, 2].into_iter()) - 4.0).abs() < 1e-12, "1 + 1 + 2");
    }
}
