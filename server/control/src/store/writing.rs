//! An open transaction that writes, with the turn of its log's writers, and the one way in which it commits.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{ControlError, storage};
use crate::ledger::rows::{self, End};
use crate::ledger::{Event, Log, append};
use crate::store::Connection;
use crate::store::flusher::{Flusher, Ticket};
use crate::store::transaction::Open;

/// Dropping it rolls back.
pub(super) struct Writing {
    tx: Open,
    turn: OwnedSemaphorePermit,
    // For a transaction whose COMMIT does not wait for the disk.
    flusher: Option<Arc<Flusher>>,
    /// Where the log ends, as far as it was read. Nobody else appends while this is open.
    pub(super) end: Option<End>,
}

impl Writing {
    pub(super) fn new(tx: Open, turn: OwnedSemaphorePermit, flusher: Option<Arc<Flusher>>) -> Self {
        Self { tx, turn, flusher, end: None }
    }

    /// The connection, for the statements of this transaction.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.tx
    }

    /// Appends an event to the log whose turn this is, and gives its id.
    pub(super) async fn append(
        &mut self,
        log: Log,
        event: Event,
        now: DateTime<Utc>,
    ) -> Result<String, ControlError> {
        let end = match self.end.take() {
            Some(end) => end,
            None => rows::end(&mut self.tx, log).await?,
        };
        let (event_id, end) = append(&mut self.tx, log, end, event, now).await?;
        self.end = Some(end);
        Ok(event_id)
    }

    /// Keeps the rows, and returns when they are on disk. The next writer of the log does not wait for that.
    pub(super) async fn commit(self) -> Result<(), ControlError> {
        let ticket = ticket_of(self.flusher.as_ref()).await?;
        self.tx.commit().await.map_err(storage("commit"))?;
        drop(self.turn);
        settle(ticket).await
    }

    /// Keeps nothing, and returns when everything is on disk that this transaction has read: for who is told that
    /// what it wanted was done before, by another whose commit may still be on its way to the disk.
    pub(super) async fn leave(self) -> Result<(), ControlError> {
        leave(self.tx, self.flusher.as_ref()).await
    }
}

/// Ends a transaction without keeping anything, and returns when everything is on disk that it has read. Its own
/// session and that of the ticket have both lived from the reading to the flush, and so has the server.
pub(super) async fn leave(tx: Open, flusher: Option<&Arc<Flusher>>) -> Result<(), ControlError> {
    let ticket = ticket_of(flusher).await?;
    tx.rollback().await.map_err(storage("end reading"))?;
    settle(ticket).await
}

async fn ticket_of(flusher: Option<&Arc<Flusher>>) -> Result<Option<Ticket>, ControlError> {
    match flusher {
        Some(flusher) => flusher.ticket().await.map(Some),
        None => Ok(None),
    }
}

async fn settle(ticket: Option<Ticket>) -> Result<(), ControlError> {
    match ticket {
        Some(ticket) => ticket.settle().await,
        None => Ok(()),
    }
}
