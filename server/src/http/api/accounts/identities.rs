//! Who may sign in to an account through an identity provider.

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use control::Identity;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AccountAnswer, asked, changed};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// Somebody, as an identity provider knows them, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityRequest {
    /// The provider's address, letter by letter as it calls itself.
    issuer: String,
    /// Its own name for the person (`sub`), which is no e-mail address.
    subject: String,
    /// Why, in up to 200 characters, without naming a person: it stands in the ledger for ever.
    reason: String,
}

/// Let somebody whom an identity provider vouches for sign in to an account.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/identities", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = IdentityRequest,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, description = "The identity is linked already, or the account was erased", body = Problem))
)]
pub(crate) async fn link(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&account, Change::Link), &once)).await
}

/// Take an identity from an account; its sessions end. Taking it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/identities/unlink", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = IdentityRequest,
    responses((status = 200, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "Nobody else can administer the organisation", body = Problem))
)]
pub(crate) async fn unlink(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&account, Change::Unlink), &once)).await
}

/// What is done to who may sign in.
enum Change {
    Link,
    Unlink,
}

async fn done(
    state: &State,
    caller: &Caller,
    (account, change): (&str, Change),
    once: &Once,
) -> Result<Response, Problem> {
    let asked = asked(state, caller, account).await?;
    let IdentityRequest { issuer, subject, reason } = once.json(caller)?;
    let identity = Identity { issuer, subject };
    let (control, tenant) = (&state.app.control, caller.principal.tenant());
    let (order, account) = (asked.order(&reason), asked.found.id);
    let done = match change {
        Change::Link => control.link_identity(order, tenant, account, &identity).await,
        Change::Unlink => control.unlink_identity(order, tenant, account, &identity).await,
    };
    changed(state, &asked, done).await
}
