//! Under- and over-reporting by the exact law of what a site's subjects could have reported.
//!
//! The question: is the number of events at a site compatible with exchanging each of its subjects for a subject of
//! the study who was followed at least as long, as he was at that visit? The number that would come out is a sum
//! of independent draws, one from each subject's pool, so its law is a convolution of empirical laws: no
//! resampling, no seed, and probabilities smaller than one over the number of resamples.

use std::collections::BTreeMap;

use crate::error::MeasureError;
use crate::law::normal_score;

/// One subject's events over its visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported<'a> {
    /// The subject's group, by its number from 0.
    pub group: usize,
    /// The events so far at each visit, from the first visit to the subject's last one without a gap.
    pub cumulative: &'a [u64],
}

/// Whom a subject may be exchanged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Any subject with as many visits, the group's own among them (as the published method has it).
    Study,
    /// Subjects of other groups only, so that a group is not measured by itself. A subject whom nobody elsewhere
    /// matches stays what it is, and so speaks neither for nor against its group.
    Rest,
}

/// What a group reported, and the law of what it could have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InFrame {
    /// Subjects of the group.
    pub subjects: u64,
    /// Their visits.
    pub visits: u64,
    /// Their events.
    pub observed: u64,
    /// The mean of the law.
    pub expected: f64,
    /// The probability of as few events or fewer: small for under-reporting.
    pub under: f64,
    /// The probability of as many events or more: small for over-reporting.
    pub over: f64,
    /// The normal score of the smaller side, the number observed counted half: negative for under-reporting.
    pub score: f64,
}

