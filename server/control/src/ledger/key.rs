//! The key that signs checkpoints. It is the ledger's alone: it never signs a token.

use std::fmt;
use std::path::Path;

use ed25519_dalek::SigningKey;

use crate::actor::Actor;
use crate::error::{ControlError, storage};
use crate::identity::open_key;
use crate::instant::timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::event::{AuditAction, Event, Resource};
use crate::ledger::hash::hex;
use crate::ledger::note::{self, Note};
#[cfg(test)]
use crate::ledger::note::{KeyKind, VerifierKey};
use crate::store::Store;

/// The ledger's Ed25519 key.
pub(crate) struct LedgerKey(SigningKey);

impl LedgerKey {
    /// Opens `<folder>/ledger.key`, and makes it at first start.
    pub(crate) fn open(folder: &Path) -> Result<Self, ControlError> {
        open_key(&folder.join("ledger.key")).map(Self)
    }

    /// A key of a test.
    #[cfg(test)]
    pub(crate) fn of_seed(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    /// The note of a checkpoint, signed in the name of its log.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Note {
        note::sign(&checkpoint.text(), &checkpoint.origin, &self.0)
    }

    /// The line by which others know the key's signatures below the checkpoints of one log.
    #[cfg(test)]
    pub(crate) fn verifier(&self, origin: &str) -> VerifierKey {
        VerifierKey::new(origin.to_owned(), KeyKind::Log, self.0.verifying_key())
    }

    /// The public half.
    pub(crate) fn public_bytes(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

/// Lists the key's public half in the system file, with its event, when it is not there yet.
pub(crate) async fn announce_ledger_key(store: &Store, key: &LedgerKey) -> Result<(), ControlError> {
    let public_key = hex(&key.public_bytes());
    let mut tx = store.system().begin().await?;
    let now = timestamp(tx.now());
    let added = sqlx::query(
        "INSERT INTO ledger_keys (public_key, created_at) VALUES ($1, $2) ON CONFLICT (public_key) DO NOTHING",
    )
    .bind(&public_key)
    .bind(now)
    .execute(tx.connection())
    .await
    .map_err(storage("register the ledger's key"))?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    let resource = Resource::new("ledger_key", &public_key[..16]);
    let event = Event::success(AuditAction::LedgerKeyRegistered, &Actor::System, resource);
    tx.record(event.with("public_key", public_key)).await?.commit().await
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerKey").finish_non_exhaustive()
    }
}
