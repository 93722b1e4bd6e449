//! The review of access as a file: one line for each role and each token.

use chrono::{DateTime, SecondsFormat, Utc};
use control::{AccessReview, ReviewMark};

const HEAD: &str =
    "kind,account,email,state,role,study,token,label,since,granted_by,ends_at,last_used_at,marks\n";

/// The list as comma-separated text with a header.
pub(crate) fn csv(review: &AccessReview) -> String {
    let mut text = HEAD.to_owned();
    for entry in &review.entries {
        let state = if entry.is_enabled { "enabled" } else { "disabled" };
        let grant = &entry.held.grant;
        let study = grant.study.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        let by = entry.held.granted_by.clone().unwrap_or_default();
        let (since, used) = (instant(entry.held.granted_at), used(entry.last_used_at));
        let account = entry.account.to_string();
        let cells = [
            "grant",
            &account,
            &entry.email,
            state,
            grant.role.name(),
            &study,
            "",
            "",
            &since,
            &by,
            "",
            &used,
        ];
        line(&mut text, &cells, &entry.marks);
    }
    for entry in &review.tokens {
        let token = &entry.token;
        let (account, id) = (token.account.to_string(), token.id.to_string());
        let (since, ends, used) =
            (instant(token.created_at), instant(token.ends_at), used(token.last_used_at));
        let cells = [
            "token",
            &account,
            &entry.email,
            token.kind.name(),
            "",
            "",
            &id,
            &token.label,
            &since,
            "",
            &ends,
            &used,
        ];
        line(&mut text, &cells, &entry.marks);
    }
    text
}

fn line(text: &mut String, cells: &[&str], marks: &[ReviewMark]) {
    let marks = marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join(" ");
    for value in cells {
        text.push_str(&cell(value));
        text.push(',');
    }
    text.push_str(&cell(&marks));
    text.push('\n');
}

/// A cell of comma-separated text, quoted where it has to be (RFC 4180). A text that a spreadsheet would take for a
/// formula gets an apostrophe in front: labels and addresses are other people's words.
pub(crate) fn cell(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if is_formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn used(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "never".to_owned(), instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be_and_is_no_formula() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"so\""), "\"say \"\"so\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }
}
