//! Removing a schedule.

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;

use super::{id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// Remove a schedule. The jobs that it put in line stay.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/remove", tag = "jobs", params(("schedule" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn remove(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = id(&state, &caller, &schedule).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.remove_schedule(&actor, grants, id, &caller.trace).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(problem(&state, &caller, error).await),
    }
}
