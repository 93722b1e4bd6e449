//! Numerators over denominators, one pair per group, and the checks that every method on them shares.

use crate::error::MeasureError;

/// What a numerator counts, which settles its variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events per unit of exposure: the numerator may exceed the denominator.
    Rate,
    /// A share of a whole: the numerator is part of the denominator.
    Binary,
}

/// One group's metric and how far it stands from the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupScore {
    /// Numerator over denominator.
    pub metric: f64,
    /// The method's score of that metric.
    pub score: f64,
}

/// Checks that the slices describe groups a metric exists for: of one length, not empty, counts that are
/// finite and not negative, exposures above zero.
pub(crate) fn check(numerators: &[f64], denominators: &[f64]) -> Result<(), MeasureError> {
    if numerators.len() != denominators.len() {
        return Err(MeasureError::Length { numerators: numerators.len(), denominators: denominators.len() });
    }
    if numerators.is_empty() {
        return Err(MeasureError::NoGroups);
    }
    check_counts("numerator", numerators)?;
    check_exposures(denominators)
}

/// Checks that every exposure is finite and above zero.
pub(crate) fn check_exposures(denominators: &[f64]) -> Result<(), MeasureError> {
    check_counts("denominator", denominators)?;
    match denominators.iter().position(|denominator| *denominator == 0.0) {
        Some(group) => Err(MeasureError::NoExposure { group }),
        None => Ok(()),
    }
}

/// Checks that no numerator exceeds its denominator.
pub(crate) fn check_shares(numerators: &[f64], denominators: &[f64]) -> Result<(), MeasureError> {
    for (group, (&numerator, &denominator)) in numerators.iter().zip(denominators).enumerate() {
        if numerator > denominator {
            return Err(MeasureError::MoreThanAll { group, numerator, denominator });
        }
    }
    Ok(())
}

/// The largest count that the exact methods take: its law still sums in milliseconds.
pub(crate) const LARGEST_COUNT: f64 = 1_099_511_627_776.0;

/// Checks that counts are whole, and small enough for an exact law, each and in sum.
pub(crate) fn check_whole(which: &'static str, counts: &[f64]) -> Result<(), MeasureError> {
    let mut sum = 0.0;
    for (group, &value) in counts.iter().enumerate() {
        sum += value;
        if value.fract() != 0.0 || sum > LARGEST_COUNT {
            return Err(MeasureError::NotWhole { which, group, value });
        }
    }
    Ok(())
}

fn check_counts(which: &'static str, values: &[f64]) -> Result<(), MeasureError> {
    let mut sum = 0.0;
    for (group, &value) in values.iter().enumerate() {
        sum += value;
        // A sum beyond all numbers would make every comparison with it one with nothing.
        if !value.is_finite() || value < 0.0 || sum == f64::INFINITY {
            return Err(MeasureError::NotACount { which, group, value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_different_length_do_not_pair() {
        assert_eq!(check(&[1.0], &[1.0, 2.0]), Err(MeasureError::Length { numerators: 1, denominators: 2 }));
    }

    #[test]
    fn no_group_is_an_error_rather_than_an_empty_answer() {
        assert_eq!(check(&[], &[]), Err(MeasureError::NoGroups));
    }

    #[test]
    fn a_count_is_finite_and_not_negative() {
        assert_eq!(
            check(&[1.0, -1.0], &[2.0, 2.0]),
            Err(MeasureError::NotACount { which: "numerator", group: 1, value: -1.0 })
        );
        assert!(matches!(
            check(&[1.0], &[f64::NAN]),
            Err(MeasureError::NotACount { which: "denominator", group: 0, .. })
        ));
        assert!(matches!(check(&[f64::INFINITY], &[1.0]), Err(MeasureError::NotACount { .. })));
        assert!(matches!(check(&[1.0, 1.0], &[1e308, 1e308]), Err(MeasureError::NotACount { group: 1, .. })));
    }

    #[test]
    fn a_group_without_exposure_has_no_metric() {
        assert_eq!(check(&[0.0, 0.0], &[1.0, 0.0]), Err(MeasureError::NoExposure { group: 1 }));
    }

    #[test]
    fn a_share_is_at_most_the_whole() {
        assert_eq!(check_shares(&[2.0], &[2.0]), Ok(()));
        assert_eq!(
            check_shares(&[3.0], &[2.0]),
            Err(MeasureError::MoreThanAll { group: 0, numerator: 3.0, denominator: 2.0 })
        );
    }
}
