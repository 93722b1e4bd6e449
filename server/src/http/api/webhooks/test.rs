//! Sending a test message.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// The delivery of a test message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestAnswer {
    /// Its id among the endpoint's deliveries.
    #[schema(example = "019aa0b5-0a1b-7c2d-9e3f-4a5b6c7d8e9f")]
    delivery: String,
}

/// Put a message of the kind `webhook.test` in line, to be sent at once even while the endpoint's breaker is open.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{endpoint}/test", tag = "webhooks",
    params(("endpoint" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses(
        (status = 202, body = TestAnswer), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "The endpoint is turned off", body = Problem)
    )
)]
pub(crate) async fn test(
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
    match state.app.control.test_webhook(&actor, grants, id, &caller.trace).await {
        Ok(delivery) => {
            let answer = TestAnswer { delivery: delivery.to_string() };
            Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
