//! Dashboards and REST. Read [`doors`] first: every route with who may use it and which events it writes.
//! A route can only be added together with its door.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;

pub mod doors;
pub mod openapi;
pub mod problem;

mod api;
mod asset;
mod caller;
mod health;
mod page;
mod request;
mod rest_of_body;
mod theme;

/// What the server tells of itself on its pages.
#[derive(Debug, Clone, Copy)]
pub struct Announced {
    /// Where Arrow Flight is.
    pub flight: SocketAddr,
}

/// What every handler has.
#[derive(Debug, Clone)]
pub struct State {
    /// The program.
    pub app: App,
    /// What it tells of itself.
    pub announced: Announced,
    /// The counters of `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

/// Nobody has to send more: the largest body is a login.
const BODY_BYTES: usize = 64 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Every route, behind the layers that all of them need.
pub fn router(app: App, announced: Announced) -> Router {
    let state = State { app, announced, metrics: crate::telemetry::start_metrics() };
    let mut router = Router::new();
    for (door, handler) in doors::routes() {
        router = router.route(door.path, handler);
    }
    router
        .fallback(page::not_found)
        .layer(middleware::from_fn(request::same_origin))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIME_LIMIT))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(request::observe))
        .layer(middleware::from_fn(rest_of_body::hear_out))
        .with_state(state)
}
