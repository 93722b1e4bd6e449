//! Making an account.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{Identity, NewAccount, Order};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AccountAnswer, IdentityFields, administrator, bad, grant, problem, shown};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// The account that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRequest {
    /// The address to sign in with, unique in the deployment.
    email: String,
    /// The name that pages show; the address when it is not given.
    #[serde(default)]
    display_name: Option<String>,
    /// A password of at least 12 characters; none for a machine, and for somebody who signs in through a provider.
    #[serde(default)]
    password: Option<String>,
    /// Who may sign in to it through an identity provider.
    #[serde(default)]
    identity: Option<IdentityFields>,
    /// Its role.
    role: String,
    /// The only study of the role; all of the organisation's when none is named.
    #[serde(default)]
    study: Option<String>,
    /// Why, in up to 200 characters, without naming a person: it stands in the ledger for ever.
    reason: String,
}

/// Make an account. The password is never shown again, and is left out of what the idempotency key compares.
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = AccountRequest,
    responses(
        (status = 201, body = AccountAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "The address or the identity is in use", body = Problem)
    )
)]
pub(crate) async fn create(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &once)).await
}

async fn done(state: &State, caller: &Caller, once: &Once) -> Result<Response, Problem> {
    let actor = administrator(state, caller).await?;
    let request: AccountRequest = once.json(caller)?;
    let granted = grant(&request.role, request.study.as_deref()).map_err(|words| bad(caller, words))?;
    let (control, tenant) = (&state.app.control, caller.principal.tenant());
    let new = NewAccount {
        display_name: request.display_name.unwrap_or_else(|| request.email.clone()),
        email: request.email,
        password: request.password,
        grants: vec![granted],
    };
    let order = Order { actor: &actor, reason: Some(&request.reason), trace: Some(&caller.trace) };
    let identity = request.identity.map(|one| Identity { issuer: one.issuer, subject: one.subject });
    let made = control.create_account_with(order, tenant, new, identity).await;
    match made {
        Ok(account) => {
            let answer = shown(state, caller, (&actor, account)).await?;
            let place = format!("/api/v1/accounts/{account}");
            Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(answer)).into_response())
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
