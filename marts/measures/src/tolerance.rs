//! Tolerance limits of a whole study: is a rate still within the range that was agreed before it began?
//!
//! A [`Rule`] reads a history of cumulative counts by one [`Method`] and gives a [`Reading`] per snapshot, with the
//! secondary limit (worth a look) and the limit itself (a breach). Higher is worse in every method: count what is
//! not wanted. [`hierarchical`] judges by groups instead of a history, [`alarm`] says what follows from a verdict,
//! [`operating_characteristics`] what a rule is worth.
pub mod alarm;
pub mod control_chart;
pub mod critical_count;
pub mod deviation;
pub mod hierarchical;
pub mod observed_minus_expected;
pub mod operating_characteristics;
pub mod posterior;
pub mod predictive;
pub mod rule;

pub use rule::{Method, Rule};

use crate::error::MeasureError;
use crate::proportion_table::Kind;

/// All that was counted from the start of the study up to a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Events so far: the numerator.
    pub events: f64,
    /// Subjects, visits or exposure so far: the denominator.
    pub units: f64,
}

/// A secondary limit and the limit, on the scale of a method's statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    // INVARIANT: both are finite and the secondary one is not above the limit.
    secondary: f64,
    limit: f64,
}

impl Levels {
    /// Two limits; give the same twice for a rule without a secondary one.
    ///
    /// # Errors
    /// If one is not finite, or the secondary limit lies above the limit.
    pub fn new(secondary: f64, limit: f64) -> Result<Self, MeasureError> {
        if secondary.is_finite() && limit.is_finite() && secondary <= limit {
            Ok(Self { secondary, limit })
        } else {
            Err(MeasureError::Levels { secondary, limit })
        }
    }

    /// Checks limits of a probability: at 0 or 1 they would always be reached, or hardly ever.
    fn check_probabilities(self) -> Result<(), MeasureError> {
        let inside = |value: f64| value > 0.0 && value < 1.0;
        check_parameter("secondary limit of a probability", self.secondary, "between 0 and 1", inside)?;
        check_parameter("limit of a probability", self.limit, "between 0 and 1", inside)
    }

    /// What a statistic means: a limit that is reached is passed.
    #[must_use]
    pub fn verdict(self, statistic: f64) -> Verdict {
        if statistic >= self.limit {
            Verdict::Breach
        } else if statistic >= self.secondary {
            Verdict::Secondary
        } else {
            Verdict::Within
        }
    }
}

/// How a snapshot stands to its limits, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Too little was counted to say.
    TooFew,
    /// Below the secondary limit.
    Within,
    /// At the secondary limit or above, below the limit.
    Secondary,
    /// At the limit or above.
    Breach,
}

/// One snapshot as a method reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// What the method compares; none where nothing has been under observation yet.
    pub statistic: Option<f64>,
    /// The secondary limit at this snapshot, on the scale of the statistic.
    pub secondary: Option<f64>,
    /// The limit at this snapshot, on the scale of the statistic.
    pub limit: Option<f64>,
    /// How they compare.
    pub verdict: Verdict,
}

impl Reading {
    fn of(statistic: f64, levels: Levels) -> Self {
        Self {
            statistic: Some(statistic),
            secondary: Some(levels.secondary),
            limit: Some(levels.limit),
            verdict: levels.verdict(statistic),
        }
    }

    const NOTHING: Self = Self { statistic: None, secondary: None, limit: None, verdict: Verdict::TooFew };
}

/// Checks a parameter that has to be finite and to satisfy a condition.
pub(crate) fn check_parameter(
    name: &'static str,
    value: f64,
    range: &'static str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), MeasureError> {
    if value.is_finite() && holds(value) {
        Ok(())
    } else {
        Err(MeasureError::Parameter { name, value, range })
    }
}

/// Checks an expected rate: it has to leave room for chance.
pub(crate) fn check_expected(kind: Kind, expected: f64) -> Result<(), MeasureError> {
    match kind {
        Kind::Rate => check_parameter("expected rate", expected, "above 0", |value| value > 0.0),
        Kind::Binary => {
            check_parameter("expected share", expected, "between 0 and 1", |value| value > 0.0 && value < 1.0)
        }
    }
}
