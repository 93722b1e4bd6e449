//! How a message is signed: HMAC-SHA-256 over its id, the time and its body, under a secret that endpoint and tenant
//! share.
// Source: Standard Webhooks, "Signature scheme" and "Secret".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use kernel::TenantId;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{ControlError, corrupt};
use crate::fresh;
use crate::ids::EndpointId;
use crate::keys::envelope::{self, Cell};
use crate::keys::{DataKey, DataKeys};

const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// A secret as it signs.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// A new secret, and the text that its holder keeps.
pub(super) fn create() -> Result<(Key, String), ControlError> {
    let key = Zeroizing::new(fresh::bytes::<SECRET_BYTES>()?.to_vec());
    let text = format!("{PREFIX}{}", BASE64.encode(key.as_slice()));
    Ok((key, text))
}

/// Seals a secret for the row of an endpoint.
pub(super) fn seal(
    data_key: &DataKey,
    (endpoint, version): (EndpointId, u64),
    key: &Key,
) -> Result<Vec<u8>, ControlError> {
    let row = endpoint.to_string();
    envelope::seal(data_key.id, &data_key.secret, &cell(data_key.tenant, &row, version), key)
}

/// Opens what [`seal`] has sealed.
pub(super) fn open(
    keys: &DataKeys,
    tenant: TenantId,
    (endpoint, version): (EndpointId, u64),
    sealed: &[u8],
) -> Result<Key, ControlError> {
    let id = envelope::key_of(sealed).ok_or(()).map_err(corrupt("secret of a webhook"))?;
    let row = endpoint.to_string();
    envelope::open(&keys.key(id)?.secret, &cell(tenant, &row, version), sealed)
}

fn cell(tenant: TenantId, row: &str, version: u64) -> Cell<'_> {
    Cell { tenant, table: "webhook_endpoints", column: "secret", row, version }
}

/// The header `webhook-signature`: a signature under each secret, separated by spaces.
///
/// `id` is the header `webhook-id`, `timestamp` the header `webhook-timestamp`, in seconds since 1970.
#[must_use]
pub fn signature_header<K: AsRef<[u8]>>(secrets: &[K], (id, timestamp): (&str, i64), body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signature = |secret: &K| {
        // INVARIANT: HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_ref()).expect("a key of any length");
        mac.update(signed.as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    };
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the test of the reference libraries of Standard Webhooks: the secret
    /// `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw` and the message of their README.
    #[test]
    fn the_signature_is_that_of_the_reference() {
        let secret = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("it is base 64");
        let header = signature_header(
            &[secret],
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330),
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs() {
        let header = signature_header(&[b"one", b"two"], ("msg_1", 1), "{}");
        assert_eq!(header.split(' ').count(), 2);
        assert_ne!(header.split(' ').next(), header.split(' ').next_back());
    }
}
