//! What became of a number since the snapshot before.

/// The difference to the value before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Now less before.
    pub difference: f64,
    /// The difference as a percentage of the value before, with that value's sign; none where it was zero.
    pub percent: Option<f64>,
}

/// The change from one value to the next; none where either is absent or not finite.
// Source: gsm.reporting 1.1.2 `CalculateChange`, which gives an infinity or nothing where the value before is zero.
#[must_use]
pub fn change(before: Option<f64>, now: Option<f64>) -> Option<Change> {
    let (before, now) = (before.filter(|value| value.is_finite())?, now.filter(|value| value.is_finite())?);
    let difference = now - before;
    let percent = (before != 0.0).then(|| 100.0 * difference / before);
    Some(Change { difference, percent })
}

/// The changes along a series in the order of its snapshots; the first has none.
#[must_use]
pub fn changes(values: &[Option<f64>]) -> Vec<Option<Change>> {
    let before = std::iter::once(&None).chain(values);
    before.zip(values).map(|(before, now)| change(*before, *now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_relative_to_the_value_before() {
        // By hand.
        assert_eq!(change(Some(4.0), Some(5.0)), Some(Change { difference: 1.0, percent: Some(25.0) }));
        assert_eq!(change(Some(-4.0), Some(-5.0)), Some(Change { difference: -1.0, percent: Some(25.0) }));
        assert_eq!(change(Some(0.0), Some(5.0)), Some(Change { difference: 5.0, percent: None }));
    }

    #[test]
    fn an_absent_value_has_no_change() {
        assert_eq!(change(None, Some(1.0)), None);
        assert_eq!(change(Some(1.0), Some(f64::NAN)), None);
        let series = changes(&[Some(2.0), Some(3.0), None, Some(4.0)]);
        assert_eq!(series, [None, Some(Change { difference: 1.0, percent: Some(50.0) }), None, None]);
        assert!(changes(&[]).is_empty());
    }
}
