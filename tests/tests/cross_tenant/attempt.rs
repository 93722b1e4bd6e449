//! One attempt: a door, a place in its request, and an id that is not the caller's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::OWN_IDENTITY;
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
    pub(crate) fn request(&self, cast: &Cast, who: &Who, theirs: bool) -> Sent {
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
            body = Some(self.body(cast, theirs));
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
                "role" => "researcher",
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

/// What the forms of pages take, all of them together: a page leaves what it does not know. REST routes refuse that, and
/// are sent the example of their own description.
const FORM: [(&str, &str); 27] = [
    ("act", "acknowledge"),
    ("choice", "ALL"),
    ("code", "000000"),
    ("cron", "0 4 2 2 *"),
    ("days", "1"),
    ("description", "an attempt"),
    ("email", "attempt@other.example"),
    ("first", "0"),
    ("identity", SHA256),
    ("issuer", "https://id.other.example"),
    ("kind", "marts_build"),
    ("kinds", "job.failed"),
    ("label", "an attempt"),
    ("last", "0"),
    ("list_sha256", SHA256),
    ("meaning", "approval"),
    ("name", "An attempt"),
    ("password", "a password of some length"),
    ("reason", "an attempt"),
    ("record", "33cea447716f35b08347e109d6872384"),
    ("record_sha256", SHA256),
    ("record_type", "snapshot"),
    ("remark", "an attempt"),
    ("role", "researcher"),
    ("subject", "248289761001"),
    ("url", "https://hooks.other.example/cairn"),
    ("zone", "UTC"),
];
const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

impl Attempt<'_> {
    /// What the handler wants, so that it does not stop at the form of the body; and, where the id stands in the body, now
    /// and then with fields that nobody asked for.
    fn body(&self, cast: &Cast, theirs: bool) -> (&'static str, String) {
        // A login is about whom it names, and throttled for everybody when it fails (control 34).
        let is_login = OWN_IDENTITY.contains(&&*self.door.path);
        let mut body = match cast.example(self.door) {
            Some(example) if !is_login => example.clone(),
            None if !is_login && !self.door.is_rest() => {
                let fields = FORM.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
                Value::Object(fields.chain([("study".to_owned(), json!(""))]).collect())
            }
            _ => json!({}),
        };
        self.fill(&mut body, theirs);
        let fields = body.as_object_mut().expect("every body is an object");
        if self.position == Position::Body && self.in_own_study && !is_login {
            let names = ["tenant", "tenant_id", "account", self.treasure.what];
            let names = names.into_iter().filter(|name| self.may_hold(name));
            let named = self.named(theirs);
            fields.extend(names.map(|name| (name.to_owned(), json!(named))));
        }
        if self.door.is_rest() {
            return ("application/json", body.to_string());
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(&text(value)))).collect();
        ("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Puts the id wherever the body names such a thing; studies are the caller's own otherwise.
    fn fill(&self, body: &mut Value, theirs: bool) {
        let is_here = self.position == Position::Body;
        let study = if is_here { study(theirs) } else { OTHER_STUDY };
        match body {
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    match name.as_str() {
                        "study" => *field = json!(study),
                        "studies" => *field = json!([study]),
                        "record" if is_here && self.treasure.what == "snapshot" => {
                            *field = json!(self.named(theirs));
                        }
                        name if is_here && name == self.treasure.what && self.may_hold(name) => {
                            *field = json!(self.named(theirs));
                        }
                        _ => self.fill(field, theirs),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item, theirs)),
            _ => {}
        }
    }

    fn named(&self, theirs: bool) -> &str {
        if self.treasure.what == "study" { study(theirs) } else { self.treasure.name(theirs) }
    }

    /// An address is one account's in the whole deployment, so that who makes an account is told that it is taken.
    fn may_hold(&self, field: &str) -> bool {
        field != "email" || !self.door.path.ends_with("/accounts")
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
