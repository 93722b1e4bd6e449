//! Sending a message again that was given up.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::Administer;

use super::deliveries::WebhookDeliveryAnswer;
use super::problem;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Send a message that was given up again, under the same `webhook-id`.
#[utoipa::path(
    post, path = "/api/v1/webhooks/deliveries/{delivery}/retry", tag = "webhooks",
    params(("delivery" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses(
        (status = 202, body = WebhookDeliveryAnswer), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "It was not given up, or its endpoint is turned off", body = Problem)
    )
)]
pub(crate) async fn retry(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(delivery): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &delivery)).await
}

async fn done(state: &State, caller: &Caller, delivery: &str) -> Result<Response, Problem> {
    caller.everywhere::<Administer>(state).await?;
    let Ok(delivery) = delivery.parse() else {
        return Err(caller.refuse(state, "no_such_delivery").await);
    };
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.retry_webhook(&actor, grants, delivery, &caller.trace).await {
        Ok(row) => Ok((StatusCode::ACCEPTED, Json(WebhookDeliveryAnswer::from(row))).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
