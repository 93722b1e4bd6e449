//! What was landed and what was published from it.

use std::cmp::Ordering;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use control::SnapshotRow as PublishedRow;
use flight::published::Visible;
use frontend::query::address::encode_segment;
use frontend::view::{
    BatchRow, BatchState, CheckSeverity, ChecksView, DataView, FailingCheck, QuarantineReason, SnapshotRow,
    SnapshotState, Tab, TableRow,
};
use kernel::{Read, StudyScope};
use warehouse::Receipt;
use warehouse::quality::Verdict;

use super::{Answer, Visit, signals, signatures};
use crate::app::App;
use crate::error::Result;
use crate::http::State;
use crate::http::api::quality::checked;
use crate::http::caller::Reader;

/// Older snapshots are listed by the API.
const SNAPSHOTS_SHOWN: usize = 20;

/// `GET /studies/{study}/data`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    page(&visit, &study, None).await
}

/// The page, with why nothing was signed if somebody just tried.
pub(super) async fn page(visit: &Visit<'_>, study: &str, problem: Option<String>) -> Answer {
    let state = visit.state;
    let scope = visit.scope(study).await?;
    let visible = visit.visible(&scope).await?;
    let signatures = signatures::view(visit, &scope, &visible, problem).await;
    let snapshots = snapshots(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let batches = batches(&state.app, &scope).await.map_err(|failure| visit.fail(failure))?;
    let command = || format!("cairn ingest --tenant <tenant> --study {study} <files>");
    let view = DataView {
        frame: visit.frame(Some(Tab::Data), Some((&scope, &visible.row))).await?,
        snapshots,
        batches,
        checks: checks(state, &scope, &visible, study).await.map_err(|failure| visit.fail(failure))?,
        tables: tables(&state.app, &scope, &visible, study),
        signatures: signatures.map_err(|failure| visit.fail(failure))?,
        marts_href: visit.may_build().then(|| frontend::link::marts(study)),
        ingest_command: visit.may_build().then(command),
    };
    Ok(visit.page(frontend::page::data(&view)))
}

/// What the checks found, judged by the thresholds that hold now; none when the snapshot was not checked.
async fn checks(
    state: &State,
    scope: &StudyScope<Read>,
    visible: &Visible,
    study: &str,
) -> Result<Option<ChecksView>> {
    let (found, thresholds) = checked(state, scope, visible).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let list_href = format!("/api/v1/studies/{}/quality", encode_segment(study));
    let mut view = ChecksView { list_href, ..ChecksView::default() };
    for check in found {
        let judged = thresholds.judge(&check);
        match judged.verdict {
            Verdict::Pass => view.pass_count += 1,
            Verdict::NotApplicable => view.not_applicable.push(check.check_id),
            Verdict::Fail => {
                let accepted = judged.threshold.map_or_else(String::new, |threshold| {
                    format!("{} ({}: {})", threshold.words(), threshold.owner, threshold.reason)
                });
                let href = format!("{}/{}", view.list_href, encode_segment(&check.check_id));
                view.failing.push(FailingCheck {
                    severity: match check.severity.as_str() {
                        "error" => CheckSeverity::Error,
                        "warn" => CheckSeverity::Warn,
                        _ => CheckSeverity::Info,
                    },
                    id: check.check_id,
                    category: check.category,
                    entity: check.entity,
                    description: check.description,
                    remedy: check.remedy,
                    denominator: check.denominator,
                    violations: check.violations,
                    accepted,
                    href,
                });
            }
        }
    }
    view.failing.sort_by(|a, b| {
        (a.severity, &a.category).cmp(&(b.severity, &b.category)).then(b.violations.cmp(&a.violations))
    });
    Ok(Some(view))
}

async fn snapshots(app: &App, scope: &StudyScope<Read>, current: &Visible) -> Result<Vec<SnapshotRow>> {
    let rows: Vec<PublishedRow> = app.control.snapshots(scope).await?;
    let mut shown = Vec::new();
    for row in rows.into_iter().take(SNAPSHOTS_SHOWN) {
        let state = match row.seq.cmp(&current.row.seq) {
            Ordering::Greater => SnapshotState::Waiting,
            Ordering::Equal => SnapshotState::Current,
            Ordering::Less => SnapshotState::Superseded,
        };
        let Visible { row, manifest } = app.published.open(scope, row)?;
        shown.push(SnapshotRow {
            id: row.id.to_string(),
            published_unix_s: row.published_at.timestamp(),
            table_count: manifest.tables.len() as u64,
            row_count: manifest.tables.values().map(warehouse::Table::rows).sum(),
            bytes: manifest.tables.values().map(warehouse::Table::bytes).sum(),
            replaces: row.replaces.map(|id| id.to_string()),
            state,
        });
    }
    Ok(shown)
}

/// The deliveries of a study, newest first.
pub(crate) async fn batches(app: &App, scope: &StudyScope<Read>) -> Result<Vec<BatchRow>> {
    let rows = app.control.batches(scope).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| serde_json::from_value::<Receipt>(row.receipt).ok())
        .map(|receipt| batch(&receipt))
        .collect())
}

fn batch(receipt: &Receipt) -> BatchRow {
    let total = receipt.total();
    let mut quarantine: Vec<QuarantineReason> = receipt
        .quarantine
        .iter()
        .map(|note| QuarantineReason {
            table: note.entity.clone(),
            reason: format!("{}: {} ({}, first row {})", note.column, note.reason, note.file, note.first_row),
            row_count: note.rows,
        })
        .collect();
    quarantine.sort_by(|a, b| {
        b.row_count.cmp(&a.row_count).then(a.table.cmp(&b.table)).then(a.reason.cmp(&b.reason))
    });
    BatchRow {
        id: receipt.batch.to_string(),
        received_unix_s: receipt.received_at.timestamp(),
        source: format!("mapping {}", receipt.mapping),
        state: BatchState::Published,
        file_count: receipt.files.len() as u64,
        rows_in: total.rows_in,
        rows_new: total.new,
        rows_changed: total.changed,
        rows_unchanged: total.unchanged,
        rows_deleted: total.deleted,
        rows_quarantined: total.quarantined,
        quarantine,
    }
}

/// The tables of a snapshot, with where they can be taken away.
pub(crate) fn tables(app: &App, scope: &StudyScope<Read>, visible: &Visible, study: &str) -> Vec<TableRow> {
    let columns = |table: &str| {
        let scan = app.published.scan(scope, visible, table, 1).ok();
        scan.map_or(0, |scan| scan.schema().fields().len() as u64)
    };
    let row = |(name, table): (&String, &warehouse::Table)| {
        let downloads = signals::downloads(study, name);
        TableRow {
            name: name.clone(),
            grain: table.grain.clone(),
            row_count: table.rows(),
            column_count: columns(name),
            csv_href: downloads.csv_href,
            parquet_href: downloads.parquet_href,
        }
    };
    visible.manifest.tables.iter().map(row).collect()
}
