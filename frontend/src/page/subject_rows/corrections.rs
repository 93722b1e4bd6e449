//! What was said of a subject before: the old value beside the new one, with the reason that the source gave.

use leptos::prelude::*;

use crate::component::table::{head, scrolling};
use crate::format;
use crate::query::RowsQuery;
use crate::view::{Corrections, RowCorrection, SourceCorrection, SubjectRowsView};

const NO_REASON: &str = "reason not given by the source";

/// The section, or the link that asks for it.
pub(super) fn corrections(view: &SubjectRowsView, base: &str) -> AnyView {
    let Some(found) = &view.corrections else {
        let href =
            format!("{base}{}", RowsQuery { corrections: true, ..view.query.clone() }.to_query_string());
        return view! { <p><a class="button small" href=href>"Show what these rows said before"</a></p> }
            .into_any();
    };
    view! {
        <section class="panel" aria-labelledby="corrections">
            <h2 id="corrections">"Corrections"</h2>
            {changes(view, found)}
            <h3>"The source's audit trail"</h3>
            {trail(found)}
        </section>
    }
    .into_any()
}

fn changes(view: &SubjectRowsView, found: &Corrections) -> AnyView {
    if found.changes.is_empty() {
        let said = format!(
            "None of these rows was changed or taken back in {}.",
            format::counted(found.snapshots, "snapshot that was looked at", "snapshots that were looked at")
        );
        return view! { <p>{said}</p> }.into_any();
    }
    let rows = found.changes.iter().map(change);
    let label = format!("What {} said of this subject before, the newest change first", view.table);
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>
                {head("Since", "")}{head("Source row", "")}{head("Column", "")}{head("Before", "")}{head("After", "")}
                {head("Reason", "")}
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling(label, table.into_any())
}

fn change(change: &RowCorrection) -> AnyView {
    let at = instant(change.published_unix_s);
    view! {
        <tr>
            <td class="nowrap">{at}</td>
            <td><code>{change.row.clone()}</code></td>
            <td><code>{change.column.clone()}</code></td>
            <td>{value(&change.before)}</td>
            <td>{value(&change.after)}</td>
            <td>{change.reason.clone().unwrap_or_else(|| NO_REASON.to_owned())}</td>
        </tr>
    }
    .into_any()
}

fn trail(found: &Corrections) -> AnyView {
    let Some(entries) = &found.trail else {
        let said = "It is not shown to blinded readers while the study is blinded, since its values may tell of the \
                    treatment; nor by a snapshot of an earlier version.";
        return view! { <p>{said}</p> }.into_any();
    };
    if entries.is_empty() {
        return view! { <p>"No source has delivered an entry that changed a value of this subject."</p> }
            .into_any();
    }
    let label = "Changes by the source's audit trail, the newest first".to_owned();
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>
                {head("When", "")}{head("Item", "")}{head("Before", "")}{head("After", "")}{head("By", "")}
                {head("Reason", "")}
            </tr></thead>
            <tbody>{entries.iter().map(entry).collect_view()}</tbody>
        </table>
    };
    scrolling(label, table.into_any())
}

fn entry(entry: &SourceCorrection) -> AnyView {
    view! {
        <tr>
            <td class="nowrap">{instant(entry.at_unix_s)}</td>
            <td><code>{entry.item.clone()}</code></td>
            <td>{value(&entry.before)}</td>
            <td>{value(&entry.after)}</td>
            <td>{entry.by.clone()}</td>
            <td>{entry.reason.clone().unwrap_or_else(|| NO_REASON.to_owned())}</td>
        </tr>
    }
    .into_any()
}

fn instant(unix_s: i64) -> AnyView {
    let (at, iso) = (format::instant(unix_s), format::instant_iso(unix_s));
    view! { <time datetime=iso>{at}</time> }.into_any()
}

fn value(text: &str) -> String {
    if text.is_empty() { "(empty)".to_owned() } else { text.to_owned() }
}
