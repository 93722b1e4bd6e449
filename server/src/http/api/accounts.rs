//! The accounts of a tenant, for who administers it. Every change says why, and the reason stands in the ledger.

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use control::{AccountSummary, Actor, ControlError, LinkedIdentity, Order};
use kernel::{AccountId, Administer, Grant, Role, StudyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

pub(crate) mod access;
pub(crate) mod create;
pub(crate) mod grants;
pub(crate) mod identities;
pub(crate) mod standing;

/// An account, as its administrator sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountAnswer {
    /// Its id.
    pub(crate) account: String,
    /// The address to sign in with.
    pub(crate) email: String,
    /// The name that pages show.
    pub(crate) display_name: String,
    /// Whether it may sign in.
    pub(crate) enabled: bool,
    /// Whether it has a password.
    pub(crate) has_password: bool,
    /// Whether every sign-in with the password asks for a code.
    pub(crate) has_second_factor: bool,
    /// Who may sign in to it through a provider.
    pub(crate) identities: Vec<IdentityAnswer>,
    /// Its roles.
    pub(crate) grants: Vec<GrantAnswer>,
    /// When it was made, in RFC 3339.
    pub(crate) created_at: String,
    /// When it was disabled.
    pub(crate) disabled_at: Option<String>,
    /// When it was last used, give or take half a minute; none when it never was.
    pub(crate) last_used_at: Option<String>,
}

/// Somebody, as an identity provider knows them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityFields {
    /// The provider's address, letter by letter as it calls itself.
    pub(crate) issuer: String,
    /// Its own name for the person (`sub`).
    pub(crate) subject: String,
}

/// Somebody who may sign in to an account through a provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentityAnswer {
    /// The provider's address.
    pub(crate) issuer: String,
    /// Its own name for the person (`sub`).
    pub(crate) subject: String,
    /// Since when, in RFC 3339.
    pub(crate) linked_at: String,
}

/// A role that an account has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantAnswer {
    /// The role.
    pub(crate) role: String,
    /// Its study; none for the whole organisation.
    pub(crate) study: Option<String>,
    /// Since when, in RFC 3339.
    pub(crate) since: String,
    /// Given by whom: `account:<id>`, `operator:local`; none for grants from before that was kept.
    pub(crate) granted_by: Option<String>,
}

/// Why something is done to somebody's access.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonFields {
    /// Why, in up to 200 characters, without naming a person: it stands in the ledger for ever.
    pub(crate) reason: String,
}

impl From<AccountSummary> for AccountAnswer {
    fn from(account: AccountSummary) -> Self {
        let identity = |one: LinkedIdentity| IdentityAnswer {
            issuer: one.identity.issuer,
            subject: one.identity.subject,
            linked_at: text(one.linked_at),
        };
        Self {
            account: account.id.to_string(),
            email: account.email,
            display_name: account.display_name,
            enabled: account.is_enabled,
            has_password: account.has_password,
            has_second_factor: account.has_second_factor,
            identities: account.identities.into_iter().map(identity).collect(),
            grants: account
                .grants
                .into_iter()
                .map(|held| GrantAnswer {
                    role: held.grant.role.name().to_owned(),
                    study: held.grant.study.map(String::from),
                    since: text(held.granted_at),
                    granted_by: held.granted_by,
                })
                .collect(),
            created_at: text(account.created_at),
            disabled_at: account.disabled_at.map(text),
            last_used_at: account.last_used_at.map(text),
        }
    }
}

/// An instant as answers say it.
pub(crate) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The accounts of your organisation, by e-mail address.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts", params(crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<AccountAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<AccountAnswer>, Problem> {
    let actor = administrator(&state, &caller).await?;
    let paging = Paging::of(&caller, &uri)?;
    let accounts = state.app.control.accounts(&actor, caller.principal.tenant()).await;
    let accounts = accounts.map_err(|error| caller.problem(error))?;
    Ok(paging.cut(&caller, accounts, |account| account.id.to_string())?.map(AccountAnswer::from))
}

/// One account of your organisation.
#[utoipa::path(
    get, path = "/api/v1/accounts/{account}", tag = "accounts", params(("account" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
) -> Result<Json<AccountAnswer>, Problem> {
    Ok(Json(asked(&state, &caller, &account).await?.found.into()))
}

/// The caller as who administers the tenant.
///
/// # Errors
/// The one problem for "not yours" and "not there".
pub(crate) async fn administrator(state: &State, caller: &Caller) -> Result<Actor, Problem> {
    caller.everywhere::<Administer>(state).await?;
    caller.principal.administrator().map_err(|error| caller.problem(error))
}

/// The account as it is now.
async fn shown(
    state: &State,
    caller: &Caller,
    (actor, account): (&Actor, AccountId),
) -> Result<AccountAnswer, Problem> {
    let found = state.app.control.account(actor, caller.principal.tenant(), account).await;
    match found {
        Ok(account) => Ok(account.into()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}

/// The problem of an operation; an account that is not of the caller's tenant is as if it were not there, and that is
/// recorded.
async fn problem(state: &State, caller: &Caller, error: ControlError) -> Problem {
    match error {
        ControlError::Denied => caller.refuse(state, "no_such_account").await,
        error => caller.problem(error),
    }
}

/// Who asks something of which account.
pub(crate) struct Asked<'a> {
    pub(crate) actor: Actor,
    /// The account as it was when it was asked for.
    pub(crate) found: AccountSummary,
    caller: &'a Caller,
}

impl Asked<'_> {
    fn order<'b>(&'b self, reason: &'b str) -> Order<'b> {
        Order { actor: &self.actor, reason: Some(reason), trace: Some(&self.caller.trace) }
    }
}

/// Who asks and for which account of their organisation. It comes before the body is judged: what is wrong with a body is
/// told to nobody who has no business with the account.
///
/// # Errors
/// The one problem for "not yours" and "not there".
pub(crate) async fn asked<'a>(
    state: &State,
    caller: &'a Caller,
    account: &str,
) -> Result<Asked<'a>, Problem> {
    let actor = administrator(state, caller).await?;
    let Ok(account) = account.parse() else { return Err(caller.refuse(state, "no_such_account").await) };
    match state.app.control.account(&actor, caller.principal.tenant(), account).await {
        Ok(found) => Ok(Asked { actor, found, caller }),
        Err(error) => Err(problem(state, caller, error).await),
    }
}

/// The account after it was changed.
async fn changed(
    state: &State,
    asked: &Asked<'_>,
    done: Result<(), ControlError>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => {
            let answer = shown(state, asked.caller, (&asked.actor, asked.found.id)).await?;
            Ok((StatusCode::OK, Json(answer)).into_response())
        }
        Err(error) => Err(problem(state, asked.caller, error).await),
    }
}

/// A role in a study or in all, of texts from outside.
///
/// # Errors
/// In words, what is wrong.
pub(crate) fn grant(role: &str, study: Option<&str>) -> Result<Grant, String> {
    let known = || Role::ALL.map(Role::name).join("`, `");
    let role =
        Role::from_name(role).ok_or_else(|| format!("`{role}` is not a role: use one of `{}`.", known()))?;
    let study = study.map(|code| code.parse::<StudyId>().map_err(|error| error.to_string()));
    Ok(Grant { role, study: study.transpose()? })
}

/// The reason of a body that holds nothing else.
fn reason(once: &Once, caller: &Caller) -> Result<String, Problem> {
    once.json::<ReasonFields>(caller).map(|fields| fields.reason)
}

fn bad(caller: &Caller, words: String) -> Problem {
    Problem::new(Kind::BadRequest, words, &caller.trace)
}
