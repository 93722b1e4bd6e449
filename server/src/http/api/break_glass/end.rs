//! Ending an emergency access before its time.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};

use super::{BreakGlassAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// End an emergency access: your own, or anybody's when you may review it. The next request under it is refused.
#[utoipa::path(
    post, path = "/api/v1/break-glass/{emergency}/end", tag = "governed",
    params(("emergency" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = BreakGlassAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn end(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(emergency): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &emergency)).await
}

async fn done(state: &State, caller: &Caller, emergency: &str) -> Result<Response, Problem> {
    let id = id(state, caller, emergency).await?;
    let principal = &caller.principal;
    let (actor, tenant) = (principal.actor(), principal.tenant());
    match state.app.control.end_break_glass(&actor, tenant, id, &caller.trace).await {
        Ok(row) => Ok(Json(BreakGlassAnswer::of(&row, state.app.clock.now())).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
