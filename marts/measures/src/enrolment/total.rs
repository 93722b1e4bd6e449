//! What all centres will have enrolled at a horizon.

use crate::enrolment::count_distribution::{CountLaw, Counts};
use crate::enrolment::recruitment_belief::RecruitmentBelief;
use crate::enrolment::recruitment_law::{Centre, RecruitmentLaw, check_centres};
use crate::error::MeasureError;
use crate::tail_probability::tail_of_level;

/// At most so many subjects are forecast.
const LARGEST_MEAN: f64 = 1e7;
/// Up to so many subjects the distribution is exact.
const LARGEST_EXACT: f64 = 100_000.0;

/// How the distribution of the total was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The exact distribution of a sum of negative binomial numbers, by recursion.
    Exact,
    /// The negative binomial distribution with the exact mean and variance, for more than a hundred thousand subjects.
    MomentMatch,
}

/// The distribution of the number enrolled from now to a horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct TotalEnrolment {
    counts: Counts,
    mean: f64,
    variance: f64,
    method: Method,
}

/// A forecast with limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The expected number.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
    /// The median.
    pub median: usize,
    /// The number below which at most half of what the level leaves lies.
    pub lower: usize,
    /// The number above which at most half of it lies.
    pub upper: usize,
    /// How the distribution was made.
    pub method: Method,
}

/// The number that the centres will enrol from now to `horizon`, in the time's unit: for each centre negative binomial
/// with shape `shape + enrolled` and odds `open time / (rate + exposure)`, and their sum.
///
/// Over several laws it is the mixture of their distributions. With one law for certain, fitted to few centres or for a
/// horizon much longer than the past, the limits are too narrow.
///
/// # Errors
/// For a law, centre or horizon that is not valid, and for more than ten million expected subjects.
// Source: Anisimov VV, Fedorov VV, Stat Med 2007;26:4958-4975, section 4; for the limits of the plug-in Mountain R,
// Sherlock C, arXiv 1912.09790.
pub fn total_enrolment(
    belief: &RecruitmentBelief,
    centres: &[Centre],
    horizon: f64,
) -> Result<TotalEnrolment, MeasureError> {
    belief.check()?;
    check_centres(centres)?;
    if !horizon.is_finite() || horizon < 0.0 {
        return Err(MeasureError::OutOfRange { what: "horizon", index: 0, value: horizon });
    }
    let mut parts = Vec::new();
    let (mut mean, mut second, mut method) = (0.0, 0.0, Method::Exact);
    for (law, weight) in belief.laws() {
        let laws = count_laws(law, centres, horizon);
        let (expected, variance) = moments(&laws);
        if expected > LARGEST_MEAN {
            return Err(MeasureError::OutOfRange { what: "expected enrolment", index: 0, value: expected });
        }
        let (counts, made) = distribution(&laws, usize::MAX);
        if made == Method::MomentMatch {
            method = made;
        }
        mean += weight * expected;
        second += weight * (variance + expected * expected);
        parts.push((counts, *weight));
    }
    Ok(TotalEnrolment { counts: Counts::mixture(&parts), mean, variance: second - mean * mean, method })
}

/// Mean and variance of the sum.
pub(super) fn moments(laws: &[CountLaw]) -> (f64, f64) {
    laws.iter().fold((0.0, 0.0), |sum, law| (sum.0 + law.mean(), sum.1 + law.variance()))
}

/// The centres' distributions, those of equal odds as one: their sum has the sum of the shapes.
pub(super) fn count_laws(law: &RecruitmentLaw, centres: &[Centre], horizon: f64) -> Vec<CountLaw> {
    match *law {
        RecruitmentLaw::Common { rate } => {
            let time: f64 = centres.iter().map(|centre| centre.open_within(horizon)).sum();
            vec![CountLaw::Poisson { mean: rate * time }].into_iter().filter(|law| law.mean() > 0.0).collect()
        }
        RecruitmentLaw::Gamma { shape, rate } => {
            let of_centre = |centre: &Centre| {
                (centre.open_within(horizon) / (rate + centre.exposure), shape + centre.enrolled as f64)
            };
            let mut pairs: Vec<(f64, f64)> = centres.iter().map(of_centre).collect();
            pairs.retain(|(odds, _)| *odds > 0.0);
            pairs.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
            let of_run = |run: &[(f64, f64)]| CountLaw::NegativeBinomial {
                shape: run.iter().map(|(_, shape)| shape).sum(),
                odds: run[0].0,
            };
            pairs.chunk_by(|left, right| left.0 == right.0).map(of_run).collect()
        }
    }
}

/// The distribution of the sum, of numbers below `limit`.
pub(super) fn distribution(laws: &[CountLaw], limit: usize) -> (Counts, Method) {
    let (mean, variance) = moments(laws);
    if mean + 10.0 * variance.sqrt() > LARGEST_EXACT {
        let excess = variance / mean - 1.0;
        let matched = if excess > 0.0 {
            CountLaw::NegativeBinomial { shape: mean / excess, odds: excess }
        } else {
            CountLaw::Poisson { mean }
        };
        return (matched.counts(), Method::MomentMatch);
    }
    (Counts::sum(laws, limit), Method::Exact)
}

