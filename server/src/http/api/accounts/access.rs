//! What lets an account in: its sessions and its tokens, and ending them.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use control::{AccessToken, ControlError, Session};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Asked, ReasonFields, asked, problem, reason, text};
use crate::http::State;
use crate::http::api::access_tokens::{AccessTokenAnswer, answer as token_answer};
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// A session that lets its account in at present.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    /// Its id, which opens nothing.
    pub(crate) session: String,
    /// Whose it is.
    pub(crate) account: String,
    /// `browser` or `client`.
    pub(crate) kind: String,
    /// How its holder proved who they are.
    pub(crate) method: String,
    /// When it began, in RFC 3339.
    pub(crate) started_at: String,
    /// When it was last used, give or take half a minute.
    pub(crate) last_used_at: String,
    /// When it ends at the latest.
    pub(crate) ends_at: String,
}

impl From<Session> for SessionAnswer {
    fn from(session: Session) -> Self {
        Self {
            session: session.id.to_string(),
            account: session.account.to_string(),
            kind: if session.is_browser { "browser" } else { "client" }.to_owned(),
            method: session.method,
            started_at: text(session.started_at),
            last_used_at: text(session.last_used_at),
            ends_at: text(session.ends_at),
        }
    }
}

/// The sessions that let an account in at present, newest first.
#[utoipa::path(
    get, path = "/api/v1/accounts/{account}/sessions", tag = "accounts",
    params(("account" = String, Path), crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<SessionAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn sessions(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<SessionAnswer>, Problem> {
    let asked = asked(&state, &caller, &account).await?;
    let paging = Paging::of(&caller, &uri)?;
    let mut sessions = sessions_of(&state, &asked).await?;
    sessions.retain(|session| session.is_live(state.app.clock.now()));
    Ok(paging.cut(&caller, sessions, |session| session.id.to_string())?.map(SessionAnswer::from))
}

/// End every session of an account, with the tokens that were made from them. Tokens that it keeps stay.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/sessions/end", tag = "accounts",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 204, description = "They have ended"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn end_sessions(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let asked = asked(&state, &caller, &account).await?;
        let reason = reason(&once, &caller)?;
        let tenant = caller.principal.tenant();
        let ended = state.app.control.end_sessions(asked.order(&reason), tenant, asked.found.id).await;
        done(&state, &caller, ended.map(drop)).await
    };
    once.run(&state, &caller, work).await
}

/// End one session of an account. Ending it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/sessions/{session}/end", tag = "accounts",
    params(("account" = String, Path), ("session" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 204, description = "It has ended"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn end_session(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((account, session)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let asked = asked(&state, &caller, &account).await?;
        let own = sessions_of(&state, &asked).await?;
        let Some(session) = own.iter().find(|own| own.id.to_string() == session) else {
            return Err(caller.refuse(&state, "no_such_session").await);
        };
        let reason = reason(&once, &caller)?;
        let tenant = caller.principal.tenant();
        let ended = state.app.control.end_session(asked.order(&reason), tenant, session.id).await;
        done(&state, &caller, ended).await
    };
    once.run(&state, &caller, work).await
}

/// The tokens that an account keeps, newest first.
#[utoipa::path(
    get, path = "/api/v1/accounts/{account}/access-tokens", tag = "accounts",
    params(("account" = String, Path), crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<AccessTokenAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn tokens(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(account): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<AccessTokenAnswer>, Problem> {
    let asked = asked(&state, &caller, &account).await?;
    let paging = Paging::of(&caller, &uri)?;
    let tokens = tokens_of(&state, &asked).await?;
    Ok(paging.cut(&caller, tokens, |token| token.id.to_string())?.map(|token| token_answer(&token)))
}

/// Revoke a token of an account; it opens nothing from now on. Revoking it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/accounts/{account}/access-tokens/{token}/revoke", tag = "accounts",
    params(("account" = String, Path), ("token" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReasonFields,
    responses((status = 204, description = "It is of no use any more"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn revoke_token(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((account, token)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let asked = asked(&state, &caller, &account).await?;
        let own = tokens_of(&state, &asked).await?;
        let Some(token) = own.iter().find(|own| own.id.to_string() == token) else {
            return Err(caller.refuse(&state, "no_such_token").await);
        };
        let reason = reason(&once, &caller)?;
        let tenant = caller.principal.tenant();
        let revoked = state.app.control.revoke_access_token(asked.order(&reason), tenant, token.id).await;
        done(&state, &caller, revoked).await
    };
    once.run(&state, &caller, work).await
}

/// Every session of an account, newest first; ended ones too.
async fn sessions_of(state: &State, asked: &Asked<'_>) -> Result<Vec<Session>, Problem> {
    let (caller, own) = (asked.caller, Some(asked.found.id));
    let sessions = state.app.control.sessions(&asked.actor, caller.principal.tenant(), own).await;
    sessions.map_err(|error| caller.problem(error))
}

/// Every token that an account keeps, newest first; ended ones too.
async fn tokens_of(state: &State, asked: &Asked<'_>) -> Result<Vec<AccessToken>, Problem> {
    let (caller, own) = (asked.caller, Some(asked.found.id));
    let tokens = state.app.control.access_tokens(&asked.actor, caller.principal.tenant(), own).await;
    tokens.map_err(|error| caller.problem(error))
}

async fn done(
    state: &State,
    caller: &Caller,
    outcome: Result<(), ControlError>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
