//! Dates and durations as ISO 8601 writes them, as far as SDTM uses it.
// Source: SDTMIG 3.4, sections 4.4.1 to 4.4.3.

use regex::Regex;
use std::cmp::Ordering;
use std::sync::LazyLock;

/// A point in time, or the beginning of the period that an incomplete date leaves open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Days since 1970-01-01.
    pub(crate) days: i64,
    /// Seconds since midnight, in UTC where the text has an offset.
    seconds: f64,
    /// How much of it the text says.
    pub(crate) precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precision {
    Year,
    Month,
    Day,
    Time,
}

static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(\d{4})(?:-(\d{2})(?:-(\d{2})",
        r"(?:[T ](\d{2})(?::(\d{2})(?::(\d{2}(?:[.,]\d+)?))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?$"
    ))
    .expect("the pattern is a constant that the tests compile")
});

impl Moment {
    /// Reads a date or date and time that is complete from the left; `None` for everything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts = SHAPE.captures(text.trim())?;
        let number = |place: usize| parts.get(place).and_then(|part| part.as_str().parse::<i64>().ok());
        let (year, month, day) = (number(1)?, number(2), number(3));
        let days = days_of(year, month.unwrap_or(1), day.unwrap_or(1))?;
        let (hour, minute) = (number(4).unwrap_or(0), number(5).unwrap_or(0));
        let second = parts.get(6).map_or(0.0, |part| part.as_str().replace(',', ".").parse().unwrap_or(0.0));
        if hour > 23 || minute > 59 || second >= 60.0 {
            return None;
        }
        let offset = parts.get(7).map_or(Some(0), |part| offset_of(part.as_str()))?;
        let minutes = hour * 60 + minute - offset;
        let precision = match (month, day, parts.get(4)) {
            (None, ..) => Precision::Year,
            (_, None, _) => Precision::Month,
            (.., None) => Precision::Day,
            _ => Precision::Time,
        };
        #[expect(clippy::cast_precision_loss, reason = "minutes of one day")]
        let seconds = minutes.rem_euclid(1440) as f64 * 60.0 + second;
        Some(Self { days: days + minutes.div_euclid(1440), seconds, precision })
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        self.days.cmp(&other.days).then(self.seconds.total_cmp(&other.seconds))
    }
}

/// The minutes that an offset lies before UTC's.
fn offset_of(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|rest| !rest.is_empty()).unwrap_or("0").parse().ok()?;
    let size = hours * 60 + minutes;
    (hours < 24 && minutes < 60).then_some(if text.starts_with('-') { -size } else { size })
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, if there is such a date.
// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Whether a text is a date with day, and perhaps a time.
pub(crate) fn is_complete(text: &str) -> bool {
    Moment::parse(text).is_some_and(|moment| moment.precision >= Precision::Day)
}

/// The days of a complete date since 1970-01-01.
pub(crate) fn complete_days(text: &str) -> Option<i64> {
    Moment::parse(text).filter(|moment| moment.precision >= Precision::Day).map(|moment| moment.days)
}

/// The study day of a date, both in days: the reference day is day 1, the day before it -1.
// Source: SDTMIG 3.4, section 4.4.4.
pub(crate) fn study_day(date: i64, reference: i64) -> i64 {
    let difference = date - reference;
    if difference < 0 { difference } else { difference + 1 }
}

static UNCERTAIN: LazyLock<Regex> = LazyLock::new(|| {
    const HALF: &str = concat!(
        r"(?:-?\d{4}|-)(?:-(?:1[0-2]|0[1-9]|-)(?:-(?:3[01]|0[1-9]|[12]\d|-)",
        r"(?:T(?:2[0-3]|[01]\d|-)(?::(?:[0-5]\d|-)(?:(?::(?:[0-5]\d|-))?(?:\.\d+)?",
        r"(?:Z|[+-](?:2[0-3]|[01]\d):[0-5]\d)?)?)?)?)?)?"
    );
    Regex::new(&format!("^{HALF}(?:/{HALF})?$")).expect("the pattern is a constant that the tests compile")
});

