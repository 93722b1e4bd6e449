//! Time is an argument. This is the only file of the workspace that reads the system's clock.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

/// Tells the time in UTC.
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        // The warehouse and the ledger keep microseconds; a finer stamp would not read back equal.
        let now = std::time::SystemTime::now();
        let micros = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |past| past.as_micros());
        DateTime::from_timestamp_micros(i64::try_from(micros).unwrap_or(i64::MAX))
            .unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// A clock that stands still, for rebuilding and for tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
