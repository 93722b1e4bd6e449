//! Published tables: what there is, and their rows as JSON, CSV or Parquet.

use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, Query, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{Amount, Outcome, TableRead};
use flight::published::Visible;
use kernel::{Read, SnapshotId, StudyScope};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use warehouse::TableScan;

use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging, Sizes};
use crate::http::etag::Tag;
use crate::http::problem::Problem;
use crate::work::blocking;

/// A published table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableAnswer {
    /// Its name.
    #[schema(example = "mart_kri")]
    pub(crate) table: String,
    /// `star` or `marts`.
    pub(crate) zone: String,
    /// What one row is.
    pub(crate) grain: String,
    /// Its rows.
    pub(crate) rows: u64,
    /// The bytes of its files.
    pub(crate) bytes: u64,
}

/// Rows of a table, as objects by column name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowsAnswer {
    /// The table.
    pub(crate) table: String,
    /// The snapshot the rows are of.
    pub(crate) snapshot: String,
    /// Rows of the whole table.
    pub(crate) row_count: u64,
    /// The first row given here, from 0.
    pub(crate) offset: u64,
    /// The rows.
    #[schema(value_type = Vec<Object>)]
    pub(crate) rows: Box<RawValue>,
    /// Send it as `cursor` for the next page, which is of the same snapshot; none at the end. The header `Link` holds the whole
    /// address.
    pub(crate) next: Option<String>,
}

/// Which rows, and in which form.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TableParams {
    /// `json` (pages of rows), `csv` or `parquet` (the whole table).
    #[serde(default)]
    pub(crate) format: Format,
    /// How many rows, for `json`: 1,000 when it is not given, 10,000 at most.
    #[serde(rename = "limit")]
    _limit: Option<u64>,
    /// Where to go on, for `json`: `next` of the page before.
    #[serde(rename = "cursor")]
    _cursor: Option<String>,
    /// The snapshot, also one of a past instant; the current one when it is not given.
    #[param(value_type = Option<String>)]
    pub(crate) snapshot: Option<SnapshotId>,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A page of rows.
    #[default]
    Json,
    /// The whole table as comma-separated text with a header.
    Csv,
    /// The whole table as Parquet.
    Parquet,
}

const ROWS: Sizes = Sizes(1_000, 10_000);
/// What is larger than this leaves over Flight, which streams.
const CSV_ROWS_AT_MOST: u64 = 5_000_000;
/// Rows of several files that are put into one in memory.
const PARQUET_ROWS_AT_MOST: u64 = 5_000_000;

