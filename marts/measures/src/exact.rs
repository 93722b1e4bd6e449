//! Groups judged without an approximation: how likely a count as low or as high as this one is, given what the
//! others report. It holds for a site of two subjects as for one of two hundred.

use crate::bounds::{Bound, exposure_grid, whole_exposure_grid};
use crate::error::MeasureError;
use crate::law::count::{CountLaw, Tails, first_where};
use crate::proportion_table::{Kind, check, check_shares, check_whole};
use crate::tail_probability::{normal_quantile_upper, normal_upper};

/// What a group is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Against {
    /// All other groups together.
    Rest,
    /// A rate that was fixed beforehand.
    Given(f64),
}

/// One group and the probabilities of its count, if its rate were the one it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactGroup {
    /// Numerator over denominator.
    pub metric: f64,
    /// The mean of the count's law: the group's part of all events, or the given rate times its exposure.
    pub expected: f64,
    /// The probability of this count or a lower one.
    pub lower: f64,
    /// The probability of this count or a higher one.
    pub upper: f64,
    /// The exact two-sided p-value: the probability of the counts that are no likelier than this one.
    pub two_sided: f64,
    /// The two-sided mid-p value: twice the smaller side, of which this count itself is half a member.
    pub mid_p: f64,
    /// The normal score of the smaller mid-p side, negative for low counts: thresholds of -2 and 3 mean
    /// what they mean for a normal score. At most 37.6 in size.
    pub score: f64,
}

impl ExactGroup {
    /// The exact two-sided p-value where groups differ for other reasons too: that of its normal score over the root of the
    /// over-dispersion of the others, which is [`crate::LeftOut::factor`].
    // Source: quasi-likelihood, McCullagh P, Nelder JA, "Generalized Linear Models", 2nd ed., 1989, 4.5.
    #[must_use]
    pub fn widened(&self, factor: f64) -> f64 {
        if factor <= 1.0 {
            return self.two_sided;
        }
        let score = normal_quantile_upper((self.two_sided / 2.0).clamp(f64::MIN_POSITIVE, 0.5));
        2.0 * normal_upper(score / factor.sqrt())
    }
}

/// Judges each group by the exact law of its count.
///
/// Against the rest, rates are judged by the conditional binomial law (of all events, each falls to the group
/// with the chance of its part of the exposure), shares by the hypergeometric law (Fisher). Against a given
/// rate, rates are judged by the Poisson law and shares by the binomial one.
///
/// The laws know chance only: where groups differ for other reasons too (a factor of [`leave_one_out()`](crate::leave_one_out()) well above
/// one), more of them are far out than the probabilities say.
///
/// A group that has all the exposure, and groups among which nothing or everything happened, have a probability
/// of 1 and a score of 0: nothing could have come out otherwise.
///
/// # Errors
/// As [`crate::normal_approximation()`]; also for numerators (and denominators of shares) that are not whole, and
/// for a given rate that is negative or not finite, or, for shares, above one.
// Source: Przyborowski J, Wilenski H, "Homogeneity of results in testing samples from Poisson series",
// Biometrika 1940;31:313-323; Fisher RA, "The logic of inductive inference", J R Stat Soc 1935;98:39-82; mid-p:
// Lancaster HO, "Significance tests in discrete distributions", J Am Stat Assoc 1961;56:223-234.
pub fn exact(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
    against: Against,
) -> Result<Vec<ExactGroup>, MeasureError> {
    check_counted(numerators, denominators, kind, against)?;
    let all = Pooled::of(numerators, denominators);
    let judged = numerators.iter().zip(denominators).map(|(&numerator, &denominator)| {
        let rest = all.without(numerator, denominator);
        let law = law(kind, against, rest, numerator, denominator);
        let tails = law.tails(numerator);
        ExactGroup {
            metric: numerator / denominator,
            expected: expected(against, rest, numerator, denominator),
            lower: tails.lower(),
            upper: tails.upper(),
            two_sided: law.two_sided(numerator),
            mid_p: tails.mid_p(),
            score: tails.score(),
        }
    });
    Ok(judged.collect())
}

