//! What a search of the ledger asks for, on pages and over REST.

use axum::http::Uri;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use control::{AuditAction, AuditFilter};
use kernel::StudyId;

use crate::http::page::pairs;

const OUTCOMES: [&str; 3] = ["success", "denied", "failed"];

/// Reads the filter of an address. What is empty is as if it were absent; other names are not read here.
///
/// # Errors
/// In words, what is wrong and what to give instead.
pub(crate) fn filter(uri: &Uri) -> Result<AuditFilter, String> {
    let mut filter = AuditFilter::default();
    for (name, value) in pairs(uri) {
        let value = value.trim().to_owned();
        if value.is_empty() {
            continue;
        }
        match name.as_str() {
            "action" => filter.action = Some(action(value)?),
            "actor" => filter.actor = Some(value),
            "resource" => filter.resource = Some(value),
            "study" => {
                let study = value.parse::<StudyId>().map_err(|error| format!("`study`: {error}."))?;
                filter.study = Some(study.to_string());
            }
            "outcome" if OUTCOMES.contains(&value.as_str()) => filter.outcome = Some(value),
            "outcome" => {
                return Err(format!("`outcome` is `{value}`: give `success`, `denied` or `failed`."));
            }
            "from" => filter.from = Some(instant(&value, TimeDelta::zero())?),
            "to" => filter.to = Some(instant(&value, TimeDelta::days(1))?),
            _ => {}
        }
    }
    Ok(filter)
}

fn action(name: String) -> Result<String, String> {
    if AuditAction::ALL.iter().any(|action| action.name() == name) {
        return Ok(name);
    }
    Err(format!("`action` is `{name}`, which is none: docs/ledger.md says where they are listed."))
}

/// An instant in RFC 3339, or a day, which is its beginning plus `day`.
fn instant(text: &str, day: TimeDelta) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let date = text.parse::<NaiveDate>().ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    date.map(|date| date.and_utc() + day)
        .ok_or_else(|| format!("`{text}` is no instant: give a day such as 2026-11-22, or RFC 3339."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<AuditFilter, String> {
        filter(&format!("/api/v1/audit?{query}").parse().expect("an address"))
    }

    #[test]
    fn a_day_runs_until_its_end() {
        let day = read("from=2026-11-22&to=2026-11-22").expect("it is right");
        assert_eq!(day.from.expect("given").to_rfc3339(), "2026-11-22T00:00:00+00:00");
        assert_eq!(day.to.expect("given").to_rfc3339(), "2026-11-23T00:00:00+00:00");
        let hour = read("to=2026-11-22T10:00:00%2B01:00").expect("it is right");
        assert_eq!(hour.to.expect("given").to_rfc3339(), "2026-11-22T09:00:00+00:00");
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        for (query, word) in
            [("action=account.x", "account.x"), ("outcome=good", "good"), ("from=yesterday", "yesterday")]
        {
            assert!(read(query).expect_err("it is refused").contains(word), "{query}");
        }
        assert_eq!(read("action=&study=&x=1"), Ok(AuditFilter::default()));
    }
}
