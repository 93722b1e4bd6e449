//! Partial dates (rule R-01) and study days (rule R-02).
//!
//! A date is kept as it was written; beside it stand the first and the last day it can mean, so that a
//! comparison is true, false or unknown, and nothing is imputed.

use chrono::{Datelike, NaiveDate};

/// How much of a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// No date at all, or a time only.
    None,
    /// The year, perhaps with a day but no month.
    Year,
    /// Year and month.
    Month,
    /// The day.
    Day,
    /// Day and hour.
    Hour,
    /// Day, hour and minute.
    Minute,
    /// Day and time to the second or finer.
    Second,
}

impl Precision {
    /// The code that canon stores: `NONE`, `Y`, `M`, `D`, `H`, `MIN`, `S`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Year => "Y",
            Self::Month => "M",
            Self::Day => "D",
            Self::Hour => "H",
            Self::Minute => "MIN",
            Self::Second => "S",
        }
    }
}

/// A date as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialDate {
    /// How much is known.
    pub precision: Precision,
    /// The first day it can mean.
    pub min: Option<NaiveDate>,
    /// The last day it can mean.
    pub max: Option<NaiveDate>,
}

impl PartialDate {
    const UNKNOWN: Self = Self { precision: Precision::None, min: None, max: None };

    /// Reads ISO 8601 with right truncation and `-` place-holders (`2014`, `2014-03`, `2014---15`,
    /// `--03-15`, `T10`), and intervals `a/b`, whose start counts. `None` if it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split('/').next().unwrap_or_default().trim();
        let (date, time) =
            text.split_once(['T', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
        let day = Self::parse_day(date)?;
        let Some(time) = time else { return Some(day) };
        let precision = time_precision(time)?;
        // A time of an unknown day says nothing about the day.
        Some(if day.precision == Precision::Day { Self { precision, ..day } } else { day })
    }

    fn parse_day(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::UNKNOWN);
        }
        if text.starts_with('-') {
            return text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()).then_some(Self::UNKNOWN);
        }
        let year: i32 = digits(text.get(..4)?)?.try_into().ok()?;
        let rest = text.get(4..)?;
        if rest.is_empty() {
            return Self::between(Precision::Year, (year, 1), (year, 12));
        }
        let rest = rest.strip_prefix('-')?;
        // A hyphen in the month's place: the month is unknown, whatever follows.
        if rest.is_empty() || rest.starts_with('-') {
            let day = rest.trim_start_matches('-');
            let plain = day.is_empty() || digits(day).is_some_and(|day| (1..=31).contains(&day));
            return plain.then(|| Self::between(Precision::Year, (year, 1), (year, 12))).flatten();
        }
        let month = digits(rest.get(..2)?)?;
        let rest = rest.get(2..)?.trim_start_matches('-');
        if rest.is_empty() {
            return Self::between(Precision::Month, (year, month), (year, month));
        }
        let day = NaiveDate::from_ymd_opt(year, month, digits(rest).filter(|_| rest.len() == 2)?)?;
        Some(Self { precision: Precision::Day, min: Some(day), max: Some(day) })
    }

    fn between(precision: Precision, first: (i32, u32), last: (i32, u32)) -> Option<Self> {
        let min = NaiveDate::from_ymd_opt(first.0, first.1, 1)?;
        let end = NaiveDate::from_ymd_opt(last.0, last.1, 1)?;
        let max = end.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
        Some(Self { precision, min: Some(min), max: Some(max) })
    }

    /// The day, if it is known.
    #[must_use]
    pub fn day(&self) -> Option<NaiveDate> {
        self.min.filter(|_| self.precision_reaches_day())
    }

    const fn precision_reaches_day(&self) -> bool {
        matches!(self.precision, Precision::Day | Precision::Hour | Precision::Minute | Precision::Second)
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn time_precision(time: &str) -> Option<Precision> {
    let time = time.trim_end_matches('Z');
    let time = time.split_once('+').map_or(time, |(time, _)| time);
    // A zone to the west follows a minute; a hyphen elsewhere stands for what is not known.
    let time = match time.rsplit_once('-') {
        Some((before, zone)) if zone.len() == 5 && zone.contains(':') && before.contains(':') => before,
        _ => time,
    };
    let parts: Vec<&str> = time.split(':').collect();
    let known = parts.iter().take_while(|part| **part != "-" && !part.is_empty()).count();
    for (part, limit) in parts.iter().take(known).zip([24, 60, 61]) {
        let whole = part.split('.').next().unwrap_or_default();
        digits(whole).filter(|value| *value <= limit)?;
    }
    Some(match known {
        0 => Precision::Day,
        1 => Precision::Hour,
        2 => Precision::Minute,
        3 => Precision::Second,
        _ => return None,
    })
}

/// The study day of `date` relative to `reference`: there is no day 0 (rule R-02).
#[must_use]
pub fn study_day(date: NaiveDate, reference: NaiveDate) -> i32 {
    let days = date.num_days_from_ce() - reference.num_days_from_ce();
    if days >= 0 { days + 1 } else { days }
}

/// Days since 1970-01-01, as Arrow's `Date32` counts them.
#[must_use]
pub fn days_since_epoch(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("the day is valid")
    }

    #[track_caller]
    fn check_date(text: &str, code: &str, bounds: Option<(&str, &str)>) {
        let date = PartialDate::parse(text).unwrap_or_else(|| panic!("{text:?} is a partial date"));
        assert_eq!(date.precision.code(), code, "{text:?}");
        assert_eq!(date.min.zip(date.max), bounds.map(|(min, max)| (day(min), day(max))), "{text:?}");
    }

    // The cases of rule R-01.
    #[test]
    fn a_partial_date_is_bounded_and_never_imputed() {
        check_date("2014-03-15", "D", Some(("2014-03-15", "2014-03-15")));
        check_date("2014-03-15T10", "H", Some(("2014-03-15", "2014-03-15")));
        check_date("2014-03-15T10:30", "MIN", Some(("2014-03-15", "2014-03-15")));
        check_date("2014-03-15T10:30-05:00", "MIN", Some(("2014-03-15", "2014-03-15")));
        check_date("2014-03-15T10:30:59.125", "S", Some(("2014-03-15", "2014-03-15")));
        check_date("2014", "Y", Some(("2014-01-01", "2014-12-31")));
        check_date("2012-02", "M", Some(("2012-02-01", "2012-02-29")));
        check_date("2014---15", "Y", Some(("2014-01-01", "2014-12-31")));
        check_date("--03-15", "NONE", None);
        check_date("T10", "NONE", None);
        check_date("2014-03-15/2014-03-20", "D", Some(("2014-03-15", "2014-03-15")));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["UNK", "15MAR2014", "2014-13", "2014-02-30", "2014-3-1", "20140315", "2014-03-15T25"] {
            assert_eq!(PartialDate::parse(text), None, "{text:?}");
        }
    }

    // Rule R-02.
    #[test]
    fn there_is_no_study_day_zero() {
        assert_eq!(study_day(day("2014-01-02"), day("2014-01-02")), 1);
        assert_eq!(study_day(day("2014-01-03"), day("2014-01-02")), 2);
        assert_eq!(study_day(day("2014-01-01"), day("2014-01-02")), -1);
    }
}
