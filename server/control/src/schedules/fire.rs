//! Putting the job of a schedule in line: when its time has come, or because somebody asks for it.

use kernel::{Grants, TenantId};

use super::row::{COLUMNS, ScheduleRow};
use super::{ScheduleId, event, find};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::jobs::{JobRow, NewJob, Quota, enqueue};
use crate::ledger::AuditAction;
use crate::store::TenantTx;
use crate::tenants::standing::IN_USE;
use crate::trace::TraceId;

impl Control {
    /// Puts the jobs of a tenant in line whose time has come, each together with the move to the next time. Of several
    /// times that passed, one is made up for. Gives how many schedules were due; none are of a disabled tenant.
    ///
    /// # Errors
    /// When the store or the ledger fails.
    pub async fn fire_schedules(&self, tenant: TenantId) -> Result<u64, ControlError> {
        let database = self.store().tenant(tenant).await?;
        let now = timestamp(self.clock().now());
        let sql = format!(
            "SELECT schedule_id FROM schedules WHERE enabled = 1 AND next_due_at <= $1 AND {IN_USE}
             ORDER BY schedule_id"
        );
        let due: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .fetch_all(&mut *database.view().await?)
            .await
            .map_err(storage("look for schedules that are due"))?;
        let mut fired = 0;
        for id in due {
            let mut tx = database.begin().await?;
            // Another server may have been first.
            let Some(mut row) = still_due(&mut tx, &id).await? else { continue };
            let due_at = row.next_due_at;
            row.next_due_at = row.timetable.after(tx.now())?;
            row.last_due_at = Some(due_at);
            self.put_in_line(tx, row, (&Actor::System, &TraceId::random()?)).await?;
            fired += 1;
        }
        Ok(fired)
    }

    /// Puts the job of a schedule in line now. Its times stay as they are.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it, and [`ControlError::TooManyJobs`].
    pub async fn run_schedule(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: ScheduleId,
        trace: &TraceId,
    ) -> Result<JobRow, ControlError> {
        actor.require_tenant(grants.tenant())?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let row = find(&mut tx, grants, id).await?;
        self.put_in_line(tx, row, (actor, trace)).await
    }

    async fn put_in_line(
        &self,
        mut tx: TenantTx,
        row: ScheduleRow,
        (actor, trace): (&Actor, &TraceId),
    ) -> Result<JobRow, ControlError> {
        let job = NewJob { kind: row.kind, study: row.study.clone(), subject: None };
        let quota = if matches!(actor, Actor::System) { Quota::Waived } else { Quota::Counts };
        let (job, enqueued) = enqueue(&mut tx, &job, (actor, trace), quota).await?;
        let now = timestamp(tx.now());
        sqlx::query(
            "UPDATE schedules SET next_due_at = $1, last_due_at = $2, last_job_id = $3, changed_at = $4
             WHERE schedule_id = $5",
        )
        .bind(timestamp(row.next_due_at))
        .bind(row.last_due_at.map(timestamp))
        .bind(job.id.to_string())
        .bind(now)
        .bind(row.id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("move the schedule on"))?;
        let due_at = row.last_due_at.filter(|_| matches!(actor, Actor::System)).map(timestamp);
        let fired = event(AuditAction::ScheduleFired, actor, &row, trace)
            .with("job", job.id.to_string())
            .with("due_at", due_at);
        let mut recorded = tx.record(fired).await?;
        if let Some(enqueued) = enqueued {
            recorded = recorded.and(enqueued).await?;
        }
        recorded.commit().await?;
        self.ring();
        Ok(job)
    }
}

async fn still_due(tx: &mut TenantTx, id: &str) -> Result<Option<ScheduleRow>, ControlError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM schedules
         WHERE schedule_id = $1 AND enabled = 1 AND next_due_at <= $2 AND {IN_USE}"
    );
    let now = timestamp(tx.now());
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .bind(now)
        .fetch_optional(tx.connection())
        .await
        .map_err(storage("look the schedule up"))?;
    found.map(ScheduleRow::read).transpose()
}
