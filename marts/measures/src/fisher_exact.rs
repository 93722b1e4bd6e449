//! The reference's exact method: each group against all others in a table of two by two.

use crate::error::MeasureError;
use crate::exact::Pooled;
use crate::law::count::CountLaw;
use crate::proportion_table::{check, check_shares, check_whole};

/// One group beside the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FisherGroup {
    /// The group's share.
    pub metric: f64,
    /// The numerator of all others.
    pub numerator_other: f64,
    /// The denominator of all others.
    pub denominator_other: f64,
    /// The share of all others; none where there is no other.
    pub metric_other: Option<f64>,
    /// The group's odds over those of the others, as the conditional maximum-likelihood estimate: above one for
    /// a higher share, zero or infinite where a margin allows no more extreme table, one where it allows no other.
    pub odds_ratio: f64,
    /// The two-sided p-value, which the reference calls the score.
    pub p: f64,
}

/// Judges each group by Fisher's exact test against all others.
///
/// # Errors
/// As [`crate::exact()`] for shares.
// Source: gsm.core 1.1.3 `Analyze_Fisher`, which calls R's `fisher.test`. R finds the odds ratio to about four
// digits; here it is found to twelve.
pub fn fisher_exact(numerators: &[f64], denominators: &[f64]) -> Result<Vec<FisherGroup>, MeasureError> {
    check(numerators, denominators)?;
    check_shares(numerators, denominators)?;
    check_whole("numerator", numerators)?;
    check_whole("denominator", denominators)?;
    let all = Pooled::of(numerators, denominators);
    let plain = all.denominator - all.numerator;
    let groups = numerators.iter().zip(denominators).map(|(&numerator, &denominator)| {
        let other = all.without(numerator, denominator);
        let law = CountLaw::Hypergeometric { marked: all.numerator, plain, drawn: denominator, odds: 1.0 };
        FisherGroup {
            metric: numerator / denominator,
            numerator_other: other.numerator,
            denominator_other: other.denominator,
            metric_other: (other.denominator > 0.0).then(|| other.numerator / other.denominator),
            odds_ratio: odds_ratio(all.numerator, plain, denominator, numerator),
            p: law.two_sided(numerator),
        }
    });
    Ok(groups.collect())
}

/// The odds at which the mean of the non-central hypergeometric law is the count observed.
fn odds_ratio(marked: f64, plain: f64, drawn: f64, count: f64) -> f64 {
    let law = |ln_odds: f64| CountLaw::Hypergeometric { marked, plain, drawn, odds: ln_odds.exp() };
    let (least, most) = law(0.0).support();
    if least == most {
        return 1.0;
    }
    if count <= least {
        return 0.0;
    }
    if count >= most {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (-1.0, 1.0);
    while law(low).mean() > count && low > -700.0 {
        low *= 2.0;
    }
    while law(high).mean() < count && high < 700.0 {
        high *= 2.0;
    }
    // Halving finds the logarithm to its last digits.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if law(middle).mean() < count { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_first(groups: &[(f64, f64)], odds_ratio: f64, p: f64) {
        let (numerators, denominators): (Vec<f64>, Vec<f64>) = groups.iter().copied().unzip();
        let first = fisher_exact(&numerators, &denominators).expect("the groups are valid")[0];
        let close = |ours: f64, theirs: f64| ours == theirs || (ours - theirs).abs() < 1e-9 * theirs;
        assert!(close(first.odds_ratio, odds_ratio), "odds ratio {} against {odds_ratio}", first.odds_ratio);
        assert!(close(first.p, p), "p {} against {p}", first.p);
    }

    #[test]
    fn odds_and_p_are_those_of_scipy() {
        // scipy 1.17 `odds_ratio` (conditional) and `fisher_exact`.
        check_first(&[(3.0, 6.0), (56.0, 757.0)], 12.418_299_968_706_725, 0.007_438_294_767_953_66);
        check_first(&[(4.0, 6.0), (229.0, 990.0)], 6.630_000_720_785_751, 0.029_333_603_402_665_74);
    }

    #[test]
    fn tables_at_their_edge_have_no_finite_odds() {
        // By hand: of 4 in 8, none in this half: C(4,4)/C(8,4) = 1/70, and as much on the other side.
        check_first(&[(0.0, 4.0), (4.0, 4.0)], 0.0, 2.0 / 70.0);
        check_first(&[(4.0, 4.0), (0.0, 4.0)], f64::INFINITY, 2.0 / 70.0);
    }

    #[test]
    fn tables_that_could_not_differ_say_nothing() {
        check_first(&[(0.0, 4.0), (0.0, 9.0)], 1.0, 1.0);
        check_first(&[(4.0, 4.0), (9.0, 9.0)], 1.0, 1.0);
        check_first(&[(2.0, 4.0)], 1.0, 1.0);
    }

    #[test]
    fn shares_are_of_whole_counts() {
        let refused = fisher_exact(&[0.5], &[4.0]);
        assert!(matches!(refused, Err(MeasureError::NotWhole { which: "numerator", group: 0, .. })));
        assert!(matches!(fisher_exact(&[1.0], &[4.5]), Err(MeasureError::NotWhole { .. })));
    }
}
