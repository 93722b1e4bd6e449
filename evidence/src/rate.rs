//! How often something happened in simulated studies, and how sure that is.

use measures::safety::wilson;

/// Hits among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// How often it happened.
    pub hits: u64,
    /// How often it could have.
    pub all: u64,
}

/// The level of the interval.
const LEVEL: f64 = 0.95;

impl Rate {
    /// Counts the trials in which it happened.
    pub fn of(trials: impl IntoIterator<Item = bool>) -> Self {
        trials
            .into_iter()
            .fold(Self::default(), |rate, hit| Self { hits: rate.hits + u64::from(hit), all: rate.all + 1 })
    }

    /// The share and its limits: Wilson's interval at 95 %; none without a trial.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64, f64)> {
        let found = wilson(self.hits, self.all, LEVEL).ok()?;
        Some((found.proportion, found.lower, found.upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        assert_eq!(Rate::of([true, false, true]), Rate { hits: 2, all: 3 });
        assert_eq!(Rate::default().interval(), None);
        // By statsmodels 0.15.0: proportion_confint(8, 10, method="wilson").
        let (share, low, high) = Rate { hits: 8, all: 10 }.interval().expect("there are trials");
        assert!((share - 0.8).abs() < 1e-12);
        assert!(
            (low - 0.490_162_471_536_641_8).abs() < 1e-9 && (high - 0.943_317_848_545_624_8).abs() < 1e-9
        );
    }
}
