//! The key that signs checkpoints. It is the ledger's alone: it never signs a token.

use std::fmt;
use std::path::Path;

use ed25519_dalek::SigningKey;

use crate::error::ControlError;
use crate::key_file;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{self, KeyKind, Note, VerifierKey};

/// The ledger's Ed25519 key.
pub(crate) struct LedgerKey(SigningKey);

impl LedgerKey {
    /// Opens `<folder>/ledger.key`, and makes it at first start.
    pub(crate) fn open(folder: &Path) -> Result<Self, ControlError> {
        key_file::open_or_create(folder, "ledger.key").map(Self)
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
    pub(crate) fn verifier(&self, origin: &str) -> VerifierKey {
        VerifierKey::new(origin.to_owned(), KeyKind::Log, self.0.verifying_key())
    }

    /// The public half.
    pub(crate) fn public_bytes(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerKey").finish_non_exhaustive()
    }
}
