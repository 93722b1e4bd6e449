//! How the rates of centres differ.

use libm::lgamma;
use statrs::function::gamma::digamma;

use crate::error::MeasureError;
use crate::tail_probability::{crossing, gamma_lower, tail_of_level};

/// A centre's past, and when it begins if it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    /// Subjects enrolled so far.
    pub enrolled: u64,
    /// The time it has been open so far; zero for a centre that is still to open.
    pub exposure: f64,
    /// The time from now until it opens; zero for one that is open.
    pub opens_in: f64,
}

impl Centre {
    /// The time that it will have been open within a horizon from now.
    pub(super) fn open_within(&self, horizon: f64) -> f64 {
        (horizon - self.opens_in).max(0.0)
    }
}

/// The distribution of the rates, in subjects per unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RecruitmentLaw {
    /// A gamma distribution with mean `shape / rate`.
    Gamma {
        /// Its shape; the relative spread of the rates is `1 / sqrt(shape)`.
        shape: f64,
        /// Its rate, a time.
        rate: f64,
    },
    /// One rate for all: the limit of a large shape, where centres differ no more than chance makes them.
    Common {
        /// Subjects per centre and unit of time.
        rate: f64,
    },
}

/// What is known of one centre's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PosteriorRate {
    /// The expected rate.
    pub mean: f64,
    /// The limits between which it lies with the probability asked for.
    pub interval: (f64, f64),
}

impl RecruitmentLaw {
    /// The rate of a centre given its past: gamma with shape `shape + enrolled` and rate `rate + exposure`.
    ///
    /// # Errors
    /// For a law or a centre that is not valid, and a level that is not between 0 and 1.
    pub fn posterior_rate(&self, centre: &Centre, level: f64) -> Result<PosteriorRate, MeasureError> {
        let tail = tail_of_level(level)?;
        self.check()?;
        check_centres(&[*centre])?;
        Ok(match *self {
            Self::Common { rate } => PosteriorRate { mean: rate, interval: (rate, rate) },
            Self::Gamma { shape, rate } => {
                let (shape, rate) = (shape + centre.enrolled as f64, rate + centre.exposure);
                let limit = |probability: f64| {
                    let above = 2.0 * shape + 20.0 - 2.0 * tail.ln();
                    crossing(probability, 0.0, above, |x| gamma_lower(shape, x)) / rate
                };
                PosteriorRate { mean: shape / rate, interval: (limit(tail), limit(1.0 - tail)) }
            }
        })
    }

    pub(super) fn check(&self) -> Result<(), MeasureError> {
        let parameters = match *self {
            Self::Gamma { shape, rate } => [shape, rate],
            Self::Common { rate } => [rate, rate],
        };
        match parameters.iter().position(|value| !(value.is_finite() && *value > 0.0)) {
            Some(index) => Err(MeasureError::OutOfRange {
                what: "parameter of the rates",
                index,
                value: parameters[index],
            }),
            None => Ok(()),
        }
    }
}

pub(super) fn check_centres(centres: &[Centre]) -> Result<(), MeasureError> {
    if centres.is_empty() {
        return Err(MeasureError::Nothing { what: "centres" });
    }
    for (index, centre) in centres.iter().enumerate() {
        for (what, value) in [("exposure", centre.exposure), ("time until opening", centre.opens_in)] {
            if !value.is_finite() || value < 0.0 {
                return Err(MeasureError::OutOfRange { what, index, value });
            }
        }
        if centre.enrolled > 0 && centre.exposure <= 0.0 {
            return Err(MeasureError::OutOfRange {
                what: "exposure of a centre that has enrolled",
                index,
                value: centre.exposure,
            });
        }
    }
    Ok(())
}

/// A law fitted to the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecruitmentFit {
    /// The law of greatest likelihood.
    pub law: RecruitmentLaw,
    /// The logarithm of that likelihood.
    pub log_likelihood: f64,
}

