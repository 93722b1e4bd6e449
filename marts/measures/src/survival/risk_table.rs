//! How many are at risk at each time, and what becomes of them.

use crate::error::MeasureError;

/// What happens at one time. Those who are censored at a time are still at risk at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    pub(super) time: f64,
    pub(super) at_risk: u64,
    /// Subjects by cause; cause 0 is censoring.
    pub(super) by_cause: Vec<u64>,
}

impl Moment {
    pub(super) fn events(&self) -> u64 {
        self.by_cause[1..].iter().sum()
    }
}

/// One moment per distinct time, rising. Times that differ by less than 1e-8 of their size are one time, since
/// they come from arithmetic on dates.
// Source: the tie rule of R survival (`timefix`).
pub(super) fn moments(times: &[f64], causes: &[usize]) -> Result<Vec<Moment>, MeasureError> {
    if times.len() != causes.len() {
        return Err(MeasureError::Unpaired { what: "causes", length: causes.len(), expected: times.len() });
    }
    if times.is_empty() {
        return Err(MeasureError::Nothing { what: "times" });
    }
    if let Some(index) = times.iter().position(|time| !time.is_finite() || *time < 0.0) {
        return Err(MeasureError::OutOfRange { what: "time", index, value: times[index] });
    }
    let width = causes.iter().max().map_or(1, |largest| largest + 1);
    check_causes(width)?;
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|left, right| times[*left].total_cmp(&times[*right]));
    let mut at_risk = times.len() as u64;
    let mut moments: Vec<Moment> = Vec::new();
    for index in order {
        let time = times[index];
        let same = moments.last().is_some_and(|last| time - last.time <= 1e-8 * time);
        if !same {
            at_risk -= moments.last().map_or(0, |last| last.by_cause.iter().sum());
            moments.push(Moment { time, at_risk, by_cause: vec![0; width] });
        }
        if let Some(last) = moments.last_mut() {
            last.by_cause[causes[index]] += 1;
        }
    }
    Ok(moments)
}

/// A cause is a position in a short list of reasons, never a code of its own.
pub(super) fn check_causes(width: usize) -> Result<(), MeasureError> {
    const LIMIT: usize = 1000;
    if width > LIMIT {
        return Err(MeasureError::TooMany { what: "causes or groups", found: width, limit: LIMIT });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_censored_at_a_time_are_at_risk_at_it() {
        let table = moments(&[2.0, 1.0, 2.0, 3.0], &[0, 1, 2, 0]).expect("the times are valid");
        let seen: Vec<(f64, u64, u64)> = table.iter().map(|m| (m.time, m.at_risk, m.events())).collect();
        assert_eq!(seen, [(1.0, 4, 1), (2.0, 3, 1), (3.0, 1, 0)]);
    }

    #[test]
    fn times_apart_by_rounding_only_are_one_time() {
        let table = moments(&[0.3, 0.1 + 0.2], &[1, 1]).expect("the times are valid");
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        for time in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(moments(&[1.0, time], &[1, 1]).is_err());
        }
        assert!(moments(&[], &[]).is_err());
        assert!(moments(&[1.0], &[1, 1]).is_err());
        assert!(moments(&[1.0], &[usize::MAX - 1]).is_err());
    }
}
