//! The share that remains at each time.

use crate::error::MeasureError;
use crate::survival::risk_table::moments;
use crate::tail_probability::{normal_quantile_upper, tail_of_level};

/// On which scale the limits are symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// `S -/+ z S se`, cut to 0 and 1.
    Plain,
    /// `S exp(-/+ z se)`, cut to 1: the default of R.
    Log,
    /// `S^exp(+/- z se / ln S)`: the default of SAS, and the one to show, since it stays between 0 and 1.
    LogLog,
}

/// The estimate from one time until the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalStep {
    /// When the step begins, in the unit of the times given.
    pub time: f64,
    /// Subjects at risk just before.
    pub at_risk: u64,
    /// Subjects with an event at this time.
    pub events: u64,
    /// Subjects last seen at this time without one.
    pub censored: u64,
    /// The share without an event, from 0 to 1.
    pub survival: f64,
    /// The standard error of the logarithm of `survival`; none once nobody remains. Times `survival` it is
    /// Greenwood's standard error.
    pub log_standard_error: Option<f64>,
    /// The limits of `survival`; none where the scale has no value, that is for the log-log band before the first
    /// event, and for every band once nobody remains.
    pub limits: Option<(f64, f64)>,
}

/// The product-limit estimate `S(t) = prod (1 - d / n)` over the times up to `t`, with Greenwood's variance
/// `var ln S = sum d / (n (n - d))` and pointwise limits. `events` tells for each time whether it ended in an event or was
/// cut short. One step per distinct time.
///
/// # Errors
/// For slices that do not pair or are empty, for times that are negative or not finite, and for a level that is not
/// between 0 and 1.
// Source: Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481; Greenwood M, 1926; limits as in Klein JP,
// Moeschberger ML, Survival Analysis, 2nd ed., 4.3.
pub fn kaplan_meier(
    times: &[f64],
    events: &[bool],
    band: Band,
    level: f64,
) -> Result<Vec<SurvivalStep>, MeasureError> {
    let z = normal_quantile_upper(tail_of_level(level)?);
    let causes: Vec<usize> = events.iter().map(|event| usize::from(*event)).collect();
    let mut survival = 1.0;
    let mut log_variance = 0.0;
    let steps = moments(times, &causes)?.into_iter().map(|moment| {
        let (at_risk, events) = (moment.at_risk, moment.events());
        survival *= (at_risk - events) as f64 / at_risk as f64;
        log_variance += events as f64 / (at_risk as f64 * (at_risk - events) as f64);
        let log_standard_error = (survival > 0.0).then(|| f64::sqrt(log_variance));
        SurvivalStep {
            time: moment.time,
            at_risk,
            events,
            censored: moment.by_cause[0],
            survival,
            log_standard_error,
            limits: log_standard_error.and_then(|error| limits(band, survival, z * error)),
        }
    });
    Ok(steps.collect())
}

/// The limits at one point, where `reach` is the half-width on the logarithmic scale.
fn limits(band: Band, survival: f64, reach: f64) -> Option<(f64, f64)> {
    match band {
        Band::Plain => Some(((survival - survival * reach).max(0.0), (survival + survival * reach).min(1.0))),
        Band::Log => Some((survival * (-reach).exp(), (survival * reach.exp()).min(1.0))),
        Band::LogLog if survival < 1.0 => {
            let log = survival.ln();
            let factor = (reach / -log).exp();
            Some(((log * factor).exp(), (log / factor).exp()))
        }
        Band::LogLog => None,
    }
}

/// The earliest time at which at most `1 - share` remain (share 0.5: the median time); where the curve is level at
/// exactly `1 - share`, the middle of that stretch. None where the curve does not come down so far.
// Source: R survival `quantile.survfit`, which averages over the flat stretch.
#[must_use]
pub fn survival_quantile(steps: &[SurvivalStep], share: f64) -> Option<f64> {
    let target = 1.0 - share;
    let close = |step: &SurvivalStep| (step.survival - target).abs() <= 1e-9 * target.max(1e-9);
    let first = steps.iter().position(|step| step.events > 0 && (step.survival <= target || close(step)))?;
    if !close(&steps[first]) {
        return Some(steps[first].time);
    }
    let end = steps[first + 1..].iter().find(|step| step.events > 0).or(steps.last())?;
    Some(f64::midpoint(steps[first].time, end.time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(band: Band) -> Vec<SurvivalStep> {
        let times = [1.0, 2.0, 2.0, 3.0, 4.0];
        kaplan_meier(&times, &[true, true, false, false, true], band, 0.95).expect("the times are valid")
    }

    #[test]
    fn the_curve_falls_by_the_share_of_those_at_risk() {
        // By hand: 4/5, then 4/5 * 3/4, then unchanged, then none.
        let survival: Vec<f64> = curve(Band::Plain).iter().map(|step| step.survival).collect();
        for (ours, theirs) in survival.iter().zip([0.8, 0.6, 0.6, 0.0]) {
            assert!((ours - theirs).abs() < 1e-15);
        }
        // By hand: 1/(5*4) + 1/(4*3) = 2/15.
        let error = curve(Band::Log)[1].log_standard_error.expect("somebody remains");
        assert!((error * error - 2.0 / 15.0).abs() < 1e-15);
    }

    #[test]
    fn nobody_left_has_no_limits() {
        for band in [Band::Plain, Band::Log, Band::LogLog] {
            let last = curve(band)[3];
            assert_eq!((last.survival, last.log_standard_error, last.limits), (0.0, None, None));
        }
    }

    #[test]
    fn the_limits_hold_the_estimate_and_stay_between_zero_and_one() {
        for band in [Band::Plain, Band::Log, Band::LogLog] {
            for step in &curve(band)[..3] {
                let (lower, upper) = step.limits.expect("somebody remains and somebody left");
                assert!(0.0 <= lower && lower < step.survival && step.survival < upper && upper <= 1.0);
            }
        }
    }

    #[test]
    fn a_quantile_is_read_from_the_curve() {
        let steps = curve(Band::LogLog);
        assert_eq!(survival_quantile(&steps, 0.2), Some(1.5), "level at 0.8 from 1 to 2");
        assert_eq!(survival_quantile(&steps, 0.3), Some(2.0));
        assert_eq!(survival_quantile(&steps, 0.5), Some(4.0));
        assert_eq!(survival_quantile(&steps[..3], 0.5), None);
    }
}
