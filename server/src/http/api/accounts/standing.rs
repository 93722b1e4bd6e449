//! Disabling and enabling accounts, and removing a lost authenticator app.

use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::{AccountAnswer, ReasonFields, asked, changed, reason};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Disable an account: its sessions and tokens stop working at once. Disabling it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/disable", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "Nobody else can administer the organisation", body = Problem))
)]
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&account, Change::Disable), &once)).await
}

/// Let a disabled account sign in again. Enabling it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/enable", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "The account was erased", body = Problem))
)]
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&account, Change::Enable), &once)).await
}

/// Remove the authenticator app of somebody who has lost it and the recovery codes. Their sessions end. Your own you give
/// up on your account's page, with a code.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/second-factor/reset", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn reset_second_factor(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&account, Change::ResetSecondFactor), &once)).await
}

/// What is done to how an account stands.
enum Change {
    Disable,
    Enable,
    ResetSecondFactor,
}

async fn done(
    state: &State,
    caller: &Caller,
    (account, change): (&str, Change),
    once: &Once,
) -> Result<Response, Problem> {
    let asked = asked(state, caller, account).await?;
    let reason = reason(once, caller)?;
    let (control, tenant) = (&state.app.control, caller.principal.tenant());
    let (order, account) = (asked.order(&reason), asked.found.id);
    let done = match change {
        Change::Disable => control.disable_account(order, tenant, account).await,
        Change::Enable => control.enable_account(order, tenant, account).await,
        Change::ResetSecondFactor => control.disable_second_factor(order, tenant, account, None).await,
    };
    changed(state, &asked, done).await
}
