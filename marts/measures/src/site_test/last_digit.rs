//! C3: the last digit, in which a rounder's or an inventor's habits show.

use crate::error::MeasureError;
use crate::site_test::category_mix::category_mix;
use crate::site_test::cohort::{Cohort, SiteTest};

/// Whether the last of `decimals` decimal places (0: the units) is distributed in a group as in the rest, from repeated
/// values (NaN where missing). The rest's digits are the standard, not the uniform distribution, since instruments
/// and units have habits too. By [`category_mix()`], with its effect.
///
/// # Errors
/// For slices that do not pair, a subject outside the cohort, infinite values, and values too large to have this
/// decimal place in the number format.
pub fn last_digit(
    cohort: &Cohort,
    subjects: &[usize],
    values: &[f64],
    decimals: u8,
) -> Result<Vec<SiteTest>, MeasureError> {
    let (mut owners, mut digits) = (Vec::new(), Vec::new());
    for (subject, series) in cohort.series(subjects, values)?.iter().enumerate() {
        for value in series {
            owners.push(subject);
            digits.push(usize::from(digit(*value, decimals)?));
        }
    }
    category_mix(cohort, &owners, &digits)
}

/// The digit at a decimal place, after rounding to it.
pub(super) fn digit(value: f64, decimals: u8) -> Result<u8, MeasureError> {
    // Whole numbers are exact up to 2^53.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let scaled = (value.abs() * 10_f64.powi(i32::from(decimals))).round();
    if scaled.is_nan() || scaled > LARGEST {
        return Err(MeasureError::OutOfRange { what: "value", index: 0, value });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number up to 2^53")]
    Ok((scaled as u64 % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_is_that_of_the_decimal_number() {
        for (value, decimals, expected) in
            [(120.0, 0, 0), (-37.4, 1, 4), (0.29, 2, 9), (4.35, 2, 5), (1e15, 0, 0), (7.0, 3, 0)]
        {
            assert_eq!(digit(value, decimals), Ok(expected), "{value}");
        }
        assert!(digit(1e15, 3).is_err());
        assert!(digit(1.0, 255).is_err());
    }
}
