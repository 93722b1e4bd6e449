//! Turning a schedule on or off.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};
use control::Enabled;

use super::{ScheduleAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Turn a schedule on. It begins with its next time; those that passed meanwhile are not made up for.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/enable", tag = "jobs",
    params(("schedule" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = ScheduleAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, turn(&state, &caller, &schedule, Enabled::Yes)).await
}

/// Turn a schedule off.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/disable", tag = "jobs",
    params(("schedule" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = ScheduleAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, turn(&state, &caller, &schedule, Enabled::No)).await
}

async fn turn(state: &State, caller: &Caller, schedule: &str, enabled: Enabled) -> Result<Response, Problem> {
    let id = id(state, caller, schedule).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.enable_schedule(&actor, grants, (id, enabled), &caller.trace).await {
        Ok(row) => Ok(Json(ScheduleAnswer::from(row)).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
