//! When as many subjects as are still needed will have been enrolled.

use crate::enrolment::recruitment_belief::RecruitmentBelief;
use crate::enrolment::recruitment_law::{Centre, RecruitmentLaw, check_centres};
use crate::enrolment::total::{count_laws, distribution, moments};
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
    belief: &RecruitmentBelief,
    centres: &[Centre],
    remaining: usize,
    level: f64,
    longest: f64,
) -> Result<TimeToTarget, MeasureError> {
    let tail = tail_of_level(level)?;
    belief.check()?;
    check_centres(centres)?;
    if !(longest.is_finite() && longest > 0.0) {
        return Err(MeasureError::OutOfRange { what: "longest time", index: 0, value: longest });
    }
    let reached = |horizon: f64| -> f64 {
        let parts = belief.laws().iter();
        parts.map(|(law, weight)| weight * probability_of(law, centres, remaining, horizon)).sum()
    };
    let time = |probability: f64| earliest(probability, longest, reached);
    Ok(TimeToTarget { median: time(0.5), lower: time(tail), upper: time(1.0 - tail) })
}

/// The probability that `remaining` are enrolled by a horizon.
fn probability_of(law: &RecruitmentLaw, centres: &[Centre], remaining: usize, horizon: f64) -> f64 {
    let laws = count_laws(law, centres, horizon);
    let (mean, variance) = moments(&laws);
    // So far above the target that the distribution need not be made: by Cantelli's inequality.
    let above = mean - remaining as f64;
    if above > 0.0 && variance / (variance + above * above) < 1e-6 {
        return 1.0;
    }
    1.0 - distribution(&laws, remaining).0.below(remaining)
}

/// The end of an interval that moved last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Low,
    High,
}

/// The time at which a rising probability reaches a value, to about ten digits: by the secant with Illinois' weights, and by
/// halving in every fourth step, since before the first centre opens there is no slope to follow.
fn earliest(probability: f64, longest: f64, reached: impl Fn(f64) -> f64) -> Option<f64> {
    const STEPS: u32 = 200;
    let (mut low, mut high) = (0.0, longest);
    let (mut below, mut above) = (reached(low) - probability, reached(high) - probability);
    if below >= 0.0 {
        return Some(low);
    }
    if above < 0.0 {
        return None;
    }
    let mut moved = None;
    for step in 1..=STEPS {
        if high - low <= 1e-10 * high {
            break;
        }
        let secant = high - above * (high - low) / (above - below);
        // A step that falls on an end makes no headway; one just inside it closes the interval.
        let least = 2e-11 * high;
        let next =
            if step % 4 == 0 { f64::midpoint(low, high) } else { secant.clamp(low + least, high - least) };
        let value = reached(next) - probability;
        // An end that stays for the second time counts half, so that the secant reaches across.
        if value < 0.0 {
            (low, below) = (next, value);
            above = if moved == Some(End::Low) { above / 2.0 } else { above };
            moved = Some(End::Low);
        } else {
            (high, above) = (next, value);
            below = if moved == Some(End::High) { below / 2.0 } else { below };
            moved = Some(End::High);
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
        time_to_target(&LAW.into(), &[centre; 4], remaining, 0.9, longest).expect("the centres are valid")
    }

    #[test]
    fn a_target_that_is_met_takes_no_time() {
        assert_eq!(time(0, 3.0, 10.0).upper, Some(0.0));
    }

    #[test]
    fn opening_later_shifts_the_time() {
        let (now, later) = (time(20, 0.0, 100.0), time(20, 5.0, 100.0));
        for (now, later) in [(now.lower, later.lower), (now.median, later.median), (now.upper, later.upper)] {
            let (now, later) = (now.expect("it is reached"), later.expect("it is reached"));
            assert!((later - now - 5.0).abs() < 1e-8);
        }
        assert!(now.lower < now.median && now.median < now.upper);
    }

    #[test]
    fn a_target_out_of_reach_has_no_time() {
        let far = time(20, 0.0, 1.5);
        assert_eq!(far.upper, None);
    }
}
