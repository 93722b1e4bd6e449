//! The published snapshots of a study.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::Paging;
use crate::http::etag::Tag;
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
    get, path = "/api/v1/studies/{study}/snapshots", tag = "studies", params(("study" = String, Path), crate::http::openapi::PageParams,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the list that you have")),
    responses((status = 200, body = Vec<SnapshotAnswer>), (status = 304, description = "You have it already"), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scope = caller.read(&state, &study).await?;
    let rows = state.app.control.snapshots(&scope).await.map_err(|error| caller.problem(error))?;
    if rows.is_empty() {
        return Err(caller.refuse(&state, "no_snapshot").await);
    }
    let newest = rows.first().map(|row| row.id.to_string()).unwrap_or_default();
    let built = rows.iter().filter(|row| row.has_marts).count();
    let tag = Tag::of(&[&newest, &rows.len().to_string(), &built.to_string(), &uri.to_string()]);
    let page = Paging::of(&caller, &uri)?.cut(&caller, rows, |row| row.id.to_string())?;
    if let Some(unchanged) = tag.unchanged(&headers) {
        return Ok(unchanged);
    }
    let page = page.map(|row| SnapshotAnswer {
        snapshot: row.id.to_string(),
        published_at: row.published_at.to_rfc3339(),
        replaces: row.replaces.map(|id| id.to_string()),
        has_marts: row.has_marts,
    });
    Ok(tag.on(page.into_response()))
}
