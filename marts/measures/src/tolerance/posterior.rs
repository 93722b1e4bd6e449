//! What is known of a share after some of its events: a beta law, from a beta law of what was known before.

use crate::error::MeasureError;
use crate::law::beta;

use super::check_parameter;

/// A beta law of a share: as if `a` events had been seen among `a + b` units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Events, as it were; above zero.
    pub a: f64,
    /// Units without one, as it were; above zero.
    pub b: f64,
}

impl Prior {
    pub(super) fn check(self) -> Result<(), MeasureError> {
        check_parameter("prior number of events", self.a, "above 0 and at most 1e9", usable)?;
        check_parameter("prior number of other units", self.b, "above 0 and at most 1e9", usable)
    }

    /// What is known after `events` among `units`. Both are whole and `events` is at most `units`.
    pub(super) fn after(self, events: f64, units: f64) -> Posterior {
        Posterior { a: self.a + events, b: self.b + (units - events) }
    }

    /// What is known of the share after `events` among `units`.
    ///
    /// # Errors
    /// For a law whose parameters are not positive (and at most 1e9), and for more events than units.
    pub fn posterior(self, events: f64, units: f64) -> Result<Posterior, MeasureError> {
        self.check()?;
        check_parameter("number of units", units, "finite and not negative", |value| value >= 0.0)?;
        check_parameter("number of events", events, "at most the number of units", |value| {
            (0.0..=units).contains(&value)
        })?;
        Ok(self.after(events, units))
    }
}

fn usable(value: f64) -> bool {
    value > 0.0 && value <= 1e9
}

/// A beta law of a share, given what was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Posterior {
    /// The probability that the share exceeds a value.
    #[must_use]
    pub fn above(self, share: f64) -> f64 {
        beta::sides(self.a, self.b, share).1
    }

    /// The expected share.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The value below which the share lies with a probability, between 0 and 1.
    #[must_use]
    pub fn quantile(self, probability: f64) -> f64 {
        beta::quantile(self.a, self.b, probability)
    }
}
