//! The ledger: one append-only log for the system and one per tenant. An entry is a [`leaf`](leaf::Leaf),
//! canonical JSON whose exact bytes are stored and hashed; the hash is the leaf hash of RFC 6962, and the next
//! leaf names it, so that the chain's elements are the leaves of a tree that can be built over them.
//!
//! Read [`event`] (what can be recorded), [`canonical`] and [`leaf`] (its bytes), [`append`](mod@append) and
//! [`verify`] (what keeps them), then [`page`] (how people read them).
mod event;
mod log;

mod canonical;
mod hash;
mod leaf;

mod checkpoint;
mod key;
mod note;
mod tree;

mod append;
mod page;
mod verify;

pub(crate) use append::append;
pub use event::{AuditAction, Outcome};
pub(crate) use event::{Event, LeafActor, Resource};
pub(crate) use hash::{NO_HASH, hex, hex_sha256};
pub(crate) use log::Log;
pub use page::{AuditEvent, AuditFilter};
pub use verify::{Fault, FaultKind, VerifyReport};
