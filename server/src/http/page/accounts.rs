//! The accounts of a tenant, for who administers it.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    AccountSummary, Actor, ControlError, HeldGrant, Identity, LinkedIdentity, NewAccount, Order, Session,
};
use frontend::link;
use frontend::view::{
    AccountLine, AccountsView, AdminAccountView, Choice, FilledAccount, GrantLine, IdentityLine,
    OwnedSession, OwnedToken, Tab,
};
use kernel::{AccountId, Grant, Role};
use serde::Deserialize;

use super::account::token_line;
use super::{Answer, Visit, role_in_words};
use crate::http::State;
use crate::http::api::accounts::{administrator, grant};
use crate::http::caller::Reader;

/// `GET /admin/accounts`.
pub(crate) async fn list(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    list_page(&visit, &actor, (None, FilledAccount::default())).await
}

/// Who administers the tenant, or the page that says that there is no such page.
pub(super) async fn admin(visit: &Visit<'_>) -> Result<Actor, Response> {
    administrator(visit.state, visit.caller).await.map_err(|problem| visit.refuse(&problem))
}

async fn list_page(
    visit: &Visit<'_>,
    actor: &Actor,
    (problem, filled): (Option<String>, FilledAccount),
) -> Answer {
    let tenant = visit.caller.principal.tenant();
    let accounts =
        visit.state.app.control.accounts(actor, tenant).await.map_err(|error| visit.fail(error))?;
    let mut frame = visit.frame(Some(Tab::Admin), None).await?;
    frame.here = link::ADMIN_ACCOUNTS.to_owned();
    let view = AccountsView {
        accounts: accounts.iter().map(account_line).collect(),
        problem,
        filled,
        roles: roles(),
        studies: studies(visit, actor).await?,
        frame,
    };
    Ok(visit.page(frontend::page::accounts(&view)))
}

/// What the form for a new account sends.
#[derive(Deserialize)]
pub(crate) struct AccountForm {
    email: String,
    #[serde(default)]
    name: String,
    role: String,
    #[serde(default)]
    study: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    reason: String,
}

/// `POST /admin/accounts`.
pub(crate) async fn create(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<AccountForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filled = FilledAccount {
        email: form.email.clone(),
        name: form.name.clone(),
        issuer: form.issuer.clone(),
        subject: form.subject.clone(),
        reason: form.reason.clone(),
    };
    let granted = match grant(&form.role, given(&form.study).as_deref()) {
        Ok(granted) => granted,
        Err(words) => return list_page(&visit, &actor, (Some(words), filled)).await,
    };
    let identity = match (given(&form.issuer), given(&form.subject)) {
        (Some(issuer), Some(subject)) => Some(Identity { issuer, subject }),
        (None, None) => None,
        _ => {
            let words =
                "Give both the provider's address and its name for the person, or neither.".to_owned();
            return list_page(&visit, &actor, (Some(words), filled)).await;
        }
    };
    let new = NewAccount {
        display_name: given(&form.name).unwrap_or_else(|| form.email.clone()),
        email: form.email,
        password: Some(form.password).filter(|password| !password.is_empty()),
        grants: vec![granted],
    };
    let order = Order { actor: &actor, reason: Some(&form.reason), trace: Some(&visit.caller.trace) };
    let made =
        state.app.control.create_account_with(order, visit.caller.principal.tenant(), new, identity).await;
    match made {
        Ok(account) => Ok(Redirect::to(&link::admin_account(&account.to_string())).into_response()),
        Err(error) if is_mendable(&error) => {
            list_page(&visit, &actor, (Some(sentence(&error)), filled)).await
        }
        Err(error) => Err(visit.fail(error)),
    }
}

/// Whether the person at the form can do something about it.
pub(super) fn is_mendable(error: &ControlError) -> bool {
    matches!(
        error,
        ControlError::InvalidText { .. }
            | ControlError::InvalidEmail
            | ControlError::InvalidPassword { .. }
            | ControlError::EmailTaken
            | ControlError::IdentityTaken
            | ControlError::LastAdministrator
            | ControlError::AccountErased
            | ControlError::WrongCode
    )
}

/// An error as a sentence of a page.
pub(super) fn sentence(error: &ControlError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// `GET /admin/accounts/{account}`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(account): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    let Ok(account) = account.parse() else {
        return super::account::not_there(&visit, "no_such_account").await;
    };
    page(&visit, (&actor, account), (None, Filled::default())).await
}

/// What the form of the page held.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) reason: String,
    pub(super) issuer: String,
    pub(super) subject: String,
}

