//! The only handle that writes. Its steps are types: a [`Tx`] changes rows and becomes a [`Recorded`] by
//! appending an event; only a [`Recorded`] commits, and it changes nothing but the log, and the outbox that tells of it.
//! So nothing commits without its event, and the head of the log is the last lock that somebody else may wait for. Dropping either rolls back.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kernel::Clock;

use crate::error::{ControlError, storage};
use crate::idempotency::use_key;
use crate::ids::{AccessTokenId, SessionId};
use crate::instant::timestamp;
use crate::ledger::{Event, Log, Outcome};
use crate::outbox::Draft;
use crate::store::Connection;
use crate::store::database::{SystemFile, TenantFile};
use crate::store::writing::Writing;

/// Writes what belongs to the deployment.
pub(crate) type SystemTx = Tx<SystemFile>;
/// Writes what belongs to one tenant.
pub(crate) type TenantTx = Tx<TenantFile>;

/// An open transaction that holds the write lock of a log of kind `F`, and the turn of its writers.
pub(crate) struct Tx<F> {
    writing: Writing,
    log: Log,
    clock: Arc<dyn Clock>,
    kind: PhantomData<F>,
}

impl<F> Tx<F> {
    pub(super) fn new(writing: Writing, log: Log, clock: Arc<dyn Clock>) -> Self {
        Self { writing, log, clock, kind: PhantomData }
    }

    /// The connection, for the statements of this transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.writing.connection()
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Appends the event of what was done. The rows are final from here on.
    ///
    /// # Errors
    /// [`ControlError::KeyTaken`] when the task works for a request whose idempotency key another one has used up.
    pub(crate) async fn record(mut self, event: Event) -> Result<Recorded, ControlError> {
        // A refusal is not what the request asked for, and may come out otherwise the next time.
        if event.outcome == Outcome::Success {
            use_key(self.writing.connection(), self.log, self.clock.now()).await?;
        }
        Recorded { writing: self.writing, log: self.log, clock: self.clock }.and(event).await
    }

    /// Keeps nothing, and returns when everything is on disk that was read: for an answer that it was done before.
    pub(crate) async fn leave(self) -> Result<(), ControlError> {
        self.writing.leave().await
    }
}

impl Tx<SystemFile> {
    /// Keeps a checkpoint of the system's log. It is the one commit without an event: an event for each would
    /// make the log grow, and so ask for the next checkpoint, for ever.
    pub(crate) async fn commit_checkpoint(self) -> Result<(), ControlError> {
        self.writing.commit().await
    }
}

/// What lets somebody in, and is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InUse {
    Session(SessionId),
    AccessToken(AccessTokenId),
}

impl Tx<TenantFile> {
    /// Writes down that something is in use. It is the other commit without an event: one for each half minute of
    /// everybody's work would drown what the ledger is for, and nothing is decided here.
    pub(crate) async fn commit_use(mut self, what: InUse) -> Result<(), ControlError> {
        let now = timestamp(self.clock.now());
        let (statement, id) = match what {
            InUse::Session(id) => {
                ("UPDATE sessions SET last_used_at = $1 WHERE session_id = $2", id.to_string())
            }
            InUse::AccessToken(id) => {
                ("UPDATE access_tokens SET last_used_at = $1 WHERE token_id = $2", id.to_string())
            }
        };
        sqlx::query(statement)
            .bind(now)
            .bind(id)
            .execute(self.writing.connection())
            .await
            .map_err(storage("follow what is in use"))?;
        self.writing.commit().await
    }
}

/// An open transaction that writes what nobody decided and no event tells of: which process works on a job, until
/// when and how far it is. What it leaves behind may be lost without any consequence but a delay.
pub(crate) struct Upkeep {
    writing: Writing,
    clock: Arc<dyn Clock>,
}

impl Upkeep {
    pub(super) fn new(writing: Writing, clock: Arc<dyn Clock>) -> Self {
        Self { writing, clock }
    }

    /// The connection, for the statements of this transaction.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.writing.connection()
    }

    /// The present instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Keeps the rows.
    pub(crate) async fn commit(self) -> Result<(), ControlError> {
        self.writing.commit().await
    }
}

/// A transaction whose event is appended.
#[must_use = "dropping a recorded transaction rolls it back"]
pub(crate) struct Recorded {
    writing: Writing,
    log: Log,
    clock: Arc<dyn Clock>,
}

impl Recorded {
    /// Appends one more event, with the messages that tell others of it.
    pub(crate) async fn and(mut self, event: Event) -> Result<Self, ControlError> {
        let now = self.clock.now();
        let draft = Draft::of_event(self.log, &event);
        let event_id = self.writing.append(self.log, event, now).await?;
        if let Some(draft) = draft {
            draft.about(&event_id).send(self.writing.connection(), now).await?;
        }
        Ok(self)
    }

    /// Keeps the rows and the events, together.
    pub(crate) async fn commit(self) -> Result<(), ControlError> {
        self.writing.commit().await
    }
}

impl<F> fmt::Debug for Tx<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("log", &self.log).finish_non_exhaustive()
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").finish_non_exhaustive()
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("log", &self.log).finish_non_exhaustive()
    }
}
