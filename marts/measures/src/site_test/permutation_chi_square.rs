//! Several scores per subject at once: are the group's sums what a random choice of subjects would have?

use crate::cholesky::{Cholesky, ROUNDING};
use crate::site_test::cohort::NotApplicable;
use crate::tail_probability::gamma_upper;

/// Scores of all subjects, of which a group's are a choice.
#[derive(Debug)]
pub(super) struct ScorePool {
    /// Numbers per subject.
    width: usize,
    // INVARIANT: `width` numbers per subject, of mean zero.
    centred: Vec<f64>,
    /// The root of their covariance, with one less than their number as divisor.
    root: Cholesky,
    /// The sum of the fourth powers of their lengths, by that covariance.
    fourth: f64,
}

impl ScorePool {
    /// `scores` holds `width` numbers per subject.
    pub(super) fn new(scores: &[f64], width: usize) -> Self {
        let all = scores.len() / width;
        let centred = centred(scores, width);
        let mut covariance = vec![0.0; width * width];
        for subject in centred.chunks_exact(width) {
            for (row, left) in subject.iter().enumerate() {
                for (column, right) in subject.iter().enumerate() {
                    covariance[row * width + column] += left * right / (all - 1) as f64;
                }
            }
        }
        let root = Cholesky::of_independent(&covariance, width, ROUNDING);
        let fourth = centred.chunks_exact(width).map(|subject| root.inverse_form(subject).powi(2)).sum();
        Self { width, centred, root, fourth }
    }

    /// The p-value of the quadratic form `Q = D' V⁻ D`, where `D` is the excess of the sums of the subjects at `in_group`
    /// over their mean under permutation and `V` their covariance under it, both exact. `Q` is compared with the scaled
    /// chi-square that has its exact permutation mean and variance.
    // Source: for the moments, sampling without replacement as in Cochran WG, Sampling Techniques, 3rd ed., 2.9, carried to
    // the fourth order; the reference after Satterthwaite 1946. With one record per subject `Q` is Pearson's chi-square
    // times (N - 1) / N.
    pub(super) fn quadratic_test(&self, in_group: &[usize]) -> Result<f64, NotApplicable> {
        let (all, chosen) = (self.centred.len() / self.width, in_group.len());
        let rank = self.root.rank();
        if rank == 0 {
            return Err(NotApplicable::Constant);
        }
        let mut sum = vec![0.0; self.width];
        for subject in in_group {
            for (total, score) in sum.iter_mut().zip(&self.centred[subject * self.width..]) {
                *total += score;
            }
        }
        let scale = all as f64 / (chosen as f64 * (all - chosen) as f64);
        let statistic = scale * self.root.inverse_form(&sum);
        let mean = rank as f64;
        let variance = scale * scale * fourth_moment(all, chosen, mean, self.fourth) - mean * mean;
        if variance <= 1e-12 {
            // Every choice has the same form (one subject against another): it cannot be extreme.
            return Ok(1.0);
        }
        Ok(gamma_upper(mean * mean / variance, statistic * mean / variance))
    }
}

fn centred(scores: &[f64], width: usize) -> Vec<f64> {
    let all = (scores.len() / width) as f64;
    let mean: Vec<f64> =
        (0..width).map(|column| scores.iter().skip(column).step_by(width).sum::<f64>() / all).collect();
    scores.iter().enumerate().map(|(index, score)| score - mean[index % width]).collect()
}

/// The mean fourth power of the length of the sum of chosen vectors `y`, where all of them add up to zero and have the
/// identity as covariance (divisor `N - 1`), and `fourth` is the sum of the fourth powers of their lengths.
///
/// The fourth power is a sum over four positions; it splits by which of them coincide, and a set of `k` different
/// subjects is chosen with probability `m (m - 1) ... / (N (N - 1) ...)`.
fn fourth_moment(all: usize, chosen: usize, rank: f64, fourth: f64) -> f64 {
    let mut chances = [1.0; 4];
    let mut chance = 1.0;
    for (k, slot) in chances.iter_mut().enumerate() {
        chance *= if all > k { chosen.saturating_sub(k) as f64 / (all - k) as f64 } else { 0.0 };
        *slot = chance;
    }
    let degrees = (all - 1) as f64;
    // Squared total length, and the sum of all squared inner products.
    let lengths = (degrees * rank).powi(2);
    let products = degrees * degrees * rank;
    chances[0] * fourth
        + chances[1] * (lengths + 2.0 * products - 7.0 * fourth)
        + chances[2] * (12.0 * fourth - 2.0 * lengths - 4.0 * products)
        + chances[3] * (lengths + 2.0 * products - 6.0 * fourth)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of three among seven subjects with two scores each, against the formula.
    #[test]
    fn the_moments_are_those_of_every_choice() {
        let raw = [1.0, 0.3, -2.0, 0.7, 4.0, 1.0, 0.5, -3.0, 2.5, 2.0, -1.0, 1.5, 0.1, -0.4];
        let centred = centred(&raw, 2);
        let mut covariance = vec![0.0; 4];
        for y in centred.chunks_exact(2) {
            for (place, value) in covariance.iter_mut().enumerate() {
                *value += y[place / 2] * y[place % 2] / 6.0;
            }
        }
        let root = Cholesky::new(&covariance, 2).expect("the scores are independent");
        let fourth: f64 = centred.chunks_exact(2).map(|y| root.inverse_form(y).powi(2)).sum();
        let (mut second_power, mut fourth_power, mut ways) = (0.0, 0.0, 0.0);
        for choice in 0_u32..128 {
            if choice.count_ones() == 3 {
                let chosen = (0..7).filter(|subject| choice >> subject & 1 == 1);
                let sum =
                    chosen.fold([0.0, 0.0], |sum, k| [sum[0] + centred[2 * k], sum[1] + centred[2 * k + 1]]);
                let length = root.inverse_form(&sum);
                second_power += length;
                fourth_power += length * length;
                ways += 1.0;
            }
        }
        let scale = 7.0 / 12.0;
        assert!((scale * second_power / ways - 2.0).abs() < 1e-12);
        assert!((fourth_moment(7, 3, 2.0, fourth) - fourth_power / ways).abs() < 1e-10);
    }
}
