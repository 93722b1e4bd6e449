//! Times as ODM files write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// An instant and how finely it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    pub(super) at: DateTime<Utc>,
    pub(super) is_day: bool,
}

impl Time {
    /// A time with a zone, a time without one, which is taken as UTC (rule R-04), or a day.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(at) = zoned(text) {
            return Some(Self { at, is_day: false });
        }
        for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
            if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
                return Some(Self { at: at.and_utc(), is_day: false });
            }
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(Self { at: day.and_hms_opt(0, 0, 0)?.and_utc(), is_day: true })
    }

    /// In UTC, in the precision it was told in.
    pub(super) fn text(self) -> String {
        if self.is_day {
            return self.at.format("%Y-%m-%d").to_string();
        }
        self.at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
    }

    /// `D` or `S`, as the model names it.
    pub(super) const fn precision(self) -> &'static str {
        if self.is_day { "D" } else { "S" }
    }
}

/// A time in eight bytes: microseconds, doubled, and one more for a day. The least number is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedTime(i64);

impl Default for PackedTime {
    fn default() -> Self {
        Self(i64::MIN)
    }
}

impl PackedTime {
    pub(super) fn of(time: Option<Time>) -> Self {
        // Years that do not fit, beyond 146 000, have no time.
        let packed = time
            .and_then(|time| time.at.timestamp_micros().checked_mul(2)?.checked_add(i64::from(time.is_day)));
        packed.map_or_else(Self::default, Self)
    }

    pub(super) fn time(self) -> Option<Time> {
        if self == Self::default() {
            return None;
        }
        let at = DateTime::from_timestamp_micros(self.0.div_euclid(2))?;
        Some(Time { at, is_day: self.0.rem_euclid(2) == 1 })
    }
}

/// An instant that leaves no doubt about its zone.
pub(crate) fn zoned(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.with_timezone(&Utc))
}

/// Whole days of an ISO 8601 duration of days or weeks: months have no fixed length and give none.
pub(super) fn duration_days(text: &str) -> Option<i64> {
    let (sign, text) = text.trim().strip_prefix('-').map_or((1, text.trim()), |rest| (-1, rest));
    let text = text.strip_prefix('P')?;
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let days = match unit {
        "D" => 1,
        "W" => 7,
        _ => return None,
    };
    count.parse::<u32>().ok().map(|count| sign * i64::from(count) * days)
}

/// The earlier and the later end of several times.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) first: Option<Time>,
    pub(super) last: Option<Time>,
}

impl Span {
    pub(super) fn add(&mut self, time: Option<Time>) {
        let Some(time) = time else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    pub(super) fn join(&mut self, other: Self) {
        self.add(other.first);
        self.add(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(text: &str, utc: Option<&str>) {
        assert_eq!(Time::parse(text).map(Time::text).as_deref(), utc, "{text}");
    }

    #[test]
    fn a_time_is_told_in_utc_and_a_day_stays_a_day() {
        check_time("2026-03-01T10:00:00+01:00", Some("2026-03-01T09:00:00Z"));
        check_time("2026-03-01T10:00:00", Some("2026-03-01T10:00:00Z"));
        check_time("2026-03-01T10:00", Some("2026-03-01T10:00:00Z"));
        check_time("2026-03-01", Some("2026-03-01"));
        check_time("7 Aug 2014", None);
    }

    #[test]
    fn a_packed_time_is_the_same_time() {
        for text in ["2026-03-01T10:00:00.5Z", "1960-01-01", "1969-12-31T23:59:59Z"] {
            let time = Time::parse(text);
            assert!(time.is_some() && PackedTime::of(time).time() == time, "{text}");
        }
        assert_eq!(PackedTime::of(None).time(), None);
    }

    #[test]
    fn only_durations_of_fixed_length_become_days() {
        assert_eq!(duration_days("P7D"), Some(7));
        assert_eq!(duration_days("P2W"), Some(14));
        assert_eq!(duration_days("-P3D"), Some(-3));
        assert_eq!(duration_days("P2M"), None);
        assert_eq!(duration_days(""), None);
    }
}
