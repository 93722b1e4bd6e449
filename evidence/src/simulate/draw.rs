//! Random numbers of one stream, and the few distributions that the processes are made of.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use kernel::Seed;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Exp1, Gamma, Poisson, StandardNormal, StudentT};

/// One stream of random numbers. Its name says whose and what for.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of a name.
    pub(super) fn new(seed: Seed, name: &str) -> Self {
        Self(ChaCha8Rng::from_seed(seed.stream(name)))
    }

    /// Evenly between 0 and 1, without 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// True with a probability. Draws once whatever the probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Evenly among `0..count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// Evenly among the days from the first to the last.
    pub(super) fn day(&mut self, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        after(first, self.0.random_range(0..=(last - first).num_days().max(0)))
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

    /// Standard normal.
    pub(super) fn normal(&mut self) -> f64 {
        self.0.sample(StandardNormal)
    }

    /// Exponential of mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        self.0.sample(Exp1)
    }

    /// Log-normal by its median and the standard deviation of its logarithm.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Student's t.
    pub(super) fn student_t(&mut self, degrees: f64) -> f64 {
        self.0.sample(StudentT::new(degrees).expect("the callers' degrees of freedom are positive"))
    }

    /// Gamma of mean 1 by its variance; 1 where that is 0.
    pub(super) fn frailty(&mut self, variance: f64) -> f64 {
        if variance > 0.0 { self.gamma(1.0 / variance) * variance } else { 1.0 }
    }

    /// Gamma of scale 1 by its shape.
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        self.0.sample(Gamma::new(shape, 1.0).expect("a plan's shapes and variances are checked"))
    }

    /// Beta by its mean and concentration; the mean itself where that is 0.
    pub(super) fn beta(&mut self, mean: f64, concentration: f64) -> f64 {
        if mean > 0.0 {
            let beta = Beta::new(mean * concentration, (1.0 - mean) * concentration);
            self.0.sample(beta.expect("a plan's shares are below 1 and its concentration is positive"))
        } else {
            mean
        }
    }

    /// Poisson; 0 where the mean is 0.
    pub(super) fn poisson(&mut self, mean: f64) -> i64 {
        if mean > 0.0 {
            // A frailty has no upper end; the cap keeps the count within what a subject can have.
            let poisson = Poisson::new(mean.min(1e6));
            whole(self.0.sample(poisson.expect("the mean is positive and capped")))
        } else {
            0
        }
    }

    /// A moment of a day's office hours.
    pub(super) fn moment(&mut self, day: NaiveDate) -> NaiveDateTime {
        let seconds = self.0.random_range(8 * 3600..18 * 3600);
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

/// The day some days after another, or before it.
pub(super) fn after(day: NaiveDate, days: i64) -> NaiveDate {
    day + TimeDelta::days(days.clamp(-100_000, 100_000))
}

/// The nearest working day: Friday for Saturday, Monday for Sunday.
pub(super) fn working_day(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => after(day, -1),
        Weekday::Sun => after(day, 1),
        _ => day,
    }
}
