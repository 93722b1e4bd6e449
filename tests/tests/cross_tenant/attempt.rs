//! One attempt: a door, a place in its request, and an id that is not the caller's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cast::{Cast, Treasure, Who, study};
use crate::support::{Answer, OTHER_STUDY, Visitor};
use crate::tenant_wall::Door;

/// Where the id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Path,
    Query,
    Body,
    Header,
}

impl Position {
    pub(crate) const ALL: [Self; 4] = [Self::Path, Self::Query, Self::Body, Self::Header];
}

#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) door: &'a Door,
    pub(crate) position: Position,
    pub(crate) treasure: &'a Treasure,
    /// Whether the id is put below a study that the caller may have, where the path names one besides.
    pub(crate) in_own_study: bool,
}

/// A request as it was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<(&'static str, String)>,
}

/// Headers by which servers are told whose request it is, and ours by which anything is named.
const HEADERS: [&str; 10] = [
    "x-tenant",
    "x-tenant-id",
    "x-study",
    "x-account-id",
    "x-forwarded-user",
    "x-original-url",
    "idempotency-key",
    "if-none-match",
    "x-session-id",
    "x-http-method-override",
];

impl Attempt<'_> {
    /// The request, with the id of what is there or of what is not.
    pub(crate) fn request(&self, who: &Who, theirs: bool) -> Sent {
        let id = self.treasure.name(theirs);
        let mut path = self.path(theirs);
        let mut headers = Vec::new();
        let mut body = None;
        if self.position == Position::Query {
            let names = ["study", "tenant", "account", "snapshot", "cursor", "next", self.treasure.what];
            let pairs: Vec<String> = names.iter().map(|name| format!("{name}={id}")).collect();
            path = format!("{path}?{}", pairs.join("&"));
        }
        if self.position == Position::Header {
            headers.extend(HEADERS.map(|name| (name.to_owned(), id.to_owned())));
            headers.push(("cookie".to_owned(), format!("tenant={id}; theme=dark")));
        }
        if self.door.method != "get" {
            body = Some(self.body(theirs));
            headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
            if !headers.iter().any(|(name, _)| name == "idempotency-key")
                && self.door.path.ends_with("/batches")
            {
                headers.push(("idempotency-key".to_owned(), format!("attempt-of-{}", who.name.len())));
            }
        }
        Sent { method: self.door.method.to_uppercase(), path, headers, body }
    }

    /// The path with the id where it belongs; elsewhere with what the caller may have or nobody has.
    fn path(&self, theirs: bool) -> String {
        let is_here = self.position == Position::Path;
        let mut path = String::new();
        for part in self.door.path.split('/').skip(1) {
            path.push('/');
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                path.push_str(part);
                continue;
            };
            path.push_str(match name {
                name if is_here && name == self.treasure.what => self.treasure.name(theirs),
                "study" if is_here && !self.in_own_study => study(theirs),
                "study" => OTHER_STUDY,
                "table" => "dim_site",
                "mart" => "mart_kri",
                "indicator" => "kri0001",
                "site" => "C1",
                "subject" => "S1",
                "check" => "R-10",
                "name" => "dm.csv",
                _ => "00000000-0000-7000-8000-000000000000",
            });
        }
        path
    }
}

impl Sent {
    /// The same request with the body of another.
    pub(crate) fn with_body_of(self, other: Self) -> Self {
        Self { body: other.body, ..self }
    }

    pub(crate) fn send(&self, visitor: &mut Visitor, cast: &Cast) -> Answer {
        let body = self.body.as_ref().map(|(kind, text)| (*kind, text.as_str()));
        visitor.send((&self.method, &cast.server.url(&self.path)), &self.headers, body)
    }

    /// Whether the caller wrote this text into the request; an answer may say it back.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let body = self.body.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
        let written =
            [self.path.as_str(), body].into_iter().chain(self.headers.iter().map(|(_, value)| &**value));
        written.into_iter().any(|written| written.contains(text))
    }
}

/// What the doors with a form of their own take; another field would be refused before anything is looked at.
const FORMS: [(&str, &[&str]); 5] = [
    ("/batches", &["mapping", "files"]),
    ("/jobs", &["kind"]),
    ("/schedules", &["kind", "study", "cron", "zone"]),
    ("/access-tokens", &["label", "days", "role", "studies"]),
    ("/tokens", &["audience"]),
];

impl Attempt<'_> {
    /// What the handler could want, so that it does not stop at the form of the body; and, where the id stands in the
    /// body, now and then with fields that nobody asked for.
    fn body(&self, theirs: bool) -> (&'static str, String) {
        let is_here = self.position == Position::Body;
        let study = if is_here { study(theirs) } else { OTHER_STUDY };
        let named = if is_here { self.treasure.name(theirs) } else { "no_such_thing" };
        let file =
            json!({ "name": "dm.csv", "bytes": 4, "blake3": blake3::hash(b"DM\n1").to_hex().as_str() });
        let mut fields = BTreeMap::from([
            ("study", json!(study)),
            ("kind", json!("marts_build")),
            ("cron", json!("0 4 2 2 *")),
            ("zone", json!("UTC")),
            ("label", json!("an attempt")),
            ("days", json!(1)),
            ("role", json!("researcher")),
            ("studies", json!([study])),
            ("audience", json!("http")),
            ("mapping", json!("sdtm")),
            ("files", json!([file])),
            ("code", json!("000000")),
        ]);
        let form = FORMS.iter().find(|(end, _)| self.door.is_rest() && self.door.path.ends_with(end));
        if let Some((_, own)) = form {
            fields.retain(|name, _| own.contains(name));
        }
        if is_here && (form.is_none() || self.in_own_study) {
            let value = if self.treasure.what == "study" { study } else { named };
            fields.extend(
                ["tenant", "tenant_id", "account", self.treasure.what].map(|name| (name, json!(value))),
            );
        }
        if self.door.is_rest() {
            return ("application/json", json!(fields).to_string());
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs = fields.iter().filter(|(_, value)| !value.is_array());
        let pairs: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", encoded(&text(value)))).collect();
        ("application/x-www-form-urlencoded", pairs.join("&"))
    }
}

fn encoded(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace(' ', "+")
}

/// An answer without what it is only because of the request: the trace, and what was asked for.
pub(crate) fn told(answer: &Answer, names: &[String]) -> (u16, BTreeMap<String, String>, String) {
    let trace = answer.header("x-trace-id").expect("every answer has a trace").to_owned();
    let plain = |text: &str| {
        let text = text.replace(&trace, "TRACE");
        names.iter().fold(text, |text, name| text.replace(name.as_str(), "NAME"))
    };
    // What is left of a quota differs from one request to the next.
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date" && *name != "ratelimit");
    let headers = headers.map(|(name, value)| (name.to_string(), plain(value.to_str().unwrap_or_default())));
    (answer.status, headers.collect(), plain(&answer.body))
}
