//! Holding a study's data, and letting them go again.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{HoldAnswer, kept, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldOrder {
    /// Why, without naming a person: it is recorded for ever.
    #[schema(example = "inspection announced")]
    reason: String,
}

/// Hold a study's data, whatever its day is.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/holds", tag = "governed",
    params(("study" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = HoldOrder,
    responses(
        (status = 201, body = HoldAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn place(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, placed(&state, &caller, &study, &once)).await
}

async fn placed(state: &State, caller: &Caller, study: &str, once: &Once) -> Result<Response, Problem> {
    let study = kept(state, caller, study).await?;
    let order: HoldOrder = once.json(caller)?;
    let (actor, tenant) = (caller.principal.actor(), caller.principal.tenant());
    match state.app.control.place_hold(&actor, tenant, &study, &order.reason, &caller.trace).await {
        Ok(hold) => Ok((StatusCode::CREATED, Json(HoldAnswer::from(&hold))).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}

/// Lift a hold. Lifting it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/holds/{hold}/lift", tag = "governed",
    params(("study" = String, Path), ("hold" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = HoldOrder,
    responses(
        (status = 204, description = "It is lifted"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn lift(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, hold)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, lifted(&state, &caller, (&study, &hold), &once)).await
}

async fn lifted(
    state: &State,
    caller: &Caller,
    (study, hold): (&str, &str),
    once: &Once,
) -> Result<Response, Problem> {
    let study = kept(state, caller, study).await?;
    let Ok(hold) = hold.parse() else { return Err(caller.refuse(state, "no_such_hold").await) };
    let order: HoldOrder = once.json(caller)?;
    let (actor, tenant) = (caller.principal.actor(), caller.principal.tenant());
    match state.app.control.lift_hold(&actor, tenant, (&study, hold), &order.reason, &caller.trace).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
