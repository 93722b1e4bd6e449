//! Where a study is heading: the probability that its share is above what is tolerated when it ends.

use crate::error::MeasureError;
use crate::law::saddle_point::ln_binomial;

use super::check_parameter;
use super::posterior::{Posterior, Prior};

/// What was known beforehand, and what the study is to come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// What was known of the share.
    pub prior: Prior,
    /// The share that is tolerated at the end.
    pub tolerated: f64,
    /// The units that the study is to come to; if it has more already, those it has.
    pub planned_units: f64,
}

/// The largest plan whose law is summed in good time.
const MOST_UNITS: f64 = 1e8;

impl Forecast {
    pub(super) fn check(self) -> Result<(), MeasureError> {
        self.prior.check()?;
        check_parameter(
            "planned number of units",
            self.planned_units,
            "a whole count of at most 1e8",
            |value| value > 0.0 && value <= MOST_UNITS && value.fract() == 0.0,
        )
    }

    /// The probability that the share at the end exceeds what is tolerated, after `events` among `units`.
    ///
    /// The events still to come have a beta-binomial law: those of a share that is known by its posterior.
    ///
    /// # Errors
    /// For a forecast that is not defined, and for counts that are not whole or exceed their units.
    pub fn probability(&self, events: f64, units: f64) -> Result<f64, MeasureError> {
        self.check()?;
        check_parameter("tolerated share", self.tolerated, "between 0 and 1", |value| {
            value > 0.0 && value < 1.0
        })?;
        check_parameter("number of units", units, "a whole count", |value| {
            value >= 0.0 && value.fract() == 0.0
        })?;
        check_parameter("number of events", events, "a whole count of at most the units", |value| {
            (0.0..=units).contains(&value) && value.fract() == 0.0
        })?;
        Ok(self.breach(events, units))
    }

    pub(super) fn breach(&self, events: f64, units: f64) -> f64 {
        let last = self.planned_units.max(units);
        let left = last - units;
        // The first number of events above the tolerated share of all units; a product that is whole but for
        // rounding is whole.
        let tolerated = (self.tolerated * last + 1e-9).floor();
        let needed = tolerated + 1.0 - events;
        if needed <= 0.0 {
            return 1.0;
        }
        if needed > left {
            return 0.0;
        }
        let posterior = self.prior.after(events, units);
        if needed > left * posterior.mean() {
            mass_from(posterior, left, needed).min(1.0)
        } else {
            // The complement is the smaller side: fewer events than needed, counted as units without one.
            let mirrored = Posterior { a: posterior.b, b: posterior.a };
            1.0 - mass_from(mirrored, left, left - needed + 1.0).min(1.0)
        }
    }
}

/// The probability of `from` or more events among `units`, at a share with a beta law.
fn mass_from(Posterior { a, b }: Posterior, units: f64, from: f64) -> f64 {
    let mut term = ln_mass(a, b, units, from).exp();
    let (mut sum, mut count) = (term, from);
    // The law may rise again at its end, if the share may be near one: only then are all terms needed.
    let falls = b >= 1.0;
    while count < units && !(falls && term <= sum * 1e-18) {
        term *= (units - count) * (a + count) / ((count + 1.0) * (b + units - count - 1.0));
        sum += term;
        count += 1.0;
    }
    sum
}

/// The logarithm of the beta-binomial mass `C(m, y) B(a + y, b + m - y) / B(a, b)`, as three binomial densities of one
/// chance, so that large logarithms do not cancel.
fn ln_mass(a: f64, b: f64, units: f64, count: f64) -> f64 {
    let all = a + b + units;
    let chance = (a + count) / all;
    let rest = (b + units - count) / all;
    ln_binomial(count, units, chance, rest) + ln_binomial(a, a + b, chance, rest)
        - ln_binomial(a + count, all, chance, rest)
        + (a * b / (a + b)).ln()
        - (all * chance * rest).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_probability(forecast: (f64, f64, f64, f64), counted: (f64, f64), expected: f64) {
        let (a, b, tolerated, planned_units) = forecast;
        let forecast = Forecast { prior: Prior { a, b }, tolerated, planned_units };
        let ours = forecast.probability(counted.0, counted.1).expect("the forecast is valid");
        assert!((ours - expected).abs() < 1e-12, "{ours} against {expected}");
    }

    #[test]
    fn events_to_come_follow_what_is_known() {
        // By hand: a flat prior makes 0 to 4 events among 4 equally likely; more than 1 of 4 are three of five.
        check_probability((1.0, 1.0, 0.25, 4.0), (0.0, 0.0), 0.6);
        // By hand: after 1 of 1, the share has density 2p; both of two more with probability 2/4, one with 1/3.
        check_probability((1.0, 1.0, 0.9, 3.0), (1.0, 1.0), 0.5);
        check_probability((1.0, 1.0, 0.5, 3.0), (1.0, 1.0), 0.5 + 1.0 / 3.0);
    }

    #[test]
    fn what_is_settled_is_certain() {
        check_probability((0.5, 0.5, 0.1, 10.0), (2.0, 5.0), 1.0);
        check_probability((0.5, 0.5, 0.5, 10.0), (0.0, 6.0), 0.0);
        check_probability((0.5, 0.5, 0.1, 10.0), (1.0, 10.0), 0.0);
        check_probability((0.5, 0.5, 0.1, 10.0), (2.0, 12.0), 1.0);
    }
}
