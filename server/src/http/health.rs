//! Whether the program lives, whether it can answer, and how it fares.

use axum::extract::State as Extract;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::State;

/// `GET /healthz`: the process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the control plane answers too, and the program does not end.
pub(crate) async fn readyz(Extract(state): Extract<State>) -> impl IntoResponse {
    if *state.announced.stopping.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the program is ending\n");
    }
    match state.app.control.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "the control plane does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the control plane does not answer\n")
        }
    }
}

/// `GET /metrics`: counters in the text form of Prometheus. They name routes, never tenants.
pub(crate) async fn metrics(Extract(state): Extract<State>) -> impl IntoResponse {
    let text = state.metrics.map(|metrics| metrics.render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
