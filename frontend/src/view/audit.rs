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
    /// How the log stands beside that.
    pub standing: StandingFacts,
    /// What was wrong with the last form, or with the search.
    pub problem: Option<String>,
}

/// What was signed of the log, and who has looked it through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StandingFacts {
    /// The log's name.
    pub log: String,
    /// The place of its newest event.
    pub newest: u64,
    /// The newest checkpoints: when each was signed, and how many events it covers.
    pub checkpoints: Vec<(i64, u64)>,
    /// Witnesses below the newest one.
    pub cosignatures: u64,
    /// Whether checkpoints are copied elsewhere.
    pub is_anchored: bool,
    /// When the program last verified every log, and whether it found them whole.
    pub verified: Option<(i64, bool)>,
    /// The span that was signed off last: when, by whom, its first and last event, and the remark.
    pub reviewed: Option<(i64, String, u64, u64, String)>,
}

/// What the page of one event needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AuditEventView {
    /// The frame.
    pub frame: Frame,
    /// The event.
    pub event: AuditEvent,
    /// Its id.
    pub event_id: String,
    /// The request that it was part of.
    pub trace_id: Option<String>,
    /// Its facts, but for what was and what is.
    pub facts: Vec<(String, String)>,
    /// What was before and what is since, for an event that carries both.
    pub change: Option<(String, String)>,
    /// The exact text that was hashed.
    pub leaf: String,
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
