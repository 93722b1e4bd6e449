//! One p-value of many, whatever their dependence.

use std::f64::consts::PI;

use crate::error::MeasureError;

/// Above this a p-value says nothing more about agreement with the null hypothesis, and would outweigh any number of
/// small ones: at one its term is minus infinity.
// Source: Fang Y, Chang C, Park Y, Tseng GC, "Heavy-tailed distribution for combining dependent p-values with
// asymptotic robustness", Statistica Sinica 2023;33:1115-1142 (the truncated Cauchy test, with their 0.01).
const LARGEST: f64 = 0.99;

/// Combines p-values with equal weights: [`cauchy_combination_weighted`].
///
/// # Errors
/// As there.
pub fn cauchy_combination(p_values: &[f64]) -> Result<f64, MeasureError> {
    cauchy_combination_weighted(p_values, &vec![1.0; p_values.len()])
}

/// Combines p-values by the Cauchy transformation: `T = sum w cot(pi p)` over weights that add up to one, and the
/// result is the upper tail of the standard Cauchy distribution at `T`.
///
/// For small results it holds its level under any dependence of the p-values, which tests of the same data have; at 0.05,
/// fourteen moderately dependent tests reject in up to 7 % of cases, at 0.001 in 0.11 %. One small p-value among many
/// large ones stays visible. A p-value of 0 gives 0; one above 0.99, as discrete tests give, counts as 0.99.
///
/// # Errors
/// For no p-value, for one that is not between 0 and 1 (NaN: leave tests that do not apply out), for slices that do
/// not pair, and for weights that are not finite and positive.
// Source: Liu Y, Xie J, "Cauchy combination test", J Am Stat Assoc 2020;115:393-402.
pub fn cauchy_combination_weighted(p_values: &[f64], weights: &[f64]) -> Result<f64, MeasureError> {
    check(p_values, weights)?;
    let total: f64 = weights.iter().sum();
    let statistic: f64 =
        p_values.iter().zip(weights).map(|(p, weight)| weight / total * cotangent(p.min(LARGEST))).sum();
    if statistic > 1.0 {
        // The arc tangent of the inverse keeps the digits of a small result, and makes infinity zero.
        return Ok((1.0 / statistic).atan() / PI);
    }
    Ok(0.5 - statistic.atan() / PI)
}

/// The Cauchy variable whose upper tail is `p`; infinite for zero.
fn cotangent(p: f64) -> f64 {
    1.0 / (PI * p).tan()
}

fn check(p_values: &[f64], weights: &[f64]) -> Result<(), MeasureError> {
    if p_values.is_empty() {
        return Err(MeasureError::Nothing { what: "p-values" });
    }
    if weights.len() != p_values.len() {
        return Err(MeasureError::Unpaired {
            what: "weights",
            length: weights.len(),
            expected: p_values.len(),
        });
    }
    if let Some(index) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(MeasureError::OutOfRange { what: "p-value", index, value: p_values[index] });
    }
    if let Some(index) = weights.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
        return Err(MeasureError::OutOfRange { what: "weight", index, value: weights[index] });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_combined(p_values: &[f64], expected: f64) {
        let ours = cauchy_combination(p_values).expect("the p-values are valid");
        assert!((ours - expected).abs() <= 1e-12 * expected.max(1e-300), "{ours:e} against {expected:e}");
    }

    #[test]
    fn agreement_changes_nothing() {
        check_combined(&[0.03], 0.03);
        check_combined(&[0.2, 0.2, 0.2], 0.2);
        check_combined(&[1e-200], 1e-200);
    }

    #[test]
    fn opposites_cancel() {
        check_combined(&[0.1, 0.9], 0.5);
        check_combined(&[0.25, 0.5], 0.5 - 0.5_f64.atan() / PI);
    }

    #[test]
    fn certainty_wins_and_a_p_of_one_does_not() {
        check_combined(&[0.0, 1.0, 1.0], 0.0);
        let with_one = cauchy_combination(&[1e-6, 1.0]).expect("the p-values are valid");
        assert!(with_one < 2.1e-6, "{with_one}");
    }

    #[test]
    fn a_weight_counts_as_that_many_copies() {
        let copies = cauchy_combination(&[0.01, 0.4, 0.4]).expect("the p-values are valid");
        let weighted =
            cauchy_combination_weighted(&[0.01, 0.4], &[1.0, 2.0]).expect("the p-values are valid");
        assert!((copies - weighted).abs() < 1e-15);
    }

    #[test]
    fn what_is_no_p_value_is_refused() {
        for p_values in [&[][..], &[f64::NAN], &[-0.1], &[1.1]] {
            assert!(cauchy_combination(p_values).is_err());
        }
        assert!(cauchy_combination_weighted(&[0.1], &[0.0]).is_err());
        assert!(cauchy_combination_weighted(&[0.1], &[1.0, 1.0]).is_err());
    }
}
