//! Rows that the deliveries of a study set aside. They are of no snapshot, and hold what senders wrote: only those
//! who build in the study see them.

use axum::Json;
use axum::extract::{Path, Query, State as Extract};
use control::TableRead;
use kernel::BatchId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warehouse::quarantine::{QuarantinedRow, Wanted};

use super::quality::recorded;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};
use crate::work;

/// Rows that were set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineAnswer {
    /// How many there are.
    pub(crate) row_count: u64,
    /// The first one given here, from 0.
    pub(crate) offset: u64,
    /// The rows, oldest delivery first.
    pub(crate) rows: Vec<QuarantinedAnswer>,
    /// Where to go on; absent at the end.
    pub(crate) next_offset: Option<u64>,
}

/// One row that was set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedAnswer {
    /// The delivery.
    pub(crate) batch: String,
    /// The file.
    pub(crate) file: String,
    /// Its row in the file, counted from 1.
    pub(crate) row: u64,
    /// The entity it was to become a row of.
    pub(crate) entity: String,
    /// The column that did not fit.
    pub(crate) column: String,
    /// The sender's column that feeds it.
    pub(crate) source_column: String,
    /// Why.
    pub(crate) reason: String,
    /// The start of the text that did not fit.
    pub(crate) value: String,
    /// `open`, `repeated` (set aside again later) or `resolved`.
    pub(crate) state: String,
    /// The delivery that decided it.
    pub(crate) by: Option<String>,
}

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuarantineParams {
    /// Only this delivery's.
    pub(crate) batch: Option<String>,
    /// Also those that are not open any more.
    #[serde(default)]
    pub(crate) all: bool,
    /// The first one.
    #[serde(default)]
    pub(crate) offset: usize,
    /// How many; 1,000 at most.
    pub(crate) limit: Option<usize>,
}

const ROWS_BY_DEFAULT: usize = 100;
const ROWS_AT_ONCE: usize = 1_000;

/// The rows of a study that were set aside. Every read is an event of the ledger.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/quarantine", tag = "quality",
    params(("study" = String, Path), QuarantineParams),
    responses(
        (status = 200, body = QuarantineAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    Query(params): Query<QuarantineParams>,
) -> Result<Json<QuarantineAnswer>, Problem> {
    let scope = caller.build(&state, &study).await?.to_read();
    let visible = state.app.published.current(&scope).await.map_err(|error| caller.problem(error))?;
    let Some(visible) = visible else { return Err(caller.refuse(&state, "no_snapshot").await) };
    let batch = params.batch.as_deref().map(str::parse::<BatchId>).transpose();
    let batch = batch.map_err(|error| Problem::new(Kind::BadRequest, error.to_string(), &caller.trace))?;
    let wanted = Wanted { batch, only_open: !params.all };
    let read = TableRead {
        door: "http".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: "quarantine".into(),
        trace: caller.trace.clone(),
    };
    let app = state.app.clone();
    let reading = async move { work::quarantine(&app, &scope, wanted).await };
    let rows = recorded(&state, &caller, read, reading).await?;
    let limit = params.limit.unwrap_or(ROWS_BY_DEFAULT).min(ROWS_AT_ONCE);
    let (row_count, offset) = (rows.len(), params.offset);
    let shown: Vec<QuarantinedAnswer> =
        rows.into_iter().skip(offset).take(limit).map(QuarantinedAnswer::from).collect();
    let end = offset.saturating_add(shown.len());
    Ok(Json(QuarantineAnswer {
        row_count: row_count as u64,
        offset: offset as u64,
        next_offset: (end < row_count && !shown.is_empty()).then_some(end as u64),
        rows: shown,
    }))
}

impl From<QuarantinedRow> for QuarantinedAnswer {
    fn from(row: QuarantinedRow) -> Self {
        Self {
            batch: row.batch.to_string(),
            file: row.file,
            row: row.row,
            entity: row.entity,
            column: row.column,
            source_column: row.source_column,
            reason: row.reason,
            value: row.value,
            state: row.state.name().to_owned(),
            by: row.state.by().map(|by| by.to_string()),
        }
    }
}