impl TotalEnrolment {
    /// The probability that at least this many are enrolled.
    #[must_use]
    pub fn at_least(&self, number: usize) -> f64 {
        self.counts.at_least(number).min(1.0)
    }

    /// The smallest number that is not exceeded with at least this probability, which must be between 0 and 1.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> usize {
        let mut sum = 0.0;
        let reached = self.counts.probabilities.iter().position(|probability_of| {
            sum += probability_of;
            sum >= probability
        });
        self.counts.first + reached.unwrap_or(self.counts.probabilities.len() - 1)
    }

    /// Mean, median and limits.
    ///
    /// # Errors
    /// For a level that is not between 0 and 1.
    pub fn forecast(&self, level: f64) -> Result<Forecast, MeasureError> {
        let tail = tail_of_level(level)?;
        Ok(Forecast {
            mean: self.mean,
            variance: self.variance,
            median: self.quantile(0.5),
            lower: self.quantile(tail),
            upper: self.quantile(1.0 - tail),
            method: self.method,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centre(enrolled: u64, exposure: f64, opens_in: f64) -> Centre {
        Centre { enrolled, exposure, opens_in }
    }

    #[test]
    fn a_centre_that_opens_after_the_horizon_enrols_nobody() {
        let law = RecruitmentLaw::Gamma { shape: 2.0, rate: 1.0 };
        let total = total_enrolment(&law.into(), &[centre(0, 0.0, 9.0)], 4.0).expect("the centre is valid");
        assert_eq!((total.at_least(1), total.at_least(0), total.quantile(0.99)), (0.0, 1.0, 0));
        let late = total_enrolment(&law.into(), &[centre(0, 0.0, 9.0)], 12.0).expect("the centre is valid");
        let early = total_enrolment(&law.into(), &[centre(0, 0.0, 0.0)], 3.0).expect("the centre is valid");
        assert_eq!(late, early);
    }

    #[test]
    fn the_distribution_has_the_moments_of_the_formula() {
        let law = RecruitmentLaw::Gamma { shape: 1.5, rate: 1.2 };
        let centres = [centre(5, 4.0, 0.0), centre(0, 2.5, 0.0), centre(0, 0.0, 2.0), centre(12, 6.0, 0.0)];
        let total = total_enrolment(&law.into(), &centres, 8.0).expect("the centres are valid");
        let numbers = total.counts.probabilities.iter().enumerate();
        let numbers: Vec<(f64, f64)> = numbers.map(|(k, p)| ((total.counts.first + k) as f64, *p)).collect();
        let mean: f64 = numbers.iter().map(|(number, p)| number * p).sum();
        let variance: f64 = numbers.iter().map(|(number, p)| (number - mean).powi(2) * p).sum();
        assert!((mean / total.mean - 1.0).abs() < 1e-12 && (variance / total.variance - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_matched_distribution_is_near_the_exact_one() {
        let law = RecruitmentLaw::Gamma { shape: 1.5, rate: 1.2 };
        let centres: Vec<Centre> =
            (0_u32..40).map(|k| centre(u64::from(k % 9), f64::from(k + 1), 0.0)).collect();
        let laws = count_laws(&law, &centres, 12.0);
        let (mean, variance) = moments(&laws);
        let (exact, method) = distribution(&laws, usize::MAX);
        assert_eq!(method, Method::Exact);
        let excess = variance / mean - 1.0;
        let matched = CountLaw::NegativeBinomial { shape: mean / excess, odds: excess }.counts();
        for number in (0..400).step_by(10) {
            assert!((exact.below(number) - matched.below(number)).abs() < 0.02);
        }
    }

    #[test]
    fn what_is_not_known_widens_the_limits() {
        let past: Vec<Centre> = [2, 10, 4, 7].map(|enrolled| centre(enrolled, 3.0, 0.0)).to_vec();
        let belief = RecruitmentBelief::from_past(&past).expect("the centres are valid");
        let likeliest = crate::enrolment::fit_recruitment(&past).expect("the centres are valid").law;
        let coming = [past, vec![centre(0, 0.0, 1.0); 6]].concat();
        let forecast = |belief: &RecruitmentBelief| {
            let total = total_enrolment(belief, &coming, 12.0).expect("the centres are valid");
            let tails = total.at_least(0) - 1.0;
            assert!(tails.abs() < 1e-12);
            total.forecast(0.9).expect("the level is valid")
        };
        let (open, certain) = (forecast(&belief), forecast(&likeliest.into()));
        assert!(open.lower < certain.lower && certain.upper < open.upper);
        assert!(open.variance > certain.variance);
    }

    #[test]
    fn a_forecast_of_too_many_is_refused() {
        let law = RecruitmentLaw::Common { rate: 1e9 };
        assert!(total_enrolment(&law.into(), &[centre(0, 0.0, 0.0)], 1.0).is_err());
        assert!(total_enrolment(&law.into(), &[centre(0, 0.0, 0.0)], f64::NAN).is_err());
    }
}
