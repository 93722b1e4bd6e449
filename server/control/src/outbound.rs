//! What the program asks of others over HTTP: one client for the master keys' Vault, for identity providers and for
//! webhooks. It follows no redirect, asks no proxy, waits only so long, takes answers only so large, and trusts the
//! certificates that the machine trusts. [`guard`] is for addresses that a tenant has named: it looks at where a name
//! leads, and the connection goes exactly there.
mod guard;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use guard::Guarded;
pub(crate) use guard::refusal;

/// Which addresses a client may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Whatever the operator of this deployment has named.
    Operators,
    /// Public addresses alone: for what others have named.
    #[default]
    Public,
    /// Public addresses and this machine's loopback, which is for tests.
    PublicAndLoopback,
}

/// What a client may take.
#[derive(Debug, Clone)]
pub struct OutboundLimits {
    /// Where it may go.
    pub reach: Reach,
    /// How long an answer may take, from looking the name up to its last byte.
    pub patience: Duration,
    /// The largest answer, in bytes.
    pub answer_bytes: u64,
}

/// An HTTP client for requests that leave the house. Cloning it is cheap.
#[derive(Clone)]
pub struct Outbound {
    agent: Agent,
    answer_bytes: u64,
}

/// What was answered.
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The body; `None` when it broke off or is larger than allowed.
    pub body: Option<Vec<u8>>,
}

/// Why there is no answer. It holds the address's host at most, and neither a header nor a body.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboundError(String);

impl Outbound {
    /// A client that trusts the certificates that the machine trusts. What cannot be read of them is not trusted; a
    /// server behind it is then out of reach, and its error says so.
    #[must_use]
    pub fn new(limits: &OutboundLimits) -> Self {
        let trusted = rustls_native_certs::load_native_certs().certs;
        let trusted = trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        Self::trusting(limits, trusted.collect())
    }

    /// A client that trusts these certificates and no others.
    pub(crate) fn trusting(limits: &OutboundLimits, trusted: Vec<Certificate<'static>>) -> Self {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(trusted)))
            .build();
        // A connection is vetted when it is made: one that others may name is not kept for the next request.
        let idle = if limits.reach == Reach::Operators { 3 } else { 0 };
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(limits.patience))
            .max_idle_connections(idle)
            .user_agent(concat!("cairn/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Guarded::new(DefaultResolver::default(), limits.reach);
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, answer_bytes: limits.answer_bytes }
    }

    /// Asks what stands at an address.
    ///
    /// # Errors
    /// When nothing is answered in time, or the address may not be reached.
    pub fn get(&self, address: &str, headers: &[(&str, &str)]) -> Result<Answered, OutboundError> {
        let request = self.agent.get(address);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.answered(request.call())
    }

    /// Sends a body to an address. The headers say of which type it is.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub fn post(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answered, OutboundError> {
        let request = self.agent.post(address);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.answered(request.send(body))
    }

    fn answered(
        &self,
        outcome: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answered, OutboundError> {
        let mut answer = outcome.map_err(|error| OutboundError(in_words(&error)))?;
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = answer.body_mut().with_config().limit(self.answer_bytes + 1).read_to_vec().ok();
        Ok(Answered { status: answer.status().as_u16(), retry_after, body })
    }
}

/// The client's word for what went wrong, without its prefix for causes of others.
fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(cause) => cause.to_string(),
        error => error.to_string(),
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("answer_bytes", &self.answer_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