/// The page of one account, with what was wrong with its last form.
pub(super) async fn page(
    visit: &Visit<'_>,
    (actor, account): (&Actor, AccountId),
    (problem, filled): (Option<String>, Filled),
) -> Answer {
    let (principal, control, now) =
        (&visit.caller.principal, &visit.state.app.control, visit.state.app.clock.now());
    let tenant = principal.tenant();
    let found = match control.account(actor, tenant, account).await {
        Ok(found) => found,
        Err(ControlError::Denied) => return super::account::not_there(visit, "no_such_account").await,
        Err(error) => return Err(visit.fail(error)),
    };
    let sessions = control.sessions(actor, tenant, Some(account)).await.map_err(|error| visit.fail(error))?;
    let tokens =
        control.access_tokens(actor, tenant, Some(account)).await.map_err(|error| visit.fail(error))?;
    let everybody = control.accounts(actor, tenant).await.map_err(|error| visit.fail(error))?;
    let mut frame = visit.frame(Some(Tab::Admin), None).await?;
    frame.here = link::admin_account(&account.to_string());
    let owner = (found.id.to_string(), found.email.clone());
    let view = AdminAccountView {
        frame,
        account: account_line(&found),
        is_own: account == principal.account(),
        created_unix_s: found.created_at.timestamp(),
        disabled_unix_s: found.disabled_at.map(|at| at.timestamp()),
        identities: found.identities.iter().map(identity_line).collect(),
        issuer: issuer_to_show(visit, filled.issuer),
        subject: filled.subject,
        grants: found.grants.iter().map(|held| grant_line(held, &everybody)).collect(),
        sessions: sessions
            .iter()
            .filter(|session| session.is_live(now))
            .map(|session| session_line(session, owner.clone()))
            .collect(),
        tokens: tokens
            .iter()
            .map(|token| OwnedToken { owner: owner.clone(), token: token_line(token, now.timestamp()) })
            .collect(),
        problem,
        reason: filled.reason,
        roles: roles(),
        studies: studies(visit, actor).await?,
    };
    Ok(visit.page(frontend::page::admin_account(&view)))
}

pub(super) fn account_line(account: &AccountSummary) -> AccountLine {
    let signs_in_by = match (account.has_password, account.identities.is_empty()) {
        (true, true) => "password",
        (true, false) => "password, provider",
        (false, false) => "provider",
        (false, true) => "token alone",
    };
    AccountLine {
        id: account.id.to_string(),
        email: account.email.clone(),
        name: account.display_name.clone(),
        roles: account.grants.iter().map(|held| grant_in_words(&held.grant)).collect(),
        used_unix_s: account.last_used_at.map(|at| at.timestamp()),
        is_enabled: account.is_enabled,
        has_second_factor: account.has_second_factor,
        signs_in_by: signs_in_by.to_owned(),
    }
}

fn identity_line(one: &LinkedIdentity) -> IdentityLine {
    IdentityLine {
        key: one.identity.sha256(),
        issuer: one.identity.issuer.clone(),
        subject: one.identity.subject.clone(),
        since_unix_s: one.linked_at.timestamp(),
    }
}

/// What the form held, else the provider that this server knows: it has to stand there letter by letter.
fn issuer_to_show(visit: &Visit<'_>, filled: String) -> String {
    let known = || visit.state.surroundings.provider.as_ref().map(|provider| provider.issuer().to_owned());
    if filled.is_empty() { known().unwrap_or_default() } else { filled }
}

/// A role and where it holds: `Researcher in CAIRN-301`.
pub(super) fn grant_in_words(grant: &Grant) -> String {
    let role = role_in_words(grant.role);
    grant.study.as_ref().map_or_else(|| format!("{role}, all studies"), |study| format!("{role} in {study}"))
}

fn grant_line(held: &HeldGrant, everybody: &[AccountSummary]) -> GrantLine {
    GrantLine {
        role: held.grant.role.name().to_owned(),
        label: role_in_words(held.grant.role).to_owned(),
        study: held.grant.study.as_ref().map(ToString::to_string),
        since_unix_s: held.granted_at.timestamp(),
        by: by_in_words(held.granted_by.as_deref(), everybody),
    }
}

/// Who gave a role, by the address of the account if it was one.
pub(super) fn by_in_words(by: Option<&str>, everybody: &[AccountSummary]) -> String {
    match by.and_then(|by| by.split_once(':')) {
        Some(("account", id)) => everybody
            .iter()
            .find(|account| account.id.to_string() == id)
            .map_or_else(|| id.to_owned(), |account| account.email.clone()),
        Some((kind, _)) => format!("the {kind}"),
        None => "not recorded".to_owned(),
    }
}

pub(super) fn session_line(session: &Session, owner: (String, String)) -> OwnedSession {
    OwnedSession {
        id: session.id.to_string(),
        owner,
        kind: if session.is_browser { "browser" } else { "client" }.to_owned(),
        method: session.method.clone(),
        started_unix_s: session.started_at.timestamp(),
        used_unix_s: session.last_used_at.timestamp(),
    }
}

fn roles() -> Vec<Choice> {
    // The least first: a form that is sent in haste gives the least.
    let order = [
        Role::Researcher,
        Role::Clinical,
        Role::Auditor,
        Role::Steward,
        Role::DataEngineer,
        Role::Unblinded,
        Role::Administrator,
    ];
    let choice = |role: Role| Choice { key: role.name().to_owned(), label: role_in_words(role).to_owned() };
    order.into_iter().map(choice).collect()
}

/// Every study of the tenant, by code: an administrator sees which there are, and nothing of them.
async fn studies(visit: &Visit<'_>, actor: &Actor) -> Result<Vec<Choice>, Response> {
    let codes = visit.state.app.control.study_codes(actor, visit.caller.principal.tenant()).await;
    let codes = codes.map_err(|error| visit.fail(error))?;
    let choice = |code: String| Choice { key: code.clone(), label: code };
    Ok(codes.into_iter().map(|code| choice(code.to_string())).collect())
}
