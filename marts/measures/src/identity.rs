//! The method without a model: a number is its own score.

use crate::error::MeasureError;
use crate::proportion_table::{GroupScore, check};

/// Which number is the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Numerator over denominator.
    Metric,
    /// The numerator alone, for counts that are alarming in themselves.
    Numerator,
}

/// Scores each group by its metric, or by its numerator, as it stands.
///
/// # Errors
/// As [`crate::normal_approximation()`]: groups without exposure are left out by the caller.
// Source: gsm.core 1.1.3 `Analyze_Identity`.
pub fn identity(
    numerators: &[f64],
    denominators: &[f64],
    basis: Basis,
) -> Result<Vec<GroupScore>, MeasureError> {
    check(numerators, denominators)?;
    let score_of = |numerator: f64, metric: f64| match basis {
        Basis::Metric => metric,
        Basis::Numerator => numerator,
    };
    let groups = numerators.iter().zip(denominators).map(|(&numerator, &denominator)| {
        let metric = numerator / denominator;
        GroupScore { metric, score: score_of(numerator, metric) }
    });
    Ok(groups.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_score(basis: Basis, score: f64) {
        let groups = identity(&[3.0], &[4.0], basis).expect("the group is valid");
        assert_eq!(groups, [GroupScore { metric: 0.75, score }]);
    }

    #[test]
    fn the_score_is_the_number_itself() {
        check_score(Basis::Metric, 0.75);
        check_score(Basis::Numerator, 3.0);
    }

    #[test]
    fn a_group_without_exposure_is_refused() {
        assert_eq!(identity(&[1.0], &[0.0], Basis::Metric), Err(MeasureError::NoExposure { group: 0 }));
    }
}
