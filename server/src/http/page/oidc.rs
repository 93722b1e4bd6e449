//! Signing in through an identity provider: there with a question, and back with its answer.

use axum::Extension;
use axum::extract::{OriginalUri, Query, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use control::{Attempt, CarriedAttempt, ControlError, GovernedError, Identity, TraceId};
use frontend::view::LoginState;
use serde::Deserialize;

use super::login::{leave_earlier_session, set_session, view};
use super::{frame_for_nobody, html, problem_page, signatures};
use crate::error::Failure;
use crate::http::State;
use crate::http::caller::cookie;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::request::Traced;
use crate::http::theme::own_path;
use crate::oidc::{Provider, Returned, SignInError};

/// The cookie that an attempt travels in. It has to come along when the provider sends the browser back, so that it is
/// not `Strict` as the session's is.
const ATTEMPT: &str = "__Host-cairn-attempt";
const FLAGS: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Where the reader wants to go afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    next: String,
}

/// `GET /login/oidc`: to the provider.
pub(crate) async fn begin(
    Extract(state): Extract<State>,
    Extension(Traced(trace)): Extension<Traced>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(provider) = &state.surroundings.provider else { return no_provider(&headers, &trace) };
    let carried = match state.app.control.begin_oidc(own_path(&asked.next)) {
        Ok(carried) => carried,
        Err(error) => return failed(&headers, &trace, error),
    };
    match provider.authorization_url(&carried.attempt, state.app.clock.now()).await {
        Ok(address) => away(&address, &carried),
        Err(error) => {
            tracing::error!(trace_id = %trace, %error, "the identity provider cannot be used");
            said(&state, &headers, StatusCode::BAD_GATEWAY, LoginState::ProviderAway)
        }
    }
}

/// To the provider, with the attempt in a cookie.
pub(super) fn away(address: &str, carried: &CarriedAttempt) -> Response {
    let mut response = Redirect::to(address).into_response();
    set(&mut response, &format!("{ATTEMPT}={}; {FLAGS}; Max-Age=600", carried.cookie));
    response
}

/// `GET /login/oidc/callback`: back from the provider. Whatever is wrong with what the browser brings, the answer is one
/// and the same; the ledger has the reason.
pub(crate) async fn callback(
    Extract(state): Extract<State>,
    Extension(Traced(trace)): Extension<Traced>,
    Peer(peer): Peer,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Response {
    let Some(provider) = &state.surroundings.provider else { return no_provider(&headers, &trace) };
    let control = &state.app.control;
    let (identity, attempt) =
        match returned(&state, provider, &headers, uri.query().unwrap_or_default()).await {
            Ok(Ok(found)) => found,
            Ok(Err(SignInError::Refused(reason))) => {
                if let Err(error) = control.refuse_oidc(reason, None, &trace).await {
                    return failed(&headers, &trace, error);
                }
                return said(&state, &headers, StatusCode::UNAUTHORIZED, LoginState::ProviderRefused);
            }
            Ok(Err(error @ SignInError::Unavailable(_))) => {
                tracing::error!(trace_id = %trace, %error, "the identity provider cannot be used");
                return said(&state, &headers, StatusCode::BAD_GATEWAY, LoginState::ProviderAway);
            }
            Err(error) => return failed(&headers, &trace, error),
        };
    if let Some(signing) = &attempt.signing {
        let mut response = signatures::finish(&state, &headers, (signing, &identity), &trace).await;
        forget(&mut response);
        return response;
    }
    match control.sign_in_identity(&identity, peer, &trace).await {
        Ok(session) => {
            if let Err(error) = leave_earlier_session(&state, &headers, &trace).await {
                return failed(&headers, &trace, error);
            }
            let mut response =
                html(frontend::page::signed_in(&frame_for_nobody(&headers), own_path(&attempt.next)));
            set_session(&mut response, &session.secret);
            forget(&mut response);
            response
        }
        Err(ControlError::UnknownIdentity) => {
            said(&state, &headers, StatusCode::FORBIDDEN, LoginState::NoAccount)
        }
        Err(ControlError::Governed(GovernedError::TenantDisabled)) => {
            said(&state, &headers, StatusCode::FORBIDDEN, LoginState::OrganisationDisabled)
        }
        Err(error) => failed(&headers, &trace, error),
    }
}

type Found = (Identity, Attempt);

async fn returned(
    state: &State,
    provider: &Provider,
    headers: &HeaderMap,
    query: &str,
) -> Result<Result<Found, SignInError>, ControlError> {
    let carried = cookie(headers, ATTEMPT).unwrap_or_default();
    let Some(attempt) = state.app.control.carried_oidc(&carried)? else {
        return Ok(Err(SignInError::Refused("no_attempt")));
    };
    let Some(returned) = Returned::parse(query) else {
        return Ok(Err(SignInError::Refused("query")));
    };
    let identity = provider.identity(&returned, &attempt, state.app.clock.now()).await;
    Ok(identity.map(|identity| (identity, attempt)))
}

/// The login page with a word on what happened; the attempt is over.
fn said(state: &State, headers: &HeaderMap, status: StatusCode, word: LoginState) -> Response {
    let page = html(frontend::page::login(&view(state, headers, "", "", word)));
    let mut response = (status, page).into_response();
    forget(&mut response);
    response
}

fn no_provider(headers: &HeaderMap, trace: &TraceId) -> Response {
    let problem = Problem::new(
        crate::http::problem::Kind::NotThere,
        "No identity provider is set up for this server.",
        trace,
    );
    problem_page(&problem, frame_for_nobody(headers))
}

fn failed(headers: &HeaderMap, trace: &TraceId, error: ControlError) -> Response {
    problem_page(&Problem::of(&Failure::from(error), trace), frame_for_nobody(headers))
}

fn forget(response: &mut Response) {
    set(response, &format!("{ATTEMPT}=; {FLAGS}; Max-Age=0"));
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
