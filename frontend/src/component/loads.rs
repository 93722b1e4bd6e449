//! Loads with their receipts, and the tables they became.

use leptos::prelude::*;

use super::definition::file_link;
use super::table::{head, scrolling};
use crate::format;
use crate::view::{BatchRow, BatchState, QuarantineReason, TableRow};

/// The loads as a table, quarantine reasons included.
pub(crate) fn batch_table(batches: &[BatchRow]) -> AnyView {
    let heads = view! {
        {head("Received", "")}{head("Batch", "")}{head("Source", "")}{head("State", "")}{head("Files", "num")}
        {head("Rows in", "num")}{head("New", "num")}{head("Changed", "num")}{head("Unchanged", "num")}
        {head("Deleted", "num")}{head("Quarantined", "num")}
    };
    let rows = batches.iter().map(batch_rows);
    let table = view! {
        <table>
            <caption class="vh">"Loads, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Loads, newest first".to_owned(), table.into_any())
}

/// The tables of a snapshot.
pub(crate) fn snapshot_tables(tables: &[TableRow]) -> AnyView {
    let rows = tables.iter().map(|table| {
        view! {
            <tr>
                <th scope="row"><code>{table.name.clone()}</code></th>
                <td>{table.grain.clone()}</td>
                <td class="num">{format::count(table.row_count)}</td>
                <td class="num">{format::count(table.column_count)}</td>
                <td class="nowrap">
                    {file_link(table.csv_href.as_deref(), "CSV")}
                    {file_link(table.parquet_href.as_deref(), "Parquet")}
                </td>
            </tr>
        }
    });
    let heads = view! {
        {head("Table", "")}{head("One row is", "")}{head("Rows", "num")}{head("Columns", "num")}{head("Files", "")}
    };
    let table = view! {
        <table>
            <caption class="vh">"Tables of the snapshot"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Tables of the snapshot".to_owned(), table.into_any())
}

fn batch_rows(batch: &BatchRow) -> AnyView {
    let (state, class) = match batch.state {
        BatchState::Published => ("published", "pill good"),
        BatchState::Landed => ("landed", "pill none"),
        BatchState::Running => ("running", "pill none"),
        BatchState::Failed => ("failed", "pill high-red"),
    };
    let reasons = (!batch.quarantine.is_empty()).then(|| quarantine(&batch.quarantine));
    view! {
        <tr>
            <td><time datetime=format::instant_iso(batch.received_unix_s)>
                {format::instant(batch.received_unix_s)}
            </time></td>
            <th scope="row"><code title=batch.id.clone()>{format::short_id(&batch.id)}</code></th>
            <td>{batch.source.clone()}</td>
            <td><span class=class>{state}</span></td>
            <td class="num">{format::count(batch.file_count)}</td>
            <td class="num">{format::count(batch.rows_in)}</td>
            <td class="num">{format::count(batch.rows_new)}</td>
            <td class="num">{format::count(batch.rows_changed)}</td>
            <td class="num">{format::count(batch.rows_unchanged)}</td>
            <td class="num">{format::count(batch.rows_deleted)}</td>
            <td class="num">{format::count(batch.rows_quarantined)}</td>
        </tr>
        {reasons}
    }
    .into_any()
}

fn quarantine(reasons: &[QuarantineReason]) -> AnyView {
    let items = reasons.iter().map(|reason| {
        view! {
            <li>
                <code>{reason.table.clone()}</code>
                {format!(": {}, {}", reason.reason, format::counted(reason.row_count, "row", "rows"))}
            </li>
        }
    });
    view! {
        <tr class="sub">
            <td></td>
            <td colspan="10"><p class="sub-title">"Set aside because"</p><ul>{items.collect_view()}</ul></td>
        </tr>
    }
    .into_any()
}
