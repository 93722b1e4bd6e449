//! How much sites differ by themselves: other machines, other habits, other patients.
//!
//! A test of subjects who may change places asks whether a group differs from the rest at all. Sites of a real study do, a
//! little, and the larger a site the surer the test is of it. What a monitor asks is whether a site differs more than
//! sites do. The answer needs no model of the variable, only the p-values of all groups by one test of one variable.

use crate::error::MeasureError;
use crate::site_test::cohort::Outcome;
use crate::site_test::permutation::Alternative;
use crate::tail_probability::{normal_quantile_upper, normal_upper};

/// Of fewer other groups the spread is not known.
const GROUPS: usize = 8;
/// A group further out than this counts as if it were here: it is one that the tests look for, and not how sites are.
const CLIP: f64 = 2.0;
/// The mean of `min(z², c²)` of a standard normal `z` with `c = CLIP`: `1 - 2 c phi(c) - 2 (1 - c²) (1 - Phi(c))`.
const CLIPPED_SQUARE: f64 = 0.920_536_925_6;

/// What a test says of one group, whatever the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Its p-value where groups do not differ.
    pub p_value: f64,
    /// How sure the test is: the inverse of the variance that a difference of the group from the rest has by chance, in any
    /// one unit.
    pub weight: f64,
}

impl From<&Outcome> for Seen {
    /// The weight is `1 / (1 / n + 1 / r)` with `n` subjects in the group and `r` in the rest, so that the unit is the
    /// variance between subjects.
    fn from(outcome: &Outcome) -> Self {
        let weight = 1.0 / (1.0 / outcome.group_size as f64 + 1.0 / outcome.rest_size as f64);
        Self { p_value: outcome.p_value, weight }
    }
}

/// One answer beside those of the other groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// The probability of a difference at least this large if the group were one of those among which the others are.
    pub p_value: f64,
    /// The standard deviation between groups that the others show, in the root of the weights' unit; zero where they differ
    /// no more than chance makes them.
    pub between: f64,
}

/// Widens the p-values of one test of one variable by what the other groups differ among themselves; none for a group
/// without an answer.
///
/// Let `z_j` be the normal score of group `j` and `w_j` its weight: differences between groups of variance `t` make the
/// variance of `z_j` to `1 + t w_j`. For each group `t` is the solution of
/// `sum over the others of min(z_j² / (1 + t w_j), 4) = (m - 1) E min(z², 4)`, zero where there is none, and its p-value is
/// that of `z / sqrt(1 + t w)`. The group has no part in its own `t`, and of the others none counts for more than two
/// standard deviations do, so that what is to be found does not hide itself. Of one-sided tests only scores on that side
/// enter. Of a test without direction (a quadratic form) `z` is the normal score of its p-value, two-sided.
///
/// Eight other groups with an answer are needed; with fewer the p-value stays as it is. It never becomes smaller.
///
/// # Errors
/// For p-values that are not between 0 and 1.
// Source: random effects between groups by the estimating equation of Paule RC, Mandel J, J Res Natl Bur Stand
// 1982;87:377-385, with the bounded squares of Huber PJ, "Robust Statistics", 1981, proposal 2; leaving the group out as
// the cross-validated funnel plots of Spiegelhalter D et al., J R Stat Soc A 2012;175:1-47, section 4; taking the
// spread of what is not flagged as the null distribution after Efron B, J Am Stat Assoc 2004;99:96-104.
pub fn beside_others(
    seen: &[Option<Seen>],
    alternative: Alternative,
) -> Result<Vec<Option<Beside>>, MeasureError> {
    let known: Vec<(usize, Group)> = seen
        .iter()
        .enumerate()
        .filter_map(|(place, seen)| Some((place, (*seen)?)))
        .map(|(place, seen)| Ok((place, Group::of(place, seen, alternative)?)))
        .collect::<Result<_, MeasureError>>()?;
    let groups: Vec<Group> = known.iter().map(|(_, group)| *group).collect();
    let share = if alternative == Alternative::TwoSided { 1.0 } else { 0.5 };
    let spread = Spread { groups: &groups, of_each: share * CLIPPED_SQUARE };
    let all = spread.solve(None, 0.0);
    let mut beside = vec![None; seen.len()];
    for (index, (place, group)) in known.iter().enumerate() {
        let variance = if groups.len() > GROUPS { spread.solve(Some(index), all) } else { 0.0 };
        let score = group.score / (1.0 + variance * group.weight).sqrt();
        let p_value = match alternative {
            _ if variance == 0.0 => group.p_value,
            Alternative::TwoSided => 2.0 * normal_upper(score),
            // The half that the test does not ask for stays.
            _ if group.score <= 0.0 => group.p_value,
            _ => normal_upper(score),
        };
        // Rounding of the score and back must not make it smaller.
        let p_value = p_value.max(group.p_value);
        beside[*place] = Some(Beside { p_value, between: variance.sqrt() });
    }
    Ok(beside)
}

#[derive(Debug, Clone, Copy)]
struct Group {
    p_value: f64,
    score: f64,
    weight: f64,
}

impl Group {
    fn of(
        place: usize,
        Seen { p_value, weight }: Seen,
        alternative: Alternative,
    ) -> Result<Self, MeasureError> {
        if !(0.0..=1.0).contains(&p_value) {
            return Err(MeasureError::OutOfRange { what: "p-value", index: place, value: p_value });
        }
        let tail = if alternative == Alternative::TwoSided { p_value / 2.0 } else { p_value };
        let score = normal_quantile_upper(tail.clamp(f64::MIN_POSITIVE, 0.5));
        Ok(Self { p_value, score, weight })
    }