/// The tables of a study's current snapshot.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/tables", tag = "tables",
    params(("study" = String, Path), crate::http::openapi::PageParams,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the list that you have")),
    responses((status = 200, body = Vec<TableAnswer>), (status = 304, description = "You have it already"), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scope = caller.read(&state, &study).await?;
    let visible = caller.visible(&state, &scope, None).await?;
    let tag = Tag::of(&[&visible.row.id.to_string(), &uri.to_string()]);
    let tables: Vec<_> = visible.manifest.tables.iter().collect();
    let page = Paging::of(&caller, &uri)?.cut(&caller, tables, |(name, _)| (*name).clone())?;
    if let Some(unchanged) = tag.unchanged(&headers) {
        return Ok(unchanged);
    }
    let page = page.map(|(name, table)| TableAnswer {
        table: name.clone(),
        zone: table.zone.name().to_owned(),
        grain: table.grain.clone(),
        rows: table.rows(),
        bytes: table.bytes(),
    });
    Ok(tag.on(page.into_response()))
}

/// The rows of a table of a study's current snapshot, or of one that is named. Every read is an event of the ledger.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/tables/{table}", tag = "tables",
    params(("study" = String, Path), ("table" = String, Path), TableParams,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the rows that you have")),
    responses(
        (status = 200, description = "The rows, in the form that was asked for.", content(
            (RowsAnswer = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet")
        )),
        (status = 304, description = "You have them already: a snapshot never changes"),
        (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, table)): Path<(String, String)>,
    Query(params): Query<TableParams>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scope = caller.read(&state, &study).await?;
    let paging = Paging::sized(&caller, &uri, ROWS)?;
    let before = paging.rows_before(&caller)?;
    let snapshot = before.map(|(snapshot, _)| snapshot).or(params.snapshot);
    let visible = caller.visible(&state, &scope, snapshot).await?;
    if !visible.manifest.tables.contains_key(&table) {
        return Err(caller.refuse(&state, "no_such_table").await);
    }
    let rows = Rows { offset: before.map_or(0, |(_, row)| row), paging, format: params.format };
    let tag = rows.tag(&visible.row.id, &table);
    if let Some(unchanged) = tag.unchanged(&headers) {
        return Ok(unchanged);
    }
    let scan =
        state.app.published.scan(&scope, &visible, &table, 8_192).map_err(|error| caller.problem(error))?;
    let read = TableRead {
        door: "http".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: table.clone(),
        trace: caller.trace.clone(),
    };
    let ask = Ask { scope, visible, table, rows };
    // On a task of its own: a caller that goes away does not keep the end of the read from the ledger.
    let trace = caller.trace.clone();
    let made = tokio::spawn(async move { read_out(&state, &caller, scan, (read, ask)).await }).await;
    made.unwrap_or_else(|error| Err(Problem::of(&Failure::Lost(error.to_string()), &trace)))
        .map(|made| tag.on(made.into_response()))
}

/// The rows that are asked for, and their form.
struct Rows {
    offset: u64,
    paging: Paging,
    format: Format,
}

impl Rows {
    /// What they are called: the same ones of the same snapshot are the same bytes.
    fn tag(&self, snapshot: &SnapshotId, table: &str) -> Tag {
        let form = format!("{:?}", self.format);
        let rows = format!("{} {}", self.offset, self.paging.limit());
        Tag::of(&[&snapshot.to_string(), table, &form, &rows, kernel::CODE_VERSION])
    }
}

struct Ask {
    scope: StudyScope<Read>,
    visible: Visible,
    table: String,
    rows: Rows,
}

/// Makes the body between the two events of the ledger.
async fn read_out(
    state: &State,
    caller: &Caller,
    scan: TableScan,
    (read, ask): (TableRead, Ask),
) -> Result<Made, Problem> {
    let started = state.app.control.read_started(&caller.principal, read.clone()).await;
    let pull = started.map_err(|error| caller.problem(error))?;
    let Ask { scope, visible, table, rows } = &ask;
    let made = match rows.format {
        Format::Json => json(scan, table, visible.row.id, rows).await,
        Format::Csv => csv(scan, table).await,
        Format::Parquet => parquet(state, (scope, scan), &visible.manifest, table).await,
    };
    let (amount, outcome) = match &made {
        Ok(made) => (Amount { rows: made.rows, bytes: made.body.len() as u64 }, Outcome::Success),
        Err(_) => (Amount::default(), Outcome::Failed),
    };
    let finished = state.app.control.read_finished(&caller.principal, pull, read, amount, outcome).await;
    finished.map_err(|error| caller.problem(error))?;
    made.map_err(|failure| caller.problem(failure))
}

/// A body that is ready to leave.
struct Made {
    body: Vec<u8>,
    rows: u64,
    content_type: &'static str,
    file: Option<String>,
    /// The address of the next page.
    link: Option<String>,
}

impl Made {
    fn into_response(self) -> Response {
        let mut response =
            (StatusCode::OK, [(header::CONTENT_TYPE, self.content_type)], Body::from(self.body))
                .into_response();
        if let Some(file) = self.file
            && let Ok(disposition) = format!("attachment; filename=\"{file}\"").parse()
        {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        }
        Page::<()>::linked(self.link, response)
    }
}

async fn json(scan: TableScan, table: &str, snapshot: SnapshotId, asked: &Rows) -> Result<Made> {
    let (offset, limit) = (asked.offset, asked.paging.limit() as u64);
    let (table, row_count) = (table.to_owned(), scan.rows());
    let (rows, count) = blocking(move || page(scan, offset, limit)).await?;
    let end = offset.saturating_add(count);
    let more = (end < row_count && count > 0).then(|| asked.paging.rows_from(snapshot, end));
    let (next, link) = more.unzip();
    let answer = RowsAnswer { table, snapshot: snapshot.to_string(), row_count, offset, rows, next };
    let body = serde_json::to_vec(&answer).map_err(|error| Failure::Lost(error.to_string()))?;
    Ok(Made { body, rows: count, content_type: "application/json", file: None, link })
}

/// The rows as the text of a JSON array, which nobody reads again: every digit stays as it is.
fn page(scan: TableScan, offset: u64, limit: u64) -> Result<(Box<RawValue>, u64)> {
    let failed = |source| Failure::Arrow { step: "write rows as JSON", source };
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    let (mut skipped, mut wanted) = (0, limit);
    for batch in scan {
        let batch = batch?;
        let rows = batch.num_rows() as u64;
        let start = offset.saturating_sub(skipped).min(rows);
        skipped += rows;
        let take = (rows - start).min(wanted);
        if take > 0 {
            let part = batch.slice(usize::try_from(start).unwrap_or(0), usize::try_from(take).unwrap_or(0));
            writer.write(&part).map_err(failed)?;
            wanted -= take;
        }
        if wanted == 0 {
            break;
        }
    }
    writer.finish().map_err(failed)?;
    let text = String::from_utf8(writer.into_inner()).map_err(|error| Failure::Lost(error.to_string()))?;
    let text = if text.is_empty() { "[]".to_owned() } else { text };
    let rows = RawValue::from_string(text).map_err(|error| Failure::Lost(error.to_string()))?;
    Ok((rows, limit - wanted))
}

async fn csv(scan: TableScan, table: &str) -> Result<Made> {
    if scan.rows() > CSV_ROWS_AT_MOST {
        return Err(Failure::Usage(format!(
            "`{table}` has {} rows, too many for CSV; pull it over Flight",
            scan.rows()
        )));
    }
    let rows = scan.rows();
    let body = blocking(move || {
        let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(Vec::new());
        let failed = |source| Failure::Arrow { step: "write rows as CSV", source };
        let empty = arrow::array::RecordBatch::new_empty(scan.schema().clone());
        writer.write(&empty).map_err(failed)?;
        for batch in scan {
            writer.write(&batch?).map_err(failed)?;
        }
        Ok(writer.into_inner())
    })
    .await?;
    Ok(Made {
        body,
        rows,
        content_type: "text/csv; charset=utf-8",
        file: Some(format!("{table}.csv")),
        link: None,
    })
}

/// The file as it is stored; the files of a table that has several become one.
async fn parquet(
    state: &State,
    (scope, scan): (&StudyScope<Read>, TableScan),
    manifest: &warehouse::Manifest,
    table: &str,
) -> Result<Made> {
    let published = manifest.table(table)?;
    let (files, rows) = (state.app.storage.study(scope), published.rows());
    let body = match published.files.as_slice() {
        [file] => {
            let key = file.key.clone();
            blocking(move || Ok(files.read(&key)?)).await?
        }
        _ if rows > PARQUET_ROWS_AT_MOST => {
            return Err(Failure::Usage(format!(
                "`{table}` has {rows} rows in several files, too many for one; pull it over Flight"
            )));
        }
        _ => blocking(move || Ok(scan.into_parquet()?)).await?,
    };
    Ok(Made {
        body,
        rows,
        content_type: "application/vnd.apache.parquet",
        file: Some(format!("{table}.parquet")),
        link: None,
    })
}
