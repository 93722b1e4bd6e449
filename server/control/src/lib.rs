//! The control plane: who may do what, what is published, and the ledger that proves what was done.
//! It knows people and no trial data.
//!
//! Read `control` first (the one entrance), then `ledger` (what an event is, and how a log is verified),
//! then `store` (the files, and the only handle that writes). `gate` is where tokens, accounts and grants
//! meet; the other modules hold one kind of operation each. Every operation that changes something takes the
//! actor and commits together with its event, or not at all.
mod error;
mod fresh;
mod instant;
mod text;
mod trace;

mod actor;
mod control;
mod ledger;
mod store;

mod identity;

mod gate;
mod login;

mod accounts;
mod tenants;

mod batches;
mod deliveries;
mod mart_runs;
mod past_snapshots;
mod snapshots;
mod studies;

mod denials;
mod erasure;
mod exports;
mod reads;
mod rules;

pub use accounts::NewAccount;
pub use actor::Actor;
pub use batches::BatchRow;
pub use control::{Control, ControlSettings, TokenLifetimes};
pub use deliveries::{DeliveryRow, DeliveryState, NewDelivery};
pub use denials::{Denial, DeniedWho};
pub use erasure::Erasure;
pub use error::{AuthError, ControlError};
pub use exports::Export;
pub use gate::{Caller, Principal};
pub use identity::Audience;
pub use ledger::{
    AuditAction, AuditEvent, AuditFilter, Fault, FaultKind, InvalidVerifierKey, KeyKind, MAX_RECEIPT_BYTES,
    MAX_REQUEST_BYTES, NoteError, OfflineReport, Outcome, ProvenEvent, ReceiptError, SignedCheckpoint,
    VerifierKey, VerifyReport, Witness, WitnessRefusal, verify_folder, verify_receipt,
};
pub use login::Login;
pub use mart_runs::{MartRunRow, MartRunStatus, NewMartRun};
pub use past_snapshots::{NewPastSnapshot, PastSnapshotRow};
pub use reads::{Amount, PullId, TableRead};
pub use snapshots::{NewSnapshot, SnapshotRow};
pub use store::{DatabaseEngine, DatabaseSettings, PostgresSettings};
pub use studies::StudyRow;
pub use tenants::Tenant;
pub use trace::{InvalidTraceId, TraceId};
