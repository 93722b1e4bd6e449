//! The deliveries of a study.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// Its id.
    pub(crate) batch: String,
    /// The sender's key.
    pub(crate) key: String,
    /// When it was taken in, in RFC 3339.
    pub(crate) committed_at: String,
    /// What the sender was told: files, counts, quarantine.
    pub(crate) receipt: serde_json::Value,
}

/// The deliveries of a study, newest first.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/batches", tag = "studies", params(("study" = String, Path)),
    responses((status = 200, body = Vec<BatchAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
) -> Result<Json<Vec<BatchAnswer>>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let rows = state.app.control.batches(&scope).await.map_err(|error| caller.problem(error))?;
    if rows.is_empty() {
        return Err(caller.refuse(&state, "no_batch").await);
    }
    let answer = rows.into_iter().map(|row| BatchAnswer {
        batch: row.batch_id.to_string(),
        key: row.idempotency_key,
        committed_at: row.committed_at.to_rfc3339(),
        receipt: row.receipt,
    });
    Ok(Json(answer.collect()))
}
