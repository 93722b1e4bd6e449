//! Signing in through an identity provider: what is fetched from it, and when. How its word is checked is `control`'s.
mod client;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use control::{Attempt, Expected, Identity, IssuerKeys, OidcError, verify_id_token};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::{Failure, Result};
use client::Client;

/// How long the provider's own description, and its keys, are used before they are fetched again.
const USED_FOR: TimeDelta = TimeDelta::hours(1);
/// How long its keys are used when it cannot be reached.
const USED_AT_MOST: TimeDelta = TimeDelta::hours(24);
/// A key that is not known is looked for so often at most, however many tokens name one.
const LOOKED_FOR_EVERY: TimeDelta = TimeDelta::seconds(60);

/// How the deployment is known at a provider.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The provider's address, letter by letter as it calls itself.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// The file with our secret there; a public client has none.
    pub client_secret_file: Option<PathBuf>,
    /// Where browsers reach this server, such as `https://cairn.example`.
    pub public_url: String,
    /// What the button on the login page calls the provider.
    pub name: String,
}

/// The path that the provider sends browsers back to.
pub(crate) const CALLBACK: &str = "/login/oidc/callback";

/// A provider. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Provider {
    inner: Arc<Inner>,
}

struct Inner {
    settings: OidcSettings,
    secret: Option<String>,
    client: Client,
    described: Mutex<Option<(Description, DateTime<Utc>)>>,
    keys: Mutex<HeldKeys>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct HeldKeys {
    keys: Option<(IssuerKeys, DateTime<Utc>)>,
    asked_at: Option<DateTime<Utc>>,
}

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

/// Why a sign-in did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// What came back is not what was asked for; the word is for the ledger alone.
    #[error("the answer is refused: {0}")]
    Refused(&'static str),
    /// The provider cannot be reached, or answers nonsense.
    #[error("the identity provider cannot be used: {0}")]
    Unavailable(String),
}

impl From<OidcError> for SignInError {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::Keys => Self::Unavailable(error.to_string()),
            error => Self::Refused(error.reason()),
        }
    }
}

/// What a browser brings back from the provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) error: Option<String>,
}

impl Returned {
    /// Reads the query. A name that stands there twice could mean one thing here and another elsewhere.
    pub(crate) fn parse(query: &str) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
        let mut returned = Self::default();
        for (name, value) in pairs {
            let place = match name.as_str() {
                "code" => &mut returned.code,
                "state" => &mut returned.state,
                "iss" => &mut returned.issuer,
                "error" => &mut returned.error,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(returned)
    }
}

impl Provider {
    /// Reads the secret, and refuses addresses over which it would travel in the open.
    ///
    /// # Errors
    /// When an address is not `https` (or this very machine), or the secret cannot be read.
    pub fn new(settings: OidcSettings) -> Result<Self> {
        for address in [&settings.issuer, &settings.public_url] {
            client::require_protected(address).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        let secret = match &settings.client_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(Failure::io(format!("read the client's secret in `{}`", path.display())))?;
                Some(text.trim().to_owned())
            }
            None => None,
        };
        let client = Client::new();
        let inner = Inner { settings, secret, client, described: Mutex::default(), keys: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What the login page calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.settings.name
    }

    /// Its address, as it calls itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.settings.issuer
    }

