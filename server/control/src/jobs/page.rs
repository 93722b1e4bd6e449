//! Looking at jobs.

use kernel::{BatchId, Build, Grants, StudyId, StudyScope};

use super::row::{COLUMNS, JobRow};
use super::{JobId, JobKind, JobState};
use crate::control::Control;
use crate::error::{ControlError, storage};

const STEP: &str = "read the jobs";
/// Rows that are looked at at a time.
const ROWS: u32 = 200;

/// Which jobs somebody wants to see.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of this study.
    pub study: Option<StudyId>,
    /// Only those that are older than this one: the last of the page before.
    pub before: Option<JobId>,
    /// At most so many.
    pub limit: u32,
}

impl Control {
    /// Jobs, newest first: those of the studies in which these grants may build, and those of no study for whoever may
    /// build in all of them.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn jobs(&self, grants: &Grants, filter: &JobFilter) -> Result<Vec<JobRow>, ControlError> {
        let mut view = self.store().tenant(grants.tenant()).await?.view().await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let (mut jobs, mut before) = (Vec::new(), filter.before);
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs
             WHERE ($1 = '' OR state = $1) AND ($2 = '' OR study_id = $2) AND ($3 = '' OR job_id < $3)
             ORDER BY job_id DESC LIMIT {ROWS}"
        );
        loop {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                .bind(filter.state.map_or("", JobState::name))
                .bind(filter.study.as_ref().map_or("", |study| study.as_str()))
                .bind(before.map(|id| id.to_string()).unwrap_or_default())
                .fetch_all(&mut *view)
                .await
                .map_err(storage(STEP))?;
            for row in &rows {
                let job = JobRow::read(row)?;
                before = Some(job.id);
                if jobs.len() < limit && may_see(grants, &job) {
                    jobs.push(job);
                }
            }
            if jobs.len() >= limit || rows.len() < ROWS as usize {
                return Ok(jobs);
            }
        }
    }

    /// One job.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none that these grants reach.
    pub async fn job(&self, grants: &Grants, id: JobId) -> Result<JobRow, ControlError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE job_id = $1");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .fetch_optional(&mut *self.store().tenant(grants.tenant()).await?.view().await?)
            .await
            .map_err(storage(STEP))?;
        let job = found.as_ref().map(JobRow::read).transpose()?;
        job.filter(|job| may_see(grants, job)).ok_or(ControlError::Denied)
    }

    /// The last job that was to take a delivery in.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn ingest_job(
        &self,
        scope: &StudyScope<Build>,
        batch: BatchId,
    ) -> Result<Option<JobRow>, ControlError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE kind = $1 AND subject = $2 AND study_id = $3
             ORDER BY job_id DESC LIMIT 1"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(JobKind::Ingest.name())
            .bind(batch.to_string())
            .bind(scope.study().as_str())
            .fetch_optional(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
            .await
            .map_err(storage(STEP))?;
        found.as_ref().map(JobRow::read).transpose()
    }
}

/// Whether these grants reach a job.
pub(super) fn may_see(grants: &Grants, job: &JobRow) -> bool {
    match &job.study {
        Some(study) => grants.scope::<Build>(study).is_ok(),
        None => grants.allow_everywhere::<Build>(),
    }
}
