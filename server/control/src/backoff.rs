//! When something that failed is tried again: after a time by chance between nothing and a limit that doubles with each
//! failure, so that what failed together does not come back together.
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter.

use chrono::TimeDelta;

use crate::error::ControlError;
use crate::fresh;

/// The limits of the times to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// After the first failure.
    pub(crate) first_limit_ms: u64,
    /// However many there were.
    pub(crate) last_limit_ms: u64,
}

impl Backoff {
    /// How long to wait after the given number of failures, drawn from the machine's randomness.
    pub(crate) fn wait(self, failures: u64) -> Result<TimeDelta, ControlError> {
        Ok(self.drawn(failures, u64::from_be_bytes(fresh::bytes()?)))
    }

    /// The longest wait after the given number of failures.
    pub(crate) fn limit(self, failures: u64) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(self.limit_ms(failures)).unwrap_or(i64::MAX))
    }

    fn limit_ms(self, failures: u64) -> u64 {
        let doubled = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(32);
        self.first_limit_ms.saturating_mul(1 << doubled).min(self.last_limit_ms)
    }

    /// The same, for a number that was drawn.
    fn drawn(self, failures: u64, number: u64) -> TimeDelta {
        TimeDelta::milliseconds(i64::try_from(number % (self.limit_ms(failures) + 1)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_limit(failures: u64, limit_ms: u64) {
        let backoff = Backoff { first_limit_ms: 4_000, last_limit_ms: 600_000 };
        let at = |number| backoff.drawn(failures, number).num_milliseconds();
        let limit = i64::try_from(limit_ms).expect("it fits");
        assert_eq!((at(0), at(limit_ms), at(limit_ms + 1)), (0, limit, 0), "after {failures} failures");
        assert_eq!(backoff.limit(failures).num_milliseconds(), limit, "after {failures} failures");
    }

    #[test]
    fn the_limit_doubles_up_to_ten_minutes() {
        for (failures, limit_ms) in
            [(1, 4_000), (2, 8_000), (3, 16_000), (8, 512_000), (9, 600_000), (u64::MAX, 600_000)]
        {
            check_limit(failures, limit_ms);
        }
    }
}