/// Whether a text is a date as SDTM allows it: incomplete from the right, with hyphens for unknown parts, or an
/// interval of two such dates.
pub(crate) fn is_valid(text: &str) -> bool {
    let uncertain = ["/", "--", "-:"].iter().any(|mark| text.contains(mark));
    UNCERTAIN.is_match(text) && (uncertain || Moment::parse(text).is_some())
}

static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    const N: &str = r"\d+(?:[.,]\d*)?";
    Regex::new(&format!(r"^-?P(?:({N}W)|({N}Y)?,?({N}M)?,?({N}D)?,?(?:(T)({N}H)?,?({N}M)?,?({N}S)?)?)$"))
        .expect("the pattern is a constant that the tests compile")
});

/// Whether a text is a duration with at least one part, of which the last alone may have decimals.
pub(crate) fn is_duration(text: &str, negative: bool) -> bool {
    let Some(parts) = DURATION.captures(text) else { return false };
    let given: Vec<&str> = (1..9)
        .filter(|place| *place != 5)
        .filter_map(|place| parts.get(place))
        .map(|part| part.as_str())
        .collect();
    let timed = [6, 7, 8].iter().any(|place| parts.get(*place).is_some());
    let decimal = |part: &&str| part.contains(['.', ',']);
    (negative || !text.starts_with('-'))
        && (parts.get(5).is_some() == timed)
        && given.split_last().is_some_and(|(_, before)| !before.iter().any(decimal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_date_has_a_day_that_exists() {
        for text in [
            "2012-11-30",
            "2012-02-29",
            "2012-11-30T13:05",
            "2012-11-30T13:05:09.5Z",
            "2012-11-30T13:05+02:00",
        ] {
            assert!(is_complete(text), "{text}");
        }
        for text in
            ["", "2012", "2012-11", "2013-02-29", "2012-11-30T24:00", "2012---30", "30NOV2012", "2012-11-30T"]
        {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn the_reference_day_is_day_one_and_there_is_no_day_zero() {
        let days = |text| complete_days(text).unwrap();
        assert_eq!(study_day(days("2012-11-30"), days("2012-11-30T08:00")), 1);
        assert_eq!(study_day(days("2012-11-29"), days("2012-11-30")), -1);
        assert_eq!(study_day(days("2013-10-12"), days("2013-10-08")), 5);
        assert_eq!(complete_days("2012-11"), None);
    }

    #[test]
    fn moments_with_offsets_are_compared_in_utc() {
        let moment = |text| Moment::parse(text).unwrap();
        assert_eq!(moment("2012-11-30T01:00+02:00").compare(moment("2012-11-29T23:00Z")), Ordering::Equal);
        assert_eq!(moment("2012").compare(moment("2012-01-01")), Ordering::Equal);
        assert_eq!(moment("1969-12-31").days, -1);
        assert_eq!(moment("2000-03-01").days, 11_017);
    }

    #[test]
    fn unknown_parts_and_intervals_are_valid_dates() {
        for text in
            ["2012", "2012-11", "2012---30", "-----T10:00", "2012-11-30/2012-12-01", "2012-11-30T-:30"]
        {
            assert!(is_valid(text), "{text}");
        }
        for text in ["", "2012-13", "2012-02-30", "30/11/2012", "2012-11-30T25:00"] {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn a_duration_has_parts_and_decimals_only_in_the_last() {
        for text in ["P80Y", "P1Y2M3D", "PT1.5H", "P2W", "P1DT12H"] {
            assert!(is_duration(text, false), "{text}");
        }
        for text in ["", "P", "PT", "P1DT", "80", "P1.5Y2M", "P1W2D", "-P1D"] {
            assert!(!is_duration(text, false), "{text}");
        }
        assert!(is_duration("-P1D", true));
    }
}
