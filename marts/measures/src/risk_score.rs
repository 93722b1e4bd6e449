//! What a group's flags add up to, on a scale from 0 to 100.

use crate::error::MeasureError;

/// How much each flag of one indicator weighs.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    // INVARIANT: finite, not negative, at least one above zero.
    by_flag: Vec<(i8, f64)>,
}

impl Weights {
    /// The weights of an indicator by flag.
    ///
    /// # Errors
    /// If a weight is negative or not finite, or if none is above zero.
    pub fn new(by_flag: &[(i8, f64)]) -> Result<Self, MeasureError> {
        let largest = by_flag.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        for &(_, weight) in by_flag {
            check_weight(weight, largest)?;
        }
        if by_flag.is_empty() {
            return Err(MeasureError::Weight { weight: 0.0, largest });
        }
        Ok(Self { by_flag: by_flag.to_vec() })
    }

    /// The weight of a flag; none for a flag that the indicator does not give.
    #[must_use]
    pub fn of(&self, flag: i8) -> Option<f64> {
        self.by_flag.iter().find(|(known, _)| *known == flag).map(|(_, weight)| *weight)
    }

    /// The weight of the indicator's worst flag.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.by_flag.iter().map(|(_, weight)| *weight).fold(0.0, f64::max)
    }
}

/// The composite of a group's flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskScore {
    /// The sum of the weights of the group's flags.
    pub weight: f64,
    /// The sum of the largest weights of the indicators present.
    pub weight_largest: f64,
    /// The first as a percentage of the second.
    pub score: f64,
}

/// Adds up the weights of one group's flags over the largest weights of the indicators present.
///
/// An indicator is present if it flagged any group of the comparison, not only this one: so the score of
/// every group has the same denominator. A group without a flag has no score (`None`), which differs from one
/// whose flags weigh nothing.
///
/// # Errors
/// If a weight is negative or not finite, or if the largest weights do not cover the weights.
// Source: gsm.kri 1.5.1 `CalculateRiskScore`.
pub fn risk_score(weights: &[f64], largest_weights: &[f64]) -> Result<Option<RiskScore>, MeasureError> {
    let weight: f64 = weights.iter().sum();
    let weight_largest: f64 = largest_weights.iter().sum();
    for &largest in largest_weights {
        check_weight(largest, weight_largest)?;
    }
    for &each in weights {
        check_weight(each, weight_largest)?;
    }
    if weights.is_empty() {
        return Ok(None);
    }
    check_weight(weight, weight_largest)?;
    Ok(Some(RiskScore { weight, weight_largest, score: 100.0 * weight / weight_largest }))
}

fn check_weight(weight: f64, largest: f64) -> Result<(), MeasureError> {
    if largest.is_finite() && largest > 0.0 && (0.0..=largest).contains(&weight) {
        Ok(())
    } else {
        Err(MeasureError::Weight { weight, largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_percentage_of_the_worst_case() {
        // By hand: (32 + 2) of (32 + 8).
        let score = risk_score(&[32.0, 2.0], &[32.0, 8.0]).expect("the weights are valid");
        assert_eq!(score, Some(RiskScore { weight: 34.0, weight_largest: 40.0, score: 85.0 }));
    }

    #[test]
    fn no_flag_is_not_the_same_as_no_risk() {
        assert_eq!(risk_score(&[], &[32.0]), Ok(None));
        let harmless = risk_score(&[0.0], &[32.0]).expect("the weights are valid");
        assert_eq!(harmless.map(|score| score.score), Some(0.0));
    }

    #[test]
    fn more_than_the_worst_case_is_refused() {
        assert!(risk_score(&[9.0], &[8.0]).is_err());
        assert!(risk_score(&[-1.0], &[8.0]).is_err());
        assert!(risk_score(&[0.0], &[]).is_err());
    }

    #[test]
    fn a_flag_that_an_indicator_does_not_give_has_no_weight() {
        let weights = Weights::new(&[(0, 0.0), (1, 4.0), (2, 8.0)]).expect("the weights are valid");
        assert_eq!((weights.of(2), weights.of(-1), weights.largest()), (Some(8.0), None, 8.0));
        assert!(Weights::new(&[]).is_err());
        assert!(Weights::new(&[(0, 0.0)]).is_err());
        assert!(Weights::new(&[(0, 0.0), (1, -1.0), (2, 2.0)]).is_err());
    }
}
