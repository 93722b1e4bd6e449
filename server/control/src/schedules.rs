//! Schedules: jobs that are put in line again and again. A time that has come is used up in the transaction that
//! puts the job in line, so that two servers never use it twice; times that passed while no server ran are made up for
//! by one job. [`when`] says which times those are, [`fire`] uses them.
mod fire;
mod row;
mod when;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use kernel::{Build, Grants, StudyId};
use uuid::Uuid;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::fresh;
use crate::instant::timestamp;
use crate::jobs::JobKind;
use crate::ledger::{AuditAction, Event, Resource};
use crate::store::TenantTx;
use crate::studies::require_registered;
use crate::trace::TraceId;
use row::COLUMNS;

pub use row::ScheduleRow;
pub use when::{InvalidTimetable, Timetable};

/// The id of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleId(Uuid);

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ScheduleId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A schedule that is asked for.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// What is put in line: [`JobKind::MartsBuild`] of a study, or [`JobKind::LedgerVerify`] of none.
    pub kind: JobKind,
    /// In which study.
    pub study: Option<StudyId>,
    /// When.
    pub timetable: Timetable,
}

/// The most schedules of a tenant.
const MAX_SCHEDULES: i64 = 2_000;

impl Control {
    /// Adds a schedule, which is in force at once.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach the study, [`ControlError::ScheduleKind`] for a kind that
    /// is not put in line by time, [`ControlError::TooManySchedules`], and [`ControlError::StudyNotRegistered`].
    pub async fn add_schedule(
        &self,
        actor: &Actor,
        grants: &Grants,
        schedule: NewSchedule,
        trace: &TraceId,
    ) -> Result<ScheduleRow, ControlError> {
        actor.require_tenant(grants.tenant())?;
        if !may_see(grants, schedule.study.as_ref()) {
            return Err(ControlError::Denied);
        }
        match (schedule.kind, &schedule.study) {
            (JobKind::MartsBuild, Some(_)) | (JobKind::LedgerVerify, None) => {}
            (kind, _) => return Err(ControlError::ScheduleKind { kind: kind.name() }),
        }
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        if let Some(study) = &schedule.study {
            require_registered(tx.connection(), study).await?;
        }
        refuse_too_many(&mut tx).await?;
        let now = tx.now();
        let row = ScheduleRow {
            id: ScheduleId(fresh::uuid(now)?),
            kind: schedule.kind,
            study: schedule.study,
            next_due_at: schedule.timetable.after(now)?,
            timetable: schedule.timetable,
            is_enabled: true,
            last_due_at: None,
            last_job: None,
            created_at: now,
        };
        insert(&mut tx, &row).await?;
        let event = event(AuditAction::ScheduleAdded, actor, &row, trace);
        tx.record(event).await?.commit().await?;
        Ok(row)
    }

    /// The schedules that these grants reach, oldest first.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn schedules(&self, grants: &Grants) -> Result<Vec<ScheduleRow>, ControlError> {
        let sql = format!("SELECT {COLUMNS} FROM schedules ORDER BY schedule_id");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut *self.store().tenant(grants.tenant()).await?.view().await?)
            .await
            .map_err(storage("read the schedules"))?;
        let rows: Result<Vec<ScheduleRow>, ControlError> = rows.into_iter().map(ScheduleRow::read).collect();
        Ok(rows?.into_iter().filter(|row| may_see(grants, row.study.as_ref())).collect())
    }

    /// Turns a schedule on or off. One that is turned on begins with its next time.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it.
    pub async fn enable_schedule(
        &self,
        actor: &Actor,
        grants: &Grants,
        (id, enabled): (ScheduleId, Enabled),
        trace: &TraceId,
    ) -> Result<ScheduleRow, ControlError> {
        actor.require_tenant(grants.tenant())?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let mut row = find(&mut tx, grants, id).await?;
        let is_enabled = enabled == Enabled::Yes;
        if row.is_enabled == is_enabled {
            return Ok(row);
        }
        let now = tx.now();
        row.is_enabled = is_enabled;
        row.next_due_at = row.timetable.after(now)?;
        sqlx::query(
            "UPDATE schedules SET enabled = $1, next_due_at = $2, changed_at = $3 WHERE schedule_id = $4",
        )
        .bind(i64::from(is_enabled))
        .bind(timestamp(row.next_due_at))
        .bind(timestamp(now))
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("turn the schedule on or off"))?;
        let event = event(AuditAction::ScheduleChanged, actor, &row, trace).with("enabled", is_enabled);
        tx.record(event).await?.commit().await?;
        Ok(row)
    }

    /// Removes a schedule. The jobs that it put in line stay.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it.
    pub async fn remove_schedule(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: ScheduleId,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_tenant(grants.tenant())?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let row = find(&mut tx, grants, id).await?;
        sqlx::query("DELETE FROM schedules WHERE schedule_id = $1")
            .bind(id.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("remove the schedule"))?;
        let event = event(AuditAction::ScheduleRemoved, actor, &row, trace);
        tx.record(event).await?.commit().await
    }
}

/// Whether a schedule is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enabled {
    /// It is.
    Yes,
    /// It waits until it is turned on.
    No,
}

/// Whether these grants reach a schedule of that study, or of none.
fn may_see(grants: &Grants, study: Option<&StudyId>) -> bool {
    match study {
        Some(study) => grants.scope::<Build>(study).is_ok(),
        None => grants.allow_everywhere::<Build>(),
    }
}

/// The schedule, while the transaction lasts.
async fn find(tx: &mut TenantTx, grants: &Grants, id: ScheduleId) -> Result<ScheduleRow, ControlError> {
    let sql = format!("SELECT {COLUMNS} FROM schedules WHERE schedule_id = $1");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await
        .map_err(storage("look the schedule up"))?;
    let row = found.map(ScheduleRow::read).transpose()?;
    row.filter(|row| may_see(grants, row.study.as_ref())).ok_or(ControlError::Denied)
}

async fn refuse_too_many(tx: &mut TenantTx) -> Result<(), ControlError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM schedules")
        .fetch_one(tx.connection())
        .await
        .map_err(storage("count the schedules"))?;
    if count >= MAX_SCHEDULES { Err(ControlError::TooManySchedules { max: MAX_SCHEDULES }) } else { Ok(()) }
}

async fn insert(tx: &mut TenantTx, row: &ScheduleRow) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO schedules (schedule_id, kind, study_id, cron, zone, enabled, next_due_at, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $7)",
    )
    .bind(row.id.to_string())
    .bind(row.kind.name())
    .bind(row.study.as_ref().map(ToString::to_string))
    .bind(row.timetable.cron())
    .bind(row.timetable.zone())
    .bind(timestamp(row.next_due_at))
    .bind(timestamp(row.created_at))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("add the schedule"))
}

fn event(action: AuditAction, actor: &Actor, row: &ScheduleRow, trace: &TraceId) -> Event {
    Event::success(action, actor, Resource::new("schedule", row.id.to_string()))
        .with("kind", row.kind.name())
        .with("study", row.study.as_ref().map(ToString::to_string))
        .with("cron", row.timetable.cron())
        .with("zone", row.timetable.zone())
        .traced(trace)
}

impl ScheduleRow {
    /// The next times at which it puts a job in line; none while it is turned off.
    #[must_use]
    pub fn next_runs(&self, count: usize) -> Vec<DateTime<Utc>> {
        if !self.is_enabled {
            return Vec::new();
        }
        let next = |at: &DateTime<Utc>| self.timetable.after(*at).ok();
        std::iter::successors(Some(self.next_due_at), next).take(count).collect()
    }
}
