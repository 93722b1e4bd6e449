//! A further secret of an endpoint.

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::{IssuedEndpointAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::{Once, shown_once};
use crate::http::problem::Problem;

/// Give an endpoint a further secret, shown in this answer and never again. The one before signs too for 24 hours.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{endpoint}/rotate", tag = "webhooks",
    params(("endpoint" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, body = IssuedEndpointAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn rotate(
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
    match state.app.control.rotate_webhook(&actor, grants, id, &caller.trace).await {
        Ok(issued) => {
            let answer = IssuedEndpointAnswer::of(&issued, state.app.clock.now());
            Ok(shown_once(StatusCode::OK, answer, IssuedEndpointAnswer::without_secret))
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
