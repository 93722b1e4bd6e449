//! What a person keeps here: sessions, and tokens for programs.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use control::{AccessToken, Actor, ControlError, SecondFactor, Session};
use frontend::link;
use frontend::view::{AccountView, Choice, SecondFactorState, SessionLine, TokenLine};
use kernel::{AccountId, Role, StudyId, TenantId};
use serde::Deserialize;

use super::login::set_session;
use super::{Answer, Visit, role_in_words};
use crate::http::State;
use crate::http::api::access_tokens::{AccessTokenRequest, wanted, within_own};
use crate::http::caller::Reader;

/// What is said above the page.
#[derive(Default)]
struct Said {
    issued: Option<String>,
    enrolment: Option<(String, String)>,
    recovery_codes: Vec<String>,
    problem: Option<String>,
}

/// `GET /account`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    page(&visit, Said::default()).await
}

async fn page(visit: &Visit<'_>, said: Said) -> Answer {
    let principal = &visit.caller.principal;
    let (control, now) = (&visit.state.app.control, visit.state.app.clock.now());
    let (actor, tenant, own) = (principal.actor(), principal.tenant(), Some(principal.account()));
    let sessions = control.sessions(&actor, tenant, own).await.map_err(|error| visit.fail(error))?;
    let tokens = control.access_tokens(&actor, tenant, own).await.map_err(|error| visit.fail(error))?;
    let factor = control.second_factor(&actor, tenant, principal.account()).await;
    let factor = factor.map_err(|error| visit.fail(error))?;
    let mut frame = visit.frame(None, None).await?;
    // The form's own address would be asked for again by the switch of the theme.
    frame.here = link::ACCOUNT.to_owned();
    let roles = [Role::Researcher, Role::DataEngineer];
    let roles = roles.into_iter().filter(|role| *role == Role::Researcher || visit.may_build());
    let choice = |role: Role| Choice { key: role.name().to_owned(), label: role_in_words(role).to_owned() };
    let view = AccountView {
        email: principal.email().to_owned(),
        issued: said.issued,
        problem: said.problem,
        second_factor: match factor {
            SecondFactor::Absent => SecondFactorState::Absent,
            SecondFactor::Enrolled => SecondFactorState::Enrolled,
            SecondFactor::Confirmed { recovery_codes } => SecondFactorState::Confirmed(recovery_codes),
        },
        enrolment: said.enrolment,
        recovery_codes: said.recovery_codes,
        tokens: tokens.iter().map(|token| token_line(token, now.timestamp())).collect(),
        sessions: sessions
            .iter()
            .filter(|session| session.is_live(now))
            .map(|session| session_line(session, principal.session() == Some(session.id)))
            .collect(),
        roles: roles.map(choice).collect(),
        studies: frame.studies.clone(),
        frame,
    };
    Ok(visit.page(frontend::page::account(&view)))
}

/// What the form for a new token sends.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenForm {
    label: String,
    role: String,
    #[serde(default)]
    study: String,
    days: u32,
}

/// `POST /account/tokens`: the answer is the page with the token, which nothing can show again.
pub(crate) async fn create_token(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<TokenForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let caller = visit.caller;
    let (actor, tenant, account) = in_session(&visit).await?;
    let studies = Some(form.study).filter(|study| !study.is_empty()).into_iter().collect();
    let request = AccessTokenRequest { label: form.label, days: form.days, role: form.role, studies };
    let new = match wanted(request) {
        Ok(new) => within_own(new, caller.principal.granted()),
        Err(words) => return page(&visit, Said { problem: Some(words), ..Said::default() }).await,
    };
    match state.app.control.create_access_token(&actor, tenant, account, new).await {
        Ok(issued) => page(&visit, Said { issued: Some(issued.secret), ..Said::default() }).await,
        Err(error @ (ControlError::InvalidText { .. } | ControlError::InvalidTokenLifetime { .. })) => {
            page(&visit, Said { problem: Some(error.to_string()), ..Said::default() }).await
        }
        Err(ControlError::Denied) => Err(visit.refuse(&caller.refuse(&state, "no_grant").await)),
        Err(error) => Err(visit.fail(error)),
    }
}

/// What the forms about the authenticator app send.
#[derive(Deserialize)]
pub(crate) struct CodeForm {
    #[serde(default)]
    code: String,
}

/// `POST /account/second-factor/enrol`: the answer is the page with the secret, which nothing can show again.
pub(crate) async fn enrol(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (actor, tenant, account) = in_session(&visit).await?;
    let enrolled = state.app.control.enrol_second_factor(&actor, tenant, account).await;
    let said = match enrolled {
        Ok(told) => Said { enrolment: Some((told.secret, told.uri)), ..Said::default() },
        Err(error @ ControlError::SecondFactorPresent) => wrong(&error),
        Err(error) => return Err(visit.fail(error)),
    };
    page(&visit, said).await
}

