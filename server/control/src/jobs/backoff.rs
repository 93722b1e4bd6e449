//! When a job that failed is tried again: after a time by chance between nothing and a limit that doubles with each
//! failure, so that jobs that failed together do not come back together.
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter.

use chrono::TimeDelta;

use crate::error::ControlError;
use crate::fresh;

const FIRST_LIMIT_MS: u64 = 4_000;
const LAST_LIMIT_MS: u64 = 600_000;

/// How long to wait after the given number of failures, drawn from the machine's randomness.
pub(crate) fn wait(failures: u64) -> Result<TimeDelta, ControlError> {
    Ok(drawn(failures, u64::from_be_bytes(fresh::bytes()?)))
}

/// The same, for a number that was drawn.
fn drawn(failures: u64, number: u64) -> TimeDelta {
    let doubled = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(32);
    let limit = FIRST_LIMIT_MS.saturating_mul(1 << doubled).min(LAST_LIMIT_MS);
    TimeDelta::milliseconds(i64::try_from(number % (limit + 1)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_limit(failures: u64, limit_ms: u64) {
        let at = |number| drawn(failures, number).num_milliseconds();
        let limit = i64::try_from(limit_ms).expect("it fits");
        assert_eq!((at(0), at(limit_ms), at(limit_ms + 1)), (0, limit, 0), "after {failures} failures");
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
