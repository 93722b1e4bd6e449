//! Access tokens: compact JWS over Ed25519, and nothing else that JOSE offers. The algorithm comes from our
//! key, never from the header; every claim is required; an unknown field of the header or the claims is
//! refused, so that no extension can be slipped in.
//!
//! Source: RFC 7515 (JWS), RFC 8037 (EdDSA), RFC 8725 (best practice), RFC 9068 (`at+jwt`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, TenantId};
use serde::{Deserialize, Serialize};

use crate::error::AuthError;
use crate::gate::Caller;
use crate::identity::signing_key::{ALGORITHM, PublicKey, SigningKey};
use crate::ids::SessionId;

/// Who issues tokens. Each deployment has its own key, so the name need not tell them apart.
pub(crate) const ISSUER: &str = "cairn";

const TYPE: &str = "at+jwt";
const MAX_BYTES: usize = 8 * 1024;

/// How far the clocks of two processes may lie apart.
pub(super) const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// The door a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Pages and REST.
    Http,
    /// Arrow Flight.
    Flight,
}

impl Audience {
    /// The door's name in tokens and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "cairn-http",
            Self::Flight => "cairn-flight",
        }
    }

    /// The door of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Flight].into_iter().find(|audience| audience.name() == name)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// What a token says. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: AccountId,
    pub(crate) aud: String,
    pub(crate) tenant_id: TenantId,
    /// The session that it was made from, and ends with.
    pub(crate) sid: SessionId,
    pub(crate) jti: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

impl Claims {
    /// The token of these claims.
    pub(crate) fn sign(&self, key: &SigningKey) -> String {
        let header = Header { alg: ALGORITHM.to_owned(), kid: key.kid().to_owned(), typ: TYPE.to_owned() };
        let signed = format!("{}.{}", encode(&header), encode(self));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token that one of our keys signed, which `key` knows by its name. Whether they hold now,
    /// [`Claims::check`] says.
    pub(crate) fn verify(
        token: &str,
        key: impl FnOnce(&str) -> Option<PublicKey>,
    ) -> Result<Self, AuthError> {
        if token.len() > MAX_BYTES {
            return Err(AuthError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(AuthError::Malformed)?;
        let header: Header = decode(header)?;
        if header.alg != ALGORITHM {
            return Err(AuthError::WrongAlgorithm);
        }
        if header.typ != TYPE {
            return Err(AuthError::WrongType);
        }
        let key = key(&header.kid).ok_or(AuthError::UnknownKey)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| AuthError::Malformed)?;
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(AuthError::BadSignature);
        }
        decode(claims)
    }

    /// Whether the claims open this door at this instant.
    pub(crate) fn check(&self, audience: Audience, now: DateTime<Utc>) -> Result<(), AuthError> {
        let caller = self.caller();
        if self.iss != ISSUER {
            return Err(AuthError::WrongIssuer { caller });
        }
        if self.aud != audience.name() {
            return Err(AuthError::WrongAudience { caller });
        }
        if (now - LEEWAY).timestamp() >= self.exp {
            return Err(AuthError::Expired { caller });
        }
        if (now + LEEWAY).timestamp() < self.nbf.max(self.iat) {
            return Err(AuthError::NotYetValid { caller });
        }
        Ok(())
    }

    /// Whom the token names.
    pub(crate) const fn caller(&self) -> Caller {
        Caller::new(self.tenant_id, self.sub)
    }

    /// When the token ends.
    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

fn encode(part: &impl Serialize) -> String {
    // INVARIANT: a header and claims are texts and integers, which always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("texts and integers have a JSON form"))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, AuthError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| AuthError::Malformed)
}

#[cfg(test)]
mod tests;