/// `POST /account/second-factor/confirm`: the answer is the page with the recovery codes. What lets somebody in has
/// changed, and so does the session's secret.
pub(crate) async fn confirm(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<CodeForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (actor, tenant, account) = in_session(&visit).await?;
    match state.app.control.confirm_second_factor(&actor, tenant, account, &form.code).await {
        Ok(recovery_codes) => rotated(&visit, Said { recovery_codes, ..Said::default() }).await,
        Err(error @ (ControlError::WrongCode | ControlError::SecondFactorPresent)) => {
            page(&visit, wrong(&error)).await
        }
        Err(ControlError::Denied) => not_there(&visit, "no_second_factor").await,
        Err(error) => Err(visit.fail(error)),
    }
}

/// `POST /account/second-factor/disable`.
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<CodeForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (actor, tenant, account) = in_session(&visit).await?;
    match state.app.control.disable_second_factor(&actor, tenant, account, Some(&form.code)).await {
        Ok(()) => rotated(&visit, Said::default()).await,
        Err(error @ ControlError::WrongCode) => page(&visit, wrong(&error)).await,
        Err(ControlError::Denied) => not_there(&visit, "no_second_factor").await,
        Err(error) => Err(visit.fail(error)),
    }
}

fn wrong(error: &ControlError) -> Said {
    Said { problem: Some(error.to_string()), ..Said::default() }
}

/// Whose account it is, if they are there themselves and not a token of theirs.
async fn in_session(visit: &Visit<'_>) -> Result<(Actor, TenantId, AccountId), Response> {
    let principal = &visit.caller.principal;
    if principal.session().is_none() {
        return Err(visit.refuse(&visit.caller.refuse(visit.state, "no_session").await));
    }
    Ok((principal.actor(), principal.tenant(), principal.account()))
}

/// The page, with a new secret for the browser's session.
async fn rotated(visit: &Visit<'_>, said: Said) -> Answer {
    let caller = visit.caller;
    let session = visit.state.app.control.rotate_session(&caller.principal, &caller.trace).await;
    let mut response = page(visit, said).await?;
    match session {
        Ok(session) => set_session(&mut response, &session.secret),
        // A client's session has no secret to change.
        Err(ControlError::Denied) => {}
        Err(error) => return Err(visit.fail(error)),
    }
    Ok(response)
}

/// `POST /account/tokens/{token}/revoke`.
pub(crate) async fn revoke_token(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(token): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let principal = &visit.caller.principal;
    let Ok(token) = token.parse() else { return not_there(&visit, "no_such_token").await };
    let actor = principal.actor();
    let revoked = state.app.control.revoke_access_token(&actor, principal.tenant(), token).await;
    back(&visit, revoked, "no_such_token").await
}

/// `POST /account/sessions/{session}/end`.
pub(crate) async fn end_session(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(session): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let principal = &visit.caller.principal;
    let Ok(session) = session.parse() else { return not_there(&visit, "no_such_session").await };
    let actor = principal.actor();
    let ended = state.app.control.end_session(&actor, principal.tenant(), session).await;
    back(&visit, ended, "no_such_session").await
}

async fn back(visit: &Visit<'_>, done: Result<(), ControlError>, reason: &str) -> Answer {
    match done {
        Ok(()) => Ok(Redirect::to(link::ACCOUNT).into_response()),
        Err(ControlError::Denied) => not_there(visit, reason).await,
        Err(error) => Err(visit.fail(error)),
    }
}

pub(super) async fn not_there(visit: &Visit<'_>, reason: &str) -> Result<Response, Response> {
    Err(visit.refuse(&visit.caller.refuse(visit.state, reason).await))
}

pub(super) fn token_line(token: &AccessToken, now_unix_s: i64) -> TokenLine {
    let ended = token.ends_at.timestamp() <= now_unix_s;
    let state = match token.revoked_at {
        Some(_) => "revoked",
        None if ended => "ended",
        None => "in use",
    };
    let studies =
        token.grants.iter().map(|grant| grant.study.as_ref().map_or("all studies", StudyId::as_str));
    let studies = studies.collect::<Vec<_>>().join(", ");
    let build = token.grants.iter().any(|grant| grant.role == Role::DataEngineer);
    let scope = match (token.grants.is_empty(), build) {
        (true, _) => "whatever its owner may".to_owned(),
        (false, true) => format!("read and build: {studies}"),
        (false, false) => format!("read: {studies}"),
    };
    TokenLine {
        id: token.id.to_string(),
        label: token.label.clone(),
        scope,
        ends_unix_s: token.ends_at.timestamp(),
        used_unix_s: token.last_used_at.map(|at| at.timestamp()),
        state: state.to_owned(),
        is_live: token.revoked_at.is_none() && !ended,
    }
}

fn session_line(session: &Session, is_this: bool) -> SessionLine {
    SessionLine {
        id: session.id.to_string(),
        kind: if session.is_browser { "browser" } else { "client" }.to_owned(),
        method: session.method.clone(),
        started_unix_s: session.started_at.timestamp(),
        used_unix_s: session.last_used_at.timestamp(),
        is_this,
    }
}