/// The counts at which a further group would reach a threshold, judged against all groups given.
///
/// The exposures are those of [`crate::bounds()`], whole ones for shares. A threshold above zero gives
/// the smallest count with that score or a higher one; one below zero the largest count with a lower score, and
/// no point where even a count of zero is not low enough: such a group is too small to be called low. The
/// overall metric, or the given rate, follows as threshold 0. The lines are steps, for counts are whole.
///
/// # Errors
/// As [`exact`].
pub fn exact_bounds(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
    against: Against,
    thresholds: &[f64],
) -> Result<Vec<Bound>, MeasureError> {
    check_counted(numerators, denominators, kind, against)?;
    let all = Pooled::of(numerators, denominators);
    let grid = match kind {
        Kind::Rate => exposure_grid(denominators),
        Kind::Binary => whole_exposure_grid(denominators),
    };
    let mut points = Vec::with_capacity(grid.len() * (thresholds.len() + 1));
    for &threshold in thresholds {
        points.extend(grid.iter().filter_map(|&denominator| {
            let numerator = limit(kind, against, all, denominator, threshold)?;
            Some(Bound { threshold, denominator, numerator, metric: numerator / denominator })
        }));
    }
    let metric = match against {
        Against::Rest => all.numerator / all.denominator,
        Against::Given(rate) => rate,
    };
    points.extend(grid.iter().map(|&denominator| Bound {
        threshold: 0.0,
        denominator,
        numerator: metric * denominator,
        metric,
    }));
    Ok(points)
}

/// Events and exposure of several groups together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pooled {
    pub(crate) numerator: f64,
    pub(crate) denominator: f64,
}

impl Pooled {
    pub(crate) fn of(numerators: &[f64], denominators: &[f64]) -> Self {
        Self { numerator: numerators.iter().sum(), denominator: denominators.iter().sum() }
    }

    /// All but one group. What rounding leaves of nothing is nothing.
    pub(crate) fn without(self, numerator: f64, denominator: f64) -> Self {
        Self {
            numerator: (self.numerator - numerator).max(0.0),
            denominator: (self.denominator - denominator).max(0.0),
        }
    }
}

/// The law of one group's count beside the rest. A given total of events is part of the law against the rest.
fn law(kind: Kind, against: Against, rest: Pooled, numerator: f64, denominator: f64) -> CountLaw {
    let (events, exposure) = (rest.numerator + numerator, rest.denominator + denominator);
    match (kind, against) {
        (Kind::Rate, Against::Rest) => CountLaw::Binomial {
            trials: events,
            chance: denominator / exposure,
            rest: rest.denominator / exposure,
        },
        (Kind::Binary, Against::Rest) => CountLaw::Hypergeometric {
            marked: events,
            plain: exposure - events,
            drawn: denominator,
            odds: 1.0,
        },
        (Kind::Rate, Against::Given(rate)) => CountLaw::Poisson { mean: rate * denominator },
        (Kind::Binary, Against::Given(rate)) => CountLaw::binomial(denominator, rate),
    }
}

fn expected(against: Against, rest: Pooled, numerator: f64, denominator: f64) -> f64 {
    match against {
        Against::Rest => (rest.numerator + numerator) * denominator / (rest.denominator + denominator),
        Against::Given(rate) => rate * denominator,
    }
}

fn limit(kind: Kind, against: Against, all: Pooled, denominator: f64, threshold: f64) -> Option<f64> {
    if threshold.is_nan() {
        return None;
    }
    let tails = |count: f64| -> Tails { law(kind, against, all, count, denominator).tails(count) };
    let most = match kind {
        Kind::Binary => denominator,
        // No limit is as far out: the score of a count rises with about its root.
        Kind::Rate => {
            let rate =
                if let Against::Given(rate) = against { rate } else { all.numerator / all.denominator };
            let mean = rate * denominator;
            let mut most = (mean + 1.0).ceil();
            while tails(most).score() < threshold && most < 1e15 {
                most *= 2.0;
            }
            most
        }
    };
    if threshold > 0.0 {
        let first = first_where(0.0, most + 1.0, |count| tails(count).score() >= threshold);
        return (first <= most).then_some(first);
    }
    let first_within = first_where(0.0, most + 1.0, |count| tails(count).score() >= threshold);
    (first_within > 0.0).then_some(first_within - 1.0)
}

fn check_counted(
    numerators: &[f64],
    denominators: &[f64],
    kind: Kind,
    against: Against,
) -> Result<(), MeasureError> {
    check(numerators, denominators)?;
    check_whole("numerator", numerators)?;
    if kind == Kind::Binary {
        check_shares(numerators, denominators)?;
        check_whole("denominator", denominators)?;
    }
    match against {
        Against::Given(rate) if !rate.is_finite() || rate < 0.0 || (kind == Kind::Binary && rate > 1.0) => {
            Err(MeasureError::Reference { rate })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
