//! Having a job: claiming it, keeping it, giving it back, and finding those whose worker is gone. None of it is
//! decided by anybody, so none of it has an event; what comes of a job has.

use chrono::TimeDelta;
use kernel::TenantId;

use super::row::{COLUMNS, JobRow, integer};
use super::{Claim, Fence, JobProgress};
use crate::backoff::Backoff;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::store::claim_lock;
use crate::tenants::standing::IN_USE;
use crate::text::shortened;

/// When a job that failed is tried again.
const BACKOFF: Backoff = Backoff { first_limit_ms: 4_000, last_limit_ms: 600_000 };

/// What a worker asks for when it claims a job.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The worker's name, for people.
    pub worker: &'a str,
    /// How long the claim holds unless it is renewed.
    pub lease: TimeDelta,
    /// The most jobs of the tenant that may be worked on at a time, by all workers.
    pub at_a_time: u32,
}

impl Control {
    /// Claims the job of a tenant that has been due for longest. Jobs of one study are done one after the other, and none
    /// of a disabled tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_job(&self, tenant: TenantId, terms: Terms<'_>) -> Result<Option<Claim>, ControlError> {
        const STEP: &str = "claim a job";
        let database = self.store().tenant(tenant).await?;
        let now = timestamp(self.clock().now());
        // Most of the time nothing is due, and a look holds nobody up.
        let look = format!("SELECT 1 FROM jobs WHERE state = 'QUEUED' AND due_at <= $1 AND {IN_USE} LIMIT 1");
        let due: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(look))
            .bind(now)
            .fetch_optional(&mut *database.view().await?)
            .await
            .map_err(storage(STEP))?;
        if due.is_none() {
            return Ok(None);
        }
        let mut tx = database.begin_upkeep().await?;
        let (now, lock) = (tx.now(), claim_lock(tx.connection()));
        let sql = format!(
            "UPDATE jobs SET state = 'RUNNING', attempt = attempt + 1, worker = $1, lease_until = $2,
                             started_at = COALESCE(started_at, $3), changed_at = $3,
                             step = NULL, done = 0, total = 0
             WHERE job_id = (
                 SELECT due.job_id FROM jobs AS due
                 WHERE due.state = 'QUEUED' AND due.due_at <= $3
                   AND NOT EXISTS (SELECT 1 FROM jobs AS other
                                   WHERE other.state = 'RUNNING' AND other.study_id = due.study_id)
                   AND (SELECT count(*) FROM jobs AS running WHERE running.state = 'RUNNING') < $4
                   AND {IN_USE}
                 ORDER BY due.due_at, due.job_id LIMIT 1 {lock})
             RETURNING {COLUMNS}"
        );
        let claimed = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(shortened(terms.worker, 100))
            .bind(timestamp(now + terms.lease))
            .bind(timestamp(now))
            .bind(i64::from(terms.at_a_time))
            .fetch_optional(tx.connection())
            .await
            .map_err(storage(STEP))?;
        let Some(claimed) = claimed else { return Ok(None) };
        let job = JobRow::read(&claimed)?;
        drop(claimed);
        tx.commit().await?;
        Ok(Some(Claim { tenant, actor: job.actor(tenant)?, job }))
    }

    /// Keeps a claim for another lease and tells how far the work is; `true` when somebody asked for it to be given up.
    ///
    /// # Errors
    /// [`ControlError::LeaseLost`] when the worker has to stop.
    pub async fn renew_job(
        &self,
        claim: &Claim,
        lease: TimeDelta,
        progress: Option<&JobProgress>,
    ) -> Result<bool, ControlError> {
        const STEP: &str = "renew the lease of the job";
        let mut tx = self.store().tenant(claim.tenant).await?.begin_upkeep().await?;
        let (now, Fence { job, attempt }) = (tx.now(), claim.fence());
        let sql = format!(
            "UPDATE jobs SET lease_until = $1, changed_at = $2, step = $3, done = $4, total = $5
             WHERE job_id = $6 AND attempt = $7 AND state = 'RUNNING' AND {IN_USE} RETURNING cancel_asked"
        );
        let asked: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(timestamp(now + lease))
            .bind(timestamp(now))
            .bind(progress.map(|progress| shortened(&progress.step, 200)))
            .bind(integer(progress.map_or(0, |progress| progress.done)))
            .bind(integer(progress.map_or(0, |progress| progress.total)))
            .bind(job.to_string())
            .bind(integer(attempt))
            .fetch_optional(tx.connection())
            .await
            .map_err(storage(STEP))?;
        let asked = asked.ok_or(ControlError::LeaseLost)?;
        tx.commit().await?;
        Ok(asked == 1)
    }

    /// Gives a job back to the line. It is due at once, and that it was begun counts as no failure.
    ///
    /// # Errors
    /// [`ControlError::LeaseLost`] when it is not this worker's any more.
    pub async fn release_job(&self, claim: &Claim) -> Result<(), ControlError> {
        let mut tx = self.store().tenant(claim.tenant).await?.begin_upkeep().await?;
        let (now, Fence { job, attempt }) = (tx.now(), claim.fence());
        let released = sqlx::query(
            "UPDATE jobs SET state = 'QUEUED', due_at = $1, changed_at = $1, lease_until = NULL
             WHERE job_id = $2 AND attempt = $3 AND state = 'RUNNING'",
        )
        .bind(timestamp(now))
        .bind(job.to_string())
        .bind(integer(attempt))
        .execute(tx.connection())
        .await
        .map_err(storage("give the job back"))?;
        if released.rows_affected() == 0 {
            return Err(ControlError::LeaseLost);
        }
        tx.commit().await?;
        self.ring();
        Ok(())
    }

    /// Puts a job that failed back in line, to be tried again later; one that has failed too often, or that somebody
    /// wants given up, is not.
    ///
    /// # Errors
    /// [`ControlError::LeaseLost`] when it is not this worker's any more.
    pub async fn fail_job(&self, claim: &Claim, problem: &str) -> Result<(), ControlError> {
        let failures = claim.job.failures + 1;
        if failures >= claim.job.max_failures || self.is_cancel_asked(claim).await? {
            return self.give_up(claim, problem).await;
        }
        let mut tx = self.store().tenant(claim.tenant).await?.begin_upkeep().await?;
        let (now, Fence { job, attempt }) = (tx.now(), claim.fence());
        let requeued = sqlx::query(
            "UPDATE jobs SET state = 'QUEUED', failures = $1, problem = $2, due_at = $3, changed_at = $4,
                             lease_until = NULL
             WHERE job_id = $5 AND attempt = $6 AND state = 'RUNNING'",
        )
        .bind(integer(failures))
        .bind(shortened(problem, 2000))
        .bind(timestamp(now + BACKOFF.wait(failures)?))
        .bind(timestamp(now))
        .bind(job.to_string())
        .bind(integer(attempt))
        .execute(tx.connection())
        .await
        .map_err(storage("put the job back in line"))?;
        if requeued.rows_affected() == 0 {
            return Err(ControlError::LeaseLost);
        }
        tx.commit().await
    }

    /// Finds the jobs of a tenant whose lease has ended: their worker was lost, which is a failure as any other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reap_jobs(&self, tenant: TenantId) -> Result<u64, ControlError> {
        const LOST: &str = "the worker was lost: its process ended or could not reach the database";
        let now = timestamp(self.clock().now());
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE state = 'RUNNING' AND lease_until < $1");
        let expired = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .fetch_all(&mut *self.store().tenant(tenant).await?.view().await?)
            .await
            .map_err(storage("look for lost jobs"))?;
        let mut reaped = 0;
        for row in &expired {
            let job = JobRow::read(row)?;
            let claim = Claim { tenant, actor: job.actor(tenant)?, job };
            match self.fail_job(&claim, LOST).await {
                // Another server found it first.
                Err(ControlError::LeaseLost) => {}
                outcome => outcome.map(|()| reaped += 1)?,
            }
        }
        Ok(reaped)
    }

    async fn is_cancel_asked(&self, claim: &Claim) -> Result<bool, ControlError> {
        let asked: Option<i64> = sqlx::query_scalar("SELECT cancel_asked FROM jobs WHERE job_id = $1")
            .bind(claim.job.id.to_string())
            .fetch_optional(&mut *self.store().tenant(claim.tenant).await?.view().await?)
            .await
            .map_err(storage("look the job up"))?;
        Ok(asked == Some(1))
    }
}