/// Fits the law by maximum likelihood to the counts of the centres that have been open, which are negative binomial:
/// `ln L = sum lnG(a + k) - lnG(a) - ln k! + a ln(b / (b + t)) + k ln(t / (b + t))`. Where no finite shape is likelier
/// than one common rate, that is what is returned.
///
/// # Errors
/// For a centre that is not valid, and where nobody has been enrolled.
pub fn fit_recruitment(centres: &[Centre]) -> Result<RecruitmentFit, MeasureError> {
    check_centres(centres)?;
    let open = open_centres(centres);
    let (enrolled, exposure) = open.iter().fold((0.0, 0.0), |sum, (k, t)| (sum.0 + k, sum.1 + t));
    if enrolled <= 0.0 {
        return Err(MeasureError::Nothing { what: "enrolled subjects to learn a rate from" });
    }
    let common = enrolled / exposure;
    let common_likelihood = poisson_likelihood(&open, common);
    let (shape, mean) = likeliest_shape(&open);
    let log_likelihood = likelihood(&open, shape, mean);
    // A shape at the far end of the search is the common rate, but for rounding.
    if shape > LARGEST_SHAPE / 2.0 || log_likelihood <= common_likelihood {
        let law = RecruitmentLaw::Common { rate: common };
        return Ok(RecruitmentFit { law, log_likelihood: common_likelihood });
    }
    let law = RecruitmentLaw::Gamma { shape, rate: shape / mean };
    Ok(RecruitmentFit { law, log_likelihood })
}

/// Counts and exposures of the centres that have been open.
pub(super) fn open_centres(centres: &[Centre]) -> Vec<(f64, f64)> {
    let open = centres.iter().filter(|centre| centre.exposure > 0.0);
    open.map(|centre| (centre.enrolled as f64, centre.exposure)).collect()
}

/// The logarithm of the probability of the past.
pub(super) fn law_likelihood(open: &[(f64, f64)], law: RecruitmentLaw) -> f64 {
    match law {
        RecruitmentLaw::Gamma { shape, rate } => likelihood(open, shape, shape / rate),
        RecruitmentLaw::Common { rate } => poisson_likelihood(open, rate),
    }
}

/// The standard error of the logarithm of the likeliest mean for a shape, which may be infinite.
pub(super) fn log_mean_error(open: &[(f64, f64)], shape: f64, mean: f64) -> f64 {
    let information = |&(k, t): &(f64, f64)| {
        let expected = mean * t;
        // a e (a + k) / (a + e)², divided by a², so that an infinite shape leaves e.
        expected * (1.0 + k / shape) / (1.0 + expected / shape).powi(2)
    };
    open.iter().map(information).sum::<f64>().sqrt().recip()
}

const SMALLEST_SHAPE: f64 = 1e-4;
const LARGEST_SHAPE: f64 = 1e6;

/// The shape where the profile likelihood is greatest, and the mean that goes with it: the best of a grid, then the root
/// of the slope next to it.
fn likeliest_shape(open: &[(f64, f64)]) -> (f64, f64) {
    const POINTS: u32 = 100;
    let step = (LARGEST_SHAPE / SMALLEST_SHAPE).ln() / f64::from(POINTS);
    let shape_at = |point: u32| SMALLEST_SHAPE * (step * f64::from(point)).exp();
    let profile = |shape: f64| likelihood(open, shape, likeliest_mean(open, shape));
    let best = (0..=POINTS)
        .map(|point| (point, profile(shape_at(point))))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map_or(0, |best| best.0);
    let (low, high) = (shape_at(best.saturating_sub(1)), shape_at((best + 1).min(POINTS)));
    let falling = |shape: f64| -slope(open, shape, likeliest_mean(open, shape));
    let shape = crossing(0.0, low, high, falling);
    (shape, likeliest_mean(open, shape))
}

/// The mean rate that is likeliest for a shape, which may be infinite: the root of `sum (k - m t) / (1 + m t / a)`.
pub(super) fn likeliest_mean(open: &[(f64, f64)], shape: f64) -> f64 {
    let highest = open.iter().map(|(k, t)| k / t).fold(0.0, f64::max);
    crossing(0.0, 0.0, highest, |mean| {
        open.iter().map(|(k, t)| (mean * t - k) / (1.0 + mean * t / shape)).sum()
    })
}

