//! Master keys in Vault's transit engine: the data keys go there to be wrapped, the master key never comes here.
//! <https://developer.hashicorp.com/vault/api-docs/secret/transit>

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::tls::{Certificate, PemItem, parse_pem};
use zeroize::Zeroizing;

use super::envelope::Secret;
use super::error::KeyError;
use super::provider::{KeyProvider, Wrapped};
use super::sealed_file::read_private;
use super::settings::VaultSettings;
use crate::outbound::{Outbound, OutboundLimits, Reach};

const NAME: &str = "vault";
/// A start with a Vault that does not answer is refused after this time.
const PATIENCE: Duration = Duration::from_secs(4);
const MAX_ANSWER: u64 = 64 * 1024;

/// A key of a transit engine.
pub(super) struct VaultTransit {
    client: Outbound,
    settings: VaultSettings,
    token: Zeroizing<String>,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    ciphertext: Option<String>,
    plaintext: Option<String>,
}

impl VaultTransit {
    pub(super) fn open(settings: &VaultSettings) -> Result<Self, KeyError> {
        let is_address = ["https://", "http://127.0.0.1:", "http://localhost:"]
            .iter()
            .any(|start| settings.address.starts_with(start));
        if !is_address {
            return Err(KeyError::Setting {
                provider: NAME,
                what: "an address that begins with https://",
                setting: "CAIRN_VAULT_ADDRESS",
            });
        }
        let is_name = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter))
        };
        if !is_name(&settings.mount) || !is_name(&settings.key) {
            return Err(KeyError::Setting {
                provider: NAME,
                what: "names of a mount and of a key, of letters, digits, `-` and `_`",
                setting: "CAIRN_VAULT_MOUNT and CAIRN_VAULT_KEY",
            });
        }
        let token = read_private("Vault token", &settings.token_file)?;
        let unusable = || KeyError::unusable("Vault token", &settings.token_file, "it is empty or no text");
        let token = std::str::from_utf8(&token).map_err(|_| unusable())?.trim();
        if token.is_empty() || token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(unusable());
        }
        let limits = OutboundLimits { reach: Reach::Operators, patience: PATIENCE, answer_bytes: MAX_ANSWER };
        let client = match trusted(settings)? {
            Some(certificates) => Outbound::trusting(&limits, certificates),
            None => Outbound::new(&limits),
        };
        Ok(Self { client, settings: settings.clone(), token: Zeroizing::new(token.to_owned()) })
    }

    fn post(&self, operation: &str, body: &Value) -> Result<Data, KeyError> {
        let VaultSettings { address, mount, key, .. } = &self.settings;
        let url = format!("{}/v1/{mount}/{operation}/{key}", address.trim_end_matches('/'));
        let failed = |reason: String| KeyError::Service { provider: "Vault", place: address.clone(), reason };
        let headers = [("x-vault-token", self.token.as_str()), ("content-type", "application/json")];
        // What the client says of a failure holds neither header nor body.
        let answer = self.client.post(&url, &headers, body.to_string().as_bytes());
        let answer = answer.map_err(|error| failed(format!("it does not answer ({error})")))?;
        let status = answer.status;
        if status != 200 {
            let remedy = match status {
                403 => "the token may not, or has expired",
                404 => "there is no such mount or key",
                400 => "the key is of another type, or the ciphertext is not its own",
                503 => "it is sealed",
                _ => "look at its log",
            };
            return Err(failed(format!("it answers {operation} with {status}: {remedy}")));
        }
        let text = answer.body.ok_or_else(|| failed("its answer cannot be read".to_owned()))?;
        let answer: Result<Answer, _> = serde_json::from_slice(&Zeroizing::new(text));
        // The parser's error may quote the answer, which may hold a key.
        answer
            .map(|answer| answer.data)
            .map_err(|_| failed("its answer is not that of a transit engine".to_owned()))
    }

    fn malformed(&self) -> KeyError {
        KeyError::Service {
            provider: "Vault",
            place: self.settings.address.clone(),
            reason: "its answer is not that of a transit engine".to_owned(),
        }
    }
}

impl KeyProvider for VaultTransit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn master(&self) -> &str {
        &self.settings.key
    }

    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Wrapped, KeyError> {
        let plaintext = Zeroizing::new(BASE64.encode(key.as_slice()));
        let body = json!({ "plaintext": plaintext.as_str(), "associated_data": BASE64.encode(context) });
        let ciphertext = self.post("encrypt", &body)?.ciphertext.ok_or_else(|| self.malformed())?;
        if !ciphertext.starts_with("vault:v") {
            return Err(self.malformed());
        }
        Ok(Wrapped { master: self.settings.key.clone(), bytes: ciphertext.into_bytes() })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Secret, KeyError> {
        let ciphertext = std::str::from_utf8(&wrapped.bytes).map_err(|_| self.malformed())?;
        let body = json!({ "ciphertext": ciphertext, "associated_data": BASE64.encode(context) });
        let plaintext = self.post("decrypt", &body)?.plaintext.map(Zeroizing::new);
        let plaintext = plaintext.ok_or_else(|| self.malformed())?;
        let bytes = Zeroizing::new(BASE64.decode(plaintext.as_bytes()).map_err(|_| self.malformed())?);
        bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| self.malformed())
    }
}

/// The certificates of the settings; `None` for those that the system trusts.
fn trusted(settings: &VaultSettings) -> Result<Option<Vec<Certificate<'static>>>, KeyError> {
    const WHAT: &str = "certificates to trust";
    let Some(path) = &settings.ca_file else { return Ok(None) };
    let pem = std::fs::read(path).map_err(KeyError::unreadable(WHAT, path))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            _ => {
                return Err(KeyError::unusable(
                    WHAT,
                    path,
                    "it holds something else than certificates in PEM",
                ));
            }
        }
    }
    if certificates.is_empty() {
        return Err(KeyError::unusable(WHAT, path, "there is none in it"));
    }
    Ok(Some(certificates))
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultTransit").field("settings", &self.settings).finish_non_exhaustive()
    }
}
