//! Events over the time at risk.

use crate::error::MeasureError;
use crate::tail_probability::{crossing, gamma_lower, gamma_upper, tail_of_level};

/// A rate per unit of exposure with its exact limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidenceRate {
    /// Events over exposure.
    pub rate: f64,
    /// The lower limit; zero for no event.
    pub lower: f64,
    /// The upper limit, above zero even for no event.
    pub upper: f64,
}

/// The exposure-adjusted incidence rate of a count, with the exact Poisson interval: the rates at which this
/// count or a higher one, and this count or a lower one, has half of what the level leaves. In the unit of `exposure`: for
/// events per 100 patient-years give the exposure in hundreds of years.
///
/// # Errors
/// For an exposure that is not finite and positive, and for a level that is not between 0 and 1.
// Source: Garwood F, Biometrika 1936;28:437-442, through the gamma distribution.
pub fn incidence_rate(events: u64, exposure: f64, level: f64) -> Result<IncidenceRate, MeasureError> {
    let tail = tail_of_level(level)?;
    if !(exposure.is_finite() && exposure > 0.0) {
        return Err(MeasureError::OutOfRange { what: "exposure", index: 0, value: exposure });
    }
    let count = events as f64;
    let lower = if events == 0 { 0.0 } else { crossing(tail, 0.0, count, |mean| gamma_lower(count, mean)) };
    let above = beyond(count + 1.0, tail);
    let upper = crossing(-tail, count, above, |mean| -gamma_upper(count + 1.0, mean));
    Ok(IncidenceRate { rate: count / exposure, lower: lower / exposure, upper: upper / exposure })
}

/// A point with less than `tail` above it.
fn beyond(shape: f64, tail: f64) -> f64 {
    let mut point = 2.0 * shape + 10.0;
    while gamma_upper(shape, point) > tail {
        point *= 2.0;
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(events: u64, level: f64, lower: f64, upper: f64) {
        let ours = incidence_rate(events, 2.0, level).expect("the exposure is valid");
        assert_eq!(ours.rate, events as f64 / 2.0);
        assert!((ours.lower * 2.0 - lower).abs() <= 1e-10 * lower, "{} against {lower}", ours.lower * 2.0);
        assert!((ours.upper * 2.0 - upper).abs() <= 1e-10 * upper, "{} against {upper}", ours.upper * 2.0);
    }

    // By scipy 1.17.1: gamma.ppf(tail, events) and gamma.isf(tail, events + 1).
    #[test]
    fn limits_are_exact() {
        check(1, 0.95, 0.025317807984289897, 5.571643390938898);
        check(7, 0.95, 2.814363051519867, 14.422675361702376);
        check(7, 0.8, 3.894766804876185, 11.770914461548053);
        check(1200, 0.99, 1112.6495385983146, 1292.1438962739044);
    }

    #[test]
    fn no_event_is_bounded_by_the_logarithm_of_the_tail() {
        check(0, 0.95, 0.0, -(0.025_f64).ln());
    }

    #[test]
    fn no_exposure_has_no_rate() {
        for exposure in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(incidence_rate(1, exposure, 0.95).is_err());
        }
        assert!(incidence_rate(1, 1.0, 95.0).is_err());
    }
}
