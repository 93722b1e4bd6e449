//! `/studies/{study}/data`

use leptos::prelude::*;

use crate::component::checks::checks;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::loads::{batch_table, snapshot_tables};
use crate::component::table::{head, scrolling};
use crate::format;
use crate::page::signatures::signatures;
use crate::view::{DataView, SnapshotRow, SnapshotState};

/// What was landed and what was published from it.
#[must_use]
pub fn data(view: &DataView) -> String {
    let content = view! {
        <div class="page-head">
            <h1>"Data"</h1>
            <p class="lead">
                "What was landed and what was published from it. A published snapshot never changes; a correction \
                is a new snapshot."
            </p>
            {view.marts_href.clone().map(|href| view! { <p><a class="button" href=href>"Marts and their builds"</a></p> })}
        </div>
        <section aria-labelledby="snapshots"><h2 id="snapshots">"Snapshots"</h2>{snapshots(view)}</section>
        <section aria-labelledby="loads"><h2 id="loads">"Loads"</h2>{loads(view)}</section>
        {quality(view)}
        {tables(view)}
        {(!view.snapshots.is_empty()).then(|| signatures(&view.signatures, view.frame.csrf.as_deref()))}
    };
    Document { frame: &view.frame, title: "Data", drawing: Drawing::None }.render(content.into_any())
}

fn snapshots(view: &DataView) -> AnyView {
    if view.snapshots.is_empty() {
        let advice = "A snapshot is published when a load is complete; until then there is nothing to show.";
        return Empty { title: "No snapshots", advice: advice.to_owned(), command: None, link: None }
            .render();
    }
    let heads = view! {
        {head("Snapshot", "")}{head("Published", "")}{head("State", "")}{head("Tables", "num")}{head("Rows", "num")}
        {head("Size", "num")}{head("Replaces", "")}
    };
    let rows = view.snapshots.iter().map(snapshot_row);
    let table = view! {
        <table>
            <caption class="vh">"Published snapshots, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Published snapshots, newest first".to_owned(), table.into_any())
}

fn snapshot_row(snapshot: &SnapshotRow) -> AnyView {
    let state = match snapshot.state {
        SnapshotState::Current => view! { <span class="pill good">"current"</span> }.into_any(),
        SnapshotState::Waiting => {
            view! { <span class="pill high-amber">"waits for its marts"</span> }.into_any()
        }
        SnapshotState::Superseded => view! { <span class="pill none">"replaced"</span> }.into_any(),
    };
    let replaces = snapshot.replaces.as_ref().map_or_else(
        || format::NO_VALUE.into_any(),
        |id| view! { <code title=id.clone()>{format::short_id(id)}</code> }.into_any(),
    );
    view! {
        <tr>
            <th scope="row"><code title=snapshot.id.clone()>{format::short_id(&snapshot.id)}</code></th>
            <td><time datetime=format::instant_iso(snapshot.published_unix_s)>
                {format::instant(snapshot.published_unix_s)}
            </time></td>
            <td>{state}</td>
            <td class="num">{format::count(snapshot.table_count)}</td>
            <td class="num">{format::count(snapshot.row_count)}</td>
            <td class="num">{format::bytes(snapshot.bytes)}</td>
            <td>{replaces}</td>
        </tr>
    }
    .into_any()
}

fn loads(view: &DataView) -> AnyView {
    if !view.batches.is_empty() {
        return batch_table(&view.batches);
    }
    let advice = if view.ingest_command.is_some() {
        "Nothing has been landed for this study yet. Land its files with this command:"
    } else {
        "Nothing has been landed for this study yet. Ask your data engineer to load it."
    };
    Empty { title: "No loads", advice: advice.to_owned(), command: view.ingest_command.clone(), link: None }
        .render()
}

/// Nothing was checked where nothing was published.
fn quality(view: &DataView) -> Option<AnyView> {
    (!view.snapshots.is_empty()).then(|| {
        view! {
            <section aria-labelledby="checks"><h2 id="checks">"Quality checks"</h2>{checks(view.checks.as_ref())}</section>
        }
        .into_any()
    })
}

fn tables(view: &DataView) -> Option<AnyView> {
    (!view.tables.is_empty()).then(|| {
        view! {
            <section aria-labelledby="tables">
                <h2 id="tables">"Tables of the current snapshot"</h2>
                {snapshot_tables(&view.tables)}
            </section>
        }
        .into_any()
    })
}
