//! Signing in and out with a browser.

use std::net::IpAddr;

use axum::Extension;
use axum::Form;
use axum::extract::{Query, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use control::{ControlError, Credentials, GovernedError, TraceId};
use frontend::view::{LoginState, LoginView};
use serde::Deserialize;

use super::{frame_for_nobody, html};
use crate::error::Failure;
use crate::http::State;
use crate::http::caller::{Reader, SESSION, cookie};
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::request::Traced;
use crate::http::theme::own_path;

/// Why the form is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    next: String,
    expired: Option<String>,
    disabled: Option<String>,
    signed_out: Option<String>,
}

/// `GET /login`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let word = match (&asked.disabled, &asked.expired, &asked.signed_out) {
        (Some(_), _, _) => LoginState::OrganisationDisabled,
        (_, Some(_), _) => LoginState::Expired,
        (_, _, Some(_)) => LoginState::SignedOut,
        _ => LoginState::Fresh,
    };
    html(frontend::page::login(&view(&state, &headers, &asked.next, "", word)))
}

pub(super) fn view(
    state: &State,
    headers: &HeaderMap,
    next: &str,
    email: &str,
    word: LoginState,
) -> LoginView {
    LoginView {
        frame: frame_for_nobody(headers),
        next: own_path(next).to_owned(),
        email: email.to_owned(),
        exposed: is_exposed(headers),
        provider: state.surroundings.provider.as_ref().map(|provider| provider.name().to_owned()),
        state: word,
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    email: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`: sets the session cookie and goes where the reader wanted to go.
pub(crate) async fn sign_in(
    Extract(state): Extract<State>,
    Extension(Traced(trace)): Extension<Traced>,
    headers: HeaderMap,
    Peer(peer): Peer,
    Form(given): Form<LoginForm>,
) -> Response {
    let control = &state.app.control;
    let code = Some(given.code.as_str()).filter(|code| !code.is_empty());
    let credentials = Credentials { code, peer, ..Credentials::new(&given.email, &given.password) };
    match control.sign_in(&credentials, &trace).await {
        Ok(session) => {
            if let Err(error) = leave_earlier_session(&state, &headers, &trace).await {
                return Problem::of(&Failure::from(error), &trace).into_response();
            }
            let mut response = Redirect::to(own_path(&given.next)).into_response();
            set_session(&mut response, &session.secret);
            response
        }
        Err(ControlError::LoginThrottled { seconds }) => {
            let view = view(&state, &headers, &given.next, &given.email, LoginState::Throttled);
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait, html(frontend::page::login(&view))).into_response()
        }
        Err(ControlError::Governed(GovernedError::TenantDisabled)) => {
            let word = LoginState::OrganisationDisabled;
            let view = view(&state, &headers, &given.next, &given.email, word);
            (StatusCode::UNAUTHORIZED, html(frontend::page::login(&view))).into_response()
        }
        Err(ControlError::LoginRefused) => {
            let view = view(&state, &headers, &given.next, &given.email, LoginState::Refused);
            (StatusCode::UNAUTHORIZED, html(frontend::page::login(&view))).into_response()
        }
        Err(error) => {
            super::problem_page(&Problem::of(&Failure::from(error), &trace), frame_for_nobody(&headers))
        }
    }
}

/// `POST /logout`: the session is of no use any more, and the cookie goes.
pub(crate) async fn sign_out(Extract(state): Extract<State>, Reader(caller): Reader) -> Response {
    if let Err(error) = state.app.control.logout(&caller.principal, &caller.trace).await {
        return caller.problem(error).into_response();
    }
    let mut response = Redirect::to("/login?signed_out=1").into_response();
    let gone = HeaderValue::from_static(
        "__Host-cairn-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    );
    response.headers_mut().append(header::SET_COOKIE, gone);
    response
}

/// Whoever signs in leaves the session that their browser had.
pub(super) async fn leave_earlier_session(
    state: &State,
    headers: &HeaderMap,
    trace: &TraceId,
) -> Result<(), ControlError> {
    let control = &state.app.control;
    let Some(earlier) = cookie(headers, SESSION) else { return Ok(()) };
    match control.authenticate_session(&earlier).await {
        Ok(principal) => control.logout(&principal, trace).await,
        Err(_) => Ok(()),
    }
}

/// Gives the browser its session. It forgets it when it closes, and the server before that.
pub(crate) fn set_session(response: &mut Response, secret: &str) {
    let cookie = format!("{SESSION}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Whether the reader's browser will not keep the session: it came neither over TLS nor from its own machine. Browsers
/// say where a request came from (`Sec-Fetch-Site`) only to servers that they trust so far.
fn is_exposed(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = text("host");
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let own = name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let trusted = headers.contains_key("sec-fetch-site") || text("x-forwarded-proto") == "https";
    !own && !trusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_exposed(sent: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        assert_eq!(is_exposed(&headers), expected, "{sent:?}");
    }

    #[test]
    fn a_browser_keeps_the_session_over_tls_and_on_its_own_machine_alone() {
        check_exposed(&[("host", "localhost:8480")], false);
        check_exposed(&[("host", "127.0.0.1:8480")], false);
        check_exposed(&[("host", "[::1]:8480")], false);
        check_exposed(&[("host", "cairn.example")], true);
        check_exposed(&[("host", "192.0.2.7:8480")], true);
        check_exposed(&[("host", "localhost.example")], true);
        check_exposed(&[("host", "cairn.example"), ("x-forwarded-proto", "https")], false);
        check_exposed(&[("host", "cairn.example"), ("sec-fetch-site", "none")], false);
    }
}
