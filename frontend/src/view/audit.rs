//! Who did what.

use serde::{Deserialize, Serialize};

use super::{Choice, Frame};
use crate::query::AuditQuery;

/// What the audit page needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AuditView {
    /// The frame.
    pub frame: Frame,
    /// What the address asked for.
    pub query: AuditQuery,
    /// The actions to choose from.
    pub actions: Vec<Choice>,
    /// Events, newest first.
    pub events: Vec<AuditEvent>,
    /// Whether older events exist: pass as `before` for the next page.
    pub older_before: Option<u64>,
    /// Whether the ledger was found whole.
    pub verification: Verification,
}

/// One event of the ledger.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its place in the ledger.
    pub sequence: u64,
    /// When it was written.
    pub at_unix_s: i64,
    /// Who acted.
    pub actor: String,
    /// What was done: `snapshot.publish`.
    pub action: String,
    /// What it was done to.
    pub object: String,
    /// `allowed`, `denied`, `failed`.
    pub outcome: String,
    /// Further words; may be empty.
    pub detail: String,
    /// Hash of the leaf, in hexadecimal.
    pub leaf_hash: String,
}

/// Whether the ledger was found whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Every entry hashes to its successor and to the head.
    Verified {
        /// Entries checked.
        entries: u64,
        /// The head's hash, in hexadecimal.
        head: String,
        /// When.
        checked_unix_s: i64,
    },
    /// An entry does not fit.
    Broken {
        /// The first entry that does not fit.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody looked yet.
    #[default]
    NotChecked,
}
