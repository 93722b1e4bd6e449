//! What can be told to other programs: a closed list, so that a new event of the ledger is told to nobody until it
//! stands here.

use crate::ledger::AuditAction;

/// A kind of message that an endpoint may ask for. Its name is that of the ledger's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announcement {
    /// The files of a delivery over the wire are whole.
    DeliveryStaged,
    /// A delivery over the wire was taken in.
    DeliveryEnded,
    /// A delivery over the wire cannot be taken in.
    DeliveryRejected,
    /// A delivery was taken in, whichever way it came.
    BatchCommitted,
    /// A snapshot became the current one of its study.
    SnapshotPublished,
    /// A build of a study's marts ended; its outcome says whether it was refused.
    MartsBuilt,
    /// A job was done.
    JobFinished,
    /// A job will not be tried again; its outcome says whether it failed or was given up.
    JobFailed,
    /// A study was registered.
    StudyRegistered,
    /// An account was given a role, or lost one.
    GrantsChanged,
    /// An account was disabled.
    AccountDisabled,
    /// The ledger of the organisation does not verify.
    VerificationFailed,
}

impl Announcement {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 12] = [
        Self::DeliveryStaged,
        Self::DeliveryEnded,
        Self::DeliveryRejected,
        Self::BatchCommitted,
        Self::SnapshotPublished,
        Self::MartsBuilt,
        Self::JobFinished,
        Self::JobFailed,
        Self::StudyRegistered,
        Self::GrantsChanged,
        Self::AccountDisabled,
        Self::VerificationFailed,
    ];

    /// The kind of a message that is sent because somebody wants to see one arrive. Nobody asks for it.
    pub const TEST: &'static str = "webhook.test";

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.action() {
            Some(action) => action.name(),
            None => "audit.verification.failed",
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that tells of an event, if one does.
    pub(crate) fn of(action: AuditAction) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.action() == Some(action))
    }

    const fn action(self) -> Option<AuditAction> {
        Some(match self {
            Self::DeliveryStaged => AuditAction::DeliveryStaged,
            Self::DeliveryEnded => AuditAction::DeliveryEnded,
            Self::DeliveryRejected => AuditAction::DeliveryRejected,
            Self::BatchCommitted => AuditAction::BatchCommitted,
            Self::SnapshotPublished => AuditAction::SnapshotPublished,
            Self::MartsBuilt => AuditAction::MartsBuilt,
            Self::JobFinished => AuditAction::JobFinished,
            Self::JobFailed => AuditAction::JobFailed,
            Self::StudyRegistered => AuditAction::StudyRegistered,
            Self::GrantsChanged => AuditAction::AccountGrantsChanged,
            Self::AccountDisabled => AuditAction::AccountDisabled,
            Self::VerificationFailed => return None,
        })
    }
}
