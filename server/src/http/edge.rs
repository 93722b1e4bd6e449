//! What the server allows at its edge: how much work at a time, how many requests of one tenant, how long an answer
//! may take. What is beyond is refused at once, with a word on when to come back, so that one noisy tenant costs
//! the others nothing and a flood costs no memory.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use control::TraceId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use kernel::TenantId;
use tokio::sync::Semaphore;

use super::State;
use super::problem::{Kind, Problem};
use super::request::Traced;

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Requests at a time, of all tenants; further ones are refused.
    pub at_a_time: usize,
    /// Requests a second of one tenant, in the long run.
    pub per_second: NonZeroU32,
    /// Requests of one tenant at once, after a rest.
    pub burst: NonZeroU32,
    /// How long an answer may take to begin.
    pub time: Duration,
}

impl Default for Allowance {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("it is not zero");
        const BURST: NonZeroU32 = NonZeroU32::new(1000).expect("it is not zero");
        Self { at_a_time: 256, per_second: PER_SECOND, burst: BURST, time: Duration::from_secs(60) }
    }
}

type TenantLimiter =
    RateLimiter<TenantId, DefaultKeyedStateStore<TenantId>, DefaultClock, StateInformationMiddleware>;

/// The edge of one server. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    allowance: Allowance,
    turns: Arc<Semaphore>,
    tenants: Arc<TenantLimiter>,
}

impl Edge {
    pub(crate) fn new(allowance: Allowance) -> Self {
        let quota = Quota::per_second(allowance.per_second).allow_burst(allowance.burst);
        Self {
            allowance,
            turns: Arc::new(Semaphore::new(allowance.at_a_time)),
            tenants: Arc::new(RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>()),
        }
    }

    /// What is allowed.
    pub(crate) const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Counts one request of a tenant.
    ///
    /// # Errors
    /// When the tenant has sent more than it may.
    pub(crate) fn count(&self, tenant: TenantId, trace: &TraceId) -> Result<Known, Problem> {
        match self.tenants.check_key(&tenant) {
            Ok(state) => Ok(Known { tenant, remaining: state.remaining_burst_capacity() }),
            Err(not_until) => {
                metrics::counter!("http_requests_refused_total", "reason" => "tenant_quota").increment(1);
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let detail = format!(
                    "Your organisation may send {} requests a second, and {} at once after a rest.",
                    self.allowance.per_second, self.allowance.burst
                );
                Err(Problem::new(Kind::TooMany, detail, trace).retry_after(wait))
            }
        }
    }

    /// Says in the headers of an answer what is allowed and what is left.
    pub(crate) fn announce(&self, headers: &mut HeaderMap, known: &Known) {
        let (burst, per_second) = (self.allowance.burst.get(), self.allowance.per_second.get());
        let window = burst.div_ceil(per_second);
        let said = [
            ("ratelimit-policy", format!("\"tenant\";q={burst};w={window}")),
            ("ratelimit", format!("\"tenant\";r={};t={window}", known.remaining)),
        ];
        for (name, value) in said {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whose request it is, and how many more the tenant may send at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) tenant: TenantId,
    remaining: u32,
}

/// Where the caller is written once it is proved, for the log line and the headers of the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whose(pub(crate) Arc<OnceLock<Known>>);

/// Lets in as many requests at a time as the server can work on. The probes always get an answer.
pub(crate) async fn take_turns(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics") {
        return next.run(request).await;
    }
    let Ok(_turn) = state.edge.turns.try_acquire() else {
        metrics::counter!("http_requests_refused_total", "reason" => "overload").increment(1);
        return refusal(&request, Kind::Overloaded, "More requests came at once than the server works on.");
    };
    next.run(request).await
}

/// Ends what takes too long.
pub(crate) async fn in_time(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    let late = refusal(&request, Kind::TooLate, "The answer did not begin in time.");
    tokio::time::timeout(state.edge.allowance.time, next.run(request)).await.unwrap_or(late)
}

/// Makes a problem of what was refused before a handler saw it: a body that is no JSON, a path that is no number.
pub(crate) async fn in_words(request: Request, next: Next) -> Response {
    const WORDS: usize = 4 * 1024;
    let is_api = request.uri().path().starts_with("/api/");
    let trace = trace_of(&request);
    let response = next.run(request).await;
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let (true, Some(trace)) = (is_api && is_plain && response.status().is_client_error(), trace) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, WORDS).await.unwrap_or_default();
    let problem = Problem::said(parts.status, &String::from_utf8_lossy(&said), &trace).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let mut answer = problem;
    for (name, value) in &parts.headers {
        answer.headers_mut().entry(name.clone()).or_insert(value.clone());
    }
    answer
}

fn trace_of(request: &Request) -> Option<TraceId> {
    request.extensions().get::<Traced>().map(|traced| traced.0.clone())
}

fn refusal(request: &Request, kind: Kind, detail: &str) -> Response {
    trace_of(request).or_else(|| TraceId::random().ok()).map_or_else(
        || axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
        |trace| Problem::new(kind, detail, &trace).retry_after(Duration::from_secs(1)).into_response(),
    )
}
