//! What can be recorded: a closed list of actions, who acted, on what, and how it ended. No event holds a
//! subject, a value, a password or an e-mail address.

use std::collections::BTreeMap;
use std::fmt;

use kernel::{AccountId, StudyId, TenantId};

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
    /// A door refused a request.
    AccessDenied = "access.denied",
    /// An account was created.
    AccountCreated = "account.created",
    /// An account was disabled; its tokens end with it.
    AccountDisabled = "account.disabled",
    /// An e-mail address was set aside for an account that is about to be created.
    AccountEmailReserved = "account.email.reserved",
    /// A witness has signed below a checkpoint.
    CheckpointCosigned = "audit.checkpoint.cosigned",
    /// A tenant's log was committed to at its size.
    CheckpointSigned = "audit.checkpoint.signed",
    /// Personal data of an account were destroyed; the log itself stayed as it is.
    PersonalDataErased = "audit.redacted",
    /// Logs were verified.
    LogVerified = "audit.verified",
    /// A login was refused.
    LoginFailed = "auth.login.failed",
    /// Somebody logged in and got a token.
    LoginSucceeded = "auth.login.succeeded",
    /// A token was logged out.
    Logout = "auth.logout",
    /// A logged-in account got a further token.
    TokenIssued = "auth.token.issued",
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
    /// A key that signs checkpoints came into use.
    LedgerKeyRegistered = "ledger_key.registered",
    /// A build of a study's marts ended.
    MartsBuilt = "marts.built",
    /// A study's conformance rules were replaced.
    RulesImported = "quality.rules.imported",
    /// A key that signs tokens came into use.
    SigningKeyRegistered = "signing_key.registered",
    /// A snapshot of a past instant can be read; it is nobody's current one.
    PastSnapshotPublished = "snapshot.past.published",
    /// A snapshot became the current one of its study.
    SnapshotPublished = "snapshot.published",
    /// A study was registered.
    StudyRegistered = "study.registered",
    /// A tenant was created.
    TenantCreated = "tenant.created",
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
            Actor::Account { id, .. } => Self::account(*id),
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
