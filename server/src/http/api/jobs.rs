//! Jobs: what is done after its request was answered.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Query, State as Extract};
use axum::response::{IntoResponse, Response};
use control::{JobFilter, JobRow, JobState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::{Kind, Problem};

pub(crate) mod cancel;
pub(crate) mod enqueue;
pub(crate) mod events;
pub(crate) mod retry;
pub(crate) mod show;

const MOST_PER_PAGE: u32 = 200;

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct JobAnswer {
    /// Its id.
    pub(crate) job: String,
    /// `ingest`, `marts_build` or `ledger_verify`.
    #[schema(example = "marts_build")]
    pub(crate) kind: String,
    /// Its study; none when it is of the whole organisation.
    pub(crate) study: Option<String>,
    /// What it works on: the delivery of an `ingest`.
    pub(crate) subject: Option<String>,
    /// `QUEUED`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
    #[schema(example = "RUNNING")]
    pub(crate) state: String,
    /// How often it was begun.
    pub(crate) attempt: u64,
    /// How often it failed since it was put in line,
    pub(crate) failures: u64,
    /// and how often it may before it is given up.
    pub(crate) max_failures: u64,
    /// Whether somebody asked for it to be given up.
    pub(crate) cancel_asked: bool,
    /// What is being done, or was last.
    pub(crate) progress: Option<ProgressAnswer>,
    /// Why it failed last.
    pub(crate) problem: Option<String>,
    /// What came of it.
    pub(crate) result: Option<serde_json::Value>,
    /// Who asked for it: `account`, `operator` or `system`.
    pub(crate) asked_by: String,
    /// When it was put in line, in RFC 3339,
    pub(crate) enqueued_at: String,
    /// and from when on it may be begun.
    pub(crate) due_at: String,
    /// When it was begun for the first time.
    pub(crate) started_at: Option<String>,
    /// When it changed last.
    pub(crate) changed_at: String,
    /// When it ended.
    pub(crate) ended_at: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ProgressAnswer {
    /// What is being done.
    #[schema(example = "lb.xpt to lab_result")]
    pub(crate) step: String,
    /// Done so far.
    pub(crate) done: u64,
    /// All there is to do, in the same unit; 0 when it is not known.
    pub(crate) total: u64,
}

impl ProgressAnswer {
    /// That of a job, whether or not it has begun.
    pub(crate) fn of(job: &JobRow) -> Self {
        match &job.progress {
            Some(at) => Self { step: at.step.clone(), done: at.done, total: at.total },
            None => Self { step: "waiting for its turn".into(), done: 0, total: 0 },
        }
    }
}

impl From<JobRow> for JobAnswer {
    fn from(job: JobRow) -> Self {
        let progress = job.progress.is_some().then(|| ProgressAnswer::of(&job));
        Self {
            job: job.id.to_string(),
            kind: job.kind.name().to_owned(),
            study: job.study.map(|study| study.to_string()),
            subject: job.subject,
            state: job.state.name().to_owned(),
            attempt: job.attempt,
            failures: job.failures,
            max_failures: job.max_failures,
            cancel_asked: job.is_cancel_asked,
            progress,
            problem: job.problem,
            result: job.result,
            asked_by: job.actor_type,
            enqueued_at: job.enqueued_at.to_rfc3339(),
            due_at: job.due_at.to_rfc3339(),
            started_at: job.started_at.map(|at| at.to_rfc3339()),
            changed_at: job.changed_at.to_rfc3339(),
            ended_at: job.ended_at.map(|at| at.to_rfc3339()),
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    /// The jobs, newest first.
    pub(crate) jobs: Vec<JobAnswer>,
    /// Send it as `cursor` for the next page; none when this is the last one. The header `Link` holds the whole address.
    pub(crate) next: Option<String>,
}

/// Which jobs are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobQuery {
    state: Option<String>,
    study: Option<String>,
    #[serde(rename = "cursor")]
    _cursor: Option<String>,
    #[serde(rename = "limit")]
    _limit: Option<String>,
}

/// Jobs of the studies in which the caller may build, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    params(
        ("state" = Option<String>, Query, description = "Only those in this state"),
        ("study" = Option<String>, Query, description = "Only those of this study"),
        crate::http::openapi::PageParams
    ),
    responses(
        (status = 200, body = JobPage), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    query: Result<Query<JobQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.build_somewhere(&state).await?;
    let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let Query(query) = query.map_err(|rejected| bad(rejected.body_text()))?;
    let paging = Paging::of(&caller, &uri)?;
    let mut filter = query.filter().map_err(|name| bad(format!("`{name}` is not one that there is.")))?;
    filter.before = paging.after().map(str::parse).transpose().map_err(|_| Paging::lost(&caller))?;
    filter.limit = u32::try_from(paging.limit()).unwrap_or(MOST_PER_PAGE).min(MOST_PER_PAGE);
    let jobs = state.app.control.jobs(caller.principal.grants(), &filter).await;
    let jobs: Vec<JobAnswer> =
        jobs.map_err(|error| caller.problem(error))?.into_iter().map(JobAnswer::from).collect();
    let is_full = u32::try_from(jobs.len()).is_ok_and(|count| count == filter.limit);
    let last = jobs.last().filter(|_| is_full).map(|job| job.job.clone());
    let page = paging.page(jobs, last);
    let link = page.link();
    Ok(Page::<()>::linked(link, Json(JobPage { jobs: page.items, next: page.next }).into_response()))
}

impl JobQuery {
    fn filter(self) -> Result<JobFilter, &'static str> {
        let state = self.state.map(|state| JobState::from_name(&state).ok_or("state")).transpose()?;
        let study = self.study.map(|study| study.parse().map_err(|_| "study")).transpose()?;
        Ok(JobFilter { state, study, before: None, limit: MOST_PER_PAGE })
    }
}

/// The job of that id, for somebody who builds in its study.
async fn find(state: &State, caller: &Caller, job: &str) -> Result<JobRow, Problem> {
    let Ok(id) = job.parse() else { return Err(caller.refuse(state, "no_such_job").await) };
    match state.app.control.job(caller.principal.grants(), id).await {
        Ok(job) => Ok(job),
        Err(control::ControlError::Denied) => Err(caller.refuse(state, "no_such_job").await),
        Err(error) => Err(caller.problem(error)),
    }
}
