//! Values that are stored encrypted: AES-256-GCM under a key that lies elsewhere, bound to what they are. It is the one place
//! that encrypts; how nonce and ciphertext are laid out is its callers' business.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::error::ControlError;
use crate::fresh;

pub(crate) const NONCE_BYTES: usize = 12;

/// The ciphertext of a value. A nonce is never used twice under one key.
pub(crate) fn encrypt(key: &[u8; 32], nonce: [u8; NONCE_BYTES], plain: &[u8], context: &[u8]) -> Vec<u8> {
    Aes256Gcm::new(key.into())
        .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context })
        // INVARIANT: AES-GCM refuses only messages of more than 64 GiB.
        .expect("a small value is encrypted")
}

/// The nonce and the ciphertext of a value.
pub(crate) fn seal(
    key: &[u8; 32],
    plain: &[u8],
    context: &[u8],
) -> Result<([u8; NONCE_BYTES], Vec<u8>), ControlError> {
    let nonce = fresh::bytes::<NONCE_BYTES>()?;
    Ok((nonce, encrypt(key, nonce, plain, context)))
}

/// The value; `None` when the key, the context or the bytes are others.
pub(crate) fn open(key: &[u8; 32], (nonce, ciphertext): (&[u8], &[u8]), context: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let payload = Payload { msg: ciphertext, aad: context };
    Aes256Gcm::new(key.into()).decrypt(&Nonce::from(nonce), payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_key_in_its_place_alone() {
        let (nonce, sealed) = seal(&[1; 32], b"secret", b"here").expect("the machine gives chance");
        let at = |key, nonce: &[u8], sealed: &[u8], context| open(&key, (nonce, sealed), context);
        assert_eq!(at([1; 32], &nonce, &sealed, b"here".as_slice()).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(at([2; 32], &nonce, &sealed, b"here"), None);
        assert_eq!(at([1; 32], &nonce, &sealed, b"there"), None);
        assert_eq!(at([1; 32], &[0; 12], &sealed, b"here"), None);
        assert_eq!(at([1; 32], &nonce[1..], &sealed, b"here"), None);
        assert_eq!(at([1; 32], &nonce, &sealed[1..], b"here"), None);
        assert_eq!(at([1; 32], &nonce, &[], b"here"), None);
    }
}
