//! Random numbers of one stream, and the few distributions that the processes are made of.
//!
//! Elementary functions come from `libm` and not from the platform, so that a study has the same bytes on every
//! processor.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use kernel::Seed;
use libm::{erfc, exp, log, pow};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::calendar::after;

/// One stream of random numbers. Its name says whose and what for.
pub(super) struct Draw {
    stream: ChaCha8Rng,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl Draw {
    /// The stream of a name.
    pub(super) fn new(seed: Seed, name: &str) -> Self {
        Self { stream: ChaCha8Rng::from_seed(seed.stream(name)), spare: None }
    }

    /// Evenly between 0 and 1, without 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.stream.random()
    }

    /// True with a probability. Draws once whatever the probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Evenly among `0..count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.stream.random_range(0..count)
    }

    /// Evenly among the whole numbers from the least to the most.
    pub(super) fn days(&mut self, least: i64, most: i64) -> i64 {
        self.stream.random_range(least..=most)
    }

    /// Evenly among the days from the first to the last.
    pub(super) fn day(&mut self, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        after(first, self.stream.random_range(0..=(last - first).num_days().max(0)))
    }

    /// Evenly among items.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// The position of one weight, with a probability in proportion to it.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.uniform() * weights.clone().sum::<f64>();
        let last = weights.clone().count().saturating_sub(1);
        for (position, weight) in weights.enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        last
    }

    /// Standard normal, by the polar method.
    // Source: Marsaglia G, Bray TA, "A convenient method for generating normal variables", SIAM Rev 1964;6:260-264.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * log(square) / square).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// Exponential of mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -log(1.0 - self.uniform())
    }

    /// Log-normal by its median and the standard deviation of its logarithm.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// Student's t: a normal over the root of a mean square.
    pub(super) fn student_t(&mut self, degrees: f64) -> f64 {
        let normal = self.normal();
        normal / (2.0 * self.gamma(degrees / 2.0) / degrees).sqrt()
    }

    /// Gamma of mean 1 by its variance; 1 where that is 0.
    pub(super) fn frailty(&mut self, variance: f64) -> f64 {
        if variance > 0.0 { self.gamma(1.0 / variance) * variance } else { 1.0 }
    }

    /// Gamma of scale 1 by its shape, which is above 0.
    // Source: Marsaglia G, Tsang WW, "A simple method for generating gamma variables", ACM TOMS 2000;26:363-372.
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = pow(1.0 - self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v > 0.0 {
                let v = v * v * v;
                let u = 1.0 - self.uniform();
                if log(u) < 0.5 * x * x + d - d * v + d * log(v) {
                    return d * v;
                }
            }
        }
    }

    /// Beta by its mean and concentration; the mean itself where that is 0.
    pub(super) fn beta(&mut self, mean: f64, concentration: f64) -> f64 {
        if mean <= 0.0 {
            return mean;
        }
        let (yes, no) = (self.gamma(mean * concentration), self.gamma((1.0 - mean) * concentration));
        // Both vanish where the concentration is far below 1.
        if yes + no > 0.0 { yes / (yes + no) } else { mean }
    }

    /// Poisson; 0 where the mean is 0. A frailty has no upper end; the cap keeps the count within what a subject
    /// or a site can have.
    pub(super) fn poisson(&mut self, mean: f64) -> i64 {
        const CAP: f64 = 1e6;
        const LARGE: f64 = 30.0;
        // A sum of independent Poisson counts is Poisson.
        let parts = (mean.min(CAP) / LARGE).ceil().max(1.0);
        (0..whole(parts)).map(|_| self.small_poisson(mean.min(CAP) / parts)).sum()
    }

    fn small_poisson(&mut self, mean: f64) -> i64 {
        if mean <= 0.0 {
            return 0;
        }
        let u = self.uniform();
        let mut probability = exp(-mean);
        let (mut cumulated, mut count) = (probability, 0_i64);
        while u > cumulated && probability > 0.0 {
            count += 1;
            probability *= mean / count as f64;
            cumulated += probability;
        }
        count
    }

    /// A moment of a day's office hours.
    pub(super) fn moment(&mut self, day: NaiveDate) -> NaiveDateTime {
        let seconds = self.stream.random_range(8 * 3600..18 * 3600);
        day.and_time(chrono::NaiveTime::MIN) + TimeDelta::seconds(seconds)
    }
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "days and counts are far below 2^63, and the cast saturates"
)]
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// The probability that a standard normal number is at most `x`.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The number that a standard normal one is below with probability `p`, for `p` strictly between 0 and 1: bisection
/// to double precision, which is fast enough for the few that a plan needs.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-38.0, 38.0);
    for _ in 0..120 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The probability whose log odds are `x`.
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// The log odds of a probability strictly between 0 and 1.
pub(super) fn logit(p: f64) -> f64 {
    log(p / (1.0 - p))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many draws, against the formulas of the distributions.
    #[track_caller]
    fn check_moments(name: &str, mean: f64, variance: f64, draw: impl Fn(&mut Draw) -> f64) {
        let mut stream = Draw::new(Seed(1), name);
        let values: Vec<f64> = (0..40_000).map(|_| draw(&mut stream)).collect();
        let count = values.len() as f64;
        let found = values.iter().sum::<f64>() / count;
        let spread = values.iter().map(|value| (value - found).powi(2)).sum::<f64>() / count;
        assert!((found - mean).abs() < 5.0 * (variance / count).sqrt(), "{name}: mean {found}");
        assert!((spread / variance - 1.0).abs() < 0.08, "{name}: variance {spread}");
    }

    #[test]
    fn distributions_have_their_mean_and_variance() {
        check_moments("normal", 0.0, 1.0, Draw::normal);
        check_moments("exponential", 1.0, 1.0, Draw::exponential);
        check_moments("gamma 0.63", 0.63, 0.63, |draw| draw.gamma(0.63));
        check_moments("gamma 7", 7.0, 7.0, |draw| draw.gamma(7.0));
        check_moments("frailty", 1.0, 0.4, |draw| draw.frailty(0.4));
        check_moments("beta", 0.25, 0.25 * 0.75 / 9.0, |draw| draw.beta(0.25, 8.0));
        check_moments("poisson 3", 3.0, 3.0, |draw| draw.poisson(3.0) as f64);
        check_moments("poisson 200", 200.0, 200.0, |draw| draw.poisson(200.0) as f64);
        check_moments("t 9", 0.0, 9.0 / 7.0, |draw| draw.student_t(9.0));
    }

    #[test]
    fn the_normal_quantile_is_the_tables() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_cdf(-1.0) - 0.158_655_253_931_457_05).abs() < 1e-15);
        assert!((logistic(logit(0.3)) - 0.3).abs() < 1e-15);
    }
}