/// Judges each of `groups` groups by the exact law of its number of events.
///
/// A probability is exact but for mass of at most 1e-30 per subject that is cut off the ends of the law, and
/// for rounding. A group without subjects has probabilities of one and a score of zero.
///
/// Adjust `under` and `over` separately with [`crate::benjamini_hochberg`].
///
/// # Errors
/// For a subject of a group that is not among `groups`, and for laws that spread over so many counts that their
/// convolution would take minutes.
// Source: the in-frame algorithm of simaerep 1.0.0 (Koneswarakantha B et al., Drug Saf 2024;47:73-85), which
// resamples it. Its exception, no over-reporting where a site's rate equals the study's, is not made.
pub fn in_frame(subjects: &[Reported<'_>], groups: usize, pool: Pool) -> Result<Vec<InFrame>, MeasureError> {
    if let Some(place) = subjects.iter().position(|subject| subject.group >= groups) {
        return Err(MeasureError::NoSuchGroup { member: place, group: subjects[place].group, groups });
    }
    let mut members: Vec<Vec<&Reported<'_>>> = vec![Vec::new(); groups];
    for subject in subjects {
        members[subject.group].push(subject);
    }
    let pools = pools(subjects);
    let judged = members.iter().enumerate().map(|(group, members)| judge(group, members, &pools, pool));
    judged.collect()
}

/// How many subjects stood at each number of events; in the order of that number.
type Census = BTreeMap<u64, u64>;

/// For each visit that is some subject's last one, the census of all who came that far.
fn pools(subjects: &[Reported<'_>]) -> BTreeMap<usize, Census> {
    let mut pools: BTreeMap<usize, Census> =
        subjects.iter().map(|subject| (subject.cumulative.len(), Census::new())).collect();
    pools.remove(&0);
    for subject in subjects {
        for (visits, census) in pools.range_mut(..=subject.cumulative.len()) {
            *census.entry(subject.cumulative[visits - 1]).or_default() += 1;
        }
    }
    pools
}

fn judge(
    group: usize,
    members: &[&Reported<'_>],
    pools: &BTreeMap<usize, Census>,
    pool: Pool,
) -> Result<InFrame, MeasureError> {
    let mut by_visits: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for subject in members {
        if let Some(events) = subject.cumulative.last() {
            by_visits.entry(subject.cumulative.len()).or_default().push(*events);
        }
    }
    let mut law = SumLaw::nothing(group);
    for (visits, own) in &by_visits {
        let mut census = pools[visits].clone();
        if pool == Pool::Rest {
            leave_out(&mut census, members, *visits);
        }
        for events in own {
            if census.is_empty() {
                law.add(&Census::from([(*events, 1)]))?;
            } else {
                law.add(&census)?;
            }
        }
    }
    let observed = by_visits.values().flatten().try_fold(0_u64, |sum, events| sum.checked_add(*events));
    let observed = observed.ok_or(MeasureError::TooWide { group, counts: u64::MAX })?;
    let (below, at, above) = law.around(observed);
    Ok(InFrame {
        subjects: members.len() as u64,
        visits: members.iter().map(|subject| subject.cumulative.len() as u64).sum(),
        observed,
        expected: law.mean,
        under: (below + at).min(1.0),
        over: (above + at).min(1.0),
        score: normal_score(below + 0.5 * at, above + 0.5 * at),
    })
}

/// Takes the group's own members who came as far out of a census.
fn leave_out(census: &mut Census, members: &[&Reported<'_>], visits: usize) {
    for subject in members {
        let Some(events) = subject.cumulative.get(visits - 1) else { continue };
        if let Some(count) = census.get_mut(events) {
            *count -= 1;
        }
    }
    census.retain(|_, count| *count > 0);
}

/// The law of a sum of independent draws.
struct SumLaw {
    group: usize,
    mean: f64,
    /// The sum that the first entry of `mass` belongs to.
    first: u64,
    mass: Vec<f64>,
    work: u64,
}

/// The mass that may be cut off either end of the law after each draw.
const NEGLIGIBLE: f64 = 1e-30;
/// The widest law, and the largest number of products, that a group is given.
const WIDEST: u64 = 1 << 22;
const MOST_WORK: u64 = 1 << 32;

impl SumLaw {
    fn nothing(group: usize) -> Self {
        Self { group, mean: 0.0, first: 0, mass: vec![1.0], work: 0 }
    }

    /// Adds one draw from a census.
    fn add(&mut self, census: &Census) -> Result<(), MeasureError> {
        let (Some((&least, _)), Some((&most, _))) = (census.first_key_value(), census.last_key_value())
        else {
            return Ok(());
        };
        let total = census.values().sum::<u64>() as f64;
        let width = (most - least).saturating_add(self.mass.len() as u64);
        self.work = self.work.saturating_add((census.len() as u64).saturating_mul(self.mass.len() as u64));
        let first = self.first.checked_add(least);
        let (Some(first), true, true) = (first, width <= WIDEST, self.work <= MOST_WORK) else {
            return Err(MeasureError::TooWide { group: self.group, counts: width });
        };
        let mut mass = vec![0.0; self.mass.len() + usize::try_from(most - least).unwrap_or(usize::MAX)];
        for (&events, &count) in census {
            let share = count as f64 / total;
            let shift = usize::try_from(events - least).unwrap_or(usize::MAX);
            for (sum, before) in mass[shift..].iter_mut().zip(&self.mass) {
                *sum += share * before;
            }
            self.mean += share * events as f64;
        }
        (self.first, self.mass) = (first, mass);
        self.trim();
        Ok(())
    }

    /// Cuts negligible ends off, so that the law stays as wide as its spread and not as its range.
    fn trim(&mut self) {
        let cut = |mass: &mut dyn Iterator<Item = &f64>| {
            let mut sum = 0.0;
            mass.take_while(|mass| {
                sum += **mass;
                sum < NEGLIGIBLE
            })
            .count()
        };
        let last = cut(&mut self.mass.iter().rev());
        self.mass.truncate(self.mass.len() - last);
        let first = cut(&mut self.mass.iter());
        self.mass.drain(..first);
        self.first = self.first.saturating_add(first as u64);
    }

    /// The mass below, at and above a sum, small tails summed from their small end.
    fn around(&self, sum: u64) -> (f64, f64, f64) {
        let Some(place) = sum.checked_sub(self.first) else { return (0.0, 0.0, 1.0) };
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.mass.len());
        let below = self.mass[..place].iter().sum();
        let at = self.mass.get(place).copied().unwrap_or(0.0);
        let above = self.mass.iter().skip(place + 1).rev().sum();
        (below, at, above)
    }
}

#[cfg(test)]
mod tests;
