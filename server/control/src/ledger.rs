//! The ledger: one append-only log for the system and one per tenant. An entry is a [`leaf`](leaf::Leaf),
//! canonical JSON whose exact bytes are stored and hashed; the hash is the leaf hash of RFC 6962, and the next
//! leaf names it, so that the chain's elements are the leaves of the [`tree`] that is built over them.
//!
//! Read [`event`] (what can be recorded), [`canonical`] and [`leaf`] (its bytes), [`append`](mod@append) (how it
//! gets its place), [`chain`] (the rules of a log), then how others can hold us to it: [`tree`], [`checkpoint`]
//! and [`note`] (what is signed), [`signing`] (when), [`anchor`] (where it is copied to: [`folder`] and [`bucket`]), [`receipt`] (what is
//! handed out), [`verify`] and [`offline`] (how all of it is checked, here and elsewhere). [`page`] is how people
//! read it.
mod event;
mod log;

pub(crate) mod canonical;
mod hash;
mod leaf;

pub(crate) mod rows;

mod append;
mod chain;
mod group;
mod page;
mod personal;
mod standing;

mod checkpoint;
mod key;
mod note;
mod tree;

mod anchor;
mod anchoring;
mod bucket;
mod folder;
mod receipt;
mod signing;
mod tiles;

mod cosigning;
mod witness;

mod commitments;
mod offline;
mod verify;

pub(crate) use anchor::Anchor;
pub use anchor::AnchorPlace;
pub(crate) use anchoring::{commitments_of, refuse_rollback};
pub(crate) use append::append;
pub use bucket::BucketSettings;
pub(crate) use canonical::Canon;
pub use chain::{Fault, FaultKind};
pub use event::{AuditAction, Outcome};
pub(crate) use event::{Event, LeafActor, Resource};
pub(crate) use group::WaitingEvents;
pub(crate) use hash::{NO_HASH, hash_of_hex, hex, hex_sha256};
pub(crate) use key::{LedgerKey, announce_ledger_key};
pub(crate) use leaf::Leaf;
pub(crate) use log::Log;
pub use note::{InvalidVerifierKey, KeyKind, NoteError, VerifierKey};
pub use offline::{OfflineReport, verify_folder};
pub use page::{AuditEvent, AuditFilter};
pub(crate) use personal::{Personal, reveal};
pub use receipt::{MAX_RECEIPT_BYTES, ProvenEvent, ReceiptError, verify_receipt};
pub use signing::SignedCheckpoint;
pub use standing::{LedgerStanding, ReviewedSpan};
pub use verify::VerifyReport;
pub use witness::{MAX_REQUEST_BYTES, Witness, WitnessRefusal};
