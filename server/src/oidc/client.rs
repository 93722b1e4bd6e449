//! The requests to an identity provider: no redirects, little patience, small answers, and nothing in the open.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use control::{Answered, Outbound, OutboundError, OutboundLimits, Reach};

use super::{ANSWERS_WITHIN, SignInError};

/// No document of a provider is larger.
const MAX_BYTES: u64 = 256 * 1024;

/// Asks with the certificates that the machine trusts.
#[derive(Debug, Clone)]
pub(super) struct Client {
    outbound: Outbound,
}

impl Client {
    pub(super) fn new() -> Self {
        let limits =
            OutboundLimits { reach: Reach::Operators, patience: ANSWERS_WITHIN, answer_bytes: MAX_BYTES };
        Self { outbound: Outbound::new(&limits) }
    }

    /// What stands at an address.
    pub(super) async fn get(&self, address: &str) -> Result<Vec<u8>, SignInError> {
        require_protected(address)?;
        let (outbound, address) = (self.outbound.clone(), address.to_owned());
        let asked = blocking(move || outbound.get(&address, &[("accept", "application/json")]));
        match asked.await? {
            Answered { status: 200, body, .. } => whole(body),
            Answered { status, .. } => Err(SignInError::Unavailable(format!("it answers with {status}"))),
        }
    }

    /// What is answered to a form; with the client's name and secret where it has one.
    pub(super) async fn post_form(
        &self,
        address: &str,
        form: String,
        client: Option<(&str, &str)>,
    ) -> Result<Vec<u8>, SignInError> {
        require_protected(address)?;
        let (outbound, address) = (self.outbound.clone(), address.to_owned());
        let proof = client.map(|(id, secret)| {
            // Source: RFC 6749, section 2.3.1: both are encoded as in a form before they are joined.
            let [id, secret] = [id, secret].map(form_encoded);
            format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
        });
        let asked = blocking(move || {
            let mut headers =
                vec![("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
            if let Some(proof) = &proof {
                headers.push(("authorization", proof));
            }
            outbound.post(&address, &headers, form.as_bytes())
        });
        match asked.await? {
            Answered { status, .. } if status >= 500 => {
                Err(SignInError::Unavailable(format!("it answers with {status}")))
            }
            Answered { body, .. } => whole(body),
        }
    }
}

fn whole(body: Option<Vec<u8>>) -> Result<Vec<u8>, SignInError> {
    let broken =
        || SignInError::Unavailable(format!("its answer broke off, or is larger than {MAX_BYTES} bytes"));
    body.ok_or_else(broken)
}

async fn blocking(
    ask: impl FnOnce() -> Result<Answered, OutboundError> + Send + 'static,
) -> Result<Answered, SignInError> {
    let asked = tokio::task::spawn_blocking(ask).await;
    let unavailable = |error: String| SignInError::Unavailable(error);
    asked.map_err(|error| unavailable(error.to_string()))?.map_err(|error| unavailable(error.to_string()))
}

fn form_encoded(text: &str) -> String {
    let pair = serde_urlencoded::to_string([("", text)]).unwrap_or_default();
    pair.trim_start_matches('=').to_owned()
}

/// Refuses an address over which what is sent could be read on the way: anything but `https`, and this machine.
pub(super) fn require_protected(address: &str) -> Result<(), SignInError> {
    let plain = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return false;
        }
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let is_protected = match address.split_once("://") {
        Some(("https", rest)) => !rest.is_empty() && !rest.starts_with('/'),
        Some(("http", rest)) => plain(rest),
        _ => false,
    };
    if is_protected {
        return Ok(());
    }
    Err(SignInError::Unavailable(format!(
        "`{address}` is not protected: its address has to begin with https://"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_addresses_are_asked() {
        for good in
            ["https://id.example/a", "http://localhost:3000", "http://127.0.0.1:1/x", "http://[::1]:1"]
        {
            assert!(require_protected(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://localhost:1@evil.example",
            "ftp://id.example",
            "https://",
            "id.example",
            "",
        ] {
            assert!(require_protected(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_encoded_as_in_a_form() {
        assert_eq!(form_encoded("a b+c&d=é"), "a+b%2Bc%26d%3D%C3%A9");
        assert_eq!(form_encoded("=x"), "%3Dx");
    }
}
