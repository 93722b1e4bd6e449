//! One text to one typed value. What cannot be read is a reason, never a default.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int32Array,
    Int64Array, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use chrono::{DateTime, NaiveDateTime};

use super::Verdict;
use crate::contract::{Allowed, Column, ColumnType, VISIT_NUM};
use crate::date::{PartialDate, days_since_epoch};

/// A column's texts as its type; rows that cannot be read are refused and stand as null.
pub(super) fn typed(texts: &StringArray, column: &Column, verdict: &mut Verdict) -> ArrayRef {
    if !column.nullable {
        for row in (0..texts.len()).filter(|row| texts.is_null(*row)) {
            verdict.refuse(row, &column.name, "", || "it is empty, and the model needs it".to_owned());
        }
    }
    refuse_what_is_not_allowed(texts, column, verdict);
    match column.kind {
        ColumnType::Text => Arc::new(texts.clone()),
        ColumnType::Int8 => {
            let values = each(texts, column, verdict, "a whole number from -128 to 127", |text| {
                i8::try_from(whole(text)?).ok()
            });
            Arc::new(values.collect::<Int8Array>())
        }
        ColumnType::Int32 => {
            let values =
                each(texts, column, verdict, "a whole number", |text| i32::try_from(whole(text)?).ok());
            Arc::new(values.collect::<Int32Array>())
        }
        ColumnType::Int64 => {
            Arc::new(each(texts, column, verdict, "a whole number", whole).collect::<Int64Array>())
        }
        ColumnType::Float64 => {
            Arc::new(each(texts, column, verdict, "a number", number).collect::<Float64Array>())
        }
        ColumnType::Bool => {
            Arc::new(each(texts, column, verdict, "true or false", truth).collect::<BooleanArray>())
        }
        ColumnType::Date => {
            Arc::new(each(texts, column, verdict, "a complete date", date).collect::<Date32Array>())
        }
        ColumnType::Timestamp => {
            let values = each(texts, column, verdict, "a date with a time", instant);
            Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        ColumnType::VisitNumber => {
            let values =
                each(texts, column, verdict, "a visit number", visit_number).collect::<Decimal128Array>();
            // The digits are the column's own: they always fit.
            Arc::new(values.with_data_type(column.kind.arrow()))
        }
        ColumnType::TextList => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            (0..texts.len()).for_each(|_| lists.append_null());
            Arc::new(lists.finish())
        }
    }
}

/// The contract's closed lists, ranges and lengths. The reason names what is allowed, never the value.
fn refuse_what_is_not_allowed(texts: &StringArray, column: &Column, verdict: &mut Verdict) {
    if column.allowed == Allowed::Any {
        return;
    }
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text.filter(|text| !column.allowed.allows(text)) else { continue };
        verdict.refuse(row, &column.name, text, || format!("it is not {}", column.allowed));
    }
}

fn each<'a, T>(
    texts: &'a StringArray,
    column: &'a Column,
    verdict: &'a mut Verdict,
    wanted: &'a str,
    read: impl Fn(&str) -> Option<T> + 'a,
) -> impl Iterator<Item = Option<T>> + 'a {
    texts.iter().enumerate().map(move |(row, text)| {
        let text = text?;
        let value = read(text.trim());
        if value.is_none() {
            verdict.refuse(row, &column.name, text, || format!("it is not {wanted}"));
        }
        value
    })
}

/// Floating point is how SAS and many extracts store whole numbers.
fn whole(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let value = number(text)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is exact")]
    (value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0).then_some(value as i64)
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn date(text: &str) -> Option<i32> {
    PartialDate::parse(text)?.day().map(days_since_epoch)
}

/// An instant in UTC; a date alone stands at midnight (rule R-04).
fn instant(text: &str) -> Option<i64> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_micros());
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Some(at.and_utc().timestamp_micros());
        }
    }
    let day = PartialDate::parse(text).filter(|_| text.len() == 10)?.day()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

fn visit_number(text: &str) -> Option<i128> {
    let scaled = number(text)? * 10_f64.powi(i32::from(VISIT_NUM.1));
    #[expect(clippy::cast_possible_truncation, reason = "the bound is checked")]
    (scaled.abs() < 10_f64.powi(i32::from(VISIT_NUM.0))).then(|| scaled.round() as i128)
}

/// Day, first and last possible day, and precision of a partial date.
pub(super) fn derived_dates(texts: &StringArray, column: &Column, verdict: &mut Verdict) -> [ArrayRef; 4] {
    let mut dates: Vec<Option<PartialDate>> = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let date = text.map(PartialDate::parse);
        if let (Some(None), Some(text)) = (date, text) {
            verdict.refuse(row, &column.name, text, || "it is not an ISO 8601 date".to_owned());
        }
        dates.push(date.flatten());
    }
    let days = |pick: fn(&PartialDate) -> Option<chrono::NaiveDate>| -> ArrayRef {
        let days = dates.iter().map(|date| date.as_ref().and_then(pick).map(days_since_epoch));
        Arc::new(days.collect::<Date32Array>())
    };
    let codes = dates.iter().map(|date| date.map_or("NONE", |date| date.precision.code()));
    [
        days(PartialDate::day),
        days(|date| date.min),
        days(|date| date.max),
        Arc::new(StringArray::from_iter_values(codes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_in_several_forms() {
        assert_eq!(whole("12"), Some(12));
        assert_eq!(whole("12.0"), Some(12));
        assert_eq!(whole("1e2"), Some(100));
        assert_eq!(whole("12.5"), None);
        assert_eq!(whole("twelve"), None);
        assert_eq!(whole("inf"), None);
    }

    #[test]
    fn a_visit_number_has_four_digits() {
        assert_eq!(visit_number("9.299999999999999"), Some(93_000));
        assert_eq!(visit_number("201"), Some(2_010_000));
        assert_eq!(visit_number("1e9"), None);
    }

    // 2012-01-01 is day 15,340 of the epoch.
    #[test]
    fn a_date_alone_is_midnight_utc() {
        let midnight = 15_340 * 86_400_000_000_i64;
        assert_eq!(instant("2012-01-01"), Some(midnight));
        assert_eq!(instant("2012-01-01T00:00:01Z"), Some(midnight + 1_000_000));
        assert_eq!(instant("2012-01"), None);
    }
}
