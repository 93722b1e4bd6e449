//! The requests to an identity provider: no redirects, little patience, small answers, and nothing in the open.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{ANSWERS_WITHIN, SignInError};

/// No document of a provider is larger.
const MAX_BYTES: u64 = 256 * 1024;

/// Asks with the certificates that the machine trusts.
#[derive(Debug, Clone)]
pub(super) struct Client {
    agent: Agent,
}

impl Client {
    pub(super) fn new() -> Self {
        // What cannot be read of the machine's certificates is not trusted; a provider behind it is then out of reach,
        // and its error says so.
        let trusted = rustls_native_certs::load_native_certs().certs;
        let trusted: Vec<Certificate<'static>> =
            trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(trusted)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(ANSWERS_WITHIN))
            .build()
            .new_agent();
        Self { agent }
    }

    /// What stands at an address.
    pub(super) async fn get(&self, address: &str) -> Result<Vec<u8>, SignInError> {
        require_protected(address)?;
        let (agent, address) = (self.agent.clone(), address.to_owned());
        blocking(move || {
            let mut answer = agent.get(&address).header("accept", "application/json").call()?;
            let status = answer.status();
            let body = answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec()?;
            Ok((status.as_u16(), body))
        })
        .await
        .and_then(|(status, body)| match status {
            200 => Ok(body),
            status => Err(SignInError::Unavailable(format!("it answers with {status}"))),
        })
    }

    /// What is answered to a form; with the client's name and secret where it has one.
    pub(super) async fn post_form(
        &self,
        address: &str,
        form: String,
        client: Option<(&str, &str)>,
    ) -> Result<Vec<u8>, SignInError> {
        require_protected(address)?;
        let (agent, address) = (self.agent.clone(), address.to_owned());
        let proof = client.map(|(id, secret)| {
            // Source: RFC 6749, section 2.3.1: both are encoded as in a form before they are joined.
            let [id, secret] = [id, secret].map(form_encoded);
            format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
        });
        let answered = blocking(move || {
            let mut request = agent.post(&address).header("accept", "application/json");
            if let Some(proof) = &proof {
                request = request.header("authorization", proof);
            }
            let request = request.content_type("application/x-www-form-urlencoded");
            let mut answer = request.send(form)?;
            let status = answer.status();
            let body = answer.body_mut().with_config().limit(MAX_BYTES).read_to_vec()?;
            Ok((status.as_u16(), body))
        });
        match answered.await? {
            (status, _) if status >= 500 => {
                Err(SignInError::Unavailable(format!("it answers with {status}")))
            }
            (_, body) => Ok(body),
        }
    }
}

async fn blocking(
    ask: impl FnOnce() -> Result<(u16, Vec<u8>), ureq::Error> + Send + 'static,
) -> Result<(u16, Vec<u8>), SignInError> {
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
