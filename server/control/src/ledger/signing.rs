//! Making checkpoints. Nothing is signed unread: the events since the last checkpoint are verified first, from
//! the tree that was signed then, so that this program's signatures never contradict each other.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::TenantId;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::timestamp;
use crate::ledger::chain::Chain;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::event::{AuditAction, Event, Resource};
use crate::ledger::hash::hex;
use crate::ledger::log::Log;
use crate::ledger::rows::{self, KeptCheckpoint, index};
use crate::ledger::tree::leaf_hash;
use crate::store::Connection;

const STEP: &str = "keep the checkpoint";

/// A checkpoint is due when this many events are not covered by one,
const EVENTS_BETWEEN: u64 = 1_000;
/// or when the first of them is this old.
const TIME_BETWEEN: TimeDelta = TimeDelta::seconds(60);

/// A checkpoint that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The log's name.
    pub log: String,
    /// Whose log; `None` for the system's.
    pub tenant: Option<TenantId>,
    /// How many events it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    /// When enough events or time have passed.
    At(DateTime<Utc>),
    /// When there is any event that is not covered.
    Now,
}

impl Control {
    /// Makes the checkpoints that are due at `now`, and copies them to the anchor. For a timer: every tenant's
    /// log first, each checkpoint an event of the system's log, and the system's log last.
    ///
    /// # Errors
    /// The first failure; the other logs have their checkpoints nevertheless. [`ControlError::LogBroken`] when
    /// a log does not verify: then nothing of it is signed.
    pub async fn checkpoint(&self, now: DateTime<Utc>) -> Result<Vec<SignedCheckpoint>, ControlError> {
        self.checkpoint_logs(Due::At(now)).await
    }

    /// Makes a checkpoint of every log that has grown, due or not.
    ///
    /// # Errors
    /// As [`Control::checkpoint`].
    pub async fn checkpoint_now(&self) -> Result<Vec<SignedCheckpoint>, ControlError> {
        self.checkpoint_logs(Due::Now).await
    }

