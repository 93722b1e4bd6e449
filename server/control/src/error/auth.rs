//! Why somebody who shows a proof is not let in.

use crate::error::ControlError;
use crate::gate::Caller;

/// Why a token was not accepted. Only the variants past the signature know whose it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Not a token of this program's form, or larger than one may be.
    #[error("the token is malformed")]
    Malformed,
    /// The header names another algorithm than the key's.
    #[error("the token is signed with another algorithm")]
    WrongAlgorithm,
    /// The header names another kind of token.
    #[error("the token is of another type")]
    WrongType,
    /// The header names a key that is not ours.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// The signature does not fit the token.
    #[error("the token's signature is not valid")]
    BadSignature,
    /// Issued by somebody else.
    #[error("the token was issued elsewhere")]
    WrongIssuer {
        /// Whom the token names.
        caller: Caller,
    },
    /// Issued for another door.
    #[error("the token was issued for another door")]
    WrongAudience {
        /// Whom the token names.
        caller: Caller,
    },
    /// It is bound to a machine, and came over a connection that has not shown that machine's certificate.
    #[error("the token belongs to another machine")]
    WrongPeer {
        /// Whom the token names.
        caller: Caller,
    },
    /// Its time is over: log in again.
    #[error("the token has expired: log in again")]
    Expired {
        /// Whom the token names.
        caller: Caller,
    },
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid {
        /// Whom the token names.
        caller: Caller,
    },
    /// It was revoked, or the session that it was made from has ended.
    #[error("the token was revoked, or its session has ended: log in again")]
    Revoked {
        /// Whom the token names.
        caller: Caller,
    },
    /// There is no session with this secret.
    #[error("there is no such session: log in")]
    NoSession,
    /// There is no such token among those that holders keep.
    #[error("there is no such token")]
    NoAccessToken,
    /// The session was ended, or its time is over.
    #[error("the session has ended: log in again")]
    SessionEnded {
        /// Whose it was.
        caller: Caller,
    },
    /// The account is disabled.
    #[error("the account is disabled")]
    AccountDisabled {
        /// Whom the token names.
        caller: Caller,
    },
    /// The tenant is disabled; everything else about the proof is right.
    #[error("the organisation is disabled")]
    TenantDisabled {
        /// Whom the proof names.
        caller: Caller,
    },
    /// The tenant has no such account.
    #[error("there is no such account")]
    NoSuchAccount {
        /// Whom the token names.
        caller: Caller,
    },
    /// The question could not be answered; the token may be good.
    #[error("failed to look the account up")]
    Unavailable {
        /// Why it failed.
        #[source]
        source: ControlError,
    },
}

impl AuthError {
    /// Whom the token named, known only when its signature was valid.
    #[must_use]
    pub const fn caller(&self) -> Option<Caller> {
        match self {
            Self::WrongIssuer { caller }
            | Self::WrongAudience { caller }
            | Self::WrongPeer { caller }
            | Self::Expired { caller }
            | Self::NotYetValid { caller }
            | Self::Revoked { caller }
            | Self::SessionEnded { caller }
            | Self::AccountDisabled { caller }
            | Self::TenantDisabled { caller }
            | Self::NoSuchAccount { caller } => Some(*caller),
            Self::Malformed
            | Self::WrongAlgorithm
            | Self::WrongType
            | Self::UnknownKey
            | Self::BadSignature
            | Self::NoSession
            | Self::NoAccessToken
            | Self::Unavailable { .. } => None,
        }
    }

    /// A stable word for logs and for the ledger.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::WrongAlgorithm => "token_wrong_algorithm",
            Self::WrongType => "token_wrong_type",
            Self::UnknownKey => "token_unknown_key",
            Self::BadSignature => "token_bad_signature",
            Self::WrongIssuer { .. } => "token_wrong_issuer",
            Self::WrongAudience { .. } => "token_wrong_audience",
            Self::WrongPeer { .. } => "token_wrong_peer",
            Self::Expired { .. } => "token_expired",
            Self::NotYetValid { .. } => "token_not_yet_valid",
            Self::Revoked { .. } => "token_revoked",
            Self::NoSession => "no_session",
            Self::NoAccessToken => "no_access_token",
            Self::SessionEnded { .. } => "session_ended",
            Self::AccountDisabled { .. } => "account_disabled",
            Self::TenantDisabled { .. } => "tenant_disabled",
            Self::NoSuchAccount { .. } => "no_such_account",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}
