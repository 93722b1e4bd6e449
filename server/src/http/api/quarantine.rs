//! Rows that the deliveries of a study set aside. They are of no snapshot, and hold what senders wrote: only those
//! who build in the study see them.

use axum::Json;
use axum::extract::{OriginalUri, Path, Query, State as Extract};
use axum::response::{IntoResponse, Response};
use control::TableRead;
use kernel::BatchId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warehouse::quarantine::{QuarantinedRow, Wanted};

use super::quality::recorded;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::{Kind, Problem};
use crate::work;

/// Rows that were set aside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineAnswer {
    /// How many there are.
    pub(crate) row_count: u64,
    /// The rows, oldest delivery first.
    pub(crate) rows: Vec<QuarantinedAnswer>,
    /// Send it as `cursor` for the next page; none at the end. The header `Link` holds the whole address.
    pub(crate) next: Option<String>,
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
}

/// The rows of a study that were set aside. Every read is an event of the ledger.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/quarantine", tag = "quality",
    params(("study" = String, Path), QuarantineParams, crate::http::openapi::PageParams),
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
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let scope = caller.build(&state, &study).await?.to_read();
    let paging = Paging::of(&caller, &uri)?;
    let visible = caller.visible(&state, &scope, None).await?;
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
    let row_count = rows.len() as u64;
    let page = paging.cut(&caller, rows, |row| {
        format!("{} {} {} {} {}", row.batch, row.row, row.entity, row.column, row.file)
    })?;
    let (link, next) = (page.link(), page.next.clone());
    let rows = page.map(QuarantinedAnswer::from).items;
    Ok(Page::<()>::linked(link, Json(QuarantineAnswer { row_count, rows, next }).into_response()))
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
