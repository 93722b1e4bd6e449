//! The distribution of the sum of `m` scores chosen from `N` without replacement.

use libm::lgamma;

use crate::site_test::far_scores::tails_by_far_scores;
use crate::tail_probability::normal_upper;

/// Up to so many choices are counted one by one.
const COUNTED: f64 = 200_000.0;
/// Sums closer than this, in standard deviations of a score, are one sum.
pub(super) const TIE: f64 = 1e-9;

/// The probabilities of a sum at least, and at most, as large as one that was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tails {
    pub(super) upper: f64,
    pub(super) lower: f64,
}

/// All scores, standardised: their mean is zero and their variance one.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    // INVARIANT: sorted, at least two different values.
    scores: Vec<f64>,
    // INVARIANT: sums of the first k scores, for k from 0 to all.
    sums: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Pool {
    /// None where the scores are all equal, or none.
    pub(super) fn new(scores: &[f64]) -> Option<Self> {
        let mut scores = scores.to_vec();
        scores.sort_by(f64::total_cmp);
        let (first, last) = (*scores.first()?, *scores.last()?);
        let count = scores.len() as f64;
        let mean = first + scores.iter().map(|score| score - first).sum::<f64>() / count;
        let deviation = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
        // Rounding alone can make equal numbers differ in their last digits.
        if last - first <= 1e-12 * first.abs().max(last.abs()) || deviation <= 0.0 {
            return None;
        }
        for score in &mut scores {
            *score = (*score - mean) / deviation;
        }
        let mut sums = Vec::with_capacity(scores.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for score in &scores {
            sum += score;
            sums.push(sum);
        }
        Some(Self { scores, sums, mean, deviation })
    }

    pub(super) fn standardise(&self, score: f64) -> f64 {
        (score - self.mean) / self.deviation
    }

    /// How much one unit of the given scores is in standardised ones.
    pub(super) fn scale(&self) -> f64 {
        1.0 / self.deviation
    }

    /// The smallest and the largest sum of `chosen` standardised scores.
    pub(super) fn range_of_sum(&self, chosen: usize) -> (f64, f64) {
        let all = self.scores.len();
        (self.sums[chosen], self.sums[all] - self.sums[all - chosen])
    }

    /// The tails at the sum of `chosen` standardised scores.
    pub(super) fn tails(&self, chosen: usize, sum: f64) -> Tails {
        let all = self.scores.len();
        if chosen > all / 2 {
            // Those not chosen are fewer, and their sum is the negative one.
            let Tails { upper, lower } = self.tails(all - chosen, -sum);
            return Tails { upper: lower, lower: upper };
        }
        let (low, high) = (self.scores[0], self.scores[all - 1]);
        if self.scores.iter().all(|score| score - low < TIE || high - score < TIE) {
            return self.hypergeometric(chosen, sum);
        }
        if ln_choices(all, chosen) <= COUNTED.ln() {
            return self.counted(chosen, sum);
        }
        let edge = TIE * chosen as f64;
        if sum >= self.sums[all] - self.sums[all - chosen] - edge {
            let last = self.scores[all - chosen];
            let beyond = self.scores.iter().filter(|score| **score > last + TIE).count();
            return Tails { upper: self.extreme(chosen, last, beyond), lower: 1.0 };
        }
        if sum <= self.sums[chosen] + edge {
            let last = self.scores[chosen - 1];
            let beyond = self.scores.iter().filter(|score| **score < last - TIE).count();
            return Tails { upper: 1.0, lower: self.extreme(chosen, last, beyond) };
        }
        if let Some(tails) = tails_by_far_scores(&self.scores, chosen, sum) {
            return tails;
        }
        let root = signed_root(&self.scores, chosen, sum);
        Tails { upper: normal_upper(root), lower: normal_upper(-root) }
    }

    /// Scores of two values: how many of the higher one are among the chosen.
    fn hypergeometric(&self, chosen: usize, sum: f64) -> Tails {
        let all = self.scores.len();
        let (low, high) = (self.scores[0], self.scores[all - 1]);
        let highs = self.scores.iter().filter(|score| high - **score < TIE).count();
        let expected_lows = chosen as f64 * low;
        let most = chosen.min(highs);
        let least = (chosen + highs).saturating_sub(all);
        let seen = |count: usize| expected_lows + count as f64 * (high - low);
        let middle = 0.5 * (high - low);
        let (mut upper, mut lower) = (0.0, 0.0);
        for count in least..=most {
            let log =
                ln_choices(highs, count) + ln_choices(all - highs, chosen - count) - ln_choices(all, chosen);
            if seen(count) > sum - middle {
                upper += log.exp();
            }
            if seen(count) < sum + middle {
                lower += log.exp();
            }
        }
        Tails { upper: upper.min(1.0), lower: lower.min(1.0) }
    }

    /// Every choice, one by one.
    fn counted(&self, chosen: usize, sum: f64) -> Tails {
        let all = self.scores.len();
        let edge = TIE * chosen as f64;
        let (mut ways, mut upper, mut lower) = (0_u64, 0_u64, 0_u64);
        let mut choice: Vec<usize> = (0..chosen).collect();
        loop {
            let other: f64 = choice.iter().map(|index| self.scores[*index]).sum();
            ways += 1;
            upper += u64::from(other >= sum - edge);
            lower += u64::from(other <= sum + edge);
            // The last place that can still move on moves, and those after it follow closely.
            let Some(place) = (0..chosen).rev().find(|place| choice[*place] < all - chosen + place) else {
                break;
            };
            choice[place] += 1;
            for later in place + 1..chosen {
                choice[later] = choice[later - 1] + 1;
            }
        }
        Tails { upper: upper as f64 / ways as f64, lower: lower as f64 / ways as f64 }
    }

    /// The probability of the most extreme sum: of the scores that tie with its last one, some lie outside it.
    fn extreme(&self, chosen: usize, last: f64, beyond: usize) -> f64 {
        let ties = self.scores.iter().filter(|score| (**score - last).abs() <= TIE).count();
        let ways = ln_choices(ties, chosen.saturating_sub(beyond).min(ties));
        (ways - ln_choices(self.scores.len(), chosen)).exp()
    }
}

pub(super) fn ln_choices(of: usize, chosen: usize) -> f64 {
    lgamma(of as f64 + 1.0) - lgamma(chosen as f64 + 1.0) - lgamma((of - chosen) as f64 + 1.0)
}

/// The point of a standard normal variable whose upper tail is that of the sum.
///
/// Choosing without replacement is choosing each score by a coin of bias `m / N`, given that `m` were chosen. The tail
/// of the second sum given the first follows from the saddlepoint of both.
// Source: Robinson J, "Saddlepoint approximations for permutation tests and confidence intervals", J R Stat Soc B
// 1982;44:91-101; Skovgaard IM, J Appl Prob 1987;24:875-887, in the form of Barndorff-Nielsen.
fn signed_root(scores: &[f64], chosen: usize, sum: f64) -> f64 {
    let (all, wanted) = (scores.len() as f64, chosen as f64);
    let share = wanted / all;
    let plain = sum / (wanted * (1.0 - share) * all / (all - 1.0)).sqrt();
    let Some(point) = Saddlepoint::solve(scores, wanted, sum) else { return plain };
    let exponent = point.shift * wanted + point.tilt * sum - point.cumulant;
    let root = point.tilt.signum() * (2.0 * exponent.max(0.0)).sqrt();
    let slope = point.tilt * (point.determinant / (all * share * (1.0 - share))).sqrt();
    // Next to the mean both are zero and their quotient has no digits left.
    if root.abs() < 1e-3 || slope == 0.0 {
        return plain;
    }
    root + (slope / root).ln() / root
}

/// Where the tilted coins choose `m` scores and their sum on average.
struct Saddlepoint {
    shift: f64,
    tilt: f64,
    cumulant: f64,
    determinant: f64,
}

/// The cumulant generating function at one point, with its derivatives.
struct Cumulant {
    value: f64,
    slope: [f64; 2],
    curvature: [f64; 3],
}

impl Cumulant {
    /// Without any tilt each score is chosen by the same coin.
    fn of_even_coins(scores: &[f64], share: f64) -> Self {
        let (sum, squares) =
            scores.iter().fold((0.0, 0.0), |(sum, squares), score| (sum + score, squares + score * score));
        let spread = share * (1.0 - share);
        let all = scores.len() as f64;
        Self {
            value: 0.0,
            slope: [share * all, share * sum],
            curvature: [spread * all, spread * sum, spread * squares],
        }
    }
}

impl Saddlepoint {
    /// Newton's method on a convex function, with steps halved as long as they do not descend.
    fn solve(scores: &[f64], wanted: f64, sum: f64) -> Option<Self> {
        const STEPS: usize = 100;
        let share = wanted / scores.len() as f64;
        // What rounding may take of a sum of so many terms: next to the goal a step gains less.
        let rounding = 1e-13 * scores.len() as f64;
        let (mut shift, mut tilt) = (0.0, 0.0);
        let mut here = Cumulant::of_even_coins(scores, share);
        for _ in 0..STEPS {
            let [by_shift, both, by_tilt] = here.curvature;
            let determinant = by_shift * by_tilt - both * both;
            if determinant <= 0.0 || !determinant.is_finite() {
                return None;
            }
            let (miss_shift, miss_tilt) = (wanted - here.slope[0], sum - here.slope[1]);
            let move_shift = (by_tilt * miss_shift - both * miss_tilt) / determinant;
            let move_tilt = (by_shift * miss_tilt - both * miss_shift) / determinant;
            if miss_shift.abs() + miss_tilt.abs() < 1e-9 * wanted {
                return Some(Self { shift, tilt, cumulant: here.value, determinant });
            }
            let goal = |shift: f64, tilt: f64, value: f64| value - shift * wanted - tilt * sum;
            let before = goal(shift, tilt, here.value);
            let mut part = 1.0;
            loop {
                let (next_shift, next_tilt) = (shift + part * move_shift, tilt + part * move_tilt);
                let next = cumulant(scores, share, next_shift, next_tilt);
                if goal(next_shift, next_tilt, next.value) <= before + rounding.max(1e-12 * before.abs()) {
                    (shift, tilt, here) = (next_shift, next_tilt, next);
                    break;
                }
                part /= 2.0;
                if part < 1e-10 {
                    return None;
                }
            }
        }
        None
    }
}

fn cumulant(scores: &[f64], share: f64, shift: f64, tilt: f64) -> Cumulant {
    let mut sum = Cumulant { value: 0.0, slope: [0.0; 2], curvature: [0.0; 3] };
    let odds = (share / (1.0 - share)).ln();
    // Factors from a half to two: so many have a product within the range of numbers, and one logarithm.
    for scores in scores.chunks(512) {
        let mut product = 1.0;
        for score in scores {
            let log_odds = odds + shift + tilt * score;
            // ln(1 - share + share e^x), written so that neither sign overflows.
            let decay = (-log_odds.abs()).exp();
            sum.value += log_odds.max(0.0);
            product *= (1.0 - share) * (1.0 + decay);
            let likelier = 1.0 / (1.0 + decay);
            let rarer = decay * likelier;
            let probability = if log_odds >= 0.0 { likelier } else { rarer };
            let spread = likelier * rarer;
            sum.slope[0] += probability;
            sum.slope[1] += probability * score;
            sum.curvature[0] += spread;
            sum.curvature[1] += spread * score;
            sum.curvature[2] += spread * score * score;
        }
        sum.value += product.ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scores: &[f64], group: &[f64], upper: f64, lower: f64, tolerance: f64) {
        let pool = Pool::new(scores).expect("the scores differ");
        let tails = pool.tails(group.len(), group.iter().map(|score| pool.standardise(*score)).sum());
        assert!((tails.upper / upper - 1.0).abs() <= tolerance, "upper {} against {upper}", tails.upper);
        assert!((tails.lower / lower - 1.0).abs() <= tolerance, "lower {} against {lower}", tails.lower);
    }

    #[test]
    fn few_choices_are_counted() {
        // Of the 6 pairs of 1, 2, 4, 8 one adds up to more than 4 + 8 - 1, and all but that to less.
        check(&[1.0, 2.0, 4.0, 8.0], &[4.0, 8.0], 1.0 / 6.0, 1.0, 1e-12);
        check(&[1.0, 2.0, 4.0, 8.0], &[1.0, 8.0], 3.0 / 6.0, 4.0 / 6.0, 1e-12);
        check(&[1.0, 2.0, 4.0, 8.0], &[1.0, 4.0, 8.0], 2.0 / 4.0, 3.0 / 4.0, 1e-12);
    }

    #[test]
    fn two_values_are_counted_as_fishers_test_does() {
        // By scipy 1.17.1: hypergeom(40, 10, 15).sf(6) and .cdf(7) for 7 of 15 chosen among 10 of 40.
        let scores: Vec<f64> = (0..40).map(|index| f64::from(u8::from(index < 10))).collect();
        let group: Vec<f64> = (0..15).map(|index| f64::from(u8::from(index < 7))).collect();
        check(&scores, &group, 0.019889009152966007, 0.9975714004226938, 1e-10);
    }

    #[test]
    fn the_most_extreme_sum_is_counted() {
        let scores: Vec<f64> = (0..200).map(f64::from).collect();
        let group: Vec<f64> = (195..200).map(f64::from).collect();
        check(&scores, &group, (-ln_choices(200, 5)).exp(), 1.0, 1e-9);
        let mut tied = scores.clone();
        tied[194] = 195.0;
        check(&tied, &group, 2.0 * (-ln_choices(200, 5)).exp(), 1.0, 1e-9);
    }

    // Next to the mean a step gains less than rounding takes.
    #[test]
    fn there_is_a_saddlepoint_at_every_sum() {
        let scores: Vec<f64> = (0..150).map(|k| f64::from(k * k % 7 + k % 2) / 20.0).collect();
        let pool = Pool::new(&scores).expect("the scores differ");
        let (least, most) = pool.range_of_sum(15);
        for step in -2000_i32..=2000 {
            let near = f64::from(step) / 1000.0;
            let edge = if step < 0 { least } else { most };
            for sum in [near, edge * f64::from(step.abs()) / 2001.0] {
                assert!(Saddlepoint::solve(&pool.scores, 15.0, sum).is_some(), "{sum}");
            }
        }
    }

    /// The saddlepoint against the count of every way to reach a sum of whole numbers (Python, exact integers).
    #[test]
    fn many_choices_have_the_right_tails() {
        let scores: Vec<f64> = (0..120).map(|score| f64::from(score * score)).collect();
        check(
            &scores,
            &[400.0, 1600.0, 3600.0, 6400.0, 10000.0],
            0.5516716554895122,
            0.4483609295896572,
            0.06,
        );
        check(
            &scores,
            &[8100.0, 9025.0, 10000.0, 11025.0, 12100.0],
            0.0036687440940199904,
            0.9963326674013578,
            0.06,
        );
        check(&scores, &[1.0, 9.0, 100.0, 400.0, 625.0], 0.9997622391131519, 0.00023866340433879196, 0.06);
        check(
            &scores,
            &[12100.0, 12544.0, 12996.0, 13456.0, 13924.0],
            2.1041250800249665e-06,
            0.9999979116165041,
            0.06,
        );
        check(&scores, &[0.0, 1.0, 4.0, 25.0, 81.0], 0.9999996746739278, 3.463148510764284e-07, 0.06);
        check(
            &scores,
            &[2500.0, 3600.0, 5625.0, 6400.0, 8100.0],
            0.3813641755462844,
            0.6186565036480807,
            0.06,
        );
    }
}
