//! Dashboards and REST. Read [`doors`] first: every route with who may use it and which events it writes.
//! A route can only be added together with its door.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::oidc::Provider;

pub use edge::Allowance;

pub mod doors;
pub mod openapi;
pub mod problem;

mod api;
mod asset;
mod caller;
mod cursor;
mod edge;
mod etag;
mod health;
mod idempotency;
mod jwks;
mod page;
mod peer;
mod request;
mod rest_of_body;
mod theme;

/// What the server tells of itself on its pages.
#[derive(Debug, Clone)]
pub struct Announced {
    /// Where Arrow Flight is.
    pub flight: SocketAddr,
    /// What the addresses of this door and of Flight's begin with.
    pub schemes: (&'static str, &'static str),
    /// Turns true when the program is asked to end.
    pub stopping: watch::Receiver<bool>,
}

/// What the server was told of the network around it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Proxies in front of it, whose word on where a request comes from is believed.
    pub proxies: Arc<[IpAddr]>,
    /// Who vouches for people besides their passwords.
    pub provider: Option<Provider>,
}

/// What every handler has.
#[derive(Debug, Clone)]
pub struct State {
    /// The program.
    pub app: App,
    /// What it tells of itself.
    pub announced: Announced,
    /// What is around it.
    pub surroundings: Surroundings,
    /// The counters of `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// What is allowed.
    pub(crate) edge: edge::Edge,
}

/// Nobody has to send more: the largest body is a login.
const BODY_BYTES: usize = 64 * 1024;

/// Every route, behind the layers that all of them need.
pub fn router(app: App, announced: Announced, surroundings: Surroundings, allowance: Allowance) -> Router {
    let edge = edge::Edge::new(allowance);
    let state = State { app, announced, surroundings, metrics: crate::telemetry::start_metrics(), edge };
    let mut router = Router::new();
    for (door, handler) in doors::routes() {
        router = router.route(door.path, handler);
    }
    router
        .fallback(page::not_found)
        .layer(middleware::from_fn(request::same_origin))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(edge::in_words))
        .layer(middleware::from_fn_with_state(state.clone(), edge::in_time))
        .layer(middleware::from_fn_with_state(state.clone(), edge::take_turns))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(state.clone(), request::observe))
        .layer(middleware::from_fn(rest_of_body::hear_out))
        .with_state(state)
}
