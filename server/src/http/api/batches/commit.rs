//! Ending the sending of a delivery.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{DeliveryAnswer, answer, find};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;
use crate::intake;

/// Say that every file was sent. They are compared with what was announced, and a job takes them in; look at the
/// delivery to see how far it is. Saying it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/batches/{batch}/commit", tag = "deliveries",
    params(("study" = String, Path), ("batch" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses(
        (status = 202, description = "It is being taken in", body = DeliveryAnswer),
        (status = 400, description = "A file is not whole, or not what was announced", body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn commit(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, batch)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&study, &batch))).await
}

async fn done(state: &State, caller: &Caller, place: (&str, &str)) -> Result<Response, Problem> {
    let (engineer, row) = find(state, caller, place).await?;
    let staged = intake::stage(&state.app, &engineer, &row).await;
    staged.map_err(|failure| caller.problem(failure))?;
    let (engineer, row) = find(state, caller, place).await?;
    let answer: DeliveryAnswer =
        answer(state, &engineer, row).await.map_err(|failure| caller.problem(failure))?;
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}
