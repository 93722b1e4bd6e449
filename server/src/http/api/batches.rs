//! The deliveries of a study: those that were taken in, and those that are being sent.

use axum::extract::{OriginalUri, Path, State as Extract};
use control::DeliveryRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::ProgressAnswer;
use crate::error::Result as Outcome;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::Problem;
use crate::intake;
use crate::work::Engineer;

pub(crate) mod announce;
pub(crate) mod commit;
pub(crate) mod part;
pub(crate) mod show;

/// A delivery that was taken in.
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
    get, path = "/api/v1/studies/{study}/batches", tag = "studies", params(("study" = String, Path), crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<BatchAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<BatchAnswer>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let rows = state.app.control.batches(&scope).await.map_err(|error| caller.problem(error))?;
    if rows.is_empty() {
        return Err(caller.refuse(&state, "no_batch").await);
    }
    let page = Paging::of(&caller, &uri)?.cut(&caller, rows, |row| row.batch_id.to_string())?;
    Ok(page.map(|row| BatchAnswer {
        batch: row.batch_id.to_string(),
        key: row.idempotency_key,
        committed_at: row.committed_at.to_rfc3339(),
        receipt: row.receipt,
    }))
}

/// A delivery that is sent over the wire.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryAnswer {
    /// Its id, which becomes that of the batch.
    pub(crate) batch: String,
    /// The sender's key.
    pub(crate) key: String,
    /// `RECEIVED`, `STAGED`, `COMMITTED` or `REJECTED`.
    #[schema(example = "RECEIVED")]
    pub(crate) state: String,
    /// The hash of what was announced.
    pub(crate) manifest_hash: String,
    /// What is there of each file.
    pub(crate) files: Vec<part::PartAnswer>,
    /// The job that takes it in, once it is staged: look there how far it is.
    pub(crate) job: Option<String>,
    /// What is being done, while it is being taken in.
    pub(crate) progress: Option<ProgressAnswer>,
    /// Why it was rejected.
    pub(crate) problem: Option<String>,
    /// What became of it: files, counts, quarantine.
    pub(crate) receipt: Option<serde_json::Value>,
    /// When it was announced, in RFC 3339.
    pub(crate) announced_at: String,
    /// When its state changed, in RFC 3339.
    pub(crate) changed_at: String,
}

/// The delivery of that id, for somebody who builds in the study.
async fn find(
    state: &State,
    caller: &Caller,
    (study, batch): (&str, &str),
) -> Result<(Engineer, DeliveryRow), Problem> {
    let engineer = caller.engineer(state, study).await?;
    let Ok(batch) = batch.parse() else { return Err(caller.refuse(state, "no_such_batch").await) };
    let row = state.app.control.delivery(&engineer.scope, batch).await;
    match row.map_err(|error| caller.problem(error))? {
        Some(row) => Ok((engineer, row)),
        None => Err(caller.refuse(state, "no_such_batch").await),
    }
}

async fn answer(state: &State, engineer: &Engineer, row: DeliveryRow) -> Outcome<DeliveryAnswer> {
    let upload = intake::upload(&state.app, engineer, &row)?;
    let batch = state.app.control.find_batch(&engineer.scope, &row.announced.idempotency_key).await?;
    let has_ended = batch.is_some();
    let files = upload.files().iter().enumerate().map(|(position, file)| part::PartAnswer {
        file: file.name.clone(),
        // What was taken in stands in the raw zone, not among what is received.
        received: if has_ended { file.bytes } else { upload.received(position) },
        bytes: file.bytes,
    });
    let job = state.app.control.ingest_job(&engineer.scope, row.announced.batch).await?;
    let progress = job.as_ref().filter(|job| !job.state.has_ended()).map(ProgressAnswer::of);
    Ok(DeliveryAnswer {
        batch: row.announced.batch.to_string(),
        key: row.announced.idempotency_key.clone(),
        state: row.state.name().to_owned(),
        manifest_hash: row.announced.manifest_hash.clone(),
        files: files.collect(),
        job: job.map(|job| job.id.to_string()),
        progress,
        problem: row.problem,
        receipt: batch.map(|batch| batch.receipt),
        announced_at: row.announced_at.to_rfc3339(),
        changed_at: row.changed_at.to_rfc3339(),
    })
}
