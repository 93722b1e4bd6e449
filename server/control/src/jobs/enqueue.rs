//! Putting a job in line.

use kernel::{Build, StudyScope, TenantId};

use super::row::{COLUMNS, JobRow};
use super::{JobId, JobKind, JobState, NewJob, event};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::fresh;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, LeafActor};
use crate::store::TenantTx;
use crate::studies::require_registered;
use crate::trace::TraceId;

const STEP: &str = "put the job in line";
/// The most jobs that a tenant may have in line.
const MAX_WAITING: i64 = 1_000;

/// Whether a tenant with too many jobs in line is refused. What follows from a job that was let in is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    Counts,
    Waived,
}

impl Control {
    /// Asks for a job in a study; `false` when one in line does the same, which is given back then.
    ///
    /// # Errors
    /// [`ControlError::StudyNotRegistered`], [`ControlError::TooManyJobs`], and [`ControlError::Denied`] for an
    /// actor of another tenant.
    pub async fn enqueue_job(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        kind: JobKind,
        trace: &TraceId,
    ) -> Result<(JobRow, bool), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        require_registered(tx.connection(), scope.study()).await?;
        let job = NewJob { kind, study: Some(scope.study().clone()), subject: None };
        self.enqueue_and_commit(tx, actor, &job, trace).await
    }

    /// The same, for a job of no study.
    ///
    /// # Errors
    /// As [`Control::enqueue_job`].
    pub async fn enqueue_tenant_job(
        &self,
        actor: &Actor,
        tenant: TenantId,
        kind: JobKind,
        trace: &TraceId,
    ) -> Result<(JobRow, bool), ControlError> {
        actor.require_tenant(tenant)?;
        let tx = self.store().tenant(tenant).await?.begin().await?;
        let job = NewJob { kind, study: None, subject: None };
        self.enqueue_and_commit(tx, actor, &job, trace).await
    }

    async fn enqueue_and_commit(
        &self,
        mut tx: TenantTx,
        actor: &Actor,
        job: &NewJob,
        trace: &TraceId,
    ) -> Result<(JobRow, bool), ControlError> {
        match enqueue(&mut tx, job, (actor, trace), Quota::Counts).await? {
            (job, None) => Ok((job, false)),
            (job, Some(event)) => {
                tx.record(event).await?.commit().await?;
                self.ring();
                Ok((job, true))
            }
        }
    }
}

/// Puts a job in line within the caller's transaction, and gives the event that has to be recorded with it; none
/// when a job that does the same is in line already.
pub(crate) async fn enqueue(
    tx: &mut TenantTx,
    job: &NewJob,
    (actor, trace): (&Actor, &TraceId),
    quota: Quota,
) -> Result<(JobRow, Option<Event>), ControlError> {
    if let Some(known) = open(tx, job).await? {
        return Ok((known, None));
    }
    if quota == Quota::Counts {
        refuse_too_many(tx).await?;
    }
    let row = new_row(tx, job, (actor, trace))?;
    insert(tx, &row).await?;
    let event = event(AuditAction::JobEnqueued, actor, &row);
    Ok((row, Some(event)))
}

/// A job in line that stands for this one.
async fn open(tx: &mut TenantTx, job: &NewJob) -> Result<Option<JobRow>, ControlError> {
    let running = if job.kind.is_done_once() { JobState::Running } else { JobState::Queued };
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs
         WHERE kind = $1 AND COALESCE(study_id, '') = $2 AND COALESCE(subject, '') = $3 AND state IN ($4, $5)
         ORDER BY job_id LIMIT 1"
    );
    let found = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(job.kind.name())
        .bind(job.study.as_ref().map_or("", |study| study.as_str()))
        .bind(job.subject.as_deref().unwrap_or_default())
        .bind(JobState::Queued.name())
        .bind(running.name())
        .fetch_optional(tx.connection())
        .await
        .map_err(storage(STEP))?;
    found.as_ref().map(JobRow::read).transpose()
}

async fn refuse_too_many(tx: &mut TenantTx) -> Result<(), ControlError> {
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state = 'QUEUED'")
        .fetch_one(tx.connection())
        .await
        .map_err(storage(STEP))?;
    if waiting >= MAX_WAITING { Err(ControlError::TooManyJobs { waiting }) } else { Ok(()) }
}

fn new_row(tx: &TenantTx, job: &NewJob, (actor, trace): (&Actor, &TraceId)) -> Result<JobRow, ControlError> {
    let (now, actor) = (tx.now(), LeafActor::from(actor));
    Ok(JobRow {
        id: JobId(fresh::uuid(now)?),
        kind: job.kind,
        study: job.study.clone(),
        subject: job.subject.clone(),
        state: JobState::Queued,
        attempt: 0,
        failures: 0,
        max_failures: job.kind.max_failures().unsigned_abs(),
        due_at: now,
        worker: None,
        is_cancel_asked: false,
        progress: None,
        problem: None,
        result: None,
        actor_type: actor.kind,
        actor_id: actor.id,
        trace: trace.clone(),
        enqueued_at: now,
        started_at: None,
        changed_at: now,
        ended_at: None,
    })
}

async fn insert(tx: &mut TenantTx, job: &JobRow) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO jobs (job_id, kind, study_id, subject, state, attempt, failures, max_failures, due_at,
                           cancel_asked, done, total, actor_type, actor_id, trace_id, enqueued_at, changed_at)
         VALUES ($1, $2, $3, $4, 'QUEUED', 0, 0, $5, $6, 0, 0, 0, $7, $8, $9, $6, $6)",
    )
    .bind(job.id.to_string())
    .bind(job.kind.name())
    .bind(job.study.as_ref().map(ToString::to_string))
    .bind(&job.subject)
    .bind(job.kind.max_failures())
    .bind(timestamp(job.enqueued_at))
    .bind(&job.actor_type)
    .bind(&job.actor_id)
    .bind(job.trace.as_str())
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}
