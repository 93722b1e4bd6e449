//! From a score to a flag: which interval of the line it falls in, and whether there is enough data to say so.

use crate::error::MeasureError;

/// How much data a group needs before it is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Accrual {
    /// At least this numerator.
    Numerator(f64),
    /// At least this denominator.
    Denominator(f64),
    /// At least this much of the denominator outside the numerator.
    Difference(f64),
}

impl Accrual {
    /// Whether a group has enough data.
    #[must_use]
    pub fn reached(self, numerator: f64, denominator: f64) -> bool {
        match self {
            Self::Numerator(least) => numerator >= least,
            Self::Denominator(least) => denominator >= least,
            Self::Difference(least) => denominator - numerator >= least,
        }
    }
}

/// A group's score and flag as they are reported: both absent where there is not enough data to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The score, if it counts.
    pub score: Option<f64>,
    /// The flag of that score.
    pub flag: Option<i8>,
}

/// Thresholds, the flag of each interval they leave, and the data needed.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagRule {
    // INVARIANT: finite and strictly increasing.
    thresholds: Vec<f64>,
    // INVARIANT: one more than thresholds.
    flags: Vec<i8>,
    accrual: Option<Accrual>,
}

impl FlagRule {
    /// A rule by its thresholds, in increasing order, and the flags of the intervals from left to right:
    /// thresholds -2, -1, 2, 3 with flags -2, -1, 0, 1, 2, or thresholds 2, 3 with flags 0, 1, 2.
    ///
    /// # Errors
    /// For thresholds that are not finite and increasing, and for any other number of flags than one more
    /// than thresholds.
    pub fn new(thresholds: &[f64], flags: &[i8], accrual: Option<Accrual>) -> Result<Self, MeasureError> {
        let increasing = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = thresholds.iter().all(|threshold| threshold.is_finite());
        if !increasing || !finite || flags.len() != thresholds.len() + 1 {
            return Err(MeasureError::Thresholds);
        }
        Ok(Self { thresholds: thresholds.to_vec(), flags: flags.to_vec(), accrual })
    }

    /// The thresholds, in increasing order.
    #[must_use]
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The flag of a score. An interval holds its left end and not its right one; an infinite score and NaN
    /// have no flag.
    // Source: gsm.core 1.1.3 `Flag`.
    #[must_use]
    pub fn flag(&self, score: f64) -> Option<i8> {
        if !score.is_finite() {
            return None;
        }
        let interval = self.thresholds.partition_point(|threshold| *threshold <= score);
        self.flags.get(interval).copied()
    }

    /// The score and the flag of a group of which at least `least` events were to be expected, or neither where
    /// fewer were. Unlike the rule's own accrual, which this replaces, what was expected does not depend on what the
    /// group reports: a numerator that has to be large before it counts leaves only large ones to be judged.
    #[must_use]
    pub fn judge_expected(&self, expected: f64, least: f64, score: f64) -> Judged {
        match self.flag(score) {
            Some(flag) if expected >= least => Judged { score: Some(score), flag: Some(flag) },
            _ => Judged { score: None, flag: None },
        }
    }

    /// The score and the flag of a group, or neither where it has not accrued enough data.
    #[must_use]
    pub fn judge(&self, numerator: f64, denominator: f64, score: f64) -> Judged {
        let accrued = self.accrual.is_none_or(|accrual| accrual.reached(numerator, denominator));
        match self.flag(score) {
            Some(flag) if accrued => Judged { score: Some(score), flag: Some(flag) },
            _ => Judged { score: None, flag: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_flags(thresholds: &[f64], flags: &[i8], cases: &[(f64, Option<i8>)]) {
        let rule = FlagRule::new(thresholds, flags, None).expect("the rule is valid");
        for (score, flag) in cases {
            assert_eq!(rule.flag(*score), *flag, "score {score}");
        }
    }

    #[test]
    fn an_interval_holds_its_left_end() {
        let cases = [
            (-2.1, Some(-2)),
            (-2.0, Some(-1)),
            (-1.0, Some(0)),
            (1.9, Some(0)),
            (2.0, Some(1)),
            (3.0, Some(2)),
        ];
        check_flags(&[-2.0, -1.0, 2.0, 3.0], &[-2, -1, 0, 1, 2], &cases);
        check_flags(&[2.0, 3.0], &[0, 1, 2], &[(-9.0, Some(0)), (2.0, Some(1)), (9.0, Some(2))]);
    }

    #[test]
    fn a_score_off_the_line_has_no_flag() {
        let cases = [(f64::INFINITY, None), (f64::NEG_INFINITY, None), (f64::NAN, None)];
        check_flags(&[2.0], &[0, 1], &cases);
    }

    #[track_caller]
    fn check_accrual(accrual: Accrual, numerator: f64, denominator: f64, judged: bool) {
        let rule = FlagRule::new(&[2.0], &[0, 1], Some(accrual)).expect("the rule is valid");
        let expected = judged.then_some(1);
        assert_eq!(rule.judge(numerator, denominator, 2.5).flag, expected, "{accrual:?}");
    }

    #[test]
    fn a_group_is_judged_from_the_threshold_on() {
        check_accrual(Accrual::Numerator(3.0), 3.0, 9.0, true);
        check_accrual(Accrual::Numerator(3.0), 2.0, 9.0, false);
        check_accrual(Accrual::Denominator(9.0), 0.0, 9.0, true);
        check_accrual(Accrual::Denominator(9.0), 8.0, 8.0, false);
        check_accrual(Accrual::Difference(3.0), 6.0, 9.0, true);
        check_accrual(Accrual::Difference(3.0), 7.0, 9.0, false);
    }

    #[test]
    fn a_group_is_judged_by_what_was_expected_of_it() {
        let rule =
            FlagRule::new(&[-2.0], &[-1, 0], Some(Accrual::Numerator(3.0))).expect("the rule is valid");
        assert_eq!(rule.judge(0.0, 90.0, -2.5).flag, None, "no event is too few to be judged");
        assert_eq!(rule.judge_expected(6.0, 5.0, -2.5), Judged { score: Some(-2.5), flag: Some(-1) });
        assert_eq!(rule.judge_expected(4.0, 5.0, -2.5), Judged { score: None, flag: None });
        assert_eq!(rule.judge_expected(f64::NAN, 5.0, -2.5), Judged { score: None, flag: None });
    }

    #[test]
    fn a_rule_has_one_flag_per_interval_and_increasing_thresholds() {
        assert_eq!(FlagRule::new(&[1.0], &[0], None), Err(MeasureError::Thresholds));
        assert_eq!(FlagRule::new(&[2.0, 2.0], &[0, 1, 2], None), Err(MeasureError::Thresholds));
        assert_eq!(FlagRule::new(&[f64::NAN], &[0, 1], None), Err(MeasureError::Thresholds));
    }
}
