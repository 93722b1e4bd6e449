//! Of all who began, how many have left by each time for each reason.

use crate::error::MeasureError;
use crate::survival::risk_table::{Moment, moments};

/// The estimate from one time until the next.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseStep {
    /// When the step begins, in the unit of the times given.
    pub time: f64,
    /// Subjects at risk just before.
    pub at_risk: u64,
    /// The share that has not left for any cause.
    pub remaining: f64,
    /// The share that has left, by cause: cause 1 first. With `remaining` it adds up to one.
    pub incidence: Vec<f64>,
    /// The standard error of each share.
    pub standard_error: Vec<f64>,
}

/// The Aalen-Johansen estimate of leaving by cause: `I_j(t) = sum S(t-) d_j / n`. Cause 0 is being cut short; causes
/// compete from 1 on. One minus the Kaplan-Meier estimate of one cause alone overstates it, as if those who left
/// for other reasons could still leave for this one.
///
/// The variance is the delta method's, `sum (I_j(t) - I_j(s))² d / (n (n - d)) + S(s-)² (n - d_j) d_j / n³
/// - 2 (I_j(t) - I_j(s)) S(s-) d_j / n²` over the times `s` up to `t`.
///
/// # Errors
/// For slices that do not pair or are empty, for times that are negative or not finite, and for more than a thousand
/// causes.
// Source: Aalen OO, Johansen S, Scand J Stat 1978;5:141-150; variance after Marubini E, Valsecchi MG, Analysing
// Survival Data from Clinical Trials, 1995, 10.2, and Choudhury JB, Stat Med 2002;21:1129-1144.
pub fn cumulative_incidence(times: &[f64], causes: &[usize]) -> Result<Vec<CauseStep>, MeasureError> {
    let moments = moments(times, causes)?;
    let width = moments.first().map_or(0, |moment| moment.by_cause.len() - 1);
    let mut sums = vec![CauseSums::default(); width];
    let mut remaining = 1.0;
    let mut steps = Vec::with_capacity(moments.len());
    for moment in &moments {
        let before = remaining;
        let events = moment.events();
        remaining *= (moment.at_risk - events) as f64 / moment.at_risk as f64;
        for (sum, count) in sums.iter_mut().zip(&moment.by_cause[1..]) {
            sum.add(moment, before, *count as f64);
        }
        steps.push(CauseStep {
            time: moment.time,
            at_risk: moment.at_risk,
            remaining,
            incidence: sums.iter().map(|sum| sum.incidence).collect(),
            standard_error: sums.iter().map(CauseSums::standard_error).collect(),
        });
    }
    Ok(steps)
}

/// The sums that the variance at any later time is made of, so that one pass suffices.
#[derive(Debug, Clone, Copy, Default)]
struct CauseSums {
    incidence: f64,
    hazard: f64,
    incidence_hazard: f64,
    incidence_square_hazard: f64,
    own: f64,
    cross: f64,
    incidence_cross: f64,
}

impl CauseSums {
    fn add(&mut self, moment: &Moment, before: f64, count: f64) {
        let (at_risk, events) = (moment.at_risk as f64, moment.events() as f64);
        self.incidence += before * count / at_risk;
        // Where everybody leaves the incidence is final, so the term's factor (I(t) - I(s))² is zero from here on.
        if events < at_risk {
            let hazard = events / (at_risk * (at_risk - events));
            self.hazard += hazard;
            self.incidence_hazard += self.incidence * hazard;
            self.incidence_square_hazard += self.incidence * self.incidence * hazard;
        }
        self.own += before * before * (at_risk - count) * count / at_risk.powi(3);
        let cross = before * count / (at_risk * at_risk);
        self.cross += cross;
        self.incidence_cross += self.incidence * cross;
    }

    fn standard_error(&self) -> f64 {
        let now = self.incidence;
        let spread =
            now * now * self.hazard - 2.0 * now * self.incidence_hazard + self.incidence_square_hazard;
        let variance = spread + self.own - 2.0 * (now * self.cross - self.incidence_cross);
        variance.max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_share_what_has_left() {
        // By hand: at 1 one of four leaves for cause 1; at 2 one of three for cause 2; at 4 the last for cause 1.
        let steps = cumulative_incidence(&[1.0, 2.0, 3.0, 4.0], &[1, 2, 0, 1]).expect("the times are valid");
        let last = steps.last().expect("there are times");
        assert!((last.incidence[0] - 0.75).abs() < 1e-15 && (last.incidence[1] - 0.25).abs() < 1e-15);
        assert_eq!(last.remaining, 0.0);
        for step in &steps {
            assert!((step.remaining + step.incidence.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(step.standard_error.iter().all(|error| error.is_finite()));
        }
    }

    #[test]
    fn without_censoring_the_error_is_the_binomial_one() {
        // Four of ten leave for cause 1 and six for cause 2: se = sqrt(.4 * .6 / 10).
        let times: Vec<f64> = (1..=10).map(f64::from).collect();
        let steps =
            cumulative_incidence(&times, &[1, 2, 2, 1, 2, 1, 2, 2, 1, 2]).expect("the times are valid");
        let error = steps[9].standard_error[0];
        assert!((error - 0.024_f64.sqrt()).abs() < 1e-12, "{error}");
    }
}
