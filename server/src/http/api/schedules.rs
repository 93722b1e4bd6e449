//! Schedules: jobs that are put in line again and again.

use axum::extract::{OriginalUri, State as Extract};
use control::{ControlError, ScheduleId, ScheduleRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::Problem;

pub(crate) mod add;
pub(crate) mod enable;
pub(crate) mod remove;
pub(crate) mod run;

/// How many of the next times are told.
const NEXT: usize = 3;

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleAnswer {
    /// Its id.
    pub(crate) schedule: String,
    /// `marts_build` of a study, or `ledger_verify` of the whole organisation.
    #[schema(example = "marts_build")]
    pub(crate) kind: String,
    /// Its study.
    pub(crate) study: Option<String>,
    /// A cron expression of five fields.
    #[schema(example = "30 2 * * 1-5")]
    pub(crate) cron: String,
    /// The time zone in which it is read.
    #[schema(example = "Europe/Berlin")]
    pub(crate) zone: String,
    /// Whether it is in force.
    pub(crate) enabled: bool,
    /// The next three times, in RFC 3339; none while it is not in force.
    pub(crate) next: Vec<String>,
    /// The last time that put a job in line.
    pub(crate) last_due_at: Option<String>,
    /// The last job.
    pub(crate) last_job: Option<String>,
}

impl From<ScheduleRow> for ScheduleAnswer {
    fn from(row: ScheduleRow) -> Self {
        Self {
            schedule: row.id.to_string(),
            kind: row.kind.name().to_owned(),
            next: row.next_runs(NEXT).into_iter().map(|at| at.to_rfc3339()).collect(),
            cron: row.timetable.cron().to_owned(),
            zone: row.timetable.zone().to_owned(),
            study: row.study.map(|study| study.to_string()),
            enabled: row.is_enabled,
            last_due_at: row.last_due_at.map(|at| at.to_rfc3339()),
            last_job: row.last_job.map(|job| job.to_string()),
        }
    }
}

/// The schedules of the studies in which the caller may build, oldest first.
#[utoipa::path(
    get, path = "/api/v1/schedules", tag = "jobs", params(crate::http::openapi::PageParams),
    responses(
        (status = 200, body = Vec<ScheduleAnswer>), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<ScheduleAnswer>, Problem> {
    caller.build_somewhere(&state).await?;
    let rows = state.app.control.schedules(caller.principal.grants()).await;
    let rows = rows.map_err(|error| caller.problem(error))?;
    Ok(Paging::of(&caller, &uri)?.cut(&caller, rows, |row| row.id.to_string())?.map(ScheduleAnswer::from))
}

async fn id(state: &State, caller: &Caller, schedule: &str) -> Result<ScheduleId, Problem> {
    match schedule.parse() {
        Ok(id) => Ok(id),
        Err(_) => Err(caller.refuse(state, "no_such_schedule").await),
    }
}

/// The problem of an operation; a schedule that is not the caller's is as if it were not there, and that is recorded.
async fn problem(state: &State, caller: &Caller, error: ControlError) -> Problem {
    match error {
        ControlError::Denied => caller.refuse(state, "no_such_schedule").await,
        error => caller.problem(error),
    }
}
