//! The keys of an identity provider, as it publishes them (RFC 7517). Those that sign nothing we take are left out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use crate::oidc::OidcError;

/// More keys than any provider has.
const MOST: usize = 100;

/// The algorithm of one key. The key decides it, never a token's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256, which every provider offers.
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of that name, if it is one of these two.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct IssuerKey {
    kid: Option<String>,
    material: Material,
}

impl IssuerKey {
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }

    const fn algorithm(&self) -> Algorithm {
        match &self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
        }
    }
}

/// The keys of one provider.
#[derive(Debug, Clone)]
pub struct IssuerKeys(Vec<IssuerKey>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl IssuerKeys {
    /// Reads a provider's document.
    ///
    /// # Errors
    /// [`OidcError::Keys`] when it is none, or holds no key that we can use.
    pub fn parse(json: &[u8]) -> Result<Self, OidcError> {
        let document: Document = serde_json::from_slice(json).map_err(|_| OidcError::Keys)?;
        let keys: Vec<IssuerKey> = document.keys.into_iter().take(MOST).filter_map(usable).collect();
        if keys.is_empty() { Err(OidcError::Keys) } else { Ok(Self(keys)) }
    }

    /// The key of a name for an algorithm. Without a name, the only one for it.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&IssuerKey> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithm() == algorithm && (kid.is_none() || key.kid.as_deref() == kid));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

fn usable(key: serde_json::Value) -> Option<IssuerKey> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    let for_algorithm = |name| key.alg.as_deref().is_none_or(|alg| alg == name);
    let material = match key.kty.as_str() {
        "RSA" if for_algorithm("RS256") => Material::Rsa { n: bytes(&key.n)?, e: bytes(&key.e)? },
        "EC" if for_algorithm("ES256") && key.crv.as_deref() == Some("P-256") => {
            let (x, y) = (bytes(&key.x)?, bytes(&key.y)?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            // Source: SEC 1, section 2.3.3: an uncompressed point.
            Material::P256([&[4][..], &x, &y].concat())
        }
        _ => return None,
    };
    Some(IssuerKey { kid: key.kid, material })
}
