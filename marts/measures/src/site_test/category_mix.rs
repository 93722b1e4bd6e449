//! C12: which kinds of records there are.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::site_test::permutation_chi_square::ScorePool;

/// At most so many categories.
const CATEGORIES: usize = 100;
/// A category of which fewer records are expected in the group is counted together with the next rarest.
const EXPECTED: f64 = 2.0;

/// Whether a group's records fall into categories, numbered from 0, as those of the rest do. A subject's scores are
/// `(count - n p) / sqrt(n)` for each category, with `p` its share of all records; their sum is tested by permuting
/// subjects ([`crate::site_test::permutation`]), with categories too rare for the group counted together. The effect is
/// Cohen's `w`, the root of `sum (g - r)² / p` over the categories, with `g` and `r` the shares in the group and the rest.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, and a category that is not below 100.
// Source: Cohen J, Statistical Power Analysis, 2nd ed., 7.2, for the effect.
pub fn category_mix(
    cohort: &Cohort,
    subjects: &[usize],
    categories: &[usize],
) -> Result<Vec<SiteTest>, MeasureError> {
    cohort.check_records(subjects, "categories", categories.len())?;
    if let Some(index) = categories.iter().position(|category| *category >= CATEGORIES) {
        return Err(MeasureError::OutOfRange { what: "category", index, value: categories[index] as f64 });
    }
    let width = categories.iter().max().map_or(0, |largest| largest + 1);
    let mut counts = vec![0.0; width * cohort.subjects()];
    for (subject, category) in subjects.iter().zip(categories) {
        counts[subject * width + category] += 1.0;
    }
    let table = Table { cohort, counts, width };
    let present = Present::new(&table);
    // Groups of about one size count the same categories together.
    let mut last = None;
    Ok(cohort.each(|group| table.test(group, &present, &mut last)))
}

/// Records by subject and category.
struct Table<'a> {
    cohort: &'a Cohort,
    counts: Vec<f64>,
    width: usize,
}

/// Subjects with records.
struct Present {
    subjects: Vec<usize>,
    /// The records of each.
    records: Vec<f64>,
    /// The share of each category among all records.
    share: Vec<f64>,
}

impl Present {
    fn new(table: &Table<'_>) -> Self {
        let all =
            (0..table.cohort.subjects()).map(|subject| (subject, table.row(subject).iter().sum::<f64>()));
        let (subjects, records): (Vec<usize>, Vec<f64>) = all.filter(|(_, records)| *records > 0.0).unzip();
        let share = table.shares(&subjects);
        Self { subjects, records, share }
    }
}

impl Table<'_> {
    fn test(&self, group: usize, present: &Present, last: &mut Option<(Vec<usize>, ScorePool)>) -> SiteTest {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..present.subjects.len())
            .partition(|place| self.cohort.group_of(present.subjects[*place]) == group);
        enough(inside.len(), outside.len(), 1)?;
        let size: f64 = inside.iter().map(|place| present.records[*place]).sum();
        let merged = merge(&present.share, size)?;
        let known = last.take().filter(|(of, _)| *of == merged);
        let (_, pool) = last.insert(known.unwrap_or_else(|| {
            let pool = self.scores(present, &merged);
            (merged, pool)
        }));
        let shares = |places: &[usize]| {
            self.shares(&places.iter().map(|place| present.subjects[*place]).collect::<Vec<_>>())
        };
        Ok(Outcome {
            p_value: pool.quadratic_test(&inside)?,
            effect: effect(&present.share, &shares(&inside), &shares(&outside)),
            group_size: inside.len(),
            rest_size: outside.len(),
        })
    }

    /// The scores of who is present, with each category counted under its number in `merged`.
    fn scores(&self, present: &Present, merged: &[usize]) -> ScorePool {
        let width = 1 + merged.iter().copied().max().unwrap_or_default();
        let mut share = vec![0.0; width];
        for (category, target) in merged.iter().enumerate() {
            share[*target] += present.share[category];
        }
        let mut scores = vec![0.0; present.subjects.len() * width];
        let rows = scores.chunks_exact_mut(width).zip(&present.subjects).zip(&present.records);
        for ((row, subject), records) in rows {
            for (category, found) in self.row(*subject).iter().enumerate() {
                row[merged[category]] += found / records.sqrt();
            }
            for (score, share) in row.iter_mut().zip(&share) {
                *score -= records.sqrt() * share;
            }
        }
        ScorePool::new(&scores, width)
    }

    fn row(&self, subject: usize) -> &[f64] {
        &self.counts[subject * self.width..(subject + 1) * self.width]
    }

    /// The share of each category among the records of these subjects.
    fn shares(&self, subjects: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for subject in subjects {
            for (sum, count) in sums.iter_mut().zip(self.row(*subject)) {
                *sum += count;
            }
        }
        let all: f64 = sums.iter().sum();
        sums.iter().map(|sum| sum / all).collect()
    }
}

fn effect(total: &[f64], group: &[f64], rest: &[f64]) -> f64 {
    let terms = total.iter().zip(group.iter().zip(rest)).filter(|(share, _)| **share > 0.0);
    terms.map(|(share, (inside, outside))| (inside - outside).powi(2) / share).sum::<f64>().sqrt()
}

/// The number under which each category is counted: from the rarest on, categories go together until each number
/// expects enough of the group's `size` records.
fn merge(share: &[f64], size: f64) -> Result<Vec<usize>, NotApplicable> {
    let mut order: Vec<usize> = (0..share.len()).filter(|category| share[*category] > 0.0).collect();
    if order.len() < 2 {
        return Err(NotApplicable::Constant);
    }
    order.sort_by(|left, right| share[*left].total_cmp(&share[*right]).then(left.cmp(right)));
    let mut merged = vec![0; share.len()];
    let (mut target, mut expected) = (0, 0.0);
    for category in order {
        if expected >= EXPECTED {
            target += 1;
            expected = 0.0;
        }
        merged[category] = target;
        expected += share[category] * size;
    }
    if expected < EXPECTED && target > 0 {
        // What is left over goes with the number before it.
        for number in merged.iter_mut().filter(|number| **number == target) {
            *number -= 1;
        }
        target -= 1;
    }
    if target == 0 { Err(NotApplicable::TooFewRecords) } else { Ok(merged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_categories_are_counted_together() {
        assert_eq!(merge(&[0.05, 0.1, 0.25, 0.6], 20.0), Ok(vec![0, 0, 1, 2]));
        assert_eq!(merge(&[0.3, 0.0, 0.3, 0.4], 4.0), Err(NotApplicable::TooFewRecords));
        assert_eq!(merge(&[0.3, 0.0, 0.3, 0.4], 5.0), Ok(vec![0, 0, 0, 1]));
        assert_eq!(merge(&[0.2; 5], 5.5), Ok(vec![0, 0, 1, 1, 1]));
        assert_eq!(merge(&[0.0, 1.0], 100.0), Err(NotApplicable::Constant));
    }
}
