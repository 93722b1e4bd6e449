//! The control plane: who may do what, what is published, and the ledger that proves what was done.
//! It knows people and no trial data.
//!
//! Read `control` first (the one entrance), then `ledger` (what an event is, and how a log is verified),
//! then `store` (the files, and the only handle that writes). `gate` is where tokens, accounts and grants
//! meet; the other modules hold one kind of operation each. Every operation that changes something takes the
//! actor and commits together with its event, or not at all.
mod backoff;
mod error;
mod fresh;
mod ids;
mod instant;
mod inventory;
mod text;
mod trace;

mod outbound;
mod peer;

mod actor;
mod control;
mod keys;
mod ledger;
mod order;
mod store;

mod identity;

mod gate;

mod break_glass;
mod reasons;
mod retention;
mod signatures;
mod unblinding;

mod access_tokens;
mod limit_acts;
mod login;
mod oidc;
mod policy;
mod second_factor;
mod sessions;

mod access_review;
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

mod inbox;
mod mail;
mod outbox;
mod webhooks;

mod backup;
mod denials;
mod erasure;
mod exports;
mod key_rotation;
mod reads;
mod rules;

pub use access_review::{
    AccessEntry, AccessReview, REVIEW_PERIOD, ReviewMark, SignedReview, TokenEntry, UNUSED_AFTER,
};
pub use access_tokens::{
    AccessToken, IssuedToken, NewAccessToken, PERSONAL_MAX as PERSONAL_TOKEN_MAX,
    SERVICE_MAX as SERVICE_TOKEN_MAX, TokenKind,
};
pub use accounts::NewAccount;
pub use accounts::roster::{AccountSummary, HeldGrant};
pub use actor::Actor;
pub use backup::{BackupStep, LogState};
pub use batches::BatchRow;
pub use break_glass::{
    BreakGlassCount, BreakGlassId, BreakGlassReview, BreakGlassRow, LONGEST as BREAK_GLASS_LONGEST,
    NewBreakGlass, NewReview, REVIEW_WITHIN as BREAK_GLASS_REVIEW_WITHIN, Verdict,
};
pub use control::{Control, ControlSettings, TokenLifetimes};
pub use definitions::{DefinitionChangeRow, NewDefinitionChange, in_force};
pub use deliveries::{DeliveryRow, DeliveryState, NewDelivery};
pub use denials::{Denial, DeniedWho};
pub use erasure::Erasure;
pub use error::{AuthError, ControlError, GovernedError};
pub use exports::Export;
pub use gate::{Caller, Principal};
pub use idempotency::{KeyedRequest, KnownKey, StoredAnswer};
pub use identity::{Audience, KeyState, TokenKey};
pub use ids::{AccessTokenId, DeliveryId, EndpointId, MessageId, NoticeId, SessionId};
pub use inbox::{Notice, NoticeRow};
pub use inventory::{ALGORITHMS, Algorithm};
pub use jobs::{
    Claim, Ending, Fence, JobFilter, JobId, JobKind, JobProgress, JobRow, JobState, NewJob, Terms,
};
pub use key_rotation::Rotation;
pub use keys::{
    DataKeyRow, FileKeySettings, KeyError, KeySettings, Pkcs11Settings, SYSTEM_KEYS, VaultSettings,
};
pub use ledger::{
    AnchorPlace, AuditAction, AuditEvent, AuditFilter, BucketSettings, Fault, FaultKind, InvalidVerifierKey,
    KeyKind, LedgerStanding, MAX_RECEIPT_BYTES, MAX_REQUEST_BYTES, NoteError, OfflineReport, Outcome,
    ProvenEvent, ReceiptError, ReviewedSpan, SignedCheckpoint, VerifierKey, VerifyReport, Witness,
    WitnessRefusal, verify_folder, verify_receipt,
};
pub use limit_acts::{LimitAct, LimitActRow, NewLimitAct};
pub use login::{Credentials, Login};
pub use mail::{InboxMail, InvalidMail, Letter, MailChoice, MailSecurity, MailSettings, Mailer};
pub use mart_runs::{MartRunRow, MartRunStatus, NewMartRun};
pub use oidc::{
    Attempt, CarriedAttempt, Expected, Identity, IssuerKeys, LinkedIdentity, OidcError, verify_id_token,
};
pub use order::Order;
pub use outbound::{Answered, Outbound, OutboundError, OutboundLimits, Reach};
pub use outbox::Announcement;
pub use past_snapshots::{NewPastSnapshot, PastSnapshotRow};
pub use peer::{PeerName, PeerNames};
pub use reads::{Amount, PullId, TableRead};
pub use retention::{HoldId, HoldRow, NewRemoval, NewRetention, Removed, StudyRetention};
pub use schedules::{Enabled, InvalidTimetable, NewSchedule, ScheduleId, ScheduleRow, Timetable};
pub use second_factor::{Enrolment, SecondFactor};
pub use sessions::{ABSOLUTE as SESSION_ABSOLUTE, BrowserSession, IDLE as SESSION_IDLE, Method, Session};
pub use signatures::{
    Block, Meaning, NewSignature, OfflineSignature, Record, RecordKind, SignatureError, SignatureFault,
    SignatureId, SignatureProof, SignatureRow, SignatureState, Signing, verify_signature,
};
pub use snapshots::{NewSnapshot, SnapshotRow};
pub use store::{DatabaseEngine, DatabaseSettings, PostgresSettings};
pub use studies::StudyRow;
pub use tenants::Tenant;
pub use tenants::overview::TenantOverview;
pub use tenants::standing::DisabledTenant;
pub use trace::{InvalidTraceId, TraceId};
pub use unblinding::Unblinding;
pub use webhooks::{
    Breaker, Channel, EndpointRow, EndpointState, InvalidWebhook, IssuedEndpoint, MessageClaim,
    MessageOutcome, NewEndpoint, Recipient, WebhookDelivery, WebhookDeliveryState, signature_header,
};
