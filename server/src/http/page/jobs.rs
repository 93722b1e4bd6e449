//! Work that is done after its request was answered.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use control::{ControlError, JobFilter, JobId, JobKind, JobRow, JobState};
use frontend::link;
use frontend::query::JobsQuery;
use frontend::view::{Choice, JobLine, JobStanding, JobsView, Tab};

use super::{Answer, Visit, pairs};
use crate::http::State;
use crate::http::caller::Reader;

const JOBS_PER_PAGE: u32 = 50;

/// `GET /jobs`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    visit.caller.build_somewhere(&state).await.map_err(|problem| visit.refuse(&problem))?;
    let query = JobsQuery::from_pairs(&pairs(&uri));
    let filter = JobFilter {
        state: query.state.as_deref().and_then(JobState::from_name),
        study: query.study.as_deref().and_then(|study| study.parse().ok()),
        before: query.before.as_deref().and_then(|before| before.parse().ok()),
        limit: JOBS_PER_PAGE,
    };
    let jobs = state.app.control.jobs(visit.caller.principal.grants(), &filter).await;
    let jobs = jobs.map_err(|error| visit.fail(error))?;
    let schedules = state.app.control.schedules(visit.caller.principal.grants()).await;
    let schedules = schedules.map_err(|error| visit.fail(error))?;
    let older = jobs.last().map(|job| job.id.to_string());
    let state_choice = |standing: &JobStanding| Choice {
        key: standing.name().to_owned(),
        label: standing.label().to_owned(),
    };
    let view = JobsView {
        frame: visit.frame(Some(Tab::Jobs), None).await?,
        query,
        states: JobStanding::ALL.iter().map(state_choice).collect(),
        older_before: older.filter(|_| jobs.len() == JOBS_PER_PAGE as usize),
        jobs: jobs.into_iter().map(line).collect(),
        schedules: schedules.into_iter().map(super::schedules::line).collect(),
    };
    Ok(visit.page(frontend::page::jobs(&view)))
}

/// `POST /jobs/{job}/cancel`.
pub(crate) async fn cancel(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(job): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = find(&visit, &job).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let done = state.app.control.cancel_job(&actor, grants, id, &visit.caller.trace).await;
    done.map(|_| Redirect::to(link::JOBS).into_response()).map_err(|error| visit.fail(error))
}

/// `POST /jobs/{job}/retry`.
pub(crate) async fn retry(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(job): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = find(&visit, &job).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let done = state.app.control.retry_job(&actor, grants, id, &visit.caller.trace).await;
    done.map(|_| Redirect::to(link::JOBS).into_response()).map_err(|error| visit.fail(error))
}

/// The id of a job that the reader may see.
async fn find(visit: &Visit<'_>, job: &str) -> Result<JobId, axum::response::Response> {
    let (control, grants) = (&visit.state.app.control, visit.caller.principal.grants());
    if let Ok(id) = job.parse() {
        match control.job(grants, id).await {
            Ok(_) => return Ok(id),
            Err(ControlError::Denied) => {}
            Err(error) => return Err(visit.fail(error)),
        }
    }
    let problem = visit.caller.refuse(visit.state, "no_such_job").await;
    Err(visit.refuse(&problem))
}

fn line(job: JobRow) -> JobLine {
    let waits = job.state == JobState::Queued && job.failures > 0;
    JobLine {
        id: job.id.to_string(),
        kind: kind_in_words(job.kind).to_owned(),
        study: job.study.map(|study| study.to_string()).unwrap_or_default(),
        state: standing(job.state),
        since_unix_s: job.enqueued_at.timestamp(),
        until_unix_s: job.ended_at.or(waits.then_some(job.due_at)).map(|at| at.timestamp()),
        attempts: job.attempt,
        progress: job.progress.map(|at| progress_in_words(&at)).unwrap_or_default(),
        problem: job.problem.unwrap_or_default(),
        is_ending: job.is_cancel_asked && !job.state.has_ended(),
    }
}

fn progress_in_words(at: &control::JobProgress) -> String {
    match (100 * at.done).checked_div(at.total) {
        Some(percent) => format!("{} ({percent} %)", at.step),
        None => at.step.clone(),
    }
}

pub(super) const fn kind_in_words(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Ingest => "Take a delivery in",
        JobKind::MartsBuild => "Build the marts",
        JobKind::LedgerVerify => "Verify the ledger",
    }
}

const fn standing(state: JobState) -> JobStanding {
    match state {
        JobState::Queued => JobStanding::Queued,
        JobState::Running => JobStanding::Running,
        JobState::Succeeded => JobStanding::Succeeded,
        JobState::Failed => JobStanding::Failed,
        JobState::Cancelled => JobStanding::Cancelled,
    }
}
