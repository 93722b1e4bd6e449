//! Signing off that a span of the ledger was looked through.

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::Audit;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// What was looked through.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrailReviewRequest {
    /// The place of the first event.
    first: u64,
    /// The place of the last one.
    last: u64,
    /// What came of it, in up to 500 characters, without naming a person: it stands in the ledger for ever.
    remark: String,
}

/// Sign off that a span of the ledger was looked through. The event holds the span and the hash of its last event.
#[utoipa::path(
    post, path = "/api/v1/audit/reviews", tag = "audit",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = TrailReviewRequest,
    responses((status = 204, description = "It is signed off"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn sign_off(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        caller.everywhere::<Audit>(&state).await?;
        let request: TrailReviewRequest = once.json(&caller)?;
        let span = (request.first, request.last);
        let control = &state.app.control;
        let signed = control.sign_trail_review(&caller.principal, span, &request.remark, &caller.trace).await;
        signed.map_err(|error| caller.problem(error))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    once.run(&state, &caller, work).await
}