    /// Where the browser has to go.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    pub async fn authorization_url(
        &self,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> std::result::Result<String, SignInError> {
        let described = self.described(now).await?;
        let settings = &self.inner.settings;
        let redirect = self.redirect_uri();
        let challenge = attempt.challenge();
        let mut query = vec![
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &redirect),
            ("state", &attempt.state),
            ("nonce", &attempt.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        // Whoever signs is asked again, whatever session they have there; the answer says when that was.
        if attempt.signing.is_some() {
            query.extend([("prompt", "login"), ("max_age", "0")]);
        }
        let query = serde_urlencoded::to_string(query);
        let query = query.map_err(|error| SignInError::Unavailable(error.to_string()))?;
        let endpoint = &described.authorization_endpoint;
        let join = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{join}{query}"))
    }

    /// Who came back. The code is exchanged behind the browser's back, and only for the attempt that this browser began.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) async fn identity(
        &self,
        returned: &Returned,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> std::result::Result<Identity, SignInError> {
        let described = self.described(now).await?;
        // First whose answer it is: nothing else of it is looked at otherwise.
        if returned.state.as_deref() != Some(attempt.state.as_str()) {
            return Err(SignInError::Refused("state"));
        }
        match &returned.issuer {
            Some(issuer) if *issuer != described.issuer => return Err(SignInError::Refused("issuer_mix_up")),
            None if described.authorization_response_iss_parameter_supported => {
                return Err(SignInError::Refused("issuer_missing"));
            }
            _ => {}
        }
        if returned.error.is_some() {
            return Err(SignInError::Refused("provider_error"));
        }
        let code = returned.code.as_deref().filter(|code| !code.is_empty() && code.len() <= 4096);
        let code = code.ok_or(SignInError::Refused("code_missing"))?;
        let token = self.exchange(&described, code, attempt).await?;
        let settings = &self.inner.settings;
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: &attempt.nonce,
            authenticated_since: attempt.authenticated_since(),
            now,
        };
        let keys = self.keys(&described, now, false).await?;
        match verify_id_token(&token, &keys, &expected) {
            // It may have begun to sign with another key since.
            Err(OidcError::UnknownKey) => {
                let keys = self.keys(&described, now, true).await?;
                Ok(verify_id_token(&token, &keys, &expected)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn redirect_uri(&self) -> String {
        format!("{}{CALLBACK}", self.inner.settings.public_url.trim_end_matches('/'))
    }

    async fn described(&self, now: DateTime<Utc>) -> std::result::Result<Description, SignInError> {
        let mut held = self.inner.described.lock().await;
        if let Some((described, at)) = &*held
            && now - *at < USED_FOR
        {
            return Ok(described.clone());
        }
        let issuer = &self.inner.settings.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let described: Description = parse(&self.inner.client.get(&address).await?)?;
        // Whoever describes itself as somebody else is not who was asked.
        if described.issuer != *issuer {
            return Err(SignInError::Unavailable("it calls itself by another name".to_owned()));
        }
        for endpoint in [&described.authorization_endpoint, &described.token_endpoint, &described.jwks_uri] {
            client::require_protected(endpoint)?;
        }
        *held = Some((described.clone(), now));
        Ok(described)
    }

    async fn keys(
        &self,
        described: &Description,
        now: DateTime<Utc>,
        unknown: bool,
    ) -> std::result::Result<IssuerKeys, SignInError> {
        let mut held = self.inner.keys.lock().await;
        let age = held.keys.as_ref().map(|(_, at)| now - *at);
        let is_due = age.is_none_or(|age| age >= USED_FOR) || unknown;
        let may_ask = held.asked_at.is_none_or(|at| now - at >= LOOKED_FOR_EVERY);
        if is_due && may_ask {
            held.asked_at = Some(now);
            let fetched = self.inner.client.get(&described.jwks_uri).await;
            match fetched.and_then(|body| Ok(IssuerKeys::parse(&body)?)) {
                Ok(keys) => held.keys = Some((keys, now)),
                Err(error) if age.is_none_or(|age| age >= USED_AT_MOST) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the identity provider's keys could not be fetched again");
                }
            }
        }
        let keys = held.keys.as_ref().filter(|(_, at)| now - *at < USED_AT_MOST);
        let unavailable = || SignInError::Unavailable("its keys are not known yet".to_owned());
        keys.map(|(keys, _)| keys.clone()).ok_or_else(unavailable)
    }

    async fn exchange(
        &self,
        described: &Description,
        code: &str,
        attempt: &Attempt,
    ) -> std::result::Result<String, SignInError> {
        let (settings, redirect) = (&self.inner.settings, self.redirect_uri());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect),
            ("code_verifier", &attempt.verifier),
        ];
        if self.inner.secret.is_none() {
            form.push(("client_id", &settings.client_id));
        }
        let form = serde_urlencoded::to_string(form);
        let form = form.map_err(|error| SignInError::Unavailable(error.to_string()))?;
        let secret = self.inner.secret.as_deref().map(|secret| (settings.client_id.as_str(), secret));
        let answer = self.inner.client.post_form(&described.token_endpoint, form, secret).await?;
        // A code that was used, or was made up, gets an error without a token.
        let answer: TokenAnswer =
            serde_json::from_slice(&answer).map_err(|_| SignInError::Refused("code_refused"))?;
        Ok(answer.id_token)
    }
}

fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> std::result::Result<T, SignInError> {
    serde_json::from_slice(body).map_err(|_| SignInError::Unavailable("it answers nonsense".to_owned()))
}

/// How long the provider may take for one answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A provider that describes itself as `name` says, has one key, and counts how often that was asked for.
    fn issuer(name: impl Fn(&str) -> String) -> (Provider, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let described = serde_json::json!({
            "issuer": name(&address),
            "authorization_endpoint": format!("{address}/auth"),
            "token_endpoint": format!("{address}/token"),
            "jwks_uri": format!("{address}/keys"),
        });
        let half = "A".repeat(43);
        let keys = serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": half, "y": half }] });
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap_or(0);
                let is_keys = request[..read].starts_with(b"GET /keys");
                counted.fetch_add(usize::from(is_keys), Ordering::SeqCst);
                let body = if is_keys { keys.to_string() } else { described.to_string() };
                let head =
                    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                // Who asked may be gone.
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        });
        let settings = OidcSettings {
            issuer: address,
            client_id: "cairn".to_owned(),
            client_secret_file: None,
            public_url: "https://cairn.example".to_owned(),
            name: "Example ID".to_owned(),
        };
        (Provider::new(settings).expect("the addresses are protected"), asked)
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).expect("the time is valid")
    }

    #[tokio::test]
    async fn control_30_a_flood_of_unknown_keys_asks_the_provider_once_a_minute() {
        let (provider, asked) = issuer(str::to_owned);
        let described = provider.described(at(0)).await.expect("it describes itself");
        for second in 0..59 {
            provider.keys(&described, at(second), true).await.expect("it has a key");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        for second in 60..119 {
            provider.keys(&described, at(second), true).await.expect("it has a key");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // Without a word of unknown keys, they are fetched again after an hour.
        provider.keys(&described, at(60 + 3_599), false).await.expect("it has a key");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        provider.keys(&described, at(60 + 3_600), false).await.expect("it has a key");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn control_32_a_provider_that_calls_itself_by_another_name_is_not_used() {
        let (provider, _) = issuer(|address| format!("{address}/other"));
        let refused = provider.described(at(0)).await.expect_err("it is somebody else");
        assert!(refused.to_string().contains("another name"), "{refused}");
    }

    #[test]
    fn a_name_that_is_returned_twice_is_refused() {
        let returned = Returned::parse("code=c&state=s&iss=https%3A%2F%2Fi&session_state=x");
        let expected = Returned {
            code: Some("c".to_owned()),
            state: Some("s".to_owned()),
            issuer: Some("https://i".to_owned()),
            error: None,
        };
        assert_eq!(returned, Some(expected));
        assert_eq!(Returned::parse("state=a&state=b"), None);
        assert_eq!(Returned::parse("code=a&state=b&code=c"), None);
    }
}
