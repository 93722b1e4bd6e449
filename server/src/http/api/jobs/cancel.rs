//! Giving a job up.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{JobAnswer, find};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Give a job up. One that waits ends at once; one that is being done ends at its next step and publishes nothing. Saying
/// it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/cancel", tag = "jobs",
    params(("job" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses(
        (status = 202, body = JobAnswer), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "Its state does not allow it", body = Problem)
    )
)]
pub(crate) async fn cancel(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(job): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &job)).await
}

async fn done(state: &State, caller: &Caller, job: &str) -> Result<Response, Problem> {
    let job = find(state, caller, job).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    let job = state.app.control.cancel_job(&actor, grants, job.id, &caller.trace).await;
    let job = job.map_err(|error| caller.problem(error))?;
    Ok((StatusCode::ACCEPTED, Json(JobAnswer::from(job))).into_response())
}
