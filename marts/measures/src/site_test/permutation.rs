//! One score per subject: is the group's sum what a random choice of as many subjects would have?

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::site_test::permutation_tail::Pool;

/// Which differences count against the null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Both: twice the smaller tail, at most one.
    TwoSided,
    /// A sum above what chance gives.
    Greater,
    /// A sum below it.
    Less,
}

/// The permutation test of any score, one per subject, NaN where a subject has none. The effect is the difference of
/// the means, group less rest, in standard deviations of all scores.
///
/// The p-value is the share of all ways to choose as many subjects as the group has whose sum is at least as
/// extreme: counted where the ways are few or the scores have two values, by a saddlepoint otherwise, whose
/// relative error stays at a few percent far into the tail. No draws are made. Values with tails like Cauchy's are the
/// hardest case: there a group of four rejects in up to 8 % of cases at 0.05, one of ten in 5.5 %.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
pub fn permutation_test(
    cohort: &Cohort,
    scores: &[f64],
    alternative: Alternative,
) -> Result<Vec<SiteTest>, MeasureError> {
    Ok(score_test(cohort, &cohort.per_subject(scores)?, alternative))
}

/// The test of scores that are known to be finite.
pub(super) fn score_test(cohort: &Cohort, scores: &[Option<f64>], alternative: Alternative) -> Vec<SiteTest> {
    let mut of_group: Vec<Vec<f64>> = vec![Vec::new(); cohort.groups()];
    for (subject, score) in scores.iter().enumerate() {
        of_group[cohort.group_of(subject)].extend(score);
    }
    let all: Vec<f64> = scores.iter().flatten().copied().collect();
    let pool = Pool::new(&all);
    cohort.each(|group| pool_test(pool.as_ref(), &of_group[group], all.len(), alternative))
}

/// The test of one group of scores within all of them; no pool if all scores are equal.
pub(super) fn pool_test(
    pool: Option<&Pool>,
    group: &[f64],
    all: usize,
    alternative: Alternative,
) -> SiteTest {
    let rest = all - group.len();
    enough(group.len(), rest, 1)?;
    let pool = pool.ok_or(NotApplicable::Constant)?;
    let standardised: f64 = group.iter().map(|score| pool.standardise(*score)).sum();
    let tails = pool.tails(group.len(), standardised);
    let p_value = match alternative {
        Alternative::TwoSided => (2.0 * tails.upper.min(tails.lower)).min(1.0),
        Alternative::Greater => tails.upper,
        Alternative::Less => tails.lower,
    };
    let mean = standardised / group.len() as f64;
    // All standardised scores add up to zero, so the rest's sum is minus the group's.
    let effect = mean + standardised / rest as f64;
    Ok(Outcome { p_value, effect, group_size: group.len(), rest_size: rest })
}
