//! The excess of events over those expected: a line that wanders about zero while all is well.

use crate::error::MeasureError;
use crate::proportion_table::{Kind, LARGEST_COUNT};

use super::critical_count::count_law;
use super::{Reading, Verdict, check_expected, check_parameter};

/// The course that a study is held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// The rate expected.
    pub expected: f64,
    /// The rate that the study may have in the end, above the expected one.
    pub permitted: f64,
    /// The units that the study is to come to.
    pub planned_units: f64,
    /// The probability of a lower count at the upper warning limit, and of a higher one at the lower, as 0.99.
    pub warning: f64,
}

/// The excess at one snapshot and its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excess {
    /// Events less the expected number.
    pub excess: f64,
    /// Lower and upper warning limit: quantiles of the count at the expected rate, less the expected number.
    pub warning: (f64, f64),
    /// Upper action limit: the excess at the planned end if the rate is the permitted one.
    pub action: f64,
    /// Breach above the action limit, secondary above the upper warning limit.
    pub verdict: Verdict,
}

impl Course {
    pub(super) fn check(self) -> Result<(), MeasureError> {
        check_parameter("permitted rate", self.permitted, "above the expected one", |value| {
            value > self.expected
        })?;
        check_parameter("planned number of units", self.planned_units, "above 0", |value| value > 0.0)?;
        check_parameter("probability", self.warning, "between 0.5 and 1", |value| value > 0.5 && value < 1.0)
    }

    /// The excess of a number of events among some units. A limit is passed when it is exceeded, not when it is met.
    ///
    /// # Errors
    /// For a course that is not defined, and for events or units that are no counts (of at most 2^40).
    // Source: the observed-minus-expected method of rbqmR (f970c3d).
    pub fn excess(&self, kind: Kind, events: f64, units: f64) -> Result<Excess, MeasureError> {
        check_expected(kind, self.expected)?;
        self.check()?;
        let counted = |value: f64| (0.0..=LARGEST_COUNT).contains(&value);
        check_parameter("number of events", events, "a whole count", |value| {
            counted(value) && value.fract() == 0.0
        })?;
        check_parameter("number of units", units, "a count of at most 2^40", |value| {
            counted(value) && (kind == Kind::Rate || value.fract() == 0.0)
        })?;
        Ok(self.at(kind, events, units))
    }

    fn at(&self, kind: Kind, events: f64, units: f64) -> Excess {
        let law = count_law(kind, self.expected, units);
        let (low, high) = (law.quantile(1.0 - self.warning), law.quantile(self.warning));
        let mean = self.expected * units;
        let excess = events - mean;
        let action = self.planned_units * (self.permitted - self.expected);
        // A limit that is met but for rounding is not exceeded.
        let verdict = if excess > action + 1e-9 * action.max(1.0) {
            Verdict::Breach
        } else if events > high {
            Verdict::Secondary
        } else {
            Verdict::Within
        };
        Excess { excess, warning: (low - mean, high - mean), action, verdict }
    }

    pub(super) fn reading(&self, kind: Kind, events: f64, units: f64) -> Reading {
        let Excess { excess, warning, action, verdict } = self.at(kind, events, units);
        Reading { statistic: Some(excess), secondary: Some(warning.1), limit: Some(action), verdict }
    }
}
