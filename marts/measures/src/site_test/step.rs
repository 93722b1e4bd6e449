//! C14, second part: a jump at some moment.

use crate::error::MeasureError;
use crate::site_test::cohort::{Cohort, NotApplicable, Outcome, Part, SiteTest, enough};
use crate::site_test::ranks::ranks;
use crate::site_test::trend::Line;
use crate::tail_probability::kolmogorov_upper;

/// Whether a group's level jumps at some moment (a new device, a new person), from one time and one value per subject
/// (NaN where missing): the largest cumulated deviation of the ranks of the group's values in order of time, after the
/// line that all subjects follow over time is taken off, compared with the supremum of a Brownian bridge.
/// Eight subjects of the group are needed. The effect is the level after the likeliest moment less that before it, in
/// standard deviations of all subjects.
///
/// # Errors
/// For slices that do not pair and values that are infinite.
// Source: Pettitt AN, Appl Stat 1979;28:126-135; the correction of the limit for few moments after Siegmund D,
// Sequential Analysis, 1985, 10.2.
pub fn step(cohort: &Cohort, times: &[f64], values: &[f64]) -> Result<Vec<SiteTest>, MeasureError> {
    let (times, values) = (cohort.per_subject(times)?, cohort.per_subject(values)?);
    let mut points: Vec<(f64, f64, usize)> = (0..cohort.subjects())
        .filter_map(|subject| Some((times[subject]?, values[subject]?, cohort.group_of(subject))))
        .collect();
    let line = Line::through(points.iter().map(|point| (point.0, point.1)));
    if line.time_squares > 0.0 {
        for point in &mut points {
            point.1 -= line.slope() * point.0;
        }
    }
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    let deviation = deviation(&points.iter().map(|point| point.1).collect::<Vec<f64>>());
    Ok(cohort.each(|group| {
        let inside: Vec<(f64, f64)> =
            points.iter().filter(|point| point.2 == group).map(|point| (point.0, point.1)).collect();
        let rest_size = points.len() - inside.len();
        if inside.len() < MOMENTS {
            let found = inside.len();
            return Err(NotApplicable::TooFewSubjects { part: Part::Group, found, needed: MOMENTS });
        }
        enough(inside.len(), rest_size, 1)?;
        jump(&inside, rest_size, deviation)
    }))
}

/// Fewer values than this cannot show a jump.
const MOMENTS: usize = 8;

fn jump(points: &[(f64, f64)], rest_size: usize, deviation: f64) -> SiteTest {
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let count = values.len() as f64;
    let ranks = ranks(&values);
    let middle = (count + 1.0) / 2.0;
    let variance = ranks.iter().map(|rank| (rank - middle).powi(2)).sum::<f64>() / (count - 1.0);
    if variance <= 0.0 || deviation <= 0.0 {
        return Err(NotApplicable::Constant);
    }
    let (mut sum, mut largest, mut moment) = (0.0, 0.0, 0);
    for index in 0..values.len() - 1 {
        sum += ranks[index] - middle;
        // Values of one time have no order among them.
        let moment_ends = points[index].0 < points[index + 1].0;
        if moment_ends && f64::abs(sum) > largest {
            (largest, moment) = (sum.abs(), index + 1);
        }
    }
    if moment == 0 {
        return Err(NotApplicable::Constant);
    }
    // The sums are seen at `n` moments only: the limit counts as further away by 0.583 steps.
    let statistic = largest / (variance * count).sqrt() + 0.583 / count.sqrt();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let effect = (mean(&values[moment..]) - mean(&values[..moment])) / deviation;
    Ok(Outcome { p_value: kolmogorov_upper(statistic), effect, group_size: values.len(), rest_size })
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}
