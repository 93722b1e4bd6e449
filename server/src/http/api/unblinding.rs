//! Letting an account see who gets which treatment.

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use control::{ControlError, Unblinding};
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::asked;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Where and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnblindingOrder {
    /// The study; every study of the organisation when it is not given.
    #[serde(default)]
    #[schema(example = "TRIAL01")]
    study: Option<String>,
    /// Why, in at most 500 characters. The ledger holds a commitment to it.
    #[schema(example = "member of the data monitoring committee, charter version 2")]
    reason: String,
}

/// Unblind another account, with a reason: it gets the role `unblinded`, and its sessions end.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/unblind", tag = "governed",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = UnblindingOrder,
    responses(
        (status = 204, description = "The account has the role"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn unblind(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &account, &once)).await
}

async fn done(state: &State, caller: &Caller, account: &str, once: &Once) -> Result<Response, Problem> {
    let account = asked(state, caller, account).await?.found.id;
    let order: UnblindingOrder = once.json(caller)?;
    let Ok(study) = order.study.as_deref().map(str::parse).transpose() else {
        return Err(caller.refuse(state, "no_such_study").await);
    };
    let principal = &caller.principal;
    let unblinding = Unblinding { account, study, reason: order.reason };
    let (actor, tenant) = (principal.actor(), principal.tenant());
    match state.app.control.unblind(&actor, tenant, &unblinding, &caller.trace).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(ControlError::Denied) => Err(caller.refuse(state, "no_such_account").await),
        Err(error) => Err(caller.problem(error)),
    }
}