fn likelihood(open: &[(f64, f64)], shape: f64, mean: f64) -> f64 {
    open.iter()
        .map(|&(k, t)| {
            let expected = mean * t;
            let rising = lgamma(shape + k) - lgamma(shape) - lgamma(k + 1.0);
            let count = if k > 0.0 { k * (expected / (shape + expected)).ln() } else { 0.0 };
            rising - shape * (expected / shape).ln_1p() + count
        })
        .sum()
}

/// The derivative of the likelihood by the shape.
fn slope(open: &[(f64, f64)], shape: f64, mean: f64) -> f64 {
    open.iter()
        .map(|&(k, t)| {
            let expected = mean * t;
            digamma(shape + k) - digamma(shape) - (expected / shape).ln_1p()
                + (expected - k) / (shape + expected)
        })
        .sum()
}

fn poisson_likelihood(open: &[(f64, f64)], rate: f64) -> f64 {
    let term = |&(k, t): &(f64, f64)| {
        let expected = rate * t;
        k * expected.ln() - expected - lgamma(k + 1.0)
    };
    open.iter().map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centres(past: &[(u64, f64)]) -> Vec<Centre> {
        past.iter().map(|&(enrolled, exposure)| Centre { enrolled, exposure, opens_in: 0.0 }).collect()
    }

    #[test]
    fn equal_centres_share_one_rate() {
        let fit = fit_recruitment(&centres(&[(4, 2.0), (4, 2.0), (8, 4.0)])).expect("the centres are valid");
        assert_eq!(fit.law, RecruitmentLaw::Common { rate: 2.0 });
    }

    #[test]
    fn the_fit_is_a_stationary_point_above_its_neighbours() {
        let past = [(5, 4.0), (0, 2.5), (30, 6.0), (3, 1.0), (7, 5.5), (1, 3.0)];
        let fit = fit_recruitment(&centres(&past)).expect("the centres are valid");
        let RecruitmentLaw::Gamma { shape, rate } = fit.law else { panic!("the centres differ") };
        let open: Vec<(f64, f64)> = past.iter().map(|&(k, t)| (k as f64, t)).collect();
        for (by_shape, by_mean) in [(1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)] {
            assert!(likelihood(&open, shape * by_shape, shape / rate * by_mean) < fit.log_likelihood);
        }
    }

    #[test]
    fn the_unit_of_time_only_rescales() {
        let past = [(5, 4.0), (0, 2.5), (30, 6.0), (3, 1.0)];
        let days: Vec<(u64, f64)> = past.iter().map(|&(k, t)| (k, 30.0 * t)).collect();
        let fit = |past: &[(u64, f64)]| fit_recruitment(&centres(past)).expect("the centres are valid").law;
        let (RecruitmentLaw::Gamma { shape, rate }, RecruitmentLaw::Gamma { shape: same, rate: longer }) =
            (fit(&past), fit(&days))
        else {
            panic!("the centres differ")
        };
        assert!((shape / same - 1.0).abs() < 1e-6 && (longer / rate / 30.0 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_posterior_lies_between_the_law_and_the_centre() {
        let law = RecruitmentLaw::Gamma { shape: 2.0, rate: 1.0 };
        let centre = Centre { enrolled: 10, exposure: 1.0, opens_in: 0.0 };
        let posterior = law.posterior_rate(&centre, 0.9).expect("the centre is valid");
        assert!((posterior.mean - 6.0).abs() < 1e-12);
        // By scipy 1.17.1: gamma.ppf([0.05, 0.95], 12) / 2.
        let (lower, upper) = posterior.interval;
        assert!(
            (lower - 3.462106256792556).abs() < 1e-9 && (upper - 9.103757125451828).abs() < 1e-9,
            "{lower} {upper}"
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let centre = |enrolled, exposure, opens_in| Centre { enrolled, exposure, opens_in };
        for bad in [centre(1, 0.0, 0.0), centre(1, f64::NAN, 0.0), centre(0, 1.0, -1.0), centre(0, 1.0, 0.0)]
        {
            assert!(fit_recruitment(&[bad]).is_err());
        }
        assert!(fit_recruitment(&[]).is_err());
        let law = RecruitmentLaw::Gamma { shape: 0.0, rate: 1.0 };
        assert!(law.posterior_rate(&centre(0, 1.0, 0.0), 0.9).is_err());
    }
}
