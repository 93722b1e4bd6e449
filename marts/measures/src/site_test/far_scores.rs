//! The sum of chosen scores where a few of them are far from all others, as shares of a rare property are.
//!
//! Such a sum has gaps: it depends first on how many of the far scores are among the chosen. A saddlepoint is for one
//! hump and goes astray between several, so the far scores are counted and only the rest is approximated.

use crate::site_test::permutation_tail::{Pool, TIE, Tails, ln_choices};
use crate::tail_probability::normal_upper;

/// Sums less skew than this are left to the saddlepoint alone.
const SKEW: f64 = 1.0;
/// Far scores are at least so many times as far from the mean as the farthest of the rest.
const GAP: f64 = 2.0;
/// Sets of far scores that together have less than this part of a tail are passed over.
const NEGLIGIBLE: f64 = 1e-3;
/// More far scores than this are not counted: each doubles the ways.
const FAR: usize = 8;

/// The tails at the sum of `chosen` of the scores: over every set of far scores that may be among the chosen, its
/// probability (hypergeometric) times the tail of the rest's sum. None where the sum is not skew, or no few scores make
/// it so.
pub(super) fn tails_by_far_scores(scores: &[f64], chosen: usize, sum: f64) -> Option<Tails> {
    if skew_of_sum(scores, chosen) <= SKEW {
        return None;
    }
    let mut by_distance = scores.to_vec();
    by_distance.sort_by(|left, right| right.abs().total_cmp(&left.abs()).then(left.total_cmp(right)));
    let most = FAR.min(chosen).min(scores.len() - chosen);
    let far = (1..=most).find(|far| skew_of_sum(&by_distance[*far..], chosen - far) <= SKEW)?;
    let (far, rest) = by_distance.split_at(far);
    // Without a gap between them the sum has one hump, and the saddlepoint is exact enough.
    if far[far.len() - 1].abs() < GAP * rest[0].abs() {
        return None;
    }
    let rest = Rest::of(rest);
    let all_choices = ln_choices(scores.len(), chosen);
    let mut tails = Tails { upper: 0.0, lower: 0.0 };
    for of_far in 0..=far.len() {
        let ln_weight = ln_choices(rest.count, chosen - of_far) - all_choices;
        let left: f64 = (of_far..=far.len())
            .map(|more| {
                (ln_choices(rest.count, chosen - more) + ln_choices(far.len(), more) - all_choices).exp()
            })
            .sum();
        if left < NEGLIGIBLE * tails.upper.min(tails.lower) {
            break;
        }
        for from_far in sums_of_sets(far, of_far) {
            let here = rest.tails(chosen - of_far, sum, from_far);
            tails.upper += ln_weight.exp() * here.upper;
            tails.lower += ln_weight.exp() * here.lower;
        }
    }
    Some(Tails { upper: tails.upper.min(1.0), lower: tails.lower.min(1.0) })
}

/// The sums of all sets of so many of the far scores.
fn sums_of_sets(far: &[f64], size: usize) -> impl Iterator<Item = f64> {
    let sets = (0_u32..1 << far.len()).filter(move |set| set.count_ones() as usize == size);
    sets.map(|set| {
        far.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1).map(|(_, score)| score).sum()
    })
}

/// The scores that are not far.
struct Rest {
    count: usize,
    mean: f64,
    skewness: f64,
    /// None where they are one and the same score.
    pool: Option<Pool>,
}

/// Within this many standard deviations of the mean the first term of Edgeworth's series is enough, which needs no
/// solving.
const NEAR: f64 = 1.5;
/// So many below where far scores have put it, the rest's sum is less likely by far than without them.
const BEYOND: f64 = 9.0;

impl Rest {
    fn of(scores: &[f64]) -> Self {
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        Self { count: scores.len(), mean, skewness: skewness(scores), pool: Pool::new(scores) }
    }

    /// The tails of the sum of `wanted` of them at what `from_far` leaves of `sum`.
    // Source: Hall P, "The Bootstrap and Edgeworth Expansion", 1992, 2.2, for the term.
    fn tails(&self, wanted: usize, sum: f64, from_far: f64) -> Tails {
        let open = sum - from_far;
        let Some(pool) = &self.pool else {
            let edge = TIE * (wanted + 1) as f64;
            let always = wanted as f64 * self.mean;
            let certain = |is: bool| f64::from(u8::from(is));
            return Tails { upper: certain(always >= open - edge), lower: certain(always <= open + edge) };
        };
        let sum = open * pool.scale() + wanted as f64 * pool.standardise(0.0);
        let (all, drawn) = (self.count as f64, wanted as f64);
        let z = sum / (drawn * (all - drawn) / (all - 1.0)).sqrt();
        if from_far > 0.0 && z < -BEYOND {
            return Tails { upper: 1.0, lower: 0.0 };
        }
        if from_far < 0.0 && z > BEYOND {
            return Tails { upper: 0.0, lower: 1.0 };
        }
        if z.abs() > NEAR || z.is_nan() {
            return within(pool, wanted, sum);
        }
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let bend = density * self.skewness * thinning(self.count, wanted) / 6.0 * (z * z - 1.0);
        Tails { upper: normal_upper(z) + bend, lower: normal_upper(-z) - bend }
    }
}

