//! A method of comparison with its parameters, and how it reads a history.

use crate::error::MeasureError;
use crate::proportion_table::{Kind, LARGEST_COUNT};

use super::control_chart::{self, Chart};
use super::critical_count;
use super::deviation;
use super::observed_minus_expected::Course;
use super::posterior::Prior;
use super::predictive::Forecast;
use super::{Levels, Reading, Snapshot, Verdict, check_expected, check_parameter};

/// How a study's rate is compared with what is tolerated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// The rate itself reaches a fixed limit. The statistic is the rate.
    Fixed {
        /// Limits of the rate.
        levels: Levels,
    },
    /// The rate lies a number of standard deviations above the expected one ([`deviation::deviation`]). The statistic is the
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
    /// A control chart over the intervals between snapshots ([`Chart`]).
    Chart {
        /// The rate expected.
        expected: f64,
        /// Which chart.
        chart: Chart,
        /// Limits in standard deviations of the chart's statistic (of a single interval, for a sum chart).
        levels: Levels,
    },
    /// Events above those expected ([`Course`]). The statistic is the excess.
    ObservedMinusExpected(Course),
    /// The posterior probability that the rate exceeds what is tolerated ([`Prior`]), for shares.
    Posterior {
        /// What was known beforehand.
        prior: Prior,
        /// The rate that is tolerated.
        tolerated: f64,
        /// Limits of the probability.
        levels: Levels,
    },
    /// The probability that the study ends above what is tolerated ([`Forecast`]), for shares.
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

fn check_share(kind: Kind, tolerated: f64) -> Result<(), MeasureError> {
    if kind == Kind::Rate {
        return Err(MeasureError::SharesOnly);
    }
    check_parameter("tolerated share", tolerated, "between 0 and 1", |value| value > 0.0 && value < 1.0)
}

#[cfg(test)]
mod tests;
