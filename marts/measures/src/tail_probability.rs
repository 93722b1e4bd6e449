//! Tail probabilities and quantiles, each computed on the side where it is small, so that a p-value of 1e-12 is
//! as exact as one of 0.1.
//!
//! The gamma integral is `statrs`'; the beta integral is [`beta`]'s, because the one there stops after 141 steps, too
//! early for the parameters that a study's counts make.

use statrs::function::{erf::erfc_inv, gamma};

use crate::error::MeasureError;
use crate::law::beta;

/// The probability that a standard normal variable is above `z`.
pub(crate) fn normal_upper(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The point of the standard normal distribution with this much probability above it.
pub(crate) fn normal_quantile_upper(probability: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(2.0 * probability)
}

/// The probability that a chi-square variable is above `x`.
pub(crate) fn chi_square_upper(x: f64, degrees_of_freedom: f64) -> f64 {
    gamma_upper(degrees_of_freedom / 2.0, x / 2.0)
}

/// The probability that a gamma variable of this shape and unit rate is above `x`.
pub(crate) fn gamma_upper(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    gamma::gamma_ur(shape, x)
}

/// The probability that a gamma variable of this shape and unit rate is at most `x`.
pub(crate) fn gamma_lower(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x.is_infinite() {
        return 1.0;
    }
    gamma::gamma_lr(shape, x)
}

/// The probability that Student's variable is further from zero than `t`.
pub(crate) fn student_two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    let whole = degrees_of_freedom + square;
    beta::sides_of(degrees_of_freedom / 2.0, 0.5, degrees_of_freedom / whole, square / whole).0
}

/// The probability that a beta variable is at most `x`.
pub(crate) fn beta_lower(alpha: f64, beta: f64, x: f64) -> f64 {
    beta::sides(alpha, beta, x).0
}

/// The probability that the supremum of a Brownian bridge's distance from zero is above `x`.
// Source: Kolmogorov 1933, by the series that converges fast on either side of one.
pub(crate) fn kolmogorov_upper(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        let unit = -std::f64::consts::PI.powi(2) / (8.0 * x * x);
        let terms = [1.0_f64, 9.0, 25.0, 49.0].iter().map(|square| (unit * square).exp());
        return 1.0 - (2.0 * std::f64::consts::PI).sqrt() / x * terms.sum::<f64>();
    }
    let term = |j: f64| (-2.0 * j * j * x * x).exp();
    2.0 * (term(1.0) - term(2.0) + term(3.0) - term(4.0))
}

/// The argument between `low` and `high` where a rising function crosses `target`, to the last bit or two.
pub(crate) fn crossing(target: f64, mut low: f64, mut high: f64, rising: impl Fn(f64) -> f64) -> f64 {
    const HALVINGS: usize = 200;
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if rising(middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

/// Half of what lies outside an interval of this level, which must be between 0 and 1.
pub(crate) fn tail_of_level(level: f64) -> Result<f64, MeasureError> {
    if level > 0.0 && level < 1.0 {
        Ok((1.0 - level) / 2.0)
    } else {
        Err(MeasureError::OutOfRange { what: "level of confidence", index: 0, value: level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ours: f64, theirs: f64) {
        assert!((ours / theirs - 1.0).abs() < 1e-10, "{ours:e} against {theirs:e}");
    }

    // By scipy 1.17.1: norm.sf, chi2.sf, t.sf, beta.cdf, gamma.cdf and kstwobign.sf.
    #[test]
    fn tails_keep_their_digits() {
        check(normal_upper(1.0), 0.15865525393145707);
        check(normal_upper(12.0), 1.776482112077653e-33);
        check(chi_square_upper(0.5, 3.0), 0.9188914116546758);
        check(chi_square_upper(100.447, 11.0), 1.456502171882106e-16);
        check(chi_square_upper(900.0, 1000.0), 0.9892827619087102);
        check(student_two_sided(2.0, 4.5), 0.10825790718112499);
        check(student_two_sided(15.0, 200.0), 1.4164499278714078e-34);
        check(student_two_sided(0.1, 1e6), 0.9203443454920432);
        check(beta_lower(3.0, 5.0, 0.2), 0.14803200000000005);
        check(beta_lower(40000.0, 60000.0, 0.401), 0.7407785104650604);
        check(gamma_lower(7.0, 0.3), 3.339312441493675e-08);
        check(gamma_upper(7.0, 60.0), 6.292241332308476e-19);
        check(kolmogorov_upper(0.5), 0.9639452436648751);
        check(kolmogorov_upper(1.36), 0.049485876755377876);
        check(kolmogorov_upper(4.0), 2.532833109818835e-14);
    }

    #[test]
    fn a_quantile_is_where_the_tail_has_its_size() {
        for probability in [1e-9, 0.025, 0.5, 0.975] {
            check(normal_upper(normal_quantile_upper(probability)), probability);
        }
        check(crossing(2.0, 0.0, 9.0, |x| x * x), std::f64::consts::SQRT_2);
    }

    #[test]
    fn a_level_lies_between_zero_and_one() {
        assert!(tail_of_level(0.95).is_ok());
        for level in [0.0, 1.0, f64::NAN] {
            assert!(tail_of_level(level).is_err());
        }
    }
}
