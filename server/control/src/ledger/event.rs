//! What can be recorded: a closed list of actions, who acted, on what, and how it ended. No event holds a
//! subject, a value, a password or an e-mail address.

use std::collections::BTreeMap;
use std::fmt;

use kernel::{AccountId, StudyId, TenantId};
use uuid::Uuid;

use crate::actor::Actor;
use crate::ledger::canonical::Canon;
use crate::trace::TraceId;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Every kind of event there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum AuditAction { $($(#[$doc])* $variant),* }

        impl AuditAction {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The action's name in the ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

actions! {
    /// Who holds which role was looked through and signed off.
    AccessReviewed = "access.reviewed",
    /// A door refused a request.
    AccessDenied = "access.denied",
    /// An emergency access ended before its time.
    BreakGlassEnded = "access.break_glass.ended",
    /// Somebody opened an emergency access to a study, with a reason. It is to be reviewed.
    BreakGlassOpened = "access.break_glass.opened",
    /// Another person judged an emergency access.
    BreakGlassReviewed = "access.break_glass.reviewed",
    /// Somebody asked a door for something of a study that they may read in an emergency alone.
    BreakGlassUsed = "access.break_glass.used",
    /// An account may see who gets which treatment, with a reason.
    Unblinded = "access.unblinded",
    /// An account was created.
    AccountCreated = "account.created",
    /// An account that was disabled may sign in again.
    AccountEnabled = "account.enabled",
    /// An account was disabled; its tokens end with it.
    AccountDisabled = "account.disabled",
    /// An account was given a role, or lost one; its sessions ended with it.
    AccountGrantsChanged = "account.grants.changed",
    /// An e-mail address was set aside for an account that is about to be created.
    AccountEmailReserved = "account.email.reserved",
    /// A witness has signed below a checkpoint.
    CheckpointCosigned = "audit.checkpoint.cosigned",
    /// A tenant's log was committed to at its size.
    CheckpointSigned = "audit.checkpoint.signed",
    /// An identity that a provider vouches for may sign in to an account.
    IdentityLinked = "account.identity.linked",
    /// An identity may sign in to an account no more.
    IdentityUnlinked = "account.identity.unlinked",
    /// Personal data of an account were destroyed; the log itself stayed as it is.
    PersonalDataErased = "audit.redacted",
    /// Personal data that an earlier version kept in the clear were sealed.
    PersonalDataSealed = "personal_data.sealed",
    /// Events of the ledger were written to a file, each with its proof.
    LedgerExported = "audit.exported",
    /// A span of the ledger was looked through and signed off.
    TrailReviewed = "audit.reviewed",
    /// Logs were verified.
    LogVerified = "audit.verified",
    /// A token that its holder keeps was made.
    AccessTokenCreated = "auth.access_token.created",
    /// A token that its holder keeps was revoked.
    AccessTokenRevoked = "auth.access_token.revoked",
    /// A login was refused.
    LoginFailed = "auth.login.failed",
    /// Somebody has to wait before the next attempt; the further attempts until then are not recorded.
    LoginThrottled = "auth.login.throttled",
    /// Somebody logged in and got a token.
    LoginSucceeded = "auth.login.succeeded",
    /// A token was logged out.
    Logout = "auth.logout",
    /// An authenticator app has shown a code; every login asks for one from now on.
    SecondFactorConfirmed = "auth.second_factor.confirmed",
    /// An account has no authenticator app any more.
    SecondFactorDisabled = "auth.second_factor.disabled",
    /// An authenticator app was told an account's secret.
    SecondFactorEnrolled = "auth.second_factor.enrolled",
    /// A session was ended by somebody else's hand, or from another session.
    SessionEnded = "auth.session.ended",
    /// A browser's session got another secret, since what it may do has changed.
    SessionRotated = "auth.session.rotated",
    /// A logged-in account got a further token.
    TokenIssued = "auth.token.issued",
    /// A copy of everything was made.
    BackupMade = "backup.made",
    /// A copy of everything was put in place.
    BackupRestored = "backup.restored",
    /// An engineer is about to write data of a study to a file.
    DataExported = "data.exported",
    /// A table left the house, or broke off on the way.
    ReadFinished = "data.read.finished",
    /// A table is about to leave the house.
    ReadStarted = "data.read.started",
    /// A delivery was taken in.
    BatchCommitted = "ingest.batch.committed",
    /// A delivery over the wire was announced.
    DeliveryAnnounced = "ingest.delivery.announced",
    /// A delivery over the wire was taken in; its batch is recorded by itself.
    DeliveryEnded = "ingest.delivery.ended",
    /// A delivery over the wire cannot be taken in.
    DeliveryRejected = "ingest.delivery.rejected",
    /// The files of a delivery over the wire are whole.
    DeliveryStaged = "ingest.delivery.staged",
    /// A key under which a tenant's accounts' keys are sealed was made.
    DataKeyCreated = "key.data.created",
    /// Such a key sealed nothing any more, and was destroyed.
    DataKeyDestroyed = "key.data.destroyed",
    /// Such a key was replaced by a new one.
    DataKeyRotated = "key.data.rotated",
    /// The data keys were wrapped by the present master key.
    MasterKeyRotated = "key.master.rotated",
    /// Somebody asked for a job to be given up.
    JobCancelled = "job.cancelled",
    /// A job was put in line, together with what asked for it.
    JobEnqueued = "job.enqueued",
    /// A job will not be tried again; its outcome says whether it failed or was given up.
    JobFailed = "job.failed",
    /// A job was done.
    JobFinished = "job.finished",
    /// Somebody put a job that had ended back in line.
    JobRetried = "job.retried",
    /// A key that signs checkpoints came into use.
    LedgerKeyRegistered = "ledger_key.registered",
    /// Somebody signed a record.
    RecordSigned = "record.signed",
    /// Other policies came into force.
    PoliciesRegistered = "policies.registered",
    /// Somebody changed what an indicator or a tolerance limit is, or took a change back.
    DefinitionChanged = "definition.changed",
    /// Somebody took up the alarm of a tolerance limit.
    LimitAcknowledged = "limit.acknowledged",
    /// Somebody opened such an alarm again.
    LimitReopened = "limit.reopened",
    /// Somebody closed such an alarm.
    LimitResolved = "limit.resolved",
    /// A message of an inbox could not be delivered by e-mail, and is not tried again.
    MailDeliveryFailed = "mail.delivery.failed",
    /// A build of a study's marts ended.
    MartsBuilt = "marts.built",
    /// A study's conformance rules were replaced.
    RulesImported = "quality.rules.imported",
    /// A schedule was added.
    ScheduleAdded = "schedule.added",
    /// A schedule was turned on or off.
    ScheduleChanged = "schedule.changed",
    /// A schedule put its job in line: because its time had come, or because somebody asked for it.
    ScheduleFired = "schedule.fired",
    /// A schedule was removed.
    ScheduleRemoved = "schedule.removed",
    /// A key that signs tokens came into use.
    SigningKeyRegistered = "signing_key.registered",
    /// A key signs tokens no more.
    SigningKeyRetired = "signing_key.retired",
    /// A snapshot of a past instant can be read; it is nobody's current one.
    PastSnapshotPublished = "snapshot.past.published",
    /// A snapshot became the current one of its study.
    SnapshotPublished = "snapshot.published",
    /// A study's data are held, whatever their day is.
    HoldPlaced = "study.hold.placed",
    /// A hold on a study's data was lifted.
    HoldLifted = "study.hold.lifted",
    /// It was decided from which day on a study's data may be removed.
    RetentionSet = "study.retention.set",
    /// A study was removed, with what it had; or its removal was refused.
    StudyRemoved = "study.removed",
    /// The files of a removed study are gone.
    StudyFilesRemoved = "study.files.removed",
    /// A study was registered.
    StudyRegistered = "study.registered",
    /// A tenant was created.
    TenantCreated = "tenant.created",
    /// A tenant was disabled: nobody of it is let in, and none of its work goes on.
    TenantDisabled = "tenant.disabled",
    /// A disabled tenant was taken into use again.
    TenantEnabled = "tenant.enabled",
    /// An address for webhooks was added.
    WebhookAdded = "webhook.added",
    /// An address for webhooks was turned on or off, be it by its own answer.
    WebhookChanged = "webhook.changed",
    /// A message could not be delivered to an address, and is not tried again.
    WebhookDeliveryFailed = "webhook.delivery.failed",
    /// Somebody asked for a message to be sent to an address again.
    WebhookDeliveryRetried = "webhook.delivery.retried",
    /// An address for webhooks was removed.
    WebhookRemoved = "webhook.removed",
    /// An address for webhooks got a further secret.
    WebhookSecretRotated = "webhook.secret.rotated",
    /// Somebody asked for a test message.
    WebhookTested = "webhook.tested",
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It broke off.
    Failed,
}

impl Outcome {
    /// The outcome's name in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// Who a leaf says acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeafActor {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl LeafActor {
    /// Somebody whose name is not known, or not proved.
    pub(crate) fn anonymous() -> Self {
        Self { kind: "anonymous".to_owned(), id: "unknown".to_owned() }
    }

    /// An account that a valid signature named.
    pub(crate) fn account(account: AccountId) -> Self {
        Self { kind: "account".to_owned(), id: account.to_string() }
    }
}

impl From<&Actor> for LeafActor {
    fn from(actor: &Actor) -> Self {
        let named = |kind: &str, id: &str| Self { kind: kind.to_owned(), id: id.to_owned() };
        match actor {
            Actor::Account { id, .. } | Actor::Administrator { id, .. } => Self::account(*id),
            Actor::BreakGlass { id, .. } => named("break_glass", &id.to_string()),
            Actor::Operator => named("operator", "local"),
            Actor::System => named("system", "cairn"),
        }
    }
}

/// What an action was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Resource {
    pub(crate) fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), id: id.into() }
    }

    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self::new("tenant", tenant.to_string())
    }

    pub(crate) fn account(account: AccountId) -> Self {
        Self::new("account", account.to_string())
    }

    pub(crate) fn data_key(id: Uuid) -> Self {
        Self::new("data_key", id.to_string())
    }

    pub(crate) fn study(study: &StudyId) -> Self {
        Self::new("study", study.as_str())
    }
}

/// An event before it has a place in a log.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) action: AuditAction,
    pub(crate) outcome: Outcome,
    pub(crate) actor: LeafActor,
    pub(crate) resource: Resource,
    pub(crate) data: BTreeMap<String, Canon>,
    pub(crate) trace: Option<TraceId>,
}

impl Event {
    /// An action that was done.
    pub(crate) fn success(action: AuditAction, actor: impl Into<LeafActor>, resource: Resource) -> Self {
        let (outcome, actor) = (Outcome::Success, actor.into());
        Self { action, outcome, actor, resource, data: BTreeMap::new(), trace: None }
    }

    /// The same, with another outcome.
    pub(crate) fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// The same, as part of a trace.
    pub(crate) fn traced(self, trace: &TraceId) -> Self {
        Self { trace: Some(trace.clone()), ..self }
    }

    /// The same, with one more fact.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Canon>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}
