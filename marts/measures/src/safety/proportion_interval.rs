//! A share of subjects, with limits.

use crate::error::MeasureError;
use crate::tail_probability::{beta_lower, crossing, normal_quantile_upper, tail_of_level};

/// A proportion with its limits, all from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionInterval {
    /// Subjects with the event over all.
    pub proportion: f64,
    /// The lower limit.
    pub lower: f64,
    /// The upper limit.
    pub upper: f64,
}

/// The score interval: the proportions that a normal test would not reject, near the level on average.
///
/// # Errors
/// For no subject, for more subjects with the event than subjects, and for a level that is not between 0 and 1.
// Source: Wilson EB, J Am Stat Assoc 1927;22:209-212.
pub fn wilson(with: u64, all: u64, level: f64) -> Result<ProportionInterval, MeasureError> {
    let (proportion, z) = (checked(with, all)?, normal_quantile_upper(tail_of_level(level)?));
    let count = all as f64;
    let square = z * z / count;
    let centre = (proportion + square / 2.0) / (1.0 + square);
    let reach =
        z / (1.0 + square) * (proportion * (1.0 - proportion) / count + square / (4.0 * count)).sqrt();
    // At the ends the limit is the end itself, which the subtraction misses by a rounding.
    let lower = if with == 0 { 0.0 } else { centre - reach };
    let upper = if with == all { 1.0 } else { centre + reach };
    Ok(ProportionInterval { proportion, lower, upper })
}

/// The exact interval: the proportions at which this count or a more extreme one has at least half of what the level
/// leaves. Never below the level, for small counts well above it.
///
/// # Errors
/// As [`wilson`].
// Source: Clopper CJ, Pearson ES, Biometrika 1934;26:404-413, through the beta distribution.
pub fn clopper_pearson(with: u64, all: u64, level: f64) -> Result<ProportionInterval, MeasureError> {
    let (proportion, tail) = (checked(with, all)?, tail_of_level(level)?);
    let limit = |successes: u64, failures: u64| {
        crossing(tail, 0.0, 1.0, |x| beta_lower(successes as f64, failures as f64, x))
    };
    let without = all - with;
    let lower = if with == 0 { 0.0 } else { limit(with, without + 1) };
    // The upper limit of a share is one less the lower limit of the rest.
    let upper = if without == 0 { 1.0 } else { 1.0 - limit(without, with + 1) };
    Ok(ProportionInterval { proportion, lower, upper })
}

fn checked(with: u64, all: u64) -> Result<f64, MeasureError> {
    if all == 0 {
        return Err(MeasureError::Nothing { what: "subjects" });
    }
    if with > all {
        return Err(MeasureError::MoreThanAll { group: 0, numerator: with as f64, denominator: all as f64 });
    }
    Ok(with as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Interval = fn(u64, u64, f64) -> Result<ProportionInterval, MeasureError>;

    #[track_caller]
    fn check(interval: Interval, (with, all): (u64, u64), lower: f64, upper: f64) {
        let ours = interval(with, all, 0.95).expect("the counts are valid");
        assert!((ours.lower - lower).abs() <= 1e-10, "{} against {lower}", ours.lower);
        assert!((ours.upper - upper).abs() <= 1e-10, "{} against {upper}", ours.upper);
    }

    // By scipy 1.17.1: binomtest(with, all).proportion_ci(0.95, method).
    #[test]
    fn limits_agree() {
        check(wilson, (0, 10), 0.0, 0.27753279986288926);
        check(clopper_pearson, (0, 10), 0.0, 0.30849710781876294);
        check(wilson, (3, 10), 0.10779126740630102, 0.6032218525388546);
        check(clopper_pearson, (3, 10), 0.06673951117773447, 0.652452850060008);
        check(wilson, (10, 10), 0.7224672001371109, 1.0);
        check(clopper_pearson, (10, 10), 0.6915028921812371, 1.0);
        check(wilson, (57, 1000), 0.04425344035871594, 0.07313706765948591);
        check(clopper_pearson, (57, 1000), 0.04345358193695859, 0.07322272946066255);
        check(wilson, (40000, 100000), 0.3969675340515098, 0.40304014857100684);
        check(clopper_pearson, (40000, 100000), 0.3969615735103255, 0.40304422765862385);
    }

    #[test]
    fn a_share_and_the_rest_mirror_each_other() {
        for interval in [wilson as Interval, clopper_pearson] {
            for with in 0..=7 {
                let (ours, rest) = (interval(with, 7, 0.9), interval(7 - with, 7, 0.9));
                let (ours, rest) = (ours.expect("valid"), rest.expect("valid"));
                assert!((ours.lower - (1.0 - rest.upper)).abs() < 1e-12);
                assert!(ours.lower <= ours.proportion && ours.proportion <= ours.upper);
            }
        }
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert!(wilson(0, 0, 0.95).is_err());
        assert!(clopper_pearson(3, 2, 0.95).is_err());
        assert!(clopper_pearson(1, 2, 0.0).is_err());
    }
}
