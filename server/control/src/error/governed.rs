//! Why a governed action is refused: what takes a reason, a second person or a signature has rules of its own.

use chrono::NaiveDate;
use kernel::StudyId;

/// A rule of a governed action that the request does not keep.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GovernedError {
    /// An emergency access lasts too long, or not at all.
    #[error("an emergency access lasts 1 to {minutes} minutes: ask for less, and again if it takes longer")]
    BreakGlassLength {
        /// The longest.
        minutes: i64,
    },
    /// A role lets the account read the study anyway.
    #[error("the account may read `{study}` by its roles: no emergency access is needed")]
    BreakGlassNeedless {
        /// The study.
        study: StudyId,
    },
    /// There is one already.
    #[error("an emergency access to `{study}` is open already: it holds until it ends")]
    BreakGlassOpen {
        /// The study.
        study: StudyId,
    },
    /// Somebody cannot judge what they did themselves, and not everybody may judge others.
    #[error("the reviewer is not fit: name another account in use that is a steward or an administrator")]
    ReviewerUnfit,
    /// A review is not done over.
    #[error("it was reviewed already: the first review stands")]
    Reviewed,
    /// The record that is to be signed is another than the one that was shown.
    #[error("the record is another than the one that was shown: look at it again, and sign that")]
    RecordDiffers,
    /// A signature takes a password and a code of an authenticator app.
    #[error(
        "a signature takes the code of an authenticator app: set one up on your account's page, and use its code"
    )]
    CodeNeeded,
    /// A stored signature is not what its event says.
    #[error("the signature is invalid: it is not the one that the ledger knows")]
    SignatureBroken,
    /// Data are kept for less time than was decided only by two people.
    #[error("that is earlier than was decided before: name a second person who agrees, an account in use")]
    RetentionShortened,
    /// Nobody has decided how long the data are kept.
    #[error("nobody has decided how long `{study}` is kept: use `cairn admin study retain` first")]
    RetentionUndecided {
        /// The study.
        study: StudyId,
    },
    /// The day has not come.
    #[error("`{study}` is kept until {not_before}: remove it on that day or later")]
    RetentionLasts {
        /// The study.
        study: StudyId,
        /// The first day on which it may be removed.
        not_before: NaiveDate,
    },
    /// The data are held.
    #[error("`{study}` is under {holds} legal holds: have them lifted first")]
    OnHold {
        /// The study.
        study: StudyId,
        /// How many.
        holds: usize,
    },
    /// Somebody works on the data.
    #[error("{jobs} jobs of `{study}` have not ended: wait for them, or cancel them")]
    StudyBusy {
        /// The study.
        study: StudyId,
        /// How many.
        jobs: i64,
    },
    /// The tenant is disabled. Only who has proved that they belong to it is told so.
    #[error("your organisation is disabled here: ask whoever runs this server; nothing was deleted")]
    TenantDisabled,
    /// No other tenant is in use.
    #[error(
        "it is the last organisation in use, and nobody could sign in any more: create or enable another first, or stop the server"
    )]
    LastTenant,
    /// Nobody is unblinded without a reason.
    #[error(
        "the role `unblinded` is given with a reason: use `cairn admin account unblind`, or the route for it"
    )]
    UnblindingReason,
}

impl GovernedError {
    /// Whether something is in the way that may be otherwise the next time, rather than the request wrong.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::BreakGlassOpen { .. }
                | Self::Reviewed
                | Self::RecordDiffers
                | Self::SignatureBroken
                | Self::StudyBusy { .. }
                | Self::LastTenant
        )
    }
}
