//! Giving roles and taking them away.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AccountAnswer, asked, bad, changed, grant};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// A role, where it holds, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRequest {
    /// The role.
    role: String,
    /// Its only study; all of the organisation's when none is named.
    #[serde(default)]
    study: Option<String>,
    /// Why, in up to 200 characters, without naming a person: it stands in the ledger for ever.
    reason: String,
}

/// Give an account a role. Its sessions end, so that it signs in anew. Giving it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/grants", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = GrantRequest,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn give(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let asked = asked(&state, &caller, &account).await?;
        let request: GrantRequest = once.json(&caller)?;
        let grant = grant(&request.role, request.study.as_deref()).map_err(|words| bad(&caller, words))?;
        let tenant = caller.principal.tenant();
        let order = asked.order(&request.reason);
        let done = state.app.control.grant(order, tenant, asked.found.id, grant).await;
        changed(&state, &asked, done).await
    };
    once.run(&state, &caller, work).await
}

/// Take a role from an account, within seconds and from every session and token. Taking it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/grants/revoke", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = GrantRequest,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "Nobody else can administer the organisation", body = Problem))
)]
pub(crate) async fn take(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let asked = asked(&state, &caller, &account).await?;
        let request: GrantRequest = once.json(&caller)?;
        let grant = grant(&request.role, request.study.as_deref()).map_err(|words| bad(&caller, words))?;
        let tenant = caller.principal.tenant();
        let order = asked.order(&request.reason);
        let done = state.app.control.revoke_grant(order, tenant, asked.found.id, grant).await;
        changed(&state, &asked, done).await
    };
    once.run(&state, &caller, work).await
}
