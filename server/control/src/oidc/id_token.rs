//! A provider's word on who somebody is.
//!
//! Source: OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::oidc::Identity;
use crate::oidc::issuer_keys::{Algorithm, IssuerKeys};

const MAX_BYTES: usize = 32 * 1024;
/// How far the provider's clock may lie from ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// How long ago its word may have been given: it was given for this very attempt.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Why somebody's sign-in through a provider is refused. Nobody is shown which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The provider's keys are no document of keys, or none is of use.
    #[error("the provider publishes no key that can be used: it has to sign with RS256 or ES256")]
    Keys,
    /// Not a signed token.
    #[error("the provider's word is malformed")]
    Malformed,
    /// Signed with an algorithm that we do not take.
    #[error("the provider's word is signed with an algorithm other than RS256 and ES256")]
    Algorithm,
    /// Signed with a key that the provider does not publish.
    #[error("the provider's word is signed with a key that it does not publish")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature of the provider's word is not valid")]
    Signature,
    /// Somebody else's word.
    #[error("the word is another issuer's")]
    Issuer,
    /// A word for somebody else.
    #[error("the word is for another client")]
    Audience,
    /// Too old, or not valid yet.
    #[error("the word is not of this moment")]
    Time,
    /// A word for another attempt.
    #[error("the word is for another attempt")]
    Nonce,
    /// The provider did not ask again who somebody is, or does not say when it did.
    #[error("the provider has not asked again who it is")]
    NotAskedAgain,
    /// A word about nobody.
    #[error("the word names no subject")]
    Subject,
}

impl OidcError {
    /// A stable word for the ledger.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Keys => "issuer_keys",
            Self::Malformed => "id_token_malformed",
            Self::Algorithm => "id_token_algorithm",
            Self::UnknownKey => "id_token_unknown_key",
            Self::Signature => "id_token_signature",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::Time => "id_token_time",
            Self::Nonce => "id_token_nonce",
            Self::NotAskedAgain => "id_token_auth_time",
            Self::Subject => "id_token_subject",
        }
    }
}

/// What a word has to say to be for us, now.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider, letter by letter as it is configured.
    pub issuer: &'a str,
    /// Our name at the provider.
    pub client_id: &'a str,
    /// The attempt's nonce.
    pub nonce: &'a str,
    /// Since when the provider has to have asked who it is; whenever, when nothing is said.
    pub authenticated_since: Option<DateTime<Utc>>,
    /// The present instant.
    pub now: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Audiences {
    /// For us, and for others only where it says that it was given to us.
    fn allow(&self, client: &str, authorized_party: Option<&str>) -> bool {
        if authorized_party.is_some_and(|party| party != client) {
            return false;
        }
        match self {
            Self::One(one) => one == client,
            Self::Several(several) => {
                several.iter().any(|one| one == client)
                    && (several.len() == 1 || authorized_party == Some(client))
            }
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    auth_time: Option<i64>,
}

/// Who somebody is, in the word of their provider. The algorithm is the key's own, whatever the header says.
///
/// # Errors
/// Why the word is not taken.
pub fn verify_id_token(
    token: &str,
    keys: &IssuerKeys,
    expected: &Expected<'_>,
) -> Result<Identity, OidcError> {
    if token.len() > MAX_BYTES {
        return Err(OidcError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(OidcError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(OidcError::Malformed)?;
    let header: Header = decode(header)?;
    let algorithm = Algorithm::from_name(&header.alg).ok_or(OidcError::Algorithm)?;
    let is_other_type = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if is_other_type || header.crit.is_some() {
        return Err(OidcError::Malformed);
    }
    let key = keys.find(header.kid.as_deref(), algorithm).ok_or(OidcError::UnknownKey)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| OidcError::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(OidcError::Signature);
    }
    check(decode(claims)?, expected)
}

fn check(claims: Claims, expected: &Expected<'_>) -> Result<Identity, OidcError> {
    if claims.iss != expected.issuer {
        return Err(OidcError::Issuer);
    }
    if !claims.aud.allow(expected.client_id, claims.azp.as_deref()) {
        return Err(OidcError::Audience);
    }
    let (latest, earliest) = ((expected.now + LEEWAY).timestamp(), (expected.now - LEEWAY).timestamp());
    let is_early = claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest);
    if claims.exp <= earliest || is_early || claims.iat < (expected.now - FRESH).timestamp() {
        return Err(OidcError::Time);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(OidcError::Nonce);
    }
    if let Some(since) = expected.authenticated_since {
        let asked_at = claims.auth_time.ok_or(OidcError::NotAskedAgain)?;
        if asked_at < (since - LEEWAY).timestamp() || asked_at > latest {
            return Err(OidcError::NotAskedAgain);
        }
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 || !claims.sub.is_ascii() {
        return Err(OidcError::Subject);
    }
    Ok(Identity { issuer: claims.iss, subject: claims.sub })
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, OidcError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| OidcError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| OidcError::Malformed)
}

#[cfg(test)]
mod tests;
