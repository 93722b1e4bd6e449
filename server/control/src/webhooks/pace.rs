//! When messages are sent to an endpoint. A delivery that fails waits by [`BACKOFF`]. What protects an endpoint that is
//! down, and us from it, holds for the endpoint as a whole:
//!
//! - the **breaker** opens after [`OPENS_AFTER`] failures in a row: nothing is sent until its time is over. Then one
//!   delivery is (half-open); its success closes the breaker, its failure opens it for twice as long, up to an hour.
//! - the **budget of repetitions**: each first attempt earns a tenth of a repetition, so that repetitions stay below
//!   10 % of what there is to send. Where little is sent, one repetition a minute is free.

use chrono::{DateTime, TimeDelta, Utc};

use crate::backoff::Backoff;

/// How long a delivery that failed waits at most: a minute, doubled with each failure, up to twelve hours.
pub(super) const BACKOFF: Backoff = Backoff { first_limit_ms: 60_000, last_limit_ms: 12 * 3_600_000 };
/// After so many failures a delivery is given up. The longest waits come to about two days.
pub(super) const MAX_FAILURES: u64 = 14;
/// The longest that an endpoint can have us wait.
pub(super) const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// Failures in a row that open the breaker.
pub(super) const OPENS_AFTER: u64 = 5;
const OPEN: Backoff = Backoff { first_limit_ms: 30_000, last_limit_ms: 3_600_000 };

/// What a first attempt earns, and what a repetition costs, in thousandths of a repetition.
pub(super) const EARNED: i64 = 100;
pub(super) const COST: i64 = 1_000;
/// The most that is kept.
pub(super) const MOST_CREDIT: i64 = 10_000;
/// How often a repetition is free.
pub(super) const FREE_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Whether messages are sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// They are.
    Closed,
    /// They wait, since the endpoint has failed again and again.
    Open,
    /// The next one is sent to see whether it works again.
    HalfOpen,
}

impl Breaker {
    pub(super) fn at(now: DateTime<Utc>, open_until: Option<DateTime<Utc>>) -> Self {
        match open_until {
            None => Self::Closed,
            Some(until) if now < until => Self::Open,
            Some(_) => Self::HalfOpen,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// How long a breaker stays open that has opened so often since the last success.
pub(super) fn open_for(openings: u64) -> TimeDelta {
    OPEN.limit(openings)
}

/// When a delivery is due again that has failed so often: after the time that was drawn, but not before the endpoint
/// wants it.
pub(super) fn next_due(now: DateTime<Utc>, drawn: TimeDelta, retry_after: Option<&str>) -> DateTime<Utc> {
    let asked = retry_after.and_then(|text| asked_wait(now, text)).unwrap_or_default();
    now + drawn.max(asked.min(LONGEST_WAIT))
}

/// The header `Retry-After`: seconds, or an instant.
// Source: RFC 9110, section 10.2.3.
fn asked_wait(now: DateTime<Utc>, text: &str) -> Option<TimeDelta> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(TimeDelta::seconds(i64::from(seconds)));
    }
    let at = DateTime::parse_from_rfc2822(text.trim()).ok()?.with_timezone(&Utc);
    Some((at - now).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(784_111_777 + second, 0).expect("it is an instant")
    }

    /// The instant is the example of RFC 9110, 784111777 seconds after 1970.
    #[test]
    fn what_an_endpoint_asks_for_is_kept_to() {
        for (header, drawn, wait) in [
            (None, 7, 7),
            (Some("120"), 7, 120),
            (Some("3"), 7, 7),
            (Some("Sun, 06 Nov 1994 08:50:37 GMT"), 7, 60),
            (Some("Sun, 06 Nov 1994 08:00:00 GMT"), 7, 7),
            (Some("4000000000"), 7, 86_400),
            (Some("-5"), 7, 7),
            (Some("soon"), 7, 7),
        ] {
            let due = next_due(at(0), TimeDelta::seconds(drawn), header);
            assert_eq!((due - at(0)).num_seconds(), wait, "{header:?}");
        }
    }

    #[test]
    fn a_breaker_stays_open_twice_as_long_each_time_up_to_an_hour() {
        let seconds: Vec<i64> = [1, 2, 3, 7, 8, 99].map(|openings| open_for(openings).num_seconds()).to_vec();
        assert_eq!(seconds, [30, 60, 120, 1_920, 3_600, 3_600]);
        assert_eq!(Breaker::at(at(0), None), Breaker::Closed);
        assert_eq!(Breaker::at(at(0), Some(at(1))), Breaker::Open);
        assert_eq!(Breaker::at(at(1), Some(at(1))), Breaker::HalfOpen);
    }

    #[test]
    fn the_longest_waits_of_a_delivery_come_to_days() {
        let waits = (1..MAX_FAILURES).map(|failures| BACKOFF.limit(failures).num_minutes());
        // 1 + 2 + 4 + ... + 512 minutes, and three times 720.
        assert_eq!(waits.sum::<i64>(), 1_023 + 3 * 720);
    }
}
