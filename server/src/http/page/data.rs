//! What was landed and what was published from it.

use std::cmp::Ordering;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use control::SnapshotRow as PublishedRow;
use flight::published::Visible;
use frontend::view::{
    BatchRow, BatchState, DataView, QuarantineReason, SnapshotRow, SnapshotState, Tab, TableRow,
};
use kernel::{Read, StudyScope};
use warehouse::Receipt;

use super::{Answer, Visit, signals};
use crate::app::App;
use crate::error::Result;
use crate::http::State;
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
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let snapshots = snapshots(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let batches = batches(&state.app, &scope).await.map_err(|failure| visit.fail(failure))?;
    let command = || format!("cairn ingest --tenant <tenant> --study {study} <files>");
    let view = DataView {
        frame: visit.frame(Some(Tab::Data), Some((&scope, &visible.row))).await?,
        snapshots,
        batches,
        tables: tables(&state.app, &scope, &visible, &study),
        ingest_command: visit.may_build().then(command),
    };
    Ok(visit.page(frontend::page::data(&view)))
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
