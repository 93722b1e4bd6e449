//! What people do with jobs: give one up, or put one that has ended back in line.

use kernel::Grants;

use super::page::may_see;
use super::row::{COLUMNS, JobRow};
use super::{JobId, JobKind, JobState, event};
use crate::actor::Actor;
use crate::control::Control;
use crate::deliveries::{self, DeliveryState};
use crate::error::{ControlError, corrupt, storage};
use crate::instant::timestamp;
use crate::ledger::AuditAction;
use crate::store::TenantTx;
use crate::trace::TraceId;

impl Control {
    /// Gives a job up. One that waits ends at once; one that is being done ends at its next step, and publishes nothing
    /// any more. To ask again changes nothing.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it, and [`ControlError::JobState`] when it has ended.
    pub async fn cancel_job(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: JobId,
        trace: &TraceId,
    ) -> Result<JobRow, ControlError> {
        actor.require_tenant(grants.tenant())?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let job = find(&mut tx, grants, id).await?;
        if job.state.has_ended() {
            let remedy = "it has ended, and cannot be given up any more";
            return Err(ControlError::JobState { state: job.state.name(), remedy });
        }
        if job.is_cancel_asked {
            return Ok(job);
        }
        let now = timestamp(tx.now());
        // A job that is claimed in this moment is running by then, and is asked.
        sqlx::query(
            "UPDATE jobs SET cancel_asked = 1, changed_at = $1,
                             ended_at = CASE WHEN state = 'QUEUED' THEN $1 END,
                             state = CASE WHEN state = 'QUEUED' THEN 'CANCELLED' ELSE state END
             WHERE job_id = $2 AND state IN ('QUEUED', 'RUNNING')",
        )
        .bind(now)
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("cancel the job"))?;
        let job = find(&mut tx, grants, id).await?;
        let event = event(AuditAction::JobCancelled, actor, &job).with("state", job.state.name());
        tx.record(event.traced(trace)).await?.commit().await?;
        Ok(job)
    }

    /// Puts a job that failed or was given up back in line, with nothing of its failures counted.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it, and [`ControlError::JobState`] when it has not ended,
    /// was done, or cannot be done.
    pub async fn retry_job(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: JobId,
        trace: &TraceId,
    ) -> Result<JobRow, ControlError> {
        actor.require_tenant(grants.tenant())?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let job = find(&mut tx, grants, id).await?;
        refuse_useless(&mut tx, &job).await?;
        let now = timestamp(tx.now());
        sqlx::query(
            "UPDATE jobs SET state = 'QUEUED', failures = 0, cancel_asked = 0, problem = NULL, due_at = $1,
                             changed_at = $1, ended_at = NULL
             WHERE job_id = $2 AND state IN ('FAILED', 'CANCELLED')",
        )
        .bind(now)
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("put the job back in line"))?;
        let job = find(&mut tx, grants, id).await?;
        let event = event(AuditAction::JobRetried, actor, &job).with("attempt", job.attempt);
        tx.record(event.traced(trace)).await?.commit().await?;
        self.ring();
        Ok(job)
    }
}

async fn find(tx: &mut TenantTx, grants: &Grants, id: JobId) -> Result<JobRow, ControlError> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE job_id = $1");
    let found = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await
        .map_err(storage("look the job up"))?;
    let job = found.as_ref().map(JobRow::read).transpose()?;
    job.filter(|job| may_see(grants, job)).ok_or(ControlError::Denied)
}

async fn refuse_useless(tx: &mut TenantTx, job: &JobRow) -> Result<(), ControlError> {
    let refused = |remedy| Err(ControlError::JobState { state: job.state.name(), remedy });
    match job.state {
        JobState::Queued | JobState::Running => return refused("it is in line, or being done, already"),
        JobState::Succeeded => return refused("it was done; ask for a new one to do it again"),
        JobState::Failed | JobState::Cancelled => {}
    }
    if let (JobKind::Ingest, Some(batch)) = (job.kind, &job.subject) {
        let batch = batch.parse().map_err(corrupt("job"))?;
        let delivery = deliveries::by_batch(tx.connection(), batch).await?;
        if delivery.is_none_or(|delivery| delivery.state == DeliveryState::Rejected) {
            return refused("the delivery was rejected; correct it, and announce it under a new key");
        }
    }
    Ok(())
}
