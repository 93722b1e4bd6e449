//! The published snapshots of a study.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// A snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SnapshotAnswer {
    /// Its id.
    pub(crate) snapshot: String,
    /// When it was published, in RFC 3339.
    pub(crate) published_at: String,
    /// The snapshot it replaced.
    pub(crate) replaces: Option<String>,
    /// Whether its derived tables are built.
    pub(crate) has_marts: bool,
}

/// The snapshots of a study, newest first.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/snapshots", tag = "studies", params(("study" = String, Path)),
    responses((status = 200, body = Vec<SnapshotAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
) -> Result<Json<Vec<SnapshotAnswer>>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let rows = state.app.control.snapshots(&scope).await.map_err(|error| caller.problem(error))?;
    if rows.is_empty() {
        return Err(caller.refuse(&state, "no_snapshot").await);
    }
    let answer = rows.into_iter().map(|row| SnapshotAnswer {
        snapshot: row.id.to_string(),
        published_at: row.published_at.to_rfc3339(),
        replaces: row.replaces.map(|id| id.to_string()),
        has_marts: row.has_marts,
    });
    Ok(Json(answer.collect()))
}
