//! One attempt to sign in through a provider. What has to be known when the browser comes back travels with it, in a
//! cookie that only this deployment can read, so that any replica can go on and nothing is kept of attempts that
//! nobody ends.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::control::Control;
use crate::error::{ControlError, key_file};
use crate::fresh;
use crate::identity::{ensure_key_file, sealed};
use crate::ledger::{hash_of_hex, hex};
use crate::signatures::Signing;

/// How long somebody may take at the provider.
const LASTS: TimeDelta = TimeDelta::minutes(10);
const CONTEXT: &[u8] = b"cairn oidc attempt";
const NONCE_BYTES: usize = 12;
/// No cookie of ours is longer.
const MAX_BYTES: usize = 4096;

/// What is remembered of an attempt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// What the provider sends back with its answer.
    pub state: String,
    /// What its word has to hold.
    pub nonce: String,
    /// What proves to it that the code is exchanged by whom it was asked by (RFC 7636).
    pub verifier: String,
    /// Where the reader wanted to go.
    pub next: String,
    /// What is to be signed when the reader comes back; nothing for a sign-in.
    #[serde(default)]
    pub signing: Option<Signing>,
    begun_at: i64,
}

/// An attempt as the browser carries it.
#[derive(Clone)]
pub struct CarriedAttempt {
    /// The attempt.
    pub attempt: Attempt,
    /// The value of the cookie.
    pub cookie: String,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CarriedAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CarriedAttempt").finish_non_exhaustive()
    }
}

impl Attempt {
    fn new(next: &str, signing: Option<Signing>, now: DateTime<Utc>) -> Result<Self, ControlError> {
        let text = || Ok::<_, ControlError>(URL_SAFE_NO_PAD.encode(fresh::bytes::<32>()?));
        let begun_at = now.timestamp();
        let (state, nonce, verifier) = (text()?, text()?, text()?);
        Ok(Self { state, nonce, verifier, next: next.to_owned(), signing, begun_at })
    }

    /// Since when the provider has to have asked who somebody is: since the beginning of an attempt to sign.
    #[must_use]
    pub fn authenticated_since(&self) -> Option<DateTime<Utc>> {
        self.signing.as_ref().and_then(|_| DateTime::from_timestamp(self.begun_at, 0))
    }

    /// What the provider is told of the verifier. Source: RFC 7636, section 4.2, method S256.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    fn seal(&self, key: &[u8; 32]) -> Result<String, ControlError> {
        // INVARIANT: texts and an integer always have a JSON form.
        let plain = serde_json::to_vec(self).expect("texts have a JSON form");
        let (nonce, sealed) = sealed::seal(key, &plain, CONTEXT)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    fn open(cookie: &str, key: &[u8; 32], now: DateTime<Utc>) -> Option<Self> {
        if cookie.len() > MAX_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let plain = sealed::open(key, (nonce, sealed), CONTEXT)?;
        let attempt: Self = serde_json::from_slice(&plain).ok()?;
        let age = now.timestamp() - attempt.begun_at;
        (0..=LASTS.num_seconds()).contains(&age).then_some(attempt)
    }
}

impl Control {
    /// Begins an attempt.
    ///
    /// # Errors
    /// When the key of attempts cannot be made or read.
    pub fn begin_oidc(&self, next: &str) -> Result<CarriedAttempt, ControlError> {
        // A longer address than browsers keep in a cookie leads home.
        self.begin_at_provider(if next.len() <= 1024 { next } else { "/" }, None)
    }

    pub(crate) fn begin_at_provider(
        &self,
        next: &str,
        signing: Option<Signing>,
    ) -> Result<CarriedAttempt, ControlError> {
        let attempt = Attempt::new(next, signing, self.clock().now())?;
        let cookie = attempt.seal(&self.attempt_key()?)?;
        Ok(CarriedAttempt { attempt, cookie })
    }

    /// The attempt of a cookie; `None` when it is none of this deployment's, or is over.
    ///
    /// # Errors
    /// When the key of attempts cannot be made or read.
    pub fn carried_oidc(&self, cookie: &str) -> Result<Option<Attempt>, ControlError> {
        Ok(Attempt::open(cookie, &self.attempt_key()?, self.clock().now()))
    }

    /// The key under which attempts travel, which all replicas share. It is made when it is first needed.
    fn attempt_key(&self) -> Result<[u8; 32], ControlError> {
        let path = self.keys_folder().join("login.key");
        ensure_key_file(&path, || Ok(hex(&fresh::bytes::<32>()?)))?;
        let text = fs::read_to_string(&path).map_err(key_file("read the key", &path))?;
        hash_of_hex(text.trim()).ok_or(ControlError::ContextKeyFile { path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).expect("the time is valid")
    }

    #[test]
    fn an_attempt_comes_back_within_ten_minutes_under_its_key_alone() {
        let attempt = Attempt::new("/studies", None, at(0)).expect("the machine gives chance");
        let cookie = attempt.seal(&[1; 32]).expect("it is sealed");
        assert!(Attempt::open(&cookie, &[1; 32], at(600)) == Some(attempt.clone()));
        assert!(Attempt::open(&cookie, &[1; 32], at(601)).is_none());
        assert!(Attempt::open(&cookie, &[1; 32], at(-1)).is_none());
        assert!(Attempt::open(&cookie, &[2; 32], at(0)).is_none());
        assert!(Attempt::open("", &[1; 32], at(0)).is_none());
        assert!(Attempt::open(&cookie[1..], &[1; 32], at(0)).is_none());
        assert!(!cookie.contains(&attempt.state));
    }

    /// Source: RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let mut attempt = Attempt::new("/", None, at(0)).expect("the machine gives chance");
        attempt.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
