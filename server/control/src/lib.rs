//! The control plane: who may do what, what is published, and the ledger that proves what was done.
//! It knows people and no trial data.
//!
//! Read `control` first (the one entrance), then `ledger` (what an event is, and how a log is verified),
//! then `store` (the files, and the only handle that writes). `gate` is where tokens, accounts and grants
//! meet; the other modules hold one kind of operation each. Every operation that changes something takes the
//! actor and commits together with its event, or not at all.
mod error;
mod fresh;
mod ids;
mod instant;
mod inventory;
mod text;
mod trace;

mod actor;
mod control;
mod keys;
mod ledger;
mod store;

mod identity;

mod gate;

mod access_tokens;
mod limit_acts;
mod login;
mod oidc;
mod policy;
mod second_factor;
mod sessions;

mod accounts;
mod grants;
mod tenants;

mod batches;
mod definitions;
mod deliveries;
mod idempotency;
mod jobs;
mod mart_runs;
mod past_snapshots;
mod schedules;
mod snapshots;
mod studies;

mod backup;
mod denials;
mod erasure;
mod exports;
mod key_rotation;
mod reads;
mod rules;

pub use access_tokens::{
    AccessToken, IssuedToken, NewAccessToken, PERSONAL_MAX as PERSONAL_TOKEN_MAX,
    SERVICE_MAX as SERVICE_TOKEN_MAX, TokenKind,
};
pub use accounts::NewAccount;
pub use actor::Actor;
pub use backup::{BackupStep, LogState};
pub use batches::BatchRow;
pub use control::{Control, ControlSettings, TokenLifetimes};
pub use definitions::{DefinitionChangeRow, NewDefinitionChange, in_force};
pub use deliveries::{DeliveryRow, DeliveryState, NewDelivery};
pub use denials::{Denial, DeniedWho};
pub use erasure::Erasure;
pub use error::{AuthError, ControlError};
pub use exports::Export;
pub use gate::{Caller, Principal};
pub use idempotency::{KeyedRequest, KnownKey, StoredAnswer};
pub use identity::{Audience, KeyState, TokenKey};
pub use ids::{AccessTokenId, SessionId};
pub use inventory::{ALGORITHMS, Algorithm};
pub use jobs::{
    Claim, Ending, Fence, JobFilter, JobId, JobKind, JobProgress, JobRow, JobState, NewJob, Terms,
};
pub use key_rotation::Rotation;
pub use keys::{DataKeyRow, FileKeySettings, KeyError, KeySettings, Pkcs11Settings, VaultSettings};
pub use ledger::{
    AuditAction, AuditEvent, AuditFilter, Fault, FaultKind, InvalidVerifierKey, KeyKind, MAX_RECEIPT_BYTES,
    MAX_REQUEST_BYTES, NoteError, OfflineReport, Outcome, ProvenEvent, ReceiptError, SignedCheckpoint,
    VerifierKey, VerifyReport, Witness, WitnessRefusal, verify_folder, verify_receipt,
};
pub use limit_acts::{LimitAct, LimitActRow, NewLimitAct};
pub use login::{Credentials, Login};
pub use mart_runs::{MartRunRow, MartRunStatus, NewMartRun};
pub use oidc::{Attempt, CarriedAttempt, Expected, Identity, IssuerKeys, OidcError, verify_id_token};
pub use past_snapshots::{NewPastSnapshot, PastSnapshotRow};
pub use reads::{Amount, PullId, TableRead};
pub use schedules::{Enabled, InvalidTimetable, NewSchedule, ScheduleId, ScheduleRow, Timetable};
pub use second_factor::{Enrolment, SecondFactor};
pub use sessions::{ABSOLUTE as SESSION_ABSOLUTE, BrowserSession, IDLE as SESSION_IDLE, Method, Session};
pub use snapshots::{NewSnapshot, SnapshotRow};
pub use store::{DatabaseEngine, DatabaseSettings, PostgresSettings};
pub use studies::StudyRow;
pub use tenants::Tenant;
pub use trace::{InvalidTraceId, TraceId};
