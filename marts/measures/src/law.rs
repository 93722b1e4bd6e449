//! Laws of counts and shares whose tails keep their digits, from a handful of events to millions.
//! [`saddle_point`] has the probabilities of single counts, [`count`] sums them to tails and quantiles,
//! [`beta`] is the law of a share, [`normal_score`] puts any tail on the scale of a normal score.
pub(crate) mod beta;
pub(crate) mod count;
pub(crate) mod saddle_point;

use statrs::function::erf::{erfc, erfc_inv};

/// The score whose normal tail equals the smaller of two one-sided probabilities: negative for the lower one.
///
/// A probability below the smallest positive number counts as that number, so a score is at most 37.6 in size.
pub(crate) fn normal_score(lower: f64, upper: f64) -> f64 {
    let score = |tail: f64| std::f64::consts::SQRT_2 * erfc_inv(2.0 * tail.clamp(f64::MIN_POSITIVE, 0.5));
    if lower < upper { -score(lower) } else { score(upper) }
}

/// The probability that a standard normal value is at least `score` away from zero, on either side.
pub(crate) fn normal_two_sided(score: f64) -> f64 {
    erfc(score.abs() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests;
