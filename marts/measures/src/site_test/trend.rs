//! C14, first part: a drift over time.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, SiteTest, enough};
use crate::site_test::ranks::normal_scores;
use crate::tail_probability::student_two_sided;

/// Whether a group's values change over time otherwise than those of the rest, from one time and one value per subject
/// (NaN where missing): the slopes of the values' normal scores on time, fitted apart with a common error and compared
/// by Student's test with `N - 4` degrees of freedom. Three subjects are needed on each side. The effect is the
/// difference of the slopes, group less rest, in standard deviations over one standard deviation of time.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
// Source: the test of equal slopes in the analysis of covariance, on ranks after Conover WJ, Iman RL, Biometrics
// 1982;38:715-724.
pub fn trend(cohort: &Cohort, times: &[f64], values: &[f64]) -> Result<Vec<SiteTest>, MeasureError> {
    let (times, values) = (cohort.per_subject(times)?, cohort.per_subject(values)?);
    let known = (0..cohort.subjects())
        .filter_map(|subject| Some((cohort.group_of(subject), times[subject]?, values[subject]?)));
    let known: Vec<(usize, f64, f64)> = known.collect();
    let scores = normal_scores(&known.iter().map(|point| point.2).collect::<Vec<f64>>());
    let points: Vec<(usize, f64, f64)> =
        known.iter().zip(scores).map(|((group, time, _), score)| (*group, *time, score)).collect();
    let spread = Line::through(points.iter().map(|point| (point.1, point.2)));
    Ok(cohort.each(|group| {
        let side = |inside: bool| points.iter().filter(move |p| (p.0 == group) == inside).map(|p| (p.1, p.2));
        let (inside, outside) = (Line::through(side(true)), Line::through(side(false)));
        enough(inside.count, outside.count, 3)?;
        let degrees = (inside.count + outside.count - 4) as f64;
        let error = (inside.residual() + outside.residual()) / degrees;
        if inside.time_squares <= 0.0 || outside.time_squares <= 0.0 || error <= 1e-12 {
            return Err(NotApplicable::Constant);
        }
        let difference = inside.slope() - outside.slope();
        let t = difference / (error * (1.0 / inside.time_squares + 1.0 / outside.time_squares)).sqrt();
        let unit = (spread.time_squares / spread.count as f64).sqrt();
        Ok(Outcome {
            p_value: student_two_sided(t, degrees),
            effect: difference * unit,
            group_size: inside.count,
            rest_size: outside.count,
        })
    }))
}

/// Sums of squares and products about the means.
pub(super) struct Line {
    count: usize,
    pub(super) time_squares: f64,
    products: f64,
    squares: f64,
}

impl Line {
    pub(super) fn through(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let points: Vec<(f64, f64)> = points.collect();
        let count = points.len();
        let mean = |part: fn(&(f64, f64)) -> f64| points.iter().map(part).sum::<f64>() / count as f64;
        let (time, value) = (mean(|point| point.0), mean(|point| point.1));
        let sum = |term: &dyn Fn(f64, f64) -> f64| {
            points.iter().map(|point| term(point.0 - time, point.1 - value)).sum::<f64>()
        };
        let (time_squares, products, squares) = (sum(&|t, _| t * t), sum(&|t, v| t * v), sum(&|_, v| v * v));
        Self { count, time_squares, products, squares }
    }

    pub(super) fn slope(&self) -> f64 {
        self.products / self.time_squares
    }

    fn residual(&self) -> f64 {
        (self.squares - self.products * self.slope()).max(0.0)
    }
}
