//! One key that signs tokens: its private half is one file that only its owner can read, its public half is for
//! everybody.

use std::fmt;
use std::path::Path;

use ed25519_dalek::{Signature, Signer, VerifyingKey};

use crate::error::ControlError;
use crate::fresh;
use crate::identity::key_file::{ensure_key_file, open_key, private_pem};
use crate::ledger::{hash_of_hex, hex, hex_sha256};

/// The only algorithm that our keys sign with, whatever a token's header says.
pub(crate) const ALGORITHM: &str = "EdDSA";

/// An Ed25519 key and its name.
pub(crate) struct SigningKey {
    kid: String,
    key: ed25519_dalek::SigningKey,
}

/// The public half of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl SigningKey {
    /// Opens a file, and makes it when it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, ControlError> {
        open_key(path).map(Self::from)
    }

    /// A new key in a file of its own below `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, ControlError> {
        let key = Self::from(ed25519_dalek::SigningKey::from_bytes(&fresh::bytes()?));
        let path = folder.join(file_name(&key.kid));
        ensure_key_file(&path, || private_pem(key.key.to_bytes(), &path))?;
        Ok(key)
    }

    /// The key's name: the beginning of the hash of its public half.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }
}

/// The file of a key that did not come first.
pub(super) fn file_name(kid: &str) -> String {
    format!("signing-{kid}.key")
}

impl PublicKey {
    pub(crate) fn verifies(self, message: &[u8], signature: &[u8]) -> bool {
        // Strict verification takes each message with one signature alone.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    pub(crate) fn to_hex(self) -> String {
        hex(self.0.as_bytes())
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key that [`PublicKey::to_hex`] wrote.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        VerifyingKey::from_bytes(&hash_of_hex(text)?).ok().map(Self)
    }
}

impl From<ed25519_dalek::SigningKey> for SigningKey {
    fn from(key: ed25519_dalek::SigningKey) -> Self {
        let hash = hex_sha256(key.verifying_key().as_bytes());
        Self { kid: hash[..16].to_owned(), key }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
