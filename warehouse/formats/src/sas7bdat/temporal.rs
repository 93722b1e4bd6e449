//! Days, instants and times of day, which SAS keeps as numbers under a format.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use sas7bdat::LogicalType;

/// ISO 8601 for what SAS counts: days, or seconds, from 1960-01-01, or seconds from midnight. `None` for what the
/// calendar does not hold, and for what is no such thing.
pub(super) fn iso_8601(number: f64, kind: LogicalType) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1960, 1, 1)?;
    match kind {
        LogicalType::Date => {
            let days = TimeDelta::try_days(whole(number.floor())?)?;
            epoch.checked_add_signed(days).map(|day| day.to_string())
        }
        LogicalType::DateTime => {
            let at: NaiveDateTime = epoch.and_time(NaiveTime::MIN).checked_add_signed(duration(number)?)?;
            Some(at.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
        }
        LogicalType::Time => {
            // SAS also counts hours past a day, and before midnight.
            let size = duration(number.abs())?;
            let sign = if number < 0.0 { "-" } else { "" };
            let (hours, minutes, seconds) =
                (size.num_hours(), size.num_minutes() % 60, size.num_seconds() % 60);
            let rest =
                NaiveTime::MIN.overflowing_add_signed(TimeDelta::nanoseconds(size.subsec_nanos().into())).0;
            Some(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", rest.format("%.f")))
        }
        _ => None,
    }
}

/// Seconds to the microsecond, which is as fine as a number of SAS tells apart today's instants.
fn duration(seconds: f64) -> Option<TimeDelta> {
    whole((seconds * 1e6).round()).map(TimeDelta::microseconds)
}

fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range")]
    (number.abs() < 9e18).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sas_counts_becomes_iso_8601() {
        // 2024-02-29 is 23,435 days after 1960-01-01: 64 years of 365 days, 16 leap days before it, 31 + 28.
        let known = [
            (0.0, LogicalType::Date, Some("1960-01-01")),
            (23_435.0, LogicalType::Date, Some("2024-02-29")),
            (-1.0, LogicalType::Date, Some("1959-12-31")),
            (23_435.0 * 86_400.0 + 3_661.25, LogicalType::DateTime, Some("2024-02-29T01:01:01.250")),
            (-1.0, LogicalType::DateTime, Some("1959-12-31T23:59:59")),
            (3_661.0, LogicalType::Time, Some("01:01:01")),
            (90_000.5, LogicalType::Time, Some("25:00:00.500")),
            (-60.0, LogicalType::Time, Some("-00:01:00")),
            (1e12, LogicalType::Date, None),
            (f64::INFINITY, LogicalType::DateTime, None),
            (1.0, LogicalType::Float, None),
        ];
        for (number, kind, written) in known {
            assert_eq!(iso_8601(number, kind).as_deref(), written, "{number} {kind:?}");
        }
    }
}
