//! Signing in and out with a browser.

use axum::Extension;
use axum::Form;
use axum::extract::{Query, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use control::{Audience, ControlError};
use frontend::view::{LoginState, LoginView};
use serde::Deserialize;

use super::{frame_for_nobody, html};
use crate::error::Failure;
use crate::http::State;
use crate::http::caller::{Reader, SESSION};
use crate::http::problem::Problem;
use crate::http::request::Traced;
use crate::http::theme::own_path;

/// Why the form is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    next: String,
    expired: Option<String>,
    signed_out: Option<String>,
}

/// `GET /login`.
pub(crate) async fn show(headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let state = match (&asked.expired, &asked.signed_out) {
        (Some(_), _) => LoginState::Expired,
        (_, Some(_)) => LoginState::SignedOut,
        _ => LoginState::Fresh,
    };
    html(frontend::page::login(&view(&headers, &asked.next, "", state)))
}

fn view(headers: &HeaderMap, next: &str, email: &str, state: LoginState) -> LoginView {
    LoginView {
        frame: frame_for_nobody(headers),
        next: own_path(next).to_owned(),
        email: email.to_owned(),
        state,
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`: sets the session cookie and goes where the reader wanted to go.
pub(crate) async fn sign_in(
    Extract(state): Extract<State>,
    Extension(Traced(trace)): Extension<Traced>,
    headers: HeaderMap,
    Form(given): Form<Credentials>,
) -> Response {
    match state.app.control.login(&given.email, &given.password, Audience::Http, &trace).await {
        Ok(login) => {
            let mut response = Redirect::to(own_path(&given.next)).into_response();
            set_session(
                &mut response,
                &format!("{SESSION}={}; Path=/; HttpOnly; SameSite=Strict", login.token),
            );
            response
        }
        Err(ControlError::LoginRefused) => {
            let view = view(&headers, &given.next, &given.email, LoginState::Refused);
            (StatusCode::UNAUTHORIZED, html(frontend::page::login(&view))).into_response()
        }
        Err(error) => {
            super::problem_page(&Problem::of(&Failure::from(error), &trace), frame_for_nobody(&headers))
        }
    }
}

/// `POST /logout`: the token is of no use any more, and the cookie goes.
pub(crate) async fn sign_out(Extract(state): Extract<State>, Reader(caller): Reader) -> Response {
    if let Err(error) = state.app.control.logout(&caller.principal, &caller.trace).await {
        return caller.problem(error).into_response();
    }
    let mut response = Redirect::to("/login?signed_out=1").into_response();
    set_session(&mut response, &format!("{SESSION}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"));
    response
}

fn set_session(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
