//! A schedule as it stands in its table.

use chrono::{DateTime, Utc};
use kernel::StudyId;

use super::{ScheduleId, Timetable};
use crate::error::{ControlError, corrupt};
use crate::instant::parse_timestamp;
use crate::jobs::{JobId, JobKind};

const WHAT: &str = "schedule";

/// The columns of [`Columns`].
pub(super) const COLUMNS: &str =
    "schedule_id, kind, study_id, cron, zone, enabled, next_due_at, last_due_at, last_job_id, created_at";

pub(super) type Columns =
    (String, String, Option<String>, String, String, i64, String, Option<String>, Option<String>, String);

/// One schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRow {
    /// Its id.
    pub id: ScheduleId,
    /// What it puts in line.
    pub kind: JobKind,
    /// In which study.
    pub study: Option<StudyId>,
    /// When.
    pub timetable: Timetable,
    /// Whether it is in force.
    pub is_enabled: bool,
    /// The next time it is due.
    pub next_due_at: DateTime<Utc>,
    /// The last time that it was due and put a job in line,
    pub last_due_at: Option<DateTime<Utc>>,
    /// and the job.
    pub last_job: Option<JobId>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl ScheduleRow {
    pub(super) fn read(columns: Columns) -> Result<Self, ControlError> {
        let (id, kind, study, cron, zone, enabled, next_due, last_due, last_job, created) = columns;
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            kind: JobKind::from_name(&kind).ok_or(()).map_err(corrupt(WHAT))?,
            study: study.map(StudyId::try_from).transpose().map_err(corrupt(WHAT))?,
            timetable: Timetable::new(&cron, &zone).map_err(corrupt(WHAT))?,
            is_enabled: enabled == 1,
            next_due_at: instant(&next_due)?,
            last_due_at: last_due.as_deref().map(instant).transpose()?,
            last_job: last_job.map(|id| id.parse()).transpose().map_err(corrupt(WHAT))?,
            created_at: instant(&created)?,
        })
    }
}
