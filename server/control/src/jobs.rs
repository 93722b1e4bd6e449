//! Jobs: work that is done after its request was answered. A job is put in line in the same transaction as what
//! asked for it ([`enqueue`]), claimed by one worker at a time for as long as that renews its lease ([`lease`]), and
//! ended once ([`ending`]), or by whoever administers it ([`orders`]). `backoff` says when it is tried again.
//!
//! INVARIANT: what a worker writes names the attempt it works for. A worker that was taken for lost writes nothing
//! any more: neither progress nor a result nor a snapshot.
mod ending;
mod enqueue;
mod lease;
mod orders;
mod page;
mod row;

use std::fmt;
use std::str::FromStr;

use kernel::{StudyId, TenantId};
use uuid::Uuid;

use crate::actor::Actor;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::store::TenantTx;

pub use ending::Ending;
pub(crate) use enqueue::{Quota, enqueue};
pub use lease::Terms;
pub use page::JobFilter;
pub use row::JobRow;

/// The id of a job. Later jobs have later ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Takes a staged delivery in. Its subject is the batch.
    Ingest,
    /// Builds the marts of a study's current snapshot.
    MartsBuild,
    /// Verifies every event of the tenant's ledger. It is of no study.
    LedgerVerify,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::MartsBuild, Self::LedgerVerify];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::MartsBuild => "marts_build",
            Self::LedgerVerify => "ledger_verify",
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How often it may fail before it is given up.
    const fn max_failures(self) -> i64 {
        match self {
            Self::Ingest => 8,
            Self::MartsBuild => 5,
            Self::LedgerVerify => 3,
        }
    }

    /// Whether one that is being done already stands for another that is asked for. A build that has begun may
    /// have looked at an older snapshot; a delivery stays the same.
    const fn is_done_once(self) -> bool {
        matches!(self, Self::Ingest)
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for its turn, or for the time at which it is tried again.
    Queued,
    /// Somebody is at it.
    Running,
    /// It was done.
    Succeeded,
    /// It failed for good, for the reason that stands with it.
    Failed,
    /// It was given up because somebody asked for that.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing follows unless somebody asks for it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A job that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// In which study; of no study in particular when there is none.
    pub study: Option<StudyId>,
    /// What it does it to, as its kind says.
    pub subject: Option<String>,
}

/// How far a piece of work is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// What is being done.
    pub step: String,
    /// Done so far.
    pub done: u64,
    /// All there is to do, in the same unit; 0 when it is not known.
    pub total: u64,
}

/// The attempt that a worker works for. What it writes is kept only while it is the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    job: JobId,
    attempt: u64,
}

/// A job that this worker has, until its lease ends. Only [`crate::Control::claim_job`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    tenant: TenantId,
    actor: Actor,
    job: JobRow,
}

impl Claim {
    /// Whose job it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who asked for it.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The job.
    #[must_use]
    pub const fn job(&self) -> &JobRow {
        &self.job
    }

    /// The attempt that what is written has to name.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        Fence { job: self.job.id, attempt: self.job.attempt }
    }
}

/// Refuses what a worker writes for an attempt that is not the last one, or that somebody wants given up. The job
/// stays as it is until the transaction ends.
pub(crate) async fn require_fence(tx: &mut TenantTx, fence: Fence) -> Result<(), ControlError> {
    const STEP: &str = "look at the lease of the job";
    let now = timestamp(tx.now());
    let held = sqlx::query(
        "UPDATE jobs SET changed_at = $1 WHERE job_id = $2 AND attempt = $3 AND state = 'RUNNING'",
    )
    .bind(now)
    .bind(fence.job.to_string())
    .bind(row::integer(fence.attempt))
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    if held.rows_affected() == 0 {
        return Err(ControlError::LeaseLost);
    }
    let cancel_asked: i64 = sqlx::query_scalar("SELECT cancel_asked FROM jobs WHERE job_id = $1")
        .bind(fence.job.to_string())
        .fetch_one(tx.connection())
        .await
        .map_err(storage(STEP))?;
    if cancel_asked == 1 { Err(ControlError::JobCancelled) } else { Ok(()) }
}

/// The event of a job.
fn event(action: AuditAction, actor: &Actor, job: &JobRow) -> Event {
    Event::success(action, actor, Resource::new("job", job.id.to_string()))
        .with("kind", job.kind.name())
        .with("study", job.study.as_ref().map(ToString::to_string))
        .with("subject", job.subject.clone())
        .traced(&job.trace)
}
