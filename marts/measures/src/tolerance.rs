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

use crate::error::MeasureError;
use crate::proportion_table::{Kind, LARGEST_COUNT};
use control_chart::Chart;
use observed_minus_expected::Course;
use posterior::Prior;
use predictive::Forecast;

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

/// How a study's rate is compared with what is tolerated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The rate itself reaches a fixed limit. The statistic is the rate.
    Fixed {
        /// Limits of the rate.
        levels: Levels,
    },
    /// The rate lies a number of standard deviations above the expected one ([`deviation`]). The statistic is the
    /// rate, its limits are `expected + k sd` at the units of the snapshot.
    Deviations {
        /// The rate expected.
        expected: f64,
        /// Limits of the number `k` of standard deviations.
        levels: Levels,
    },
    /// The count has a small probability at the expected rate ([`critical_count`]). The statistic is the count,
    /// its limits the critical counts.
    Exact {
        /// The rate expected.
        expected: f64,
        /// The probability of a lower count that makes one critical, as 0.975 and 0.99865.
        levels: Levels,
    },
    /// A control chart over the intervals between snapshots ([`control_chart`]).
    Chart {
        /// The rate expected.
        expected: f64,
        /// Which chart.
        chart: Chart,
        /// Limits in standard deviations of the chart's statistic (of a single interval, for a sum chart).
        levels: Levels,
    },
    /// Events above those expected ([`observed_minus_expected`]). The statistic is the excess.
    ObservedMinusExpected(Course),
    /// The posterior probability that the rate exceeds what is tolerated ([`posterior`]), for shares.
    Posterior {
        /// What was known beforehand.
        prior: Prior,
        /// The rate that is tolerated.
        tolerated: f64,
        /// Limits of the probability.
        levels: Levels,
    },
    /// The probability that the study ends above what is tolerated ([`predictive`]), for shares.
    Predictive {
        /// What was known beforehand, and what the study is to come to.
        forecast: Forecast,
        /// Limits of the probability.
        levels: Levels,
    },
}

/// A method with valid parameters, and the least to be counted before it speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    // INVARIANT: the parameters of `method` are within what it is defined for, `least_units` is not negative.
    kind: Kind,
    method: Method,
    least_units: f64,
}

impl Rule {
    /// A rule for rates or shares. Before `least_units` the verdict is [`Verdict::TooFew`].
    ///
    /// # Errors
    /// If a parameter is outside the values that its method is defined for, and for rates in a method for shares.
    pub fn new(kind: Kind, method: Method, least_units: f64) -> Result<Self, MeasureError> {
        check_parameter("least number of units", least_units, "finite and not negative", |value| {
            value >= 0.0
        })?;
        match method {
            Method::Fixed { .. } => {}
            Method::Deviations { expected, .. } => check_expected(kind, expected)?,
            Method::Exact { expected, levels } => {
                check_expected(kind, expected)?;
                levels.check_probabilities()?;
            }
            Method::Chart { expected, chart, .. } => {
                check_expected(kind, expected)?;
                chart.check()?;
            }
            Method::ObservedMinusExpected(course) => {
                check_expected(kind, course.expected)?;
                course.check()?;
            }
            Method::Posterior { prior, tolerated, levels } => {
                check_share(kind, tolerated)?;
                prior.check()?;
                levels.check_probabilities()?;
            }
            Method::Predictive { forecast, levels } => {
                check_share(kind, forecast.tolerated)?;
                forecast.check()?;
                levels.check_probabilities()?;
            }
        }
        Ok(Self { kind, method, least_units })
    }

    /// The rule's reading of each snapshot, in the order of the history.
    ///
    /// # Errors
    /// If a snapshot's counts are negative or not finite, for shares if events exceed units, and, for the methods
    /// that count exactly, if they are not whole.
    pub fn readings(&self, history: &[Snapshot]) -> Result<Vec<Reading>, MeasureError> {
        for (place, snapshot) in history.iter().enumerate() {
            self.check_snapshot(place, *snapshot)?;
        }
        let mut readings: Vec<Reading> = match self.method {
            Method::Chart { expected, chart, levels } => {
                control_chart::readings(history, self.kind, expected, chart, levels)
            }
            _ => history.iter().map(|snapshot| self.reading(*snapshot)).collect(),
        };
        for (reading, snapshot) in readings.iter_mut().zip(history) {
            if snapshot.units < self.least_units {
                reading.verdict = Verdict::TooFew;
            }
        }
        Ok(readings)
    }

    /// What the rule's numerators count.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn reading(&self, Snapshot { events, units }: Snapshot) -> Reading {
        if units == 0.0 {
            return Reading::NOTHING;
        }
        match self.method {
            Method::Fixed { levels } => Reading::of(events / units, levels),
            Method::Deviations { expected, levels } => {
                let at = |k: f64| deviation::limit(self.kind, expected, units, k);
                Reading::of(
                    events / units,
                    Levels { secondary: at(levels.secondary), limit: at(levels.limit) },
                )
            }
            Method::Exact { expected, levels } => {
                let at = |mass: f64| critical_count::critical(self.kind, expected, units, mass);
                Reading::of(events, Levels { secondary: at(levels.secondary), limit: at(levels.limit) })
            }
            Method::ObservedMinusExpected(course) => course.reading(self.kind, events, units),
            Method::Posterior { prior, tolerated, levels } => {
                Reading::of(prior.after(events, units).above(tolerated), levels)
            }
            Method::Predictive { forecast, levels } => Reading::of(forecast.breach(events, units), levels),
            Method::Chart { .. } => Reading::NOTHING,
        }
    }

    fn check_snapshot(&self, place: usize, Snapshot { events, units }: Snapshot) -> Result<(), MeasureError> {
        let counts = [events, units].iter().all(|value| value.is_finite() && *value >= 0.0);
        let part = self.kind == Kind::Rate || events <= units;
        let counted = |value: f64| value.fract() == 0.0 && value <= LARGEST_COUNT;
        let whole = match self.method {
            Method::Fixed { .. } | Method::Deviations { .. } | Method::Chart { .. } => true,
            Method::Posterior { .. } | Method::Predictive { .. } => counted(events) && counted(units),
            Method::Exact { .. } | Method::ObservedMinusExpected(_) => {
                counted(events) && (self.kind == Kind::Rate || counted(units)) && units <= LARGEST_COUNT
            }
        };
        if counts && part && whole {
            Ok(())
        } else {
            Err(MeasureError::Snapshot { snapshot: place, events, units })
        }
    }
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

fn check_share(kind: Kind, tolerated: f64) -> Result<(), MeasureError> {
    if kind == Kind::Rate {
        return Err(MeasureError::SharesOnly);
    }
    check_parameter("tolerated share", tolerated, "between 0 and 1", |value| value > 0.0 && value < 1.0)
}

#[cfg(test)]
mod tests;
