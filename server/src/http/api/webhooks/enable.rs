//! Turning an endpoint on or off.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};
use control::EndpointState;

use super::{EndpointAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Turn an endpoint on. What waits for it is sent.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{endpoint}/enable", tag = "webhooks",
    params(("endpoint" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = EndpointAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(endpoint): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, turn(&state, &caller, &endpoint, EndpointState::Enabled)).await
}

/// Turn an endpoint off. What is in line for it waits, and is given up after five days; new events are not told to it.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{endpoint}/disable", tag = "webhooks",
    params(("endpoint" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = EndpointAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(endpoint): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, turn(&state, &caller, &endpoint, EndpointState::Disabled)).await
}

async fn turn(
    state: &State,
    caller: &Caller,
    endpoint: &str,
    wanted: EndpointState,
) -> Result<Response, Problem> {
    let id = id(state, caller, endpoint).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.enable_webhook(&actor, grants, (id, wanted), &caller.trace).await {
        Ok(row) => Ok(Json(EndpointAnswer::of(&row, state.app.clock.now())).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
