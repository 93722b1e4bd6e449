//! The header `Idempotency-Key`: a request that carries one may be sent again, and is done once. Read
//! `server/control/src/idempotency.rs` for how that holds.
// Source: draft-ietf-httpapi-idempotency-key-header-07.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, OriginalUri, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{KeyedRequest, KnownKey, StoredAnswer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::State;
use super::caller::Caller;
use super::problem::{Kind, Problem};
use crate::error::Failure;

/// How long a request waits for the answer of an equal one.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);
/// The longest answer that is kept.
const ANSWER_BYTES: usize = 64 * 1024;

/// A request that changes something: its body, and its key if it has one.
#[derive(Debug)]
pub(crate) struct Once {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl FromRequest<State> for Once {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let uri = request
            .extensions()
            .get::<OriginalUri>()
            .map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let path = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { method, path, headers, body })
    }
}

impl Once {
    /// The body as JSON.
    ///
    /// # Errors
    /// The problem that it is when it is none, or not of the form that is wanted.
    pub(crate) fn json<T: DeserializeOwned>(&self, caller: &Caller) -> Result<T, Problem> {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim_start().starts_with("application/json")) {
            let detail = "Send `Content-Type: application/json`.";
            return Err(Problem::said(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail, &caller.trace));
        }
        let parsed = Json::from_bytes(&self.body);
        let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
        parsed.map(|Json(parsed)| parsed).map_err(|rejected| bad(rejected.body_text()))
    }

    /// Does what the request asks for, unless an equal one was done before; then its answer is given again.
    ///
    /// # Errors
    /// That of the work; 400 for a key that cannot be one, 422 for one that another request named, and 409 when an equal
    /// request is not answered in time.
    pub(crate) async fn run(
        &self,
        state: &State,
        caller: &Caller,
        work: impl Future<Output = Result<Response, Problem>>,
    ) -> Result<Response, Problem> {
        let Some(key) = key(&self.headers, caller)? else { return work.await };
        let control = &state.app.control;
        let whose = (caller.principal.tenant(), caller.principal.account());
        let body = without_secrets(&self.body);
        let told = (self.method.as_str(), self.path.as_str(), &*body);
        let request = KeyedRequest::new(whose, &key, told).map_err(|error| caller.problem(error))?;
        match control.find_key(&request).await.map_err(|error| caller.problem(error))? {
            KnownKey::Unused => {}
            KnownKey::Answered(answer) => return Ok(again(answer)),
            KnownKey::Open => return wait(state, caller, &request).await,
            KnownKey::Other => return Err(reused(caller)),
        }
        match control.do_once(&request, work).await {
            Err(problem) if problem.is(Kind::InFlight) => wait(state, caller, &request).await,
            Err(problem) => Err(problem),
            Ok(response) => keep(state, caller, &request, response).await,
        }
    }
}

/// A body as it is compared with that of a later request: a password is left out, since what is kept for the comparison
/// would let somebody who has it try passwords.
fn without_secrets(body: &[u8]) -> Vec<u8> {
    let parsed = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
    let Ok(mut fields) = parsed else { return body.to_vec() };
    if fields.remove("password").is_none() {
        return body.to_vec();
    }
    serde_json::to_vec(&fields).unwrap_or_else(|_| body.to_vec())
}

/// The key of a request.
fn key(headers: &HeaderMap, caller: &Caller) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let (Some(key), others) = (keys.next(), keys.next()) else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    let is_good = !key.is_empty() && key.len() <= 128 && key.bytes().all(|byte| byte.is_ascii_graphic());
    if others.is_some() || !is_good {
        let detail = "Send one header `Idempotency-Key` with 1 to 128 visible ASCII letters.";
        return Err(Problem::new(Kind::BadRequest, detail, &caller.trace));
    }
    Ok(Some(key.to_owned()))
}

fn reused(caller: &Caller) -> Problem {
    let detail = "The key was sent with another request: another route or another body.";
    Problem::new(Kind::KeyReused, detail, &caller.trace)
}

/// Waits for the answer of an equal request.
async fn wait(state: &State, caller: &Caller, request: &KeyedRequest) -> Result<Response, Problem> {
    let began = tokio::time::Instant::now();
    loop {
        match state.app.control.find_key(request).await.map_err(|error| caller.problem(error))? {
            KnownKey::Answered(answer) => return Ok(again(answer)),
            KnownKey::Other => return Err(reused(caller)),
            KnownKey::Unused | KnownKey::Open if began.elapsed() < WAIT => tokio::time::sleep(LOOK).await,
            KnownKey::Unused | KnownKey::Open => {
                let detail = "An equal request is being answered, or was done and its answer was lost.";
                let problem = Problem::new(Kind::InFlight, detail, &caller.trace);
                return Err(problem.retry_after(Duration::from_secs(1)));
            }
        }
    }
}

/// The body of an answer as it may be kept, where the answer itself shows a secret once.
#[derive(Debug, Clone)]
struct Keepable(String);

/// An answer with a secret: it is sent in whole, and kept for requests that are sent again as `without` leaves it.
pub(crate) fn shown_once<T: Serialize>(
    status: StatusCode,
    answer: T,
    without: impl FnOnce(T) -> T,
) -> Response {
    let mut response = (status, Json(&answer)).into_response();
    let kept = serde_json::to_string(&without(answer)).unwrap_or_default();
    response.extensions_mut().insert(Keepable(kept));
    response
}

/// Keeps the answer of a request that was done.
async fn keep(
    state: &State,
    caller: &Caller,
    request: &KeyedRequest,
    response: Response,
) -> Result<Response, Problem> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let lost = |error: axum::Error| caller.problem(Failure::Lost(error.to_string()));
    let body = to_bytes(body, ANSWER_BYTES).await.map_err(lost)?;
    let answer = StoredAnswer {
        status: parts.status.as_u16(),
        location: parts.headers.get(header::LOCATION).and_then(|at| at.to_str().ok()).map(str::to_owned),
        body: match parts.extensions.get::<Keepable>() {
            Some(Keepable(body)) => body.clone(),
            None => String::from_utf8_lossy(&body).into_owned(),
        },
    };
    // What was done is done: without its answer an equal request is told so.
    if let Err(error) = state.app.control.keep_answer(request, &answer).await {
        tracing::warn!(trace_id = %caller.trace, error = Failure::from(error).chain(), "an answer could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// An answer that was given before.
fn again(answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        headers.insert(header::LOCATION, location);
    }
    response
}
