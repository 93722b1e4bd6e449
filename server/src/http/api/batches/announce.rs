//! Announcing a delivery.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::DeliveryState;

use super::{DeliveryAnswer, answer};
use crate::error::Failure;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};
use crate::intake::{self, Announcement};

/// Announce a delivery: its files with lengths and BLAKE3 hashes, and how they are to be read. The same key with
/// the same announcement gives the delivery that stands, whatever its state; with another one it is a conflict.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/batches", tag = "deliveries",
    params(("study" = String, Path), ("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII letters")),
    request_body = Announcement,
    responses(
        (status = 201, description = "It is new; send its files", body = DeliveryAnswer),
        (status = 200, description = "It was announced before", body = DeliveryAnswer),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "The key stands for other content", body = Problem)
    )
)]
pub(crate) async fn announce(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    headers: HeaderMap,
    announcement: Result<Json<Announcement>, JsonRejection>,
) -> Result<Response, Problem> {
    let engineer = caller.engineer(&state, &study).await?;
    let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let Json(announcement) = announcement.map_err(|rejected| bad(rejected.body_text()))?;
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > 128 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("Send the header `Idempotency-Key` with 1 to 128 visible ASCII letters.".into()));
    }
    let hash = announcement.manifest_hash().map_err(|failure| caller.problem(failure))?;
    let committed = state.app.control.find_batch(&engineer.scope, key).await;
    if let Some(known) = committed.map_err(|error| caller.problem(error))?
        && known.manifest_hash != hash
    {
        let reused =
            warehouse::Error::KeyReused { key: key.to_owned(), committed: known.manifest_hash, given: hash };
        return Err(caller.problem(Failure::Warehouse(reused)));
    }
    let announced = intake::announce(&state.app, &engineer, key, &announcement).await;
    let (row, is_new) = announced.map_err(|failure| caller.problem(failure))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let place = format!("/api/v1/studies/{}/batches/{}", row.study, row.announced.batch);
    debug_assert!(!is_new || row.state == DeliveryState::Received, "a new delivery has no files yet");
    let body = answer(&state, &engineer, row).await.map_err(|failure| caller.problem(failure))?;
    Ok((status, [(header::LOCATION, place)], Json(body)).into_response())
}
