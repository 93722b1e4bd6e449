//! Many tests at once: how small a p-value has to be when it is one of a hundred.

/// Benjamini-Hochberg adjusted p-values (also called q-values), in the order of the input.
///
/// With `m` p-values in increasing order `p(1) .. p(m)`, the adjusted value of the i-th is the smallest
/// `p(j) m / j` over `j >= i`, at most one. Calling every test with an adjusted value of at most `q`
/// a discovery keeps the expected share of false ones among them at most `q`, if the tests are independent or
/// positively dependent. Groups × indicators go into one call, for they are looked at together.
///
/// What is not a probability (NaN, below 0, above 1) marks a test that was not made: its answer is NaN and it
/// does not count into `m`. Equal p-values have equal answers.
// Source: Benjamini Y, Hochberg Y, "Controlling the false discovery rate", J R Stat Soc B 1995;57:289-300.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut made: Vec<(usize, f64)> =
        p.iter().copied().enumerate().filter(|(_, value)| (0.0..=1.0).contains(value)).collect();
    made.sort_by(|left, right| left.1.total_cmp(&right.1).then(left.0.cmp(&right.0)));
    let count = made.len() as f64;
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut smallest = 1.0_f64;
    for (rank, &(place, value)) in made.iter().enumerate().rev() {
        // The ratio first: it is at least one, so that rounding cannot take an answer below its p-value.
        smallest = smallest.min(value * (count / (rank + 1) as f64));
        adjusted[place] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_adjusted(p: &[f64], expected: &[f64]) {
        let ours = benjamini_hochberg(p);
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(expected) {
            let agree = (ours - expected).abs() < 1e-15 || (ours.is_nan() && expected.is_nan());
            assert!(agree, "{ours} against {expected}");
        }
    }

    #[test]
    fn the_smallest_ratio_to_the_right_decides() {
        // By hand: 5 × (0.01/1, 0.02/2, 0.03/3, 0.04/4, 0.05/5) = 0.05 each.
        check_adjusted(&[0.05, 0.01, 0.03, 0.02, 0.04], &[0.05; 5]);
        // By hand: 4 × (0.001/1, 0.3/2, 0.31/3, 0.9/4) = 0.004, 0.6, 0.41333.., 0.9; the third caps the second.
        check_adjusted(&[0.3, 0.001, 0.9, 0.31], &[1.24 / 3.0, 0.004, 0.9, 1.24 / 3.0]);
    }

    #[test]
    fn what_is_no_probability_is_not_counted() {
        check_adjusted(&[0.04, f64::NAN, 0.02], &[0.04, f64::NAN, 0.04]);
        check_adjusted(&[-0.1, 1.5, 0.5], &[f64::NAN, f64::NAN, 0.5]);
        check_adjusted(&[f64::NAN], &[f64::NAN]);
        check_adjusted(&[], &[]);
    }

    #[test]
    fn an_adjusted_value_is_at_most_one_and_zero_stays_zero() {
        check_adjusted(&[0.9, 1.0, 0.0], &[1.0, 1.0, 0.0]);
    }
}
