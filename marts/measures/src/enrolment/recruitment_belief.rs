//! What the past leaves open about the law: several laws, each with its probability.

use crate::enrolment::recruitment_law::{
    Centre, RecruitmentLaw, fit_recruitment, law_likelihood, likeliest_mean, log_mean_error, open_centres,
};
use crate::error::MeasureError;

/// Laws with their probabilities, which add up to one.
#[derive(Debug, Clone, PartialEq)]
pub struct RecruitmentBelief {
    // INVARIANT: not empty, weights positive with the sum one.
    laws: Vec<(RecruitmentLaw, f64)>,
}

impl From<RecruitmentLaw> for RecruitmentBelief {
    /// One law for certain: a plan's, or the likeliest one, with which limits are narrower than they should be.
    fn from(law: RecruitmentLaw) -> Self {
        Self { laws: vec![(law, 1.0)] }
    }
}

/// The points of the logarithm of the mean, in standard errors from the likeliest one. So close that the forecasts of
/// neighbours overlap: fewer, cleverer points would leave gaps between them, and limits that fall into these.
const NODES: [f64; 11] = [-3.75, -3.0, -2.25, -1.5, -0.75, 0.0, 0.75, 1.5, 2.25, 3.0, 3.75];

impl RecruitmentBelief {
    /// The laws that the centres' past leaves possible: the posterior distribution on a grid of relative spreads of the
    /// rates (`1 / sqrt(shape)`, zero being one common rate) and, for each, eleven points of the mean. The prior
    /// is flat for the logarithm of the mean and half normal with scale one for the spread: a few centres cannot rule
    /// out spreads far beyond what trials show (0.5 to 1), which would make every forecast useless.
    ///
    /// # Errors
    /// As [`fit_recruitment`].
    // Source: the need for it, Mountain R, Sherlock C, "Recruitment prediction for multicenter clinical trials based on
    // a hierarchical Poisson-gamma model", Biometrics 2022;78:636-648 (arXiv 1912.09790).
    pub fn from_past(centres: &[Centre]) -> Result<Self, MeasureError> {
        const SPREADS: u32 = 10;
        let fit = fit_recruitment(centres)?;
        let (open, best) = (open_centres(centres), fit.log_likelihood);
        let (narrowest, widest) = possible_spreads(&open, fit.law);
        let mut laws = Vec::new();
        for point in 0..=SPREADS {
            let spread = narrowest + (widest - narrowest) * f64::from(point) / f64::from(SPREADS);
            let trapezoid = if point == 0 || point == SPREADS { 0.5 } else { 1.0 };
            let shape = spread.powi(-2);
            let mean = likeliest_mean(&open, shape);
            let error = log_mean_error(&open, shape, mean);
            for node in NODES {
                let law = law_of(spread, mean * (node * error).exp());
                let height = (law_likelihood(&open, law) - best - spread * spread / 2.0).exp();
                laws.push((law, trapezoid * error * height));
            }
        }
        let total: f64 = laws.iter().map(|(_, weight)| weight).sum();
        laws.retain(|(_, weight)| *weight > 1e-4 * total);
        let kept: f64 = laws.iter().map(|(_, weight)| weight).sum();
        for (_, weight) in &mut laws {
            *weight /= kept;
        }
        Ok(Self { laws })
    }

    /// The laws and their probabilities.
    #[must_use]
    pub fn laws(&self) -> &[(RecruitmentLaw, f64)] {
        &self.laws
    }

    pub(super) fn check(&self) -> Result<(), MeasureError> {
        self.laws.iter().try_for_each(|(law, _)| law.check())
    }
}

/// The relative spreads outside which the posterior has fallen to e^-7 of its best.
fn possible_spreads(open: &[(f64, f64)], likeliest: RecruitmentLaw) -> (f64, f64) {
    const STEP: f64 = 0.05;
    const STEPS: u32 = 100;
    let of_law = if let RecruitmentLaw::Gamma { shape, .. } = likeliest { shape.sqrt().recip() } else { 0.0 };
    let height = |spread: f64| {
        let mean = likeliest_mean(open, spread.powi(-2));
        law_likelihood(open, law_of(spread, mean)) - spread * spread / 2.0
    };
    let scanned = (0..=STEPS).map(|point| STEP * f64::from(point)).chain([of_law]);
    let heights: Vec<(f64, f64)> = scanned.map(|spread| (spread, height(spread))).collect();
    let best = heights.iter().map(|(_, height)| *height).fold(f64::NEG_INFINITY, f64::max);
    let possible = heights.iter().filter(|(_, height)| *height > best - 7.0).map(|(spread, _)| *spread);
    let (low, high) =
        possible.fold((f64::INFINITY, 0.0_f64), |ends, spread| (ends.0.min(spread), ends.1.max(spread)));
    // The ends lie between two points of the scan.
    ((low - STEP).max(0.0), high + STEP)
}

/// The law with a relative spread, zero for one rate.
fn law_of(spread: f64, mean: f64) -> RecruitmentLaw {
    if spread > 0.0 {
        let shape = spread.powi(-2);
        RecruitmentLaw::Gamma { shape, rate: shape / mean }
    } else {
        RecruitmentLaw::Common { rate: mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centres(count: usize, enrolled: [u64; 2]) -> Vec<Centre> {
        (0..count).map(|k| Centre { enrolled: enrolled[k % 2], exposure: 3.0, opens_in: 0.0 }).collect()
    }

    /// Mean and standard deviation of the believed mean rate.
    fn mean_rate(belief: &RecruitmentBelief) -> (f64, f64) {
        let of = |law: &RecruitmentLaw| match *law {
            RecruitmentLaw::Gamma { shape, rate } => shape / rate,
            RecruitmentLaw::Common { rate } => rate,
        };
        let mean: f64 = belief.laws().iter().map(|(law, weight)| of(law) * weight).sum();
        let variance: f64 = belief.laws().iter().map(|(law, weight)| (of(law) - mean).powi(2) * weight).sum();
        (mean, variance.sqrt())
    }

    #[test]
    fn a_longer_past_leaves_less_open() {
        let few = RecruitmentBelief::from_past(&centres(4, [2, 10])).expect("the centres are valid");
        let many = RecruitmentBelief::from_past(&centres(100, [2, 10])).expect("the centres are valid");
        let ((few_mean, few_error), (mean, error)) = (mean_rate(&few), mean_rate(&many));
        assert!(error < few_error / 3.0, "{error} against {few_error}");
        assert!((mean - 2.0).abs() < 0.05 && few_mean > 1.5 && few_mean < 3.5, "{mean} {few_mean}");
        for belief in [few, many] {
            let total: f64 = belief.laws().iter().map(|(_, weight)| weight).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn one_rate_is_known_as_well_as_its_count_allows() {
        // By hand: 400 events in 300 units of time, a gamma posterior with relative error 1/20, if the rates are equal.
        let belief = RecruitmentBelief::from_past(&centres(100, [4, 4])).expect("the centres are valid");
        let (mean, error) = mean_rate(&belief);
        assert!(
            (mean / (4.0 / 3.0) - 1.0).abs() < 0.01 && (error / mean / 0.05 - 1.0).abs() < 0.1,
            "{mean} {error}"
        );
    }

    #[test]
    fn nobody_enrolled_leaves_everything_open_and_is_refused() {
        assert!(RecruitmentBelief::from_past(&centres(4, [0, 0])).is_err());
    }
}
