//! A job as it stands in its table.

use chrono::{DateTime, Utc};
use kernel::{StudyId, TenantId};
use sqlx::any::AnyRow;
use sqlx::{Any, ColumnIndex, Decode, Row, Type};

use super::{JobId, JobKind, JobProgress, JobState};
use crate::actor::Actor;
use crate::error::{ControlError, corrupt};
use crate::instant::parse_timestamp;
use crate::trace::TraceId;

const WHAT: &str = "job";

/// The columns that [`JobRow::read`] needs.
pub(super) const COLUMNS: &str = "job_id, kind, study_id, subject, state, attempt, failures, max_failures, \
     due_at, worker, cancel_asked, step, done, total, problem, result, actor_type, actor_id, trace_id, \
     enqueued_at, started_at, changed_at, ended_at";

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// In which study.
    pub study: Option<StudyId>,
    /// What it does it to.
    pub subject: Option<String>,
    /// How far it is.
    pub state: JobState,
    /// How often it was claimed.
    pub attempt: u64,
    /// How many of the claims ended badly,
    pub failures: u64,
    /// and how many may.
    pub max_failures: u64,
    /// Not before.
    pub due_at: DateTime<Utc>,
    /// Who is at it, or was last.
    pub worker: Option<String>,
    /// Whether somebody asked for it to be given up.
    pub is_cancel_asked: bool,
    /// What is being done, or was last.
    pub progress: Option<JobProgress>,
    /// Why it failed last.
    pub problem: Option<String>,
    /// What came of it: ids alone.
    pub result: Option<serde_json::Value>,
    /// Who asked for it: `account`, `operator` or `system`,
    pub actor_type: String,
    /// and which one.
    pub actor_id: String,
    /// What joins its events.
    pub trace: TraceId,
    /// When it was put in line,
    pub enqueued_at: DateTime<Utc>,
    /// claimed for the first time,
    pub started_at: Option<DateTime<Utc>>,
    /// changed last,
    pub changed_at: DateTime<Utc>,
    /// and ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl JobRow {
    pub(super) fn read(row: &AnyRow) -> Result<Self, ControlError> {
        let step: Option<String> = column(row, "step")?;
        let (done, total) = (count(row, "done")?, count(row, "total")?);
        let study: Option<String> = column(row, "study_id")?;
        let result: Option<String> = column(row, "result")?;
        let state: String = column(row, "state")?;
        let kind: String = column(row, "kind")?;
        Ok(Self {
            id: text(row, "job_id")?.parse().map_err(corrupt(WHAT))?,
            kind: JobKind::from_name(&kind).ok_or(()).map_err(corrupt(WHAT))?,
            study: study.map(StudyId::try_from).transpose().map_err(corrupt(WHAT))?,
            subject: column(row, "subject")?,
            state: JobState::from_name(&state).ok_or(()).map_err(corrupt(WHAT))?,
            attempt: count(row, "attempt")?,
            failures: count(row, "failures")?,
            max_failures: count(row, "max_failures")?,
            due_at: instant(row, "due_at")?,
            worker: column(row, "worker")?,
            is_cancel_asked: count(row, "cancel_asked")? == 1,
            progress: step.map(|step| JobProgress { step, done, total }),
            problem: column(row, "problem")?,
            result: result.map(|text| serde_json::from_str(&text)).transpose().map_err(corrupt(WHAT))?,
            actor_type: text(row, "actor_type")?,
            actor_id: text(row, "actor_id")?,
            trace: text(row, "trace_id")?.parse().map_err(corrupt(WHAT))?,
            enqueued_at: instant(row, "enqueued_at")?,
            started_at: instant_or_none(row, "started_at")?,
            changed_at: instant(row, "changed_at")?,
            ended_at: instant_or_none(row, "ended_at")?,
        })
    }

    /// Who asked for it.
    pub(super) fn actor(&self, tenant: TenantId) -> Result<Actor, ControlError> {
        match self.actor_type.as_str() {
            "account" => {
                let id = self.actor_id.parse().map_err(corrupt(WHAT))?;
                Ok(Actor::Account { id, tenant })
            }
            "operator" => Ok(Actor::Operator),
            "system" => Ok(Actor::System),
            _ => Err(ControlError::Corrupt { what: WHAT }),
        }
    }
}

/// An integer as both databases hold it.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn column<'r, T>(row: &'r AnyRow, name: &str) -> Result<T, ControlError>
where
    T: Decode<'r, Any> + Type<Any>,
    for<'n> &'n str: ColumnIndex<AnyRow>,
{
    row.try_get(name).map_err(corrupt(WHAT))
}

fn text(row: &AnyRow, name: &str) -> Result<String, ControlError> {
    column(row, name)
}

fn count(row: &AnyRow, name: &str) -> Result<u64, ControlError> {
    u64::try_from(column::<i64>(row, name)?).map_err(corrupt(WHAT))
}

fn instant(row: &AnyRow, name: &str) -> Result<DateTime<Utc>, ControlError> {
    instant_or_none(row, name)?.ok_or(()).map_err(corrupt(WHAT))
}

fn instant_or_none(row: &AnyRow, name: &str) -> Result<Option<DateTime<Utc>>, ControlError> {
    let Some(text) = column::<Option<String>>(row, name)? else { return Ok(None) };
    parse_timestamp(&text).ok_or(()).map_err(corrupt(WHAT)).map(Some)
}
