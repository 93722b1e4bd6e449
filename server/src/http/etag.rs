//! `ETag` and `If-None-Match`: what a published snapshot holds never changes, so that a client that has it need not fetch
//! it again (RFC 9110, section 13.1.2).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The name of one form of some published bytes. It is weak, since an answer may be compressed on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// The tag of what these parts name together, such as a snapshot, a table and a format.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut hash = blake3::Hasher::new();
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(format!("W/\"{}\"", &hash.finalize().to_hex()[..32]))
    }

    /// The answer to a client that has these bytes already; `None` when it has not.
    pub(crate) fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let is_same = |tag: &str| tag.trim() == "*" || weak(tag) == weak(&self.0);
        sent.flat_map(|value| value.split(','))
            .any(is_same)
            .then(|| self.on(StatusCode::NOT_MODIFIED.into_response()))
    }

    /// An answer that says its tag. It stays `no-store`: a program keeps what it wants to keep, a browser nothing.
    pub(crate) fn on(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&self.0) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_again_in_every_form_that_a_client_sends() {
        let tag = Tag::of(&["snapshot", "table"]);
        assert_ne!(tag, Tag::of(&["snapshott", "able"]), "parts do not run into each other");
        let plain = tag.0.trim_start_matches("W/").to_owned();
        for (sent, is_known) in [
            (tag.0.clone(), true),
            (plain.clone(), true),
            (format!("\"other\", {}", tag.0), true),
            ("*".to_owned(), true),
            ("\"other\"".to_owned(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(&sent).expect("a header"));
            assert_eq!(tag.unchanged(&headers).is_some(), is_known, "{sent}");
        }
        assert!(tag.unchanged(&HeaderMap::new()).is_none());
    }
}
