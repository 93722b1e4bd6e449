//! What can go wrong. A message says what happened; where the reader can do something, it says what.

mod auth;
mod governed;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use kernel::{SnapshotId, StudyId};

use crate::keys::KeyError;
use crate::ledger::FaultKind;
use crate::mail::InvalidMail;
use crate::schedules::InvalidTimetable;
use crate::store::{is_busy, is_disk_error};
use crate::webhooks::InvalidWebhook;

pub use auth::AuthError;
pub use governed::GovernedError;

/// Why an operation of the control plane failed. Whatever the variant, nothing of it was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The caller may not, or there is no such thing: the two look alike on purpose.
    #[error("there is no such thing for this account")]
    Denied,
    /// The e-mail, the password or the code is wrong, or the account is disabled: they look alike on purpose.
    #[error("the e-mail, the password or the code is wrong")]
    LoginRefused,

    /// Too many attempts have failed.
    #[error("too many attempts have failed: wait {seconds} s and try again")]
    LoginThrottled {
        /// How long to wait.
        seconds: i64,
    },
    /// An identity that a provider vouches for, and that has no account here.
    #[error("no account here belongs to this identity: ask your administrator to link it")]
    UnknownIdentity,
    /// Another account has the identity.
    #[error("the identity belongs to an account already: take it from that one first")]
    IdentityTaken,
    /// More passwords came than are hashed in time.
    #[error("more people sign in at once than passwords can be checked: try again")]
    LoginsOverloaded,
    /// A code that is not the one of the authenticator app at this moment, nor a recovery code that is left.
    #[error("the code is not right: use the one that the app shows now")]
    WrongCode,
    /// A second factor cannot be begun over one that is in use.
    #[error("the account has an authenticator already: give that up first")]
    SecondFactorPresent,

    /// An e-mail address that cannot be one.
    #[error("the e-mail address is not valid: give one of at most 254 characters with a single `@`")]
    InvalidEmail,
    /// A password that is guessed soon.
    #[error(
        "the password is one of those that are tried first: choose another, such as four words that have nothing to do with each other"
    )]
    GuessablePassword,
    /// A password that is too short or too long.
    #[error("the password is not acceptable: choose {min} to {max} characters")]
    InvalidPassword {
        /// The fewest characters.
        min: usize,
        /// The most bytes.
        max: usize,
    },
    /// A tenant's short name that does not fit in an address.
    #[error("`{slug}` is not a tenant's short name: use 1 to 40 of `a-z 0-9 -`, starting with a letter")]
    InvalidSlug {
        /// What was given.
        slug: String,
    },
    /// A name or title that is empty or too long.
    #[error("the {what} is empty or longer than {max} characters")]
    InvalidText {
        /// What the text is for.
        what: &'static str,
        /// The most characters.
        max: usize,
    },

    /// A name that no certificate of a machine could have.
    #[error(
        "`{peer}` is no name of a machine's certificate: write a URI (`spiffe://cairn/service/etl`) or a DNS name in full"
    )]
    InvalidPeer {
        /// What was given.
        peer: String,
    },
    /// A person's token is to be bound to a machine.
    #[error("only a machine's token is bound to a certificate: make one with `--service`")]
    PeerOfPerson,

    /// A token that is to last too long, or not at all.
    #[error("a token of this kind lasts up to {days} days: choose 1 to {days}")]
    InvalidTokenLifetime {
        /// The most days.
        days: i64,
    },

    /// Somebody in this deployment already has the address.
    #[error("the e-mail address is already in use: choose another, or disable the account that holds it")]
    EmailTaken,
    /// Nobody would be left who can sign in and administer the tenant.
    #[error("nobody else can administer the organisation: make another administrator first")]
    LastAdministrator,
    /// Access has changed since the list was made that is to be signed off.
    #[error("access has changed since this list was made: look it through again")]
    ReviewChanged,
    /// A span of the ledger that is not there.
    #[error("the span is not in the log: give the numbers of its first and last event")]
    InvalidSpan,
    /// What was known of the account is destroyed.
    #[error("the account was erased: make a new one")]
    AccountErased,
    /// Another tenant has the short name.
    #[error("a tenant called `{slug}` exists already: choose another short name")]
    SlugTaken {
        /// The short name.
        slug: String,
    },
    /// The delivery was committed before, by this or another process.
    #[error("the delivery `{idempotency_key}` is already committed: answer with its stored receipt")]
    BatchExists {
        /// The sender's key.
        idempotency_key: String,
    },
    /// The key was used for a delivery with other content.
    #[error(
        "the key `{idempotency_key}` belongs to a delivery with other content: send this one under a new key"
    )]
    IdempotencyConflict {
        /// The sender's key.
        idempotency_key: String,
    },
    /// The sender's key announced another delivery.
    #[error(
        "the key `{idempotency_key}` announced a delivery with the manifest {known}, this one has {given}: send it under a new key"
    )]
    DeliveryKeyReused {
        /// The sender's key.
        idempotency_key: String,
        /// The hash of what was announced.
        known: String,
        /// The hash of this one.
        given: String,
    },
    /// A study has to be registered before anything is committed to it.
    #[error("the study `{study}` is not registered: register it first")]
    StudyNotRegistered {
        /// The study.
        study: StudyId,
    },
    /// What changes the meaning of numbers needs a reason.
    #[error("say why, in 1 to {max} letters: the reason is kept in the ledger")]
    NoReason {
        /// The longest reason.
        max: usize,
    },
    /// Somebody acted upon the alarm of a limit in the meantime.
    #[error("somebody else acted upon the limit `{limit}` in the meantime: look at it again first")]
    LimitActedUpon {
        /// The limit.
        limit: String,
    },
    /// Somebody published in the meantime.
    #[error("the study `{study}` has moved on since the build started: build again on its current snapshot")]
    Superseded {
        /// The study.
        study: StudyId,
        /// The snapshot that is current now.
        current: Option<SnapshotId>,
    },
    /// Another worker has the job, or it has ended: what was done for it is not kept.
    #[error("the lease of the job is lost: another worker has it, or it has ended")]
    LeaseLost,
    /// Somebody asked for the job to be given up.
    #[error("the job was cancelled")]
    JobCancelled,
    /// The job is in a state in which that cannot be done.
    #[error("the job is {state}: {remedy}")]
    JobState {
        /// Its state.
        state: &'static str,
        /// What can be done.
        remedy: &'static str,
    },
    /// The tenant has more jobs in line than it may.
    #[error("{waiting} jobs are in line already: wait until some have ended, or cancel some")]
    TooManyJobs {
        /// How many.
        waiting: i64,
    },
    /// The kind of job is not put in line by time, or not for that.
    #[error(
        "a schedule builds the marts of a study, or verifies the ledger of all of them; `{kind}` is neither"
    )]
    ScheduleKind {
        /// The kind.
        kind: &'static str,
    },
    /// A cron expression or a zone that cannot be used.
    #[error(transparent)]
    Timetable(#[from] InvalidTimetable),
    /// The tenant has more schedules than it may.
    #[error("there are {max} schedules already: remove some that are not needed")]
    TooManySchedules {
        /// How many.
        max: i64,
    },
    /// An endpoint of webhooks that cannot be one.
    #[error(transparent)]
    InvalidWebhook(#[from] InvalidWebhook),
    /// E-mail is set up in a way that cannot work, or the relay does not take a letter.
    #[error(transparent)]
    InvalidMail(#[from] InvalidMail),
    /// The tenant has more endpoints than it may.
    #[error("there are {max} endpoints already: remove some that are not needed")]
    TooManyWebhooks {
        /// How many.
        max: i64,
    },
    /// The message or the endpoint is in a state in which that cannot be done.
    #[error("it is {state}: {remedy}")]
    WebhookState {
        /// Its state.
        state: &'static str,
        /// What can be done.
        remedy: &'static str,
    },
    /// An equal request has used up the idempotency key in this moment.
    #[error("an equal request is being answered: send this one again")]
    KeyTaken,
    /// A pull can end only once.
    #[error("the pull has already ended")]
    PullEnded,

    /// The machine's clock is behind the ledger.
    #[error("the clock is {seconds} s behind the last event of `{log}`: set the machine's clock right")]
    ClockBehind {
        /// The log.
        log: String,
        /// How far behind.
        seconds: i64,
    },
    /// The log has no head, so nothing can be appended and nothing can be done.
    #[error("the log `{log}` has no head: run `cairn audit verify` and restore the file from a backup")]
    HeadMissing {
        /// The log.
        log: String,
    },
    /// A log does not verify, so that nothing of it is signed.
    #[error(
        "the log `{log}` does not verify at event {index}: {kind}; run `cairn audit verify` and restore the file from a copy"
    )]
    LogBroken {
        /// The log.
        log: String,
        /// The first bad index.
        index: u64,
        /// What is wrong there.
        kind: FaultKind,
    },
    /// A log is shorter than it was: an older copy was put in its place, or its end was cut off.
    #[error(
        "the log `{log}` has {size} events, but has committed to {committed} in {place}: restore a copy that holds all of them; to go on without them, move that record aside and keep it as evidence of the loss"
    )]
    LogBehind {
        /// The log.
        log: String,
        /// How many events it has.
        size: u64,
        /// How many it had.
        committed: u64,
        /// Where it committed to them.
        place: String,
    },
    /// A log has other events than it had: it went on from an older copy, or was written anew.
    #[error(
        "the log `{log}` has committed in {place} to {committed} events, and the last of them is not the one it holds now: restore the copy that was committed to, and keep this one as evidence"
    )]
    LogForked {
        /// The log.
        log: String,
        /// How many events it has committed to.
        committed: u64,
        /// Where.
        place: String,
    },
    /// A file of the anchor is there with other bytes.
    #[error(
        "`{path}` exists with other content, and is never overwritten: find out who wrote it, or choose an empty folder"
    )]
    AnchorDiffers {
        /// The file.
        path: PathBuf,
    },
    /// The bucket of an anchor did not do what it was asked.
    #[error("the anchor's bucket does not {step} `{place}`: {reason}")]
    Bucket {
        /// What was asked.
        step: &'static str,
        /// The bucket and the object.
        place: String,
        /// What it said.
        reason: String,
    },
    /// What a bucket holds could be removed.
    #[error(
        "the bucket `{bucket}` does not keep what it holds: give it Object Lock with a default retention in the mode COMPLIANCE, or choose another anchor"
    )]
    BucketRetention {
        /// The bucket.
        bucket: String,
    },
    /// The anchor's newest checkpoint cannot be used.
    #[error(
        "the anchored checkpoint of {size} events in `{path}` cannot be used, {reason}: restore the anchor from a copy, or choose another folder and keep this one as evidence"
    )]
    AnchorUnusable {
        /// The anchor's folder of the log.
        path: PathBuf,
        /// The checkpoint.
        size: u64,
        /// What is wrong.
        reason: String,
    },
    /// There is no event with this number.
    #[error("the log `{log}` has {size} events, numbered from 0: there is no event {seq}")]
    NoSuchEvent {
        /// The log.
        log: String,
        /// The number that was asked for.
        seq: u64,
        /// How many events there are.
        size: u64,
    },
    /// An erasure needs two people.
    #[error("the erasure is not approved: name another account of the tenant that is in use")]
    ApproverUnfit,
    /// A witness needs a name, and keeps it.
    #[error(
        "`{path}` does not name this witness: give it a name without spaces and `+`, such as `witness.example/w1`, and always the same"
    )]
    WitnessName {
        /// The file of the name.
        path: PathBuf,
    },
    /// A witness's answer does not fit the checkpoint.
    #[error("the witness's answer cannot be kept: {reason}")]
    Cosignature {
        /// What is wrong.
        reason: String,
    },
    /// An event is larger than a leaf may be.
    #[error("the event is larger than a ledger entry may be ({size} bytes)")]
    LeafTooLarge {
        /// Its size.
        size: usize,
    },

    /// A file was migrated by other code than this.
    #[error(
        "the migration `{name}` in the database differs from this program's: run the program that wrote it"
    )]
    MigrationChanged {
        /// The migration's name.
        name: String,
    },
    /// Another process held the file for too long.
    #[error("failed to {step}: another process is holding the database; try again")]
    Busy {
        /// What was tried.
        step: &'static str,
    },
    /// The database refused.
    #[error("failed to {step}")]
    Storage {
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stored value is not what this program writes.
    #[error("a stored {what} cannot be read back")]
    Corrupt {
        /// What the value is.
        what: &'static str,
    },
    /// A file or folder could not be made or read.
    #[error("failed to {step} `{path}`")]
    File {
        /// What was tried.
        step: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A key's file holds no usable key.
    #[error(
        "`{path}` holds no Ed25519 key in PKCS#8 form: restore it; when it is lost, remove it to go on with a new key (after the signing key, every token expires; after the ledger key, publish the new key of `cairn audit keys`)"
    )]
    KeyFile {
        /// Where.
        path: PathBuf,
    },
    /// The context key's file holds no usable key.
    #[error("`{path}` holds no key of 32 bytes in hexadecimal: restore it, or copy it from another replica")]
    ContextKeyFile {
        /// Where.
        path: PathBuf,
    },
    /// The database knows another context key than this process, so that no policy would let it see a row.
    #[error(
        "`keys/context.key` is not the key of this database: copy the file from the replica that made it"
    )]
    ContextKeyUnknown,
    /// A role that no policy binds.
    #[error(
        "the database role `{role}` is above the policies that keep tenants apart: serve with `cairn_app` and `cairn_system`"
    )]
    DatabaseRole {
        /// The role of the address.
        role: String,
    },
    /// The tables lack a migration, and nobody who may migrate was named.
    #[error("the database lacks the migration `{name}`: start once with the address of its owner")]
    MigrationMissing {
        /// The migration's name.
        name: String,
    },
    /// Files on one machine cannot serve several.
    #[error(
        "SQLite serves one replica and {replicas} are configured: choose PostgreSQL (docs/databases.md), or one replica"
    )]
    SqliteShared {
        /// How many are configured.
        replicas: u32,
    },
    /// The machine gives no randomness.
    #[error("failed to draw random bytes from the machine")]
    Entropy {
        /// Why it failed.
        #[source]
        source: getrandom::Error,
    },
    /// A governed action has rules that the request does not keep.
    #[error(transparent)]
    Governed(#[from] GovernedError),
    /// A key that protects stored values cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A password could not be hashed, or a stored hash could not be read.
    #[error("failed to hash a password")]
    Hashing {
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl From<kernel::Denied> for ControlError {
    fn from(_: kernel::Denied) -> Self {
        Self::Denied
    }
}

/// Turns a database error into ours, naming the step that failed.
pub(crate) fn storage(step: &'static str) -> impl FnOnce(sqlx::Error) -> ControlError {
    move |source| {
        if is_busy(&source) {
            ControlError::Busy { step }
        } else if is_disk_error(&source) {
            ControlError::Storage { step, source: format!("the disk is full or broken: {source}").into() }
        } else {
            ControlError::Storage { step, source: Box::new(source) }
        }
    }
}

/// A file with a secret could not be made or read.
pub(crate) fn key_file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { step, path, source }
}

/// A stored value could not be read back; whatever the parser says about it may quote the value.
pub(crate) fn corrupt<E>(what: &'static str) -> impl FnOnce(E) -> ControlError {
    move |_| ControlError::Corrupt { what }
}
