//! Adding an endpoint.

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::Response;
use control::NewEndpoint;
use kernel::Administer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IssuedEndpointAnswer, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::{Once, shown_once};
use crate::http::problem::Problem;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointOrder {
    /// Where messages are to be posted: `https://` and a name or an address on the public internet.
    #[schema(example = "https://hooks.acme.example/cairn")]
    url: String,
    /// What it is, in your own words, up to 200 characters.
    #[serde(default)]
    #[schema(example = "the data lake")]
    description: String,
    /// The kinds of messages that it asks for (docs/webhooks.md).
    #[schema(example = json!(["job.failed", "snapshot.published"]))]
    kinds: Vec<String>,
}

/// Add an endpoint. It is used at once; its secret is shown in this answer and never again.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")), request_body = EndpointOrder,
    responses(
        (status = 201, body = IssuedEndpointAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn add(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &once)).await
}

async fn done(state: &State, caller: &Caller, once: &Once) -> Result<Response, Problem> {
    caller.everywhere::<Administer>(state).await?;
    let EndpointOrder { url, description, kinds } = once.json(caller)?;
    let new = NewEndpoint { url, description, kinds };
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.add_webhook(&actor, grants, &new, &caller.trace).await {
        Ok(issued) => {
            let answer = IssuedEndpointAnswer::of(&issued, state.app.clock.now());
            Ok(shown_once(StatusCode::CREATED, answer, IssuedEndpointAnswer::without_secret))
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
