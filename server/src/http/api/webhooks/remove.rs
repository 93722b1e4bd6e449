//! Removing an endpoint.

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Remove an endpoint with its secret. What is in line for it is not sent any more.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{endpoint}/remove", tag = "webhooks",
    params(("endpoint" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn remove(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(endpoint): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &endpoint)).await
}

async fn done(state: &State, caller: &Caller, endpoint: &str) -> Result<Response, Problem> {
    let id = id(state, caller, endpoint).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.remove_webhook(&actor, grants, id, &caller.trace).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
