//! Instants as text: RFC 3339 in UTC with six digits, so that texts sort as their instants do.

use chrono::{DateTime, SecondsFormat, Utc};

/// The text of an instant.
pub(crate) fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The instant of a text that [`timestamp`] wrote; `None` for any other.
pub(crate) fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    (timestamp(at) == text).then_some(at)
}
