//! Running what a schedule runs, now.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::jobs::JobAnswer;
use super::{id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Put the job of a schedule in line now, whether or not it is in force. Its times stay as they are.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/run", tag = "jobs",
    params(("schedule" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses(
        (status = 202, description = "The job is in line", body = JobAnswer), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 429, description = "Too many jobs are in line", body = Problem)
    )
)]
pub(crate) async fn run(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &schedule)).await
}

async fn done(state: &State, caller: &Caller, schedule: &str) -> Result<Response, Problem> {
    let id = id(state, caller, schedule).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.run_schedule(&actor, grants, id, &caller.trace).await {
        Ok(job) => {
            let place = format!("/api/v1/jobs/{}", job.id);
            let answer = Json(JobAnswer::from(job));
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], answer).into_response())
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
