//! The key that signs tokens. Its private half is one file that only its owner can read.

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, Signer};

use crate::actor::Actor;
use crate::error::{ControlError, storage};
use crate::identity::key_file::open_key;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource, hex, hex_sha256};
use crate::store::Store;

/// An Ed25519 key and its name.
pub(crate) struct SigningKey {
    kid: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The only algorithm that this key signs with, whatever a token's header says.
    pub(crate) const ALGORITHM: &'static str = "EdDSA";

    /// Opens `<folder>/signing.key`, and makes it at first start.
    pub(crate) fn open(folder: &Path) -> Result<Self, ControlError> {
        open_key(&folder.join("signing.key")).map(Self::from)
    }

    /// The key's name: the beginning of the hash of its public half.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // Strict verification takes each message with one signature alone.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verifying_key().verify_strict(message, &signature).is_ok())
    }

    fn public_key(&self) -> String {
        hex(self.key.verifying_key().as_bytes())
    }
}

impl From<ed25519_dalek::SigningKey> for SigningKey {
    fn from(key: ed25519_dalek::SigningKey) -> Self {
        let hash = hex_sha256(key.verifying_key().as_bytes());
        Self { kid: hash[..16].to_owned(), key }
    }
}

/// Lists the key's public half in the system file, with its event, when it is not there yet.
pub(crate) async fn announce_key(
    store: &Store,
    key: &SigningKey,
    at: DateTime<Utc>,
) -> Result<(), ControlError> {
    const STEP: &str = "register the signing key";
    let mut tx = store.system().begin().await?;
    let added = sqlx::query(
        "INSERT INTO signing_keys (kid, algorithm, public_key, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (kid) DO NOTHING",
    )
    .bind(key.kid())
    .bind(SigningKey::ALGORITHM)
    .bind(key.public_key())
    .bind(timestamp(at))
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    let resource = Resource::new("signing_key", key.kid());
    let event = Event::success(AuditAction::SigningKeyRegistered, &Actor::System, resource);
    tx.record(event.with("public_key", key.public_key())).await?.commit().await
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
