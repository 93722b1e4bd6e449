//! What a dataset is, and what its rows are made of.

use std::borrow::Cow;

use chrono::NaiveDate;

/// What a table is.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// Its name, at most eight letters and digits.
    pub(super) name: &'static str,
    /// What it holds, in at most forty characters.
    pub(super) label: &'static str,
    pub(super) columns: &'static [Column],
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name, at most eight letters and digits.
    pub(super) name: &'static str,
    /// What it holds, in at most forty characters.
    pub(super) label: &'static str,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text of at most so many bytes.
    Char(u16),
    /// Whole numbers.
    Integer,
    /// Numbers.
    Float,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Missing,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        if text.is_empty() { Self::Missing } else { Self::Text(Cow::Borrowed(text)) }
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        if text.is_empty() { Self::Missing } else { Self::Text(Cow::Owned(text)) }
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        // Sequence numbers, days and doses are far below 2^53.
        Self::Number(number as f64)
    }
}

/// ISO 8601.
impl From<NaiveDate> for Cell<'_> {
    fn from(day: NaiveDate) -> Self {
        Self::Text(Cow::Owned(day.to_string()))
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}
