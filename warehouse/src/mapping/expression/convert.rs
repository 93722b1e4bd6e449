//! Changes of form that keep the meaning.

use chrono::Datelike;
use serde::Deserialize;

use crate::date::PartialDate;

/// A change of form that keeps the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// `Y`, `Yes`, `true`, `1` become `true`; `N` … `false`; anything else (`U`, `NA`) is null.
    YesNo,
    /// In upper case.
    Upper,
    /// The digits and points of a name: `VISIT 2` becomes `2`.
    Digits,
    /// `true` when there is no value, else `false`.
    IsMissing,
    /// `true` when there is a value, else `false`.
    IsPresent,
    /// An ISO 8601 duration of days or weeks, in days.
    DurationDays,
    /// The text if it is a number, else null: for findings that hold numbers and words.
    Number,
    /// The number if it is not zero, else null: OMOP writes an unknown concept as 0.
    Nonzero,
    /// The comparison before a number: `<5` becomes `<`; null without one (rule R-12).
    Operator,
    /// The day of a date that is known to the day, else null.
    Day,
    /// A date with its time as ISO 8601. The date alone when hour and minute are not known, and at midnight: that
    /// is how OMOP writes an unknown time. Null when the day is not known.
    Moment,
    /// The year of a date that is known to the day, else null.
    Year,
}

impl Convert {
    pub(super) fn apply(self, text: Option<&str>) -> Option<String> {
        match self {
            Self::IsMissing => Some(text.is_none().to_string()),
            Self::IsPresent => Some(text.is_some().to_string()),
            Self::Upper => text.map(str::to_uppercase),
            Self::YesNo => yes_no(text?).map(|answer| answer.to_string()),
            Self::Digits => {
                let digits: String =
                    text?.chars().filter(|letter| letter.is_ascii_digit() || *letter == '.').collect();
                (!digits.is_empty()).then_some(digits)
            }
            Self::Number => text.filter(|text| number(text).is_some()).map(str::to_owned),
            Self::Nonzero => {
                text.filter(|text| number(text).is_some_and(|number| number != 0.0)).map(str::to_owned)
            }
            Self::Operator => operator(text?).map(str::to_owned),
            Self::Day => day(text?).map(|day| day.to_string()),
            Self::Year => day(text?).map(|day| day.year().to_string()),
            Self::Moment => moment(text?),
            Self::DurationDays => {
                let text = text?.strip_prefix('P')?;
                let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
                let days = match unit {
                    "D" => 1,
                    "W" => 7,
                    _ => return None,
                };
                count.parse::<u32>().ok()?.checked_mul(days).map(|days| days.to_string())
            }
        }
    }
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The day of a date that is known to the day.
pub(super) fn day(text: &str) -> Option<chrono::NaiveDate> {
    PartialDate::parse(text)?.day()
}

fn yes_no(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["Y", "YES", "TRUE", "1"]) {
        return Some(true);
    }
    is(&["N", "NO", "FALSE", "0"]).then_some(false)
}

fn operator(text: &str) -> Option<&'static str> {
    let text = text.trim();
    // The longer signs first: `<=` begins with `<`.
    let sign = ["<=", ">=", "<", ">", "="].into_iter().find(|sign| text.starts_with(sign))?;
    number(&text[sign.len()..]).map(|_| sign)
}

/// A time of which hour and minute are not both known (`T-:-`) is none.
fn moment(text: &str) -> Option<String> {
    let day = day(text)?;
    let time = text.trim().split_once(['T', ' ']).map(|(_, time)| time);
    let is_known = |time: &&str| {
        let digits =
            |range| time.get(range).is_some_and(|part: &str| part.bytes().all(|byte| byte.is_ascii_digit()));
        digits(0..2) && digits(3..5)
    };
    let is_midnight = |time: &str| time.bytes().all(|byte| b"0:.Z".contains(&byte));
    Some(match time.filter(is_known).filter(|time| !is_midnight(time)) {
        Some(time) => format!("{day}T{time}"),
        None => day.to_string(),
    })
}
