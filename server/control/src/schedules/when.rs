//! When a schedule is due: a cron expression of five fields, read in a time zone of the IANA database.
//!
//! Where clocks are put forward, a fixed time that does not exist that day is the first moment behind the gap, and
//! times that repeat within the hour are left out. Where clocks are put back, a fixed time is used once, at its first
//! coming; times that repeat within the hour come again.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The longest expression.
const MAX_CRON: usize = 100;

/// The times of a schedule.
#[derive(Debug, Clone)]
pub struct Timetable {
    text: String,
    cron: Box<Cron>,
    zone: Tz,
}

/// An expression or a zone that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTimetable {
    /// Not a cron expression of five fields.
    #[error(
        "`{cron}` is not a cron expression of five fields (minute, hour, day of the month, month, weekday), such as `30 2 * * 1-5`"
    )]
    Cron {
        /// What was given, shortened.
        cron: String,
    },
    /// A day that no month has, for example.
    #[error("the times of `{cron}` never come")]
    Never {
        /// What was given.
        cron: String,
    },
    /// Not a zone of the IANA database.
    #[error("`{zone}` is not a time zone of the IANA database, such as `Europe/Berlin` or `UTC`")]
    Zone {
        /// What was given, shortened.
        zone: String,
    },
}

impl Timetable {
    /// The times of a cron expression in a zone.
    ///
    /// # Errors
    /// When either cannot be read, or the times never come.
    pub fn new(cron: &str, zone: &str) -> Result<Self, InvalidTimetable> {
        let text = cron.trim();
        let refused = || InvalidTimetable::Cron { cron: text.chars().take(MAX_CRON).collect() };
        // Nicknames such as `@hourly`, seconds and years are left out: five fields are what everybody reads alike.
        if text.len() > MAX_CRON || text.split_ascii_whitespace().count() != 5 {
            return Err(refused());
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(text).map_err(|_| refused())?;
        let zone = Tz::from_str(zone)
            .map_err(|_| InvalidTimetable::Zone { zone: zone.chars().take(MAX_CRON).collect() })?;
        let timetable = Self { text: text.to_owned(), cron: Box::new(parsed), zone };
        timetable.after(DateTime::UNIX_EPOCH)?;
        Ok(timetable)
    }

    /// The first time behind an instant.
    ///
    /// # Errors
    /// [`InvalidTimetable::Never`].
    pub fn after(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, InvalidTimetable> {
        let next = self.cron.find_next_occurrence(&at.with_timezone(&self.zone), false);
        let never = |_| InvalidTimetable::Never { cron: self.text.clone() };
        next.map(|next| next.with_timezone(&Utc)).map_err(never)
    }

    /// The cron expression.
    #[must_use]
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// The zone's name.
    #[must_use]
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.zone) == (&other.text, other.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().expect("the instant is valid")
    }

    #[track_caller]
    fn check(cron: &str, zone: &str, after: &str, expected: &[&str]) {
        let timetable = Timetable::new(cron, zone).expect("it can be used");
        let mut at = instant(after);
        for expected in expected {
            at = timetable.after(at).expect("it comes");
            assert_eq!(at, instant(expected), "{cron} in {zone}");
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        // In summer Berlin is two hours ahead of UTC and New York four behind it.
        check("30 2 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", &["2026-07-01T00:30:00Z"]);
        check("0 18 * * 5", "America/New_York", "2026-07-01T00:00:00Z", &["2026-07-03T22:00:00Z"]);
        check(
            "*/20 * * * *",
            "UTC",
            "2026-07-01T00:20:00Z",
            &["2026-07-01T00:40:00Z", "2026-07-01T01:00:00Z"],
        );
    }

    // Source: the IANA database. Berlin goes from 02:00 to 03:00 on 2026-03-29 (01:00 UTC), New York on 2026-03-08
    // (07:00 UTC); Lord Howe from 02:00 to 02:30 on 2026-10-04 (15:30 UTC the day before).
    #[test]
    fn a_fixed_time_in_a_gap_is_the_first_moment_behind_it() {
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
        check(
            "30 2 * * *",
            "America/New_York",
            "2026-03-07T12:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        );
        check(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        );
    }

    // Berlin goes back from 03:00 to 02:00 on 2026-10-25 (01:00 UTC), New York on 2026-11-01 (06:00 UTC).
    #[test]
    fn a_fixed_time_that_comes_twice_is_used_once() {
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
        check(
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            &["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        );
    }

    #[test]
    fn times_within_the_hour_come_as_often_as_the_hour() {
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        );
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"],
        );
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for cron in ["", "* * * *", "0 0 0 * * *", "@daily", "60 * * * *", "a b c d e", &"*,".repeat(200)] {
            assert!(matches!(Timetable::new(cron, "UTC"), Err(InvalidTimetable::Cron { .. })), "{cron}");
        }
        for zone in ["", "Berlin", "Europe/Nowhere", "+02:00"] {
            let outcome = Timetable::new("0 0 * * *", zone);
            assert!(matches!(outcome, Err(InvalidTimetable::Zone { .. })), "{zone}");
        }
        let never = Timetable::new("0 0 30 2 *", "UTC");
        assert!(matches!(never, Err(InvalidTimetable::Never { .. })), "{never:?}");
    }
}
