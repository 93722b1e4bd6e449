//! Whether groups leave at one pace.

use crate::cholesky::Cholesky;
use crate::error::MeasureError;
use crate::survival::risk_table::{check_causes, moments};
use crate::tail_probability::chi_square_upper;

/// Events of one group, and what it would have had at the pace of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRankGroup {
    /// Subjects.
    pub subjects: u64,
    /// Events seen.
    pub observed: u64,
    /// Events expected.
    pub expected: f64,
}

/// The test of equal hazards.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// One entry per group, by its number.
    pub groups: Vec<LogRankGroup>,
    /// The statistic; none where no events can tell the groups apart.
    pub chi_square: Option<f64>,
    /// Groups that could have had an event, less one.
    pub degrees_of_freedom: usize,
    /// The probability of a statistic this large under equal hazards; none as for the statistic.
    pub p_value: Option<f64>,
}

/// The log-rank test of two or more groups, numbered from 0 in `groups`: `(O - E)' V^- (O - E)` with the
/// hypergeometric variance `n_i (n - n_i) d (n - d) / (n² (n - 1))` at each time.
///
/// # Errors
/// As [`crate::survival::kaplan_meier()`], and for more than five hundred groups.
// Source: Mantel N, Cancer Chemother Rep 1966;50:163-170; Harrington DP, Fleming TR, Biometrika 1982;69:553-566,
// with rho = 0.
pub fn log_rank(times: &[f64], events: &[bool], groups: &[usize]) -> Result<LogRank, MeasureError> {
    if groups.len() != times.len() {
        return Err(MeasureError::Unpaired { what: "groups", length: groups.len(), expected: times.len() });
    }
    if events.len() != times.len() {
        return Err(MeasureError::Unpaired { what: "events", length: events.len(), expected: times.len() });
    }
    let count = groups.iter().max().map_or(0, |largest| largest.saturating_add(1));
    check_causes(count)?;
    // Group and event in one number: censored subjects of group g count under 2g, those with an event under 2g + 1.
    let labels: Vec<usize> =
        groups.iter().zip(events).map(|(group, event)| 2 * group + usize::from(*event)).collect();
    check_causes(2 * count)?;
    let mut at_risk = vec![0_u64; count];
    for group in groups {
        at_risk[*group] += 1;
    }
    let subjects = at_risk.clone();
    let mut observed = vec![0_u64; count];
    let mut expected = vec![0.0; count];
    let mut variance = vec![0.0; count * count];
    for moment in moments(times, &labels)? {
        let cell = |label: usize| moment.by_cause.get(label).copied().unwrap_or_default();
        let here: Vec<u64> = (0..count).map(|group| cell(2 * group + 1)).collect();
        let all = moment.at_risk as f64;
        let died: u64 = here.iter().sum();
        let spread = hypergeometric_spread(moment.at_risk, died);
        for group in 0..count {
            let share = at_risk[group] as f64 / all;
            observed[group] += here[group];
            expected[group] += died as f64 * share;
            for other in 0..count {
                let same = f64::from(u8::from(group == other));
                variance[group * count + other] += spread * share * (same - at_risk[other] as f64 / all);
            }
        }
        for group in 0..count {
            at_risk[group] -= cell(2 * group) + here[group];
        }
    }
    let excess: Vec<f64> = observed.iter().zip(&expected).map(|(o, e)| *o as f64 - e).collect();
    let (chi_square, degrees_of_freedom) = quadratic_form(&excess, &expected, &variance);
    let of_group = |group: usize| LogRankGroup {
        subjects: subjects[group],
        observed: observed[group],
        expected: expected[group],
    };
    Ok(LogRank {
        groups: (0..count).map(of_group).collect(),
        chi_square,
        degrees_of_freedom,
        p_value: chi_square.map(|statistic| chi_square_upper(statistic, degrees_of_freedom as f64)),
    })
}

fn hypergeometric_spread(at_risk: u64, events: u64) -> f64 {
    if at_risk < 2 {
        return 0.0;
    }
    events as f64 * (at_risk - events) as f64 / (at_risk - 1) as f64
}

/// The statistic over the groups that could have had an event, one of them left out since excesses add up to zero.
fn quadratic_form(excess: &[f64], expected: &[f64], variance: &[f64]) -> (Option<f64>, usize) {
    let count = excess.len();
    let possible: Vec<usize> = (0..count).filter(|group| expected[*group] > 0.0).collect();
    let Some(kept) = possible.get(1..).filter(|kept| !kept.is_empty()) else { return (None, 0) };
    let matrix: Vec<f64> =
        kept.iter().flat_map(|row| kept.iter().map(move |column| variance[row * count + column])).collect();
    let vector: Vec<f64> = kept.iter().map(|group| excess[*group]).collect();
    let statistic = Cholesky::new(&matrix, kept.len()).map(|root| root.inverse_form(&vector));
    (statistic, kept.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_by_hand() {
        // Group 0 leaves at 1 and 3, group 1 at 2 and 4. Expected in group 0: 1/2 + 1/3 + 1/2 = 4/3;
        // variance 1/4 + 2/9 + 1/4 = 13/18; statistic (2/3)² / (13/18) = 8/13.
        let test = log_rank(&[1.0, 3.0, 2.0, 4.0], &[true; 4], &[0, 0, 1, 1]).expect("the times are valid");
        assert!((test.groups[0].expected - 4.0 / 3.0).abs() < 1e-15);
        assert!((test.chi_square.expect("the groups differ") - 8.0 / 13.0).abs() < 1e-14);
        assert_eq!(test.degrees_of_freedom, 1);
    }

    #[test]
    fn one_group_or_no_event_tells_nothing() {
        let test = log_rank(&[1.0, 2.0], &[true; 2], &[0, 0]).expect("the times are valid");
        assert_eq!((test.chi_square, test.p_value, test.degrees_of_freedom), (None, None, 0));
        let test = log_rank(&[1.0, 2.0], &[false; 2], &[0, 1]).expect("the times are valid");
        assert_eq!(test.p_value, None);
    }

    #[test]
    fn an_unused_group_number_costs_no_degree_of_freedom() {
        let test = log_rank(&[1.0, 3.0, 2.0, 4.0], &[true; 4], &[0, 0, 2, 2]).expect("the times are valid");
        assert_eq!((test.degrees_of_freedom, test.groups[1].subjects), (1, 0));
        assert!((test.chi_square.expect("the groups differ") - 8.0 / 13.0).abs() < 1e-14);
    }
}