    /// The clipped square of its score and the slope of that, at a variance between groups.
    fn square(&self, variance: f64) -> (f64, f64) {
        let inflation = 1.0 + variance * self.weight;
        let square = self.score * self.score / inflation;
        if square < CLIP * CLIP { (square, -square * self.weight / inflation) } else { (CLIP * CLIP, 0.0) }
    }
}

struct Spread<'a> {
    groups: &'a [Group],
    /// What the clipped square of a group is on average where groups are alike.
    of_each: f64,
}

impl Spread<'_> {
    /// The excess of the squares, with one group left out, and its slope.
    fn excess(&self, left_out: Option<usize>, variance: f64) -> (f64, f64) {
        let others = self.groups.iter().enumerate().filter(|(place, _)| Some(*place) != left_out);
        others.fold((0.0, 0.0), |(excess, slope), (_, group)| {
            let (square, falls) = group.square(variance);
            (excess + square - self.of_each, slope + falls)
        })
    }

    /// The variance between groups at which nothing is in excess, by Newton's method kept within bounds; the excess falls
    /// with the variance.
    fn solve(&self, left_out: Option<usize>, start: f64) -> f64 {
        const STEPS: usize = 200;
        const EXACT: f64 = 1e-12;
        if self.excess(left_out, 0.0).0 <= 0.0 {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut variance = start;
        for _ in 0..STEPS {
            let (excess, slope) = self.excess(left_out, variance);
            if excess > 0.0 {
                low = variance;
            } else {
                high = variance;
            }
            if excess == 0.0 || (high.is_finite() && high - low <= EXACT * high) {
                break;
            }
            let next = if slope < 0.0 { variance - excess / slope } else { f64::NAN };
            variance = if next > low && next < high {
                next
            } else if high.is_finite() {
                f64::midpoint(low, high)
            } else {
                2.0 * low + 1e-3
            };
        }
        variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of ten among a hundred: the weight is 9.
    fn seen(p_values: &[f64]) -> Vec<Option<Seen>> {
        let outcome = |p_value| Outcome { p_value, effect: 0.0, group_size: 10, rest_size: 90 };
        p_values.iter().map(|p_value| Some(Seen::from(&outcome(*p_value)))).collect()
    }

    #[track_caller]
    fn beside(seen: &[Option<Seen>], alternative: Alternative) -> Vec<Option<Beside>> {
        beside_others(seen, alternative).expect("the p-values are shares")
    }

    #[test]
    fn the_mean_of_the_clipped_square_is_that_of_the_normal_law() {
        // By parts: the integral of z² phi up to c is Phi(c) - Phi(-c) - 2 c phi(c).
        let (tail, density) = (normal_upper(CLIP), (-2.0_f64).exp() / (2.0 * std::f64::consts::PI).sqrt());
        let inside = 1.0 - 2.0 * tail - 2.0 * CLIP * density;
        assert!((inside + 2.0 * CLIP * CLIP * tail - CLIPPED_SQUARE).abs() < 1e-9);
    }

    #[test]
    fn groups_that_are_alike_keep_their_probabilities() {
        // The least of them left out, the others are more alike than chance: nothing is taken off.
        let p_values: Vec<f64> = (0..12).map(|k| (f64::from(k) + 0.5) / 12.0).collect();
        let found = beside(&seen(&p_values), Alternative::TwoSided);
        assert_eq!(found[0], Some(Beside { p_value: p_values[0], between: 0.0 }));
    }

    #[test]
    fn one_group_unlike_all_others_does_not_hide_itself() {
        let mut p_values: Vec<f64> = (0..12).map(|k| (f64::from(k) + 0.5) / 12.0).collect();
        p_values[0] = 1e-12;
        let found = beside(&seen(&p_values), Alternative::TwoSided);
        assert_eq!(found[0].map(|found| found.p_value), Some(1e-12));
    }

    #[test]
    fn few_groups_do_not_know_how_groups_differ() {
        let found = beside(&seen(&[1e-3; 8]), Alternative::TwoSided);
        assert!(
            found.iter().all(|found| *found == Some(Beside { p_value: 1e-3, between: 0.0 })),
            "{found:?}"
        );
    }

    #[test]
    fn a_group_without_an_answer_has_none() {
        let mut all = seen(&[0.5; 10]);
        all[3] = None;
        let found = beside(&all, Alternative::Greater);
        assert_eq!(found.iter().filter(|found| found.is_none()).count(), 1);
        assert!(beside_others(&seen(&[1.5; 3]), Alternative::Less).is_err());
    }

    // By hand: ten groups have scores of 1.5 and equal weights of 9. The nine others of any group ask for
    // 2.25 / (1 + 9 t) = 0.9205, and the p-value becomes that of sqrt(0.9205), 0.337334 (scipy 1.17.1). Of a one-sided
    // test half as much is expected, so that 2.25 / (1 + 9 t) = 0.4603 and the p-value that of sqrt(0.4603): 0.248749.
    #[test]
    fn what_groups_differ_among_themselves_is_taken_off() {
        let tail = normal_upper(1.5);
        for (tail, alternative, share, p_value) in [
            (2.0 * tail, Alternative::TwoSided, 1.0, 0.337_334),
            (tail, Alternative::Greater, 0.5, 0.248_749),
        ] {
            for found in beside(&seen(&[tail; 10]), alternative) {
                let found = found.expect("there is an answer");
                assert!((found.p_value - p_value).abs() < 1e-6, "{found:?}");
                let variance = (2.25 / (share * CLIPPED_SQUARE) - 1.0) / 9.0;
                assert!((found.between.powi(2) - variance).abs() < 1e-9, "{found:?}");
            }
        }
    }
}
