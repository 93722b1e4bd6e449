//! Sending a part of a file.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State as Extract};
use axum::http::HeaderMap;
use control::DeliveryState;
use serde::Serialize;
use tokio_stream::StreamExt;
use utoipa::ToSchema;

use super::find;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};
use crate::intake;

/// Bytes of one part: what a slow line sends within the time that a request has.
pub(crate) const PART_BYTES: usize = 64 << 20;

/// What is there of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartAnswer {
    /// The file.
    pub(crate) file: String,
    /// Bytes that have been received: where the next part begins.
    pub(crate) received: u64,
    /// Its announced length.
    pub(crate) bytes: u64,
}

/// Send the bytes of a file from `Upload-Offset` on, at most 64 MiB at a time. What arrives is kept even when the
/// line breaks; a part that does not begin where the last one ended is a conflict that names the place.
#[utoipa::path(
    put, path = "/api/v1/studies/{study}/batches/{batch}/files/{name}", tag = "deliveries",
    params(
        ("study" = String, Path), ("batch" = String, Path), ("name" = String, Path),
        ("Upload-Offset" = Option<u64>, Header, description = "Where the part begins; 0 when it is not given")
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = PartAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem)
    )
)]
pub(crate) async fn receive(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, batch, name)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PartAnswer>, Problem> {
    let (engineer, row) = find(&state, &caller, (&study, &batch)).await?;
    if row.state != DeliveryState::Received {
        let detail = format!("The delivery is {} and takes no further files.", row.state.name());
        return Err(Problem::new(Kind::Conflict, detail, &caller.trace));
    }
    let upload = intake::upload(&state.app, &engineer, &row).map_err(|failure| caller.problem(failure))?;
    let Some(position) = upload.position(&name) else {
        return Err(caller.refuse(&state, "no_such_file").await);
    };
    let offset = match headers.get("upload-offset") {
        None => 0,
        Some(text) => text.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Problem::new(Kind::BadRequest, "`Upload-Offset` is not a number of bytes.", &caller.trace)
        })?,
    };
    let mut part = upload.part(position, offset).map_err(|error| caller.problem(error))?;
    let mut chunks = body.into_data_stream();
    let mut taken = 0;
    let mut broken = None;
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            broken =
                Some(Problem::new(Kind::BadRequest, "The line broke before the part ended.", &caller.trace));
            break;
        };
        taken += chunk.len();
        if taken > PART_BYTES {
            let detail =
                format!("A part has at most {PART_BYTES} bytes; go on at the length that was received.");
            broken = Some(Problem::new(Kind::TooLarge, detail, &caller.trace));
            break;
        }
        if let Err(error) = part.append(&chunk) {
            broken = Some(caller.problem(error));
            break;
        }
    }
    let received = part.end().map_err(|error| caller.problem(error))?;
    match broken {
        Some(problem) => Err(problem),
        None => {
            let bytes = upload.files()[position].bytes;
            Ok(Json(PartAnswer { file: name, received, bytes }))
        }
    }
}
