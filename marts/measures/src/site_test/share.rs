//! Records that do or do not have a property, several per subject: scores and shares.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, SiteTest};
use crate::site_test::permutation::{Alternative, score_test};

/// Records with and without the property, by subject.
pub(super) struct Tally {
    with: Vec<u64>,
    records: Vec<u64>,
}

impl Tally {
    pub(super) fn new(subjects: usize) -> Self {
        Self { with: vec![0; subjects], records: vec![0; subjects] }
    }

    /// Counts one record per subject and mark.
    pub(super) fn of_records(
        cohort: &Cohort,
        subjects: &[usize],
        marks: &[bool],
    ) -> Result<Self, MeasureError> {
        cohort.check_records(subjects, "marks", marks.len())?;
        let mut tally = Self::new(cohort.subjects());
        for (subject, mark) in subjects.iter().zip(marks) {
            tally.add(*subject, *mark);
        }
        Ok(tally)
    }

    pub(super) fn add(&mut self, subject: usize, has: bool) {
        self.with[subject] += u64::from(has);
        self.records[subject] += 1;
    }

    /// The test of the share of records with the property; the effect is the group's share less the rest's.
    ///
    /// A subject's score is `(with - n p) / sqrt(n)`, with `p` the share among all records: its deviation in units in
    /// which subjects with few and with many records spread alike, so that they may change places.
    pub(super) fn test(&self, cohort: &Cohort, alternative: Alternative) -> Vec<SiteTest> {
        let share = self.with.iter().sum::<u64>() as f64 / self.records.iter().sum::<u64>() as f64;
        let score = |(with, records): (&u64, &u64)| {
            let count = *records as f64;
            (*records > 0).then(|| (*with as f64 - count * share) / count.sqrt())
        };
        let scores: Vec<Option<f64>> = self.with.iter().zip(&self.records).map(score).collect();
        let mut outcomes = score_test(cohort, &scores, alternative);
        for (group, outcome) in outcomes.iter_mut().enumerate() {
            if let Ok(outcome) = outcome {
                outcome.effect = self.difference(cohort, group);
            }
        }
        outcomes
    }

    fn difference(&self, cohort: &Cohort, group: usize) -> f64 {
        let share = |in_group: bool| {
            let subjects =
                (0..cohort.subjects()).filter(|subject| (cohort.group_of(*subject) == group) == in_group);
            let (with, records) =
                subjects.fold((0, 0), |(with, records), s| (with + self.with[s], records + self.records[s]));
            with as f64 / records as f64
        };
        share(true) - share(false)
    }
}
