//! A query over a study's published tables.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{Amount, Outcome, TableRead};
use flight::published::Visible;
use kernel::{Read, SnapshotId, StudyScope};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};
use crate::work::query;

const ROWS_BY_DEFAULT: usize = 10_000;
const ROWS_AT_MOST: usize = 1_000_000;

/// A query, and the form of its answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryOrder {
    /// One query over the tables of the snapshot; `information_schema.columns` lists them.
    #[schema(
        example = "SELECT site_id, flag FROM mart_kri WHERE indicator_id = 'kri0001' ORDER BY flag DESC"
    )]
    sql: String,
    /// `json` or `csv`.
    #[serde(default)]
    format: Format,
    /// How many rows at most: 10,000 when nothing is said, and 1,000,000 at most.
    #[schema(example = 100)]
    limit: Option<usize>,
    /// The snapshot, also one of a past instant; the current one when it is not given.
    #[schema(value_type = Option<String>)]
    snapshot: Option<SnapshotId>,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Columns and rows.
    #[default]
    Json,
    /// Comma-separated text with a header.
    Csv,
}

/// What a query found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryAnswer {
    /// The snapshot that it was asked of.
    snapshot: String,
    /// The columns, in their order.
    columns: Vec<ColumnAnswer>,
    /// The rows, as objects by column name.
    #[schema(value_type = Vec<Object>)]
    rows: Box<RawValue>,
    /// Whether there are more rows than were asked for.
    truncated: bool,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
struct ColumnAnswer {
    /// Its name.
    #[schema(example = "site_id")]
    name: String,
    /// Its Arrow type.
    #[schema(example = "Utf8")]
    r#type: String,
}

/// Answers one SQL query from the published tables of a study. The ledger holds the hash of the query, and how many rows
/// left.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/query", tag = "tables", params(("study" = String, Path)),
    request_body = QueryOrder,
    responses(
        (status = 200, description = "The rows, in the form that was asked for.", content(
            (QueryAnswer = "application/json"), (String = "text/csv")
        )),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn query(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    order: std::result::Result<Json<QueryOrder>, JsonRejection>,
) -> Result<Response, Problem> {
    let scope = caller.read(&state, &study).await?;
    let Json(order) =
        order.map_err(|error| Problem::new(Kind::BadRequest, error.body_text(), &caller.trace))?;
    let visible = caller.visible(&state, &scope, order.snapshot).await?;
    // On a task of its own: a caller that goes away does not keep the end of the read from the ledger.
    let trace = caller.trace.clone();
    let made = tokio::spawn(async move { read_out(&state, &caller, (scope, visible), order).await }).await;
    made.unwrap_or_else(|error| Err(Problem::of(&Failure::Lost(error.to_string()), &trace)))
}

/// Answers between the two events of the ledger.
async fn read_out(
    state: &State,
    caller: &Caller,
    (scope, visible): (StudyScope<Read>, Visible),
    order: QueryOrder,
) -> Result<Response, Problem> {
    let control = &state.app.control;
    let read = TableRead {
        door: "http".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: query::name(&order.sql),
        trace: caller.trace.clone(),
    };
    let started = control.read_started(&caller.principal, read.clone()).await;
    let pull = started.map_err(|error| caller.problem(error))?;
    let made = answer(state, (&scope, &visible), &order).await;
    let (amount, outcome) = match &made {
        Ok((_, body, rows)) => (Amount { rows: *rows, bytes: body.len() as u64 }, Outcome::Success),
        Err(_) => (Amount::default(), Outcome::Failed),
    };
    let finished = control.read_finished(&caller.principal, pull, read, amount, outcome).await;
    finished.map_err(|error| caller.problem(error))?;
    let (content_type, body, _) = made.map_err(|failure| caller.problem(failure))?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], Body::from(body)).into_response())
}

async fn answer(
    state: &State,
    (scope, visible): (&StudyScope<Read>, &Visible),
    order: &QueryOrder,
) -> Result<(&'static str, Vec<u8>, u64)> {
    let limit = order.limit.unwrap_or(ROWS_BY_DEFAULT).min(ROWS_AT_MOST);
    let found = query::answer(&state.app, (scope, visible), &order.sql, limit).await?;
    let rows = found.rows();
    if order.format == Format::Csv {
        return Ok(("text/csv; charset=utf-8", found.csv()?, rows));
    }
    let columns = found
        .schema
        .fields()
        .iter()
        .map(|field| ColumnAnswer { name: field.name().clone(), r#type: field.data_type().to_string() });
    let lost = |error: serde_json::Error| Failure::Lost(error.to_string());
    let answer = QueryAnswer {
        snapshot: visible.row.id.to_string(),
        columns: columns.collect(),
        rows: RawValue::from_string(found.json()?).map_err(lost)?,
        truncated: found.is_truncated,
    };
    Ok(("application/json", serde_json::to_vec(&answer).map_err(lost)?, rows))
}
