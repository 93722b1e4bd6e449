//! C13: the whole distribution.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::tail_probability::kolmogorov_upper;

/// Up to so many lattice points the distribution is exact.
const LATTICE: usize = 4_000_000;

/// Whether one value per subject (NaN where missing) is distributed in a group as in the rest: the two-sample test of
/// Kolmogorov and Smirnov. The effect is its statistic, the largest distance of the two distribution functions. Exact
/// given the ties as long as the sizes' product is below four millions, by Kolmogorov's limit beyond. Three subjects are
/// needed on each side.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
// Source: Hodges JL, Ark Mat 1958;3:469-486; the recursion from the tail, which keeps its digits, and the rule for ties
// after Viehmann T, "Numerically more stable computation of the p-values for the two-sample Kolmogorov-Smirnov
// test", 2021, and Schröer G, Trenkler D, Comput Stat Data Anal 1995;20:185-202.
pub fn distribution(cohort: &Cohort, values: &[f64]) -> Result<Vec<SiteTest>, MeasureError> {
    let values = cohort.per_subject(values)?;
    let known = values.iter().enumerate().filter_map(|(subject, value)| Some(((*value)?, subject)));
    let mut sorted: Vec<(f64, usize)> = known.map(|(value, s)| (value, cohort.group_of(s))).collect();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    // Whether a value of this rank is the last of its ties, where the functions can be compared.
    let last_tie: Vec<bool> = (0..sorted.len())
        .map(|index| sorted.get(index + 1).is_none_or(|next| next.0 != sorted[index].0))
        .collect();
    Ok(cohort.each(|group| {
        let group_size = sorted.iter().filter(|(_, of)| *of == group).count();
        let rest_size = sorted.len() - group_size;
        enough(group_size, rest_size, 3)?;
        if last_tie.iter().filter(|last| **last).count() < 2 {
            return Err(NotApplicable::Constant);
        }
        let (mut inside, mut largest) = (0_usize, 0);
        for (index, (_, of)) in sorted.iter().enumerate() {
            inside += usize::from(*of == group);
            if last_tie[index] {
                largest = largest.max(distance(inside, index + 1 - inside, group_size, rest_size));
            }
        }
        let effect = largest as f64 / (group_size as f64 * rest_size as f64);
        let p_value = if group_size * rest_size <= LATTICE {
            exact_tail(group_size, rest_size, largest, &last_tie)
        } else {
            let size = group_size as f64 * rest_size as f64 / sorted.len() as f64;
            kolmogorov_upper(size.sqrt() * effect)
        };
        Ok(Outcome { p_value, effect, group_size, rest_size })
    }))
}

/// The distance of the two functions, times both sizes, which is a whole number.
fn distance(inside: usize, outside: usize, group_size: usize, rest_size: usize) -> usize {
    (inside * rest_size).abs_diff(outside * group_size)
}

/// The share of the orders of both sides in which the distance reaches `largest` where ties end: over the lattice of
/// how many of each side have come, the probability that a path to a point has reached it by then.
fn exact_tail(group_size: usize, rest_size: usize, largest: usize, last_tie: &[bool]) -> f64 {
    let reached = |inside: usize, outside: usize| {
        inside + outside > 0
            && last_tie[inside + outside - 1]
            && distance(inside, outside, group_size, rest_size) >= largest
    };
    // The shares by which a path comes from either side; none leads to where nobody has come yet.
    let shares: Vec<f64> = (0..=group_size + rest_size).map(|come| 1.0 / come.max(1) as f64).collect();
    let mut row = vec![0.0; rest_size + 1];
    for inside in 0..=group_size {
        let mut before = 0.0;
        for ((outside, here), share) in row.iter_mut().enumerate().zip(&shares[inside..]) {
            *here = if reached(inside, outside) {
                1.0
            } else {
                (*here * inside as f64 + before * outside as f64) * share
            };
            before = *here;
        }
    }
    row[rest_size]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(group: &[f64], rest: &[f64], effect: f64, p_value: f64) {
        let values = [group, rest].concat();
        let groups: Vec<usize> = (0..values.len()).map(|index| usize::from(index >= group.len())).collect();
        let cohort = Cohort::new(&groups).expect("the groups are valid");
        let outcome = distribution(&cohort, &values).expect("the values are valid")[0].expect("it applies");
        assert!((outcome.effect - effect).abs() < 1e-12, "{}", outcome.effect);
        assert!((outcome.p_value / p_value - 1.0).abs() < 1e-9, "{} against {p_value}", outcome.p_value);
    }

    #[test]
    fn sides_apart_have_two_orders() {
        // By hand: of the 6! / (3! 3!) = 20 orders two keep the sides apart.
        check(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 1.0, 0.1);
        // By hand: with 3 of the rest tied with 3 of the group there is nothing to tell at the tie.
        check(&[1.0, 1.0, 2.0], &[1.0, 2.0, 2.0], 1.0 / 3.0, 1.0);
    }

    // By scipy 1.17.1: ks_2samp(group, rest, method="exact").
    #[test]
    fn exact_tails_agree() {
        check(
            &[2.041, -2.556, 0.418, -0.568],
            &[-0.453, -0.216, -2.02, -0.232, -0.865, 3.323, 0.226, -0.353, -0.281],
            0.3888888888888889,
            0.7076923076923077,
        );
        check(
            &[0.332, -0.055, 0.609, 1.482, 0.761, 1.958],
            &[
                -0.2, 0.024, 1.546, 0.545, -0.505, -0.183, 0.541, 1.935, -0.27, -0.244, 1.002, -0.886,
                -0.292, 0.883, 0.58, 0.092, 0.67, -2.828, 1.021, -0.96, -1.669, 0.276, 0.701, -0.445, -1.076,
                0.026, -0.053, 1.406, 0.747, 0.194, 1.112, -0.206, -0.926, 0.584, 0.583, -0.215, -0.783,
                0.229, -2.494, 0.69,
            ],
            0.43333333333333335,
            0.21081265689024203,
        );
        check(
            &(0..25).map(|k| 180.5 + 2.0 * f64::from(k)).collect::<Vec<f64>>(),
            &(0..300).map(f64::from).collect::<Vec<f64>>(),
            0.6033333333333334,
            1.79659875514298e-08,
        );
    }
}
