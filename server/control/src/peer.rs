//! Machines that show a certificate: what it calls them, and tokens that only the machine of a name may use.

use std::fmt;
use std::sync::Arc;

use crate::error::ControlError;
use crate::text::shortened;

/// The longest name.
const MAX: usize = 255;

/// A name in the subject's alternative names of a certificate: a URI such as `spiffe://cairn/service/etl`, or a DNS name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerName(String);

impl PeerName {
    /// Reads a name: a URI when it has `://` in it, else a DNS name, whose letters' case means nothing.
    ///
    /// # Errors
    /// [`ControlError::InvalidPeer`] for a text that no certificate would hold, and for a pattern.
    pub fn parse(text: &str) -> Result<Self, ControlError> {
        let is_plain = text.len() <= MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let found = match text.split_once("://") {
            Some((scheme, rest)) => {
                let is_uri = !rest.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
                (is_uri && !scheme.is_empty()).then(|| text.to_owned())
            }
            None => {
                let is_label = |label: &str| {
                    !label.is_empty()
                        && label.len() <= 63
                        && label
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                };
                text.split('.').all(is_label).then(|| text.to_ascii_lowercase())
            }
        };
        let invalid = || ControlError::InvalidPeer { peer: shortened(text, 100) };
        found.filter(|_| is_plain).map(Self).ok_or_else(invalid)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names in a certificate that was verified; none when none was shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerNames(Arc<[PeerName]>);

impl PeerNames {
    /// The names of a certificate. What has not the form of its kind is left out: a URI never counts as a DNS name.
    pub fn new<'a>(uris: impl IntoIterator<Item = &'a str>, dns: impl IntoIterator<Item = &'a str>) -> Self {
        let uris = uris.into_iter().filter(|name| name.contains("://"));
        let dns = dns.into_iter().filter(|name| !name.contains("://"));
        Self(uris.chain(dns).filter_map(|name| PeerName::parse(name).ok()).collect())
    }

    /// No certificate.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of them, in full: a pattern in a certificate matches nothing.
    #[must_use]
    pub fn have(&self, name: &PeerName) -> bool {
        self.0.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PeerName {
        PeerName::parse(text).expect("it is a name")
    }

    #[test]
    fn a_name_is_compared_in_full() {
        let names = PeerNames::new(["spiffe://cairn/service/etl"], ["ETL.acme.example", "*.acme.example"]);
        for mine in ["spiffe://cairn/service/etl", "etl.acme.example", "ETL.ACME.EXAMPLE"] {
            assert!(names.have(&name(mine)), "{mine}");
        }
        for other in
            ["spiffe://cairn/service/ETL", "spiffe://cairn/service/etl2", "acme.example", "db.acme.example"]
        {
            assert!(!names.have(&name(other)), "{other}");
        }
        // A certificate cannot make a DNS name of a URI, nor the other way round.
        let swapped = PeerNames::new(["etl.acme.example"], ["spiffe://cairn/service/etl"]);
        assert!(swapped.is_empty(), "{swapped:?}");
    }

    #[test]
    fn what_no_certificate_holds_is_refused() {
        for text in [
            "",
            "*.acme.example",
            "etl..example",
            "spiffe://",
            "://etl",
            "two words",
            "a://b\nc",
            &"a".repeat(300),
        ] {
            let refused = PeerName::parse(text);
            assert!(matches!(refused, Err(ControlError::InvalidPeer { .. })), "{text}: {refused:?}");
        }
    }
}