    async fn checkpoint_logs(&self, due: Due) -> Result<Vec<SignedCheckpoint>, ControlError> {
        let (mut made, mut failure) = (Vec::new(), None);
        for tenant in self.tenant_ids().await? {
            match self.checkpoint_log(Log::Tenant(tenant), due).await {
                Ok(checkpoint) => made.extend(checkpoint),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        // The system's log now holds the tenants' checkpoints; signed at once, it commits to all of them.
        let due = if made.is_empty() { due } else { Due::Now };
        match self.checkpoint_log(Log::System, due).await {
            Ok(checkpoint) => made.extend(checkpoint),
            Err(error) => failure = failure.or(Some(error)),
        }
        failure.map_or(Ok(made), Err)
    }

    /// Makes a checkpoint of one log when it is due, and copies what is missing to the anchor.
    pub(crate) async fn checkpoint_log(
        &self,
        log: Log,
        due: Due,
    ) -> Result<Option<SignedCheckpoint>, ControlError> {
        let last = self.last_checkpoint(log).await?;
        let made = match self.verified_since(log, last.as_ref(), due).await? {
            Some(chain) => Some(self.sign(chain).await?),
            None => None,
        };
        self.anchor_log(log).await?;
        Ok(made)
    }

    /// The newest kept checkpoint of a log.
    pub(crate) async fn last_checkpoint(&self, log: Log) -> Result<Option<KeptCheckpoint>, ControlError> {
        rows::last_checkpoint(&mut *self.store().system().view().await?, log).await
    }

    /// Walks over the events since the last checkpoint. `None` when no checkpoint is due.
    async fn verified_since(
        &self,
        log: Log,
        last: Option<&KeptCheckpoint>,
        due: Due,
    ) -> Result<Option<Chain>, ControlError> {
        let mut view = self.log_view(log).await?;
        let head = rows::head(&mut view, log).await?;
        let covered = last.map_or(0, |last| last.size);
        if head.size <= covered && last.is_none_or(|last| head.last_hash == last.last_hash) {
            return Ok(None);
        }
        if !is_due(&mut view, log, covered, head.size, due).await? {
            return Ok(None);
        }
        let mut chain = resume(&mut view, log, last).await?;
        walk_to_end(&mut view, &mut chain).await?;
        let broken = |kind| ControlError::LogBroken { log: log.origin(), index: chain.size(), kind };
        let agrees = head.size == chain.size()
            && head.last_hash == chain.last_hash()
            && head.tree.as_ref() == Some(chain.tree());
        if !agrees {
            return Err(broken(crate::ledger::chain::FaultKind::Head));
        }
        // What is signed must not get lost afterwards.
        self.leave_log(log, view).await?;
        Ok(Some(chain))
    }

    async fn sign(&self, chain: Chain) -> Result<SignedCheckpoint, ControlError> {
        let log = chain.log();
        let tree = chain.tree();
        let checkpoint = Checkpoint { origin: log.origin(), size: tree.size(), root: tree.root() };
        let note = self.ledger_key().sign(&checkpoint).to_string();
        let mut tx = self.store().system().begin_signing().await?;
        let now = tx.now();
        let added = sqlx::query(
            "INSERT INTO audit_checkpoints (log, size, root, last_hash, frontier, note, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (log, size) DO NOTHING",
        )
        .bind(&checkpoint.origin)
        .bind(index(checkpoint.size))
        .bind(hex(&checkpoint.root))
        .bind(chain.last_hash())
        .bind(tree.to_bytes())
        .bind(&note)
        .bind(timestamp(now))
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        match log {
            // The system's log would never rest if each of its checkpoints were one of its events.
            Log::System => tx.commit_checkpoint().await?,
            Log::Tenant(_) if added.rows_affected() == 0 => {}
            Log::Tenant(_) => {
                let resource = Resource::new("log", log.origin());
                let event = Event::success(AuditAction::CheckpointSigned, &Actor::System, resource)
                    .with("size", checkpoint.size)
                    .with("root", hex(&checkpoint.root));
                tx.record(event).await?.commit().await?;
            }
        }
        Ok(SignedCheckpoint { log: log.origin(), tenant: log.tenant(), size: checkpoint.size, note })
    }
}

async fn is_due(
    view: &mut Connection,
    log: Log,
    covered: u64,
    size: u64,
    due: Due,
) -> Result<bool, ControlError> {
    let Due::At(now) = due else { return Ok(true) };
    if size.saturating_sub(covered) >= EVENTS_BETWEEN {
        return Ok(true);
    }
    let first = rows::time_of(view, log, covered).await?;
    Ok(first.is_none_or(|at| now - at >= TIME_BETWEEN))
}

/// The walk over a log from its last checkpoint on, or from its beginning.
pub(crate) async fn resume(
    view: &mut Connection,
    log: Log,
    last: Option<&KeptCheckpoint>,
) -> Result<Chain, ControlError> {
    let Some(last) = last else { return Ok(Chain::new(log)) };
    let (_, tree) = last.checkpoint(log).ok_or(()).map_err(corrupt("checkpoint"))?;
    let last_at = match last.size.checked_sub(1) {
        Some(seq) => rows::time_of(view, log, seq).await?,
        None => None,
    };
    Ok(Chain::resume(log, tree, last.last_hash.clone(), last_at))
}

/// Takes every event behind the chain.
async fn walk_to_end(view: &mut Connection, chain: &mut Chain) -> Result<(), ControlError> {
    let log = chain.log();
    loop {
        let leaves = rows::leaves(view, log, chain.size()).await?;
        if leaves.is_empty() {
            return Ok(());
        }
        for bytes in leaves {
            let followed = chain.read(&bytes).and_then(|leaf| chain.follow(&leaf, leaf_hash(&bytes)));
            followed.map_err(|kind| ControlError::LogBroken {
                log: log.origin(),
                index: chain.size(),
                kind,
            })?;
        }
    }
}
