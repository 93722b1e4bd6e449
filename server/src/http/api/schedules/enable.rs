//! Turning a schedule on or off.

use axum::Json;
use axum::extract::{Path, State as Extract};
use control::Enabled;

use super::{ScheduleAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// Turn a schedule on. It begins with its next time; those that passed meanwhile are not made up for.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/enable", tag = "jobs", params(("schedule" = String, Path)),
    responses((status = 200, body = ScheduleAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
) -> Result<Json<ScheduleAnswer>, Problem> {
    turn(&state, &caller, &schedule, Enabled::Yes).await
}

/// Turn a schedule off.
#[utoipa::path(
    post, path = "/api/v1/schedules/{schedule}/disable", tag = "jobs", params(("schedule" = String, Path)),
    responses((status = 200, body = ScheduleAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(schedule): Path<String>,
) -> Result<Json<ScheduleAnswer>, Problem> {
    turn(&state, &caller, &schedule, Enabled::No).await
}

async fn turn(
    state: &State,
    caller: &Caller,
    schedule: &str,
    enabled: Enabled,
) -> Result<Json<ScheduleAnswer>, Problem> {
    let id = id(state, caller, schedule).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.enable_schedule(&actor, grants, (id, enabled), &caller.trace).await {
        Ok(row) => Ok(Json(row.into())),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
