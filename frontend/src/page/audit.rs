//! `/audit`
mod standing;

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, choice, filter_bar};
use crate::component::table::{head, scrolling};
use crate::query::AuditQuery;
use crate::view::{AuditEvent, AuditView, Verification};
use crate::{format, link};

/// Who did what.
#[must_use]
pub fn audit(view: &AuditView) -> String {
    let fields = search_fields(view);
    let filter = filter_bar(link::AUDIT.to_owned(), Vec::new(), fields, "Filter events");
    let problem = view.problem.clone();
    let content = view! {
        <div class="page-head">
            <h1>"Audit"</h1>
            <p class="lead">"Every governed action, in the order in which it was committed."</p>
        </div>
        {problem.map(|problem| view! { <p class="note bad" role="alert">{problem}</p> })}
        {verification(&view.verification)}
        {filter}
        {if view.events.is_empty() { nothing(&view.query) } else { event_table(&view.events) }}
        {paging(view)}
        <p class="downloads">
            "This search with the proof of each event, up to 500: "
            <a href=link::audit_export(&view.query, "csv")>"CSV"</a>", "
            <a href=link::audit_export(&view.query, "json")>"JSON"</a>
        </p>
        {standing::standing(view)}
    };
    Document { frame: &view.frame, title: "Audit", drawing: Drawing::None }.render(content.into_any())
}

fn search_fields(view: &AuditView) -> Vec<AnyView> {
    let action = Select {
        name: "action",
        label: "Action",
        any: Some("All actions"),
        choices: &view.actions,
        chosen: view.query.action.as_deref(),
    };
    let outcomes = ["success", "denied", "failed"].map(|name| choice(name, name));
    let outcome = Select {
        name: "outcome",
        label: "Outcome",
        any: Some("Every outcome"),
        choices: &outcomes,
        chosen: view.query.outcome.as_deref(),
    };
    vec![
        action.render(),
        outcome.render(),
        input(("actor", "Account (id)"), "text", view.query.actor.as_deref()),
        input(("study", "Study"), "text", view.query.study.as_deref()),
        input(("resource", "Object (id)"), "text", view.query.resource.as_deref()),
        input(("from", "From"), "date", view.query.from.as_deref()),
        input(("to", "To, that day included"), "date", view.query.to.as_deref()),
    ]
}

fn input((name, label): (&'static str, &'static str), kind: &'static str, value: Option<&str>) -> AnyView {
    let id = format!("filter-{name}");
    let value = value.unwrap_or_default().to_owned();
    view! {
        <div class="field"><label for=id.clone()>{label}</label><input id=id name=name type=kind value=value/></div>
    }
    .into_any()
}

fn verification(verification: &Verification) -> AnyView {
    match verification {
        Verification::Verified { entries, head, checked_unix_s } => view! {
            <p class="note good" role="status">
                <strong>"Ledger verified. "</strong>
                {format!(
                    "{} lead to the head ",
                    format::counted(*entries, "entry", "entries"),
                )}
                <code title=head.clone()>{format::short_id(head)}</code>
                {format!("; checked {}.", format::instant(*checked_unix_s))}
            </p>
        }
        .into_any(),
        Verification::Broken { sequence, reason } => view! {
            <p class="note bad" role="alert">
                <strong>"Ledger broken. "</strong>
                {format!("Entry {} does not fit: {reason}. ", format::count(*sequence))}
                "Stop releasing data and run "<code>"cairn audit verify"</code>"."
            </p>
        }
        .into_any(),
        Verification::NotChecked => view! {
            <p class="note" role="status">
                <strong>"Not verified yet. "</strong>"Run "<code>"cairn audit verify"</code>" to check every entry."
            </p>
        }
        .into_any(),
    }
}

fn nothing(query: &AuditQuery) -> AnyView {
    let advice = if *query == AuditQuery::default() {
        "Nothing has happened yet: the first governed action writes the first entry."
    } else {
        "No event matches this filter. Choose another action or start from the newest event."
    };
    let link = (*query != AuditQuery::default()).then(|| (link::AUDIT.to_owned(), "All events"));
    Empty { title: "No events", advice: advice.to_owned(), command: None, link }.render()
}

fn event_table(events: &[AuditEvent]) -> AnyView {
    let heads = view! {
        {head("Entry", "num")}{head("When", "")}{head("Who", "")}{head("Action", "")}{head("Object", "")}
        {head("Outcome", "")}{head("Detail", "")}{head("Leaf", "")}
    };
    let rows = events.iter().map(event_row);
    let table = view! {
        <table>
            <caption class="vh">"Events, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Events, newest first".to_owned(), table.into_any())
}

fn event_row(event: &AuditEvent) -> AnyView {
    let class = match event.outcome.as_str() {
        "denied" => "pill high-amber",
        "failed" => "pill high-red",
        _ => "pill none",
    };
    view! {
        <tr>
            <th scope="row" class="num"><a href=link::audit_event(event.sequence)>{format::count(event.sequence)}</a></th>
            <td class="nowrap"><time datetime=format::instant_iso(event.at_unix_s)>
                {format::instant(event.at_unix_s)}
            </time></td>
            <td>{event.actor.clone()}</td>
            <td><code>{event.action.clone()}</code></td>
            <td>{event.object.clone()}</td>
            <td><span class=class>{event.outcome.clone()}</span></td>
            <td>{event.detail.clone()}</td>
            <td><code title=event.leaf_hash.clone()>{format::short_id(&event.leaf_hash)}</code></td>
        </tr>
    }
    .into_any()
}

fn paging(view: &AuditView) -> Option<AnyView> {
    let at = |before: Option<u64>| {
        let query = AuditQuery { before, ..view.query.clone() };
        format!("{}{}", link::AUDIT, query.to_query_string())
    };
    let newest = view.query.before.is_some().then(|| view! { <a class="button" href=at(None)>"Newest"</a> });
    let older = view.older_before.map(|before| {
        view! { <a class="button" rel="next" href=at(Some(before))>"Older events"</a> }
    });
    (newest.is_some() || older.is_some())
        .then(|| view! { <nav class="paging" aria-label="Pages">{newest}{older}</nav> }.into_any())
}
