//! What every request has: a trace id, a log line, counters, and headers that keep a browser safe.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use control::TraceId;
use tracing::info;

use super::State;
use super::edge::Whose;
use super::problem::{Kind, Problem};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The trace of a request, as handlers find it.
#[derive(Debug, Clone)]
pub(crate) struct Traced(pub(crate) TraceId);

/// Gives the request a trace id, logs and counts it, and sets the headers of the answer.
pub(crate) async fn observe(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let Some(trace) = trace_of(request.headers()) else {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    request.extensions_mut().insert(Traced(trace.clone()));
    let whose = Whose::default();
    request.extensions_mut().insert(whose.clone());
    let method = request.method().clone();
    // The route, not the address: an address may name a subject.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let mut response = next.run(request).await;
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let tenant = whose.0.get().map(|known| known.tenant.to_string()).unwrap_or_default();
    info!(trace_id = %trace, tenant_id = tenant, http.method = %method, http.route = route, http.status = status, seconds, "request");
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(seconds);
    set_headers(response.headers_mut(), &trace);
    if let Some(known) = whose.0.get() {
        state.edge.announce(response.headers_mut(), known);
    }
    response
}

/// The caller's trace id from `traceparent`, else a new one.
fn trace_of(headers: &HeaderMap) -> Option<TraceId> {
    let sent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split('-').nth(1)).and_then(|id| id.parse().ok());
    sent.or_else(|| TraceId::random().ok())
}

fn set_headers(headers: &mut HeaderMap, trace: &TraceId) {
    let fixed = [
        ("content-security-policy", POLICY),
        ("strict-transport-security", "max-age=63072000"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a tenant sees is kept by nobody but the reader's eyes; assets say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(trace) = HeaderValue::from_str(trace.as_str()) {
        headers.insert("x-trace-id", trace);
    }
}

/// Refuses what another site makes a browser post, be it with the reader's cookie or to sign the reader in. A browser
/// says where a form came from; who says nothing, and brings no token of an API client, is refused too.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign_site = text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let host = text("host").or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str));
    let foreign_origin = text("origin").is_some_and(|origin| origin.split("://").nth(1) != host);
    let is_page = !request.uri().path().starts_with("/api/");
    let is_browser =
        is_page || (headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION));
    let silent = is_browser && text("sec-fetch-site").is_none() && text("origin").is_none();
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if changes && (foreign_site || foreign_origin || silent) {
        let trace = request
            .extensions()
            .get::<Traced>()
            .map(|traced| traced.0.clone())
            .or_else(|| TraceId::random().ok());
        return trace.map_or_else(
            || axum::http::StatusCode::FORBIDDEN.into_response(),
            |trace| Problem::new(Kind::CrossSite, "The origin is not this server.", &trace).into_response(),
        );
    }
    next.run(request).await
}