/// The tails of the rest, also beyond all that it can add up to.
fn within(pool: &Pool, wanted: usize, sum: f64) -> Tails {
    let (least, most) = pool.range_of_sum(wanted);
    let edge = TIE * (wanted + 1) as f64;
    if sum > most + edge {
        Tails { upper: 0.0, lower: 1.0 }
    } else if sum < least - edge {
        Tails { upper: 1.0, lower: 0.0 }
    } else if wanted == 0 {
        Tails { upper: 1.0, lower: 1.0 }
    } else {
        pool.tails(wanted, sum)
    }
}

/// The skewness of the sum of `chosen` of the scores, drawn without replacement, in absolute value.
fn skew_of_sum(scores: &[f64], chosen: usize) -> f64 {
    if scores.len() < 3 || chosen == 0 || chosen >= scores.len() {
        return 0.0;
    }
    (skewness(scores) * thinning(scores.len(), chosen)).abs()
}

/// The skewness of the scores; zero where they are all equal.
fn skewness(scores: &[f64]) -> f64 {
    let all = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / all;
    let (square, cube) = scores.iter().fold((0.0, 0.0), |(square, cube), score| {
        let distance = score - mean;
        (square + distance * distance, cube + distance * distance * distance)
    });
    let variance = square / all;
    if variance <= TIE * TIE { 0.0 } else { cube / all / variance.powf(1.5) }
}

/// What is left of the skewness of single scores in the sum of `chosen` of `all`.
// Source: Cochran WG, Sampling Techniques, 3rd ed., 2.15: the third moment of a mean without replacement.
fn thinning(all: usize, chosen: usize) -> f64 {
    let (all, drawn) = (all as f64, chosen as f64);
    (all - 2.0 * drawn) / (all - 2.0) * ((all - 1.0) / (drawn * (all - drawn))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scores: &[f64], group: &[f64], upper: f64, lower: f64) {
        let pool = Pool::new(scores).expect("the scores differ");
        let tails = pool.tails(group.len(), group.iter().map(|score| pool.standardise(*score)).sum());
        assert!((tails.upper / upper - 1.0).abs() <= 0.06, "upper {} against {upper}", tails.upper);
        assert!((tails.lower / lower - 1.0).abs() <= 0.06, "lower {} against {lower}", tails.lower);
    }

    /// Eighty scores below a thousand and two of 90,000, ten chosen. Counted by Python: every way to reach a sum of whole
    /// numbers (exact integers).
    #[test]
    fn a_sum_between_two_humps_has_their_probability() {
        let mut scores: Vec<f64> = (0..80).map(|k| f64::from(37 * k * k % 1009)).collect();
        scores.extend([90_000.0, 90_000.0]);
        check(
            &scores,
            &[0.0, 101.0, 202.0, 323.0, 418.0, 567.0, 673.0, 755.0, 847.0, 938.0],
            0.7474290049039081,
            0.2528699756057706,
        );
        check(
            &scores,
            &[90000.0, 3.0, 142.0, 242.0, 382.0, 529.0, 648.0, 741.0, 847.0, 939.0],
            0.14516365687254545,
            0.8549299404655217,
        );
        check(
            &scores,
            &[90000.0, 90000.0, 6.0, 173.0, 283.0, 420.0, 599.0, 692.0, 813.0, 939.0],
            0.008449582349196662,
            0.9915564872894356,
        );
        check(
            &scores,
            &[567.0, 599.0, 648.0, 674.0, 689.0, 741.0, 782.0, 810.0, 847.0, 889.0],
            0.2397876061350217,
            0.7602418560924006,
        );
        check(
            &scores,
            &[0.0, 3.0, 4.0, 6.0, 12.0, 253.0, 259.0, 271.0, 283.0, 323.0],
            0.9999977819988669,
            2.2347871526490167e-06,
        );
        check(
            &scores,
            &[90000.0, 0.0, 3.0, 4.0, 6.0, 12.0, 37.0, 394.0, 402.0, 418.0],
            0.23034990197979657,
            0.7696501156476275,
        );
    }

    #[test]
    fn a_group_without_the_rare_is_no_exception() {
        // Of a hundred subjects one has the property, and ten are chosen: by hand, nine of ten choices are without.
        let scores: Vec<f64> =
            (0..100).map(|k| f64::from(u8::from(k == 0)) + 1e-3 * f64::from(k % 3)).collect();
        let pool = Pool::new(&scores).expect("the scores differ");
        let group = &scores[1..11];
        let tails = pool.tails(10, group.iter().map(|score| pool.standardise(*score)).sum());
        assert!(tails.upper > 0.1 && tails.lower > 0.1 && tails.lower < 0.9, "{tails:?}");
    }
}
