//! What becomes of an alarm: it is raised by a verdict, and laid down by people.

use crate::error::MeasureError;

use super::Verdict;

/// Which of the two limits an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The secondary limit.
    Warning,
    /// The limit.
    Breach,
}

/// The state of the alarm of one tolerance limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Nothing to do.
    Ok,
    /// The secondary limit is passed; goes by itself when the verdict does.
    Warn,
    /// The limit was passed; stays until a person has dealt with it, whatever later snapshots say.
    Breach,
    /// A person has taken it up.
    Acknowledged(Severity),
    /// A person has closed it, with a reason or an action. The rate may stay where it is without a new alarm, for
    /// cumulative counts do not fall at once; getting worse raises one, and getting better arms it again.
    Resolved(Severity),
}

/// What happens to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// A snapshot was judged.
    Judged(Verdict),
    /// A person takes it up.
    Acknowledged,
    /// A person closes it.
    Resolved,
    /// A person opens it again.
    Reopened,
}

impl Alarm {
    /// The state that follows. A verdict always has one.
    ///
    /// | state | within | secondary | breach | acknowledge | resolve | reopen |
    /// |---|---|---|---|---|---|---|
    /// | ok | ok | warn | breach | | | |
    /// | warn | ok | warn | breach | acknowledged (warning) | | |
    /// | breach | breach | breach | breach | acknowledged (breach) | | |
    /// | acknowledged (warning) | ok | same | breach | | resolved (warning) | |
    /// | acknowledged (breach) | same | same | same | | resolved (breach) | |
    /// | resolved (warning) | ok | same | breach | | | warn |
    /// | resolved (breach) | ok | resolved (warning) | same | | | breach |
    ///
    /// Too few counts for a verdict change nothing.
    ///
    /// # Errors
    /// For an act that the state does not allow (empty in the table).
    // Source: the course that ICH E6(R3) 3.10.1.3 asks of a deviation from an acceptable range: evaluate, act, document.
    pub fn after(self, occurrence: Occurrence) -> Result<Self, MeasureError> {
        match occurrence {
            Occurrence::Judged(verdict) => Ok(self.judged(verdict)),
            Occurrence::Acknowledged => match self {
                Self::Warn => Ok(Self::Acknowledged(Severity::Warning)),
                Self::Breach => Ok(Self::Acknowledged(Severity::Breach)),
                _ => Err(self.refuses("acknowledged")),
            },
            Occurrence::Resolved => match self {
                Self::Acknowledged(severity) => Ok(Self::Resolved(severity)),
                _ => Err(self.refuses("resolved")),
            },
            Occurrence::Reopened => match self {
                Self::Resolved(Severity::Warning) => Ok(Self::Warn),
                Self::Resolved(Severity::Breach) => Ok(Self::Breach),
                _ => Err(self.refuses("reopened")),
            },
        }
    }

    fn judged(self, verdict: Verdict) -> Self {
        use Severity::{Breach, Warning};
        match (self, verdict) {
            (same, Verdict::TooFew)
            | (same @ (Self::Breach | Self::Acknowledged(Breach)), _)
            | (same @ (Self::Acknowledged(Warning) | Self::Resolved(Warning)), Verdict::Secondary)
            | (same @ Self::Resolved(Breach), Verdict::Breach) => same,
            (_, Verdict::Within) => Self::Ok,
            (_, Verdict::Breach) => Self::Breach,
            (Self::Resolved(Breach), Verdict::Secondary) => Self::Resolved(Warning),
            (Self::Ok | Self::Warn, Verdict::Secondary) => Self::Warn,
        }
    }

    fn refuses(self, act: &'static str) -> MeasureError {
        let state = match self {
            Self::Ok => "ok",
            Self::Warn => "a warning",
            Self::Breach => "a breach",
            Self::Acknowledged(_) => "acknowledged",
            Self::Resolved(_) => "resolved",
        };
        MeasureError::Transition { state, act }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Occurrence = Occurrence::Judged(Verdict::Within);
    const SECONDARY: Occurrence = Occurrence::Judged(Verdict::Secondary);
    const BREACH: Occurrence = Occurrence::Judged(Verdict::Breach);

    #[track_caller]
    fn check_course(occurrences: &[Occurrence], expected: Alarm) {
        let mut alarm = Alarm::Ok;
        for occurrence in occurrences {
            alarm = alarm.after(*occurrence).expect("the act is allowed");
        }
        assert_eq!(alarm, expected, "{occurrences:?}");
    }

    #[test]
    fn a_warning_goes_by_itself_and_a_breach_does_not() {
        check_course(&[SECONDARY], Alarm::Warn);
        check_course(&[SECONDARY, WITHIN], Alarm::Ok);
        check_course(&[SECONDARY, BREACH, SECONDARY, WITHIN], Alarm::Breach);
    }

    #[test]
    fn a_breach_is_acknowledged_and_then_resolved() {
        let acknowledged = [BREACH, Occurrence::Acknowledged, WITHIN];
        check_course(&acknowledged, Alarm::Acknowledged(Severity::Breach));
        check_course(
            &[BREACH, Occurrence::Acknowledged, Occurrence::Resolved],
            Alarm::Resolved(Severity::Breach),
        );
        assert_eq!(
            Alarm::Breach.after(Occurrence::Resolved),
            Err(MeasureError::Transition { state: "a breach", act: "resolved" })
        );
    }

    #[test]
    fn a_resolved_alarm_comes_back_only_when_it_gets_worse() {
        let resolved = [BREACH, Occurrence::Acknowledged, Occurrence::Resolved];
        check_course(&[&resolved[..], &[BREACH]].concat(), Alarm::Resolved(Severity::Breach));
        check_course(&[&resolved[..], &[SECONDARY, BREACH]].concat(), Alarm::Breach);
        check_course(&[&resolved[..], &[WITHIN, SECONDARY]].concat(), Alarm::Warn);
        check_course(&[SECONDARY, Occurrence::Acknowledged, BREACH], Alarm::Breach);
        check_course(
            &[SECONDARY, Occurrence::Acknowledged, Occurrence::Resolved, SECONDARY],
            Alarm::Resolved(Severity::Warning),
        );
        check_course(&[&resolved[..], &[Occurrence::Reopened]].concat(), Alarm::Breach);
    }

    #[test]
    fn nothing_follows_from_too_few_counts() {
        for alarm in [
            Alarm::Ok,
            Alarm::Warn,
            Alarm::Breach,
            Alarm::Acknowledged(Severity::Warning),
            Alarm::Resolved(Severity::Breach),
        ] {
            assert_eq!(alarm.after(Occurrence::Judged(Verdict::TooFew)), Ok(alarm));
        }
    }

    #[test]
    fn only_an_alarm_can_be_taken_up() {
        assert!(Alarm::Ok.after(Occurrence::Acknowledged).is_err());
        assert!(Alarm::Ok.after(Occurrence::Resolved).is_err());
        assert!(Alarm::Acknowledged(Severity::Breach).after(Occurrence::Acknowledged).is_err());
        assert!(Alarm::Warn.after(Occurrence::Reopened).is_err());
    }
}
