//! The count from which on an expected rate is no longer believed, by the exact law of the count.

use crate::error::MeasureError;
use crate::law::count::CountLaw;
use crate::proportion_table::{Kind, LARGEST_COUNT};

use super::{check_expected, check_parameter};

/// The smallest count such that lower counts have a probability of at least `mass`: one above the quantile.
///
/// The law is binomial for shares and Poisson for rates. For shares the critical count can be one more than the
/// units, which no study reaches: so few units cannot contradict the expected rate.
///
/// # Errors
/// For an expected rate that leaves no room for chance, for units that are negative, more than 2^40 or, for
/// shares, not whole, and for a mass that is not between 0 and 1.
pub fn critical_count(kind: Kind, expected: f64, units: f64, mass: f64) -> Result<f64, MeasureError> {
    check_expected(kind, expected)?;
    check_parameter("number of units", units, "a count of at most 2^40", |value| {
        (0.0..=LARGEST_COUNT).contains(&value) && (kind == Kind::Rate || value.fract() == 0.0)
    })?;
    check_parameter("probability", mass, "between 0 and 1", |value| value > 0.0 && value < 1.0)?;
    Ok(critical(kind, expected, units, mass))
}

pub(super) fn critical(kind: Kind, expected: f64, units: f64, mass: f64) -> f64 {
    count_law(kind, expected, units).quantile(mass) + 1.0
}

/// The law of the events among some units.
pub(super) fn count_law(kind: Kind, expected: f64, units: f64) -> CountLaw {
    match kind {
        Kind::Rate => CountLaw::Poisson { mean: expected * units },
        Kind::Binary => CountLaw::binomial(units, expected),
    }
}
