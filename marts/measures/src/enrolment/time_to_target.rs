//! When as many subjects as are still needed will have been enrolled.

use crate::enrolment::recruitment_law::{Centre, RecruitmentLaw, check_centres};
use crate::enrolment::total::{count_laws, distribution};
use crate::error::MeasureError;
use crate::tail_probability::tail_of_level;

/// Times from now; none where it is further away than the longest time asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeToTarget {
    /// The time by which the target is reached with probability one half.
    pub median: Option<f64>,
    /// The time before which it is reached with half of what the level leaves.
    pub lower: Option<f64>,
    /// The time after which it is reached with half of it.
    pub upper: Option<f64>,
}

/// The time until the centres enrol `remaining` more subjects, by inverting the probability that they have done so by a
/// horizon ([`crate::enrolment::total_enrolment()`]); looked for up to the time `longest`.
///
/// # Errors
/// For a law or centre that is not valid, a `longest` that is not finite and positive, and a level that is not
/// between 0 and 1.
pub fn time_to_target(
    law: &RecruitmentLaw,
    centres: &[Centre],
    remaining: usize,
    level: f64,
    longest: f64,
) -> Result<TimeToTarget, MeasureError> {
    let tail = tail_of_level(level)?;
    law.check()?;
    check_centres(centres)?;
    if !(longest.is_finite() && longest > 0.0) {
        return Err(MeasureError::OutOfRange { what: "longest time", index: 0, value: longest });
    }
    let reached = |horizon: f64| probability_of(law, centres, remaining, horizon);
    let time = |probability: f64| earliest(probability, longest, reached);
    Ok(TimeToTarget { median: time(0.5), lower: time(tail), upper: time(1.0 - tail) })
}

/// The probability that `remaining` are enrolled by a horizon.
fn probability_of(law: &RecruitmentLaw, centres: &[Centre], remaining: usize, horizon: f64) -> f64 {
    let laws = count_laws(law, centres, horizon);
    let (mean, variance) =
        laws.iter().fold((0.0, 0.0), |sum, law| (sum.0 + law.mean(), sum.1 + law.variance()));
    // So far above the target that the distribution need not be made: by Cantelli's inequality.
    let above = mean - remaining as f64;
    if above > 0.0 && variance / (variance + above * above) < 1e-6 {
        return 1.0;
    }
    1.0 - distribution(&laws, mean, variance, remaining).0.below(remaining)
}

/// The time at which a rising probability reaches a value, to about twelve digits.
fn earliest(probability: f64, longest: f64, reached: impl Fn(f64) -> f64) -> Option<f64> {
    const HALVINGS: usize = 200;
    if reached(longest) < probability {
        return None;
    }
    let (mut low, mut high) = (0.0, longest);
    for _ in 0..HALVINGS {
        if high - low <= 1e-12 * high {
            break;
        }
        let middle = f64::midpoint(low, high);
        if reached(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: RecruitmentLaw = RecruitmentLaw::Gamma { shape: 2.0, rate: 1.0 };

    fn time(remaining: usize, opens_in: f64, longest: f64) -> TimeToTarget {
        let centre = Centre { enrolled: 0, exposure: 0.0, opens_in };
        time_to_target(&LAW, &[centre; 4], remaining, 0.9, longest).expect("the centres are valid")
    }

    #[test]
    fn a_target_that_is_met_takes_no_time() {
        assert!(time(0, 3.0, 10.0).upper.expect("it is met") < 1e-9);
    }

    #[test]
    fn opening_later_shifts_the_time() {
        let (now, later) = (time(20, 0.0, 100.0), time(20, 5.0, 100.0));
        for (now, later) in [(now.lower, later.lower), (now.median, later.median), (now.upper, later.upper)] {
            let (now, later) = (now.expect("it is reached"), later.expect("it is reached"));
            assert!((later - now - 5.0).abs() < 1e-9);
        }
        assert!(now.lower < now.median && now.median < now.upper);
    }

    #[test]
    fn a_target_out_of_reach_has_no_time() {
        let far = time(20, 0.0, 1.5);
        assert_eq!(far.upper, None);
    }
}
