//! `/studies/{study}/data/marts`

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::mart_graph::mart_graph;
use crate::component::table::{head, scrolling};
use crate::view::{MartAlert, MartRow, MartRunRow, MartsView, Tab};
use crate::{format, link};

/// The marts of a study, for those who build them.
#[must_use]
pub fn marts(view: &MartsView) -> String {
    let data = link::tab(view.frame.study_key(), Tab::Data);
    let content = view! {
        {breadcrumb(vec![("Data".to_owned(), data)], "Marts".to_owned())}
        <div class="page-head">
            <h1>"Marts"</h1>
            <p class="lead">
                "Derived tables, each made again only when something it is computed from changed. What a build would do, \
                and why: "<code>{view.plan_command.clone()}</code>
            </p>
        </div>
        {alerts(&view.alerts)}
        <section aria-labelledby="graph"><h2 id="graph">"What reads what"</h2>{mart_graph(&view.marts)}</section>
        <section aria-labelledby="marts"><h2 id="marts">"Marts and the last build"</h2>{mart_table(&view.marts)}</section>
        <section aria-labelledby="runs"><h2 id="runs">"Builds"</h2>{runs(&view.runs)}</section>
    };
    Document { frame: &view.frame, title: "Marts", drawing: Drawing::None }.render(content.into_any())
}

fn alerts(alerts: &[MartAlert]) -> Option<AnyView> {
    if alerts.is_empty() {
        return None;
    }
    let stays = alerts.iter().any(|alert| alert.is_error);
    let lead = if stays {
        "The last build published nothing: readers stay with the former snapshot."
    } else {
        "The last build published with warnings."
    };
    let items = alerts.iter().map(|alert| {
        let place = if alert.mart.is_empty() { "sources".to_owned() } else { alert.mart.clone() };
        let place = match &alert.href {
            Some(href) => view! { <a href=href.clone()><code>{place}</code></a> }.into_any(),
            None => view! { <code>{place}</code> }.into_any(),
        };
        view! {
            <li>
                {severity(alert.is_error)}" "{place}": not so: "{alert.test.clone()}" ("
                {format::counted(alert.row_count, "row", "rows")}"). "{alert.next.clone()}
            </li>
        }
    });
    let class = if stays { "note bad" } else { "note" };
    Some(
        view! {
            <div class=class role="status"><p><strong>{lead}</strong></p><ul>{items.collect_view()}</ul></div>
        }
        .into_any(),
    )
}

/// What follows from a test that failed, as a word.
pub(super) fn severity_name(is_error: bool) -> &'static str {
    if is_error { "error" } else { "warning" }
}

fn severity(is_error: bool) -> AnyView {
    let class = if is_error { "pill high-red" } else { "pill high-amber" };
    view! { <span class=class>{severity_name(is_error)}</span> }.into_any()
}

fn mart_table(marts: &[MartRow]) -> AnyView {
    let heads = view! {
        {head("Mart", "")}{head("One row is", "")}{head("Owner", "")}{head("Reads", "")}{head("Rows", "num")}
        {head("Last build", "")}{head("Time", "num")}{head("Why", "")}
    };
    let rows = marts.iter().map(|mart| {
        let grain = mart.grain.trim_start_matches("one row per ").to_owned();
        view! {
            <tr>
                <th scope="row"><a href=mart.href.clone()><code>{mart.name.clone()}</code></a>
                    <span class="row-note">{mart.tags.join(", ")}</span></th>
                <td>{grain}</td>
                <td>{mart.owner.clone()}</td>
                <td>{mart.reads.join(", ")}</td>
                <td class="num">{mart.row_count.map_or_else(|| format::NO_VALUE.to_owned(), format::count)}</td>
                <td>{mart.outcome.as_deref().map(outcome)}</td>
                <td class="num">{mart.took_us.map(milliseconds)}</td>
                <td>{mart.why.clone()}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Marts in building order"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Marts in building order".to_owned(), table.into_any())
}

/// What became of a mart or a build, as a word.
pub(super) fn outcome(word: &str) -> AnyView {
    let class = match word {
        "failed" => "pill high-red",
        "skipped" | "left out" | "partial" | "cancelled" => "pill high-amber",
        "made" | "published" => "pill good",
        _ => "pill none",
    };
    view! { <span class=class>{word.to_owned()}</span> }.into_any()
}

/// A time in milliseconds.
pub(super) fn milliseconds(took_us: u64) -> String {
    if took_us < 1_000 { "under 1 ms".to_owned() } else { format!("{} ms", format::count(took_us / 1_000)) }
}

fn runs(runs: &[MartRunRow]) -> AnyView {
    if runs.is_empty() {
        let advice = "Nothing was built yet.";
        return Empty { title: "No builds", advice: advice.to_owned(), command: None, link: None }.render();
    }
    let heads = view! {
        {head("Ended", "")}{head("Build", "")}{head("Outcome", "")}{head("Made", "num")}{head("Shared", "num")}
        {head("Errors", "num")}{head("Warnings", "num")}{head("Time", "num")}{head("Snapshot", "")}{head("As of", "")}
    };
    let rows = runs.iter().map(|run| {
        let snapshot = run.snapshot.as_ref().map_or_else(
            || format::NO_VALUE.into_any(),
            |id| view! { <code title=id.clone()>{format::short_id(id)}</code> }.into_any(),
        );
        view! {
            <tr>
                <td class="nowrap"><time datetime=format::instant_iso(run.ended_unix_s)>
                    {format::instant(run.ended_unix_s)}
                </time></td>
                <th scope="row"><code title=run.id.clone()>{run.id.chars().take(13).collect::<String>()}</code></th>
                <td>{outcome(&run.status)}</td>
                <td class="num">{format::count(run.made_count)}</td>
                <td class="num">{format::count(run.shared_count)}</td>
                <td class="num">{format::count(run.error_count)}</td>
                <td class="num">{format::count(run.warning_count)}</td>
                <td class="num">{milliseconds(run.took_us)}</td>
                <td>{snapshot}</td>
                <td>{run.as_of_unix_s.map_or_else(|| "newest".to_owned(), format::instant)}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Builds, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Builds, newest first".to_owned(), table.into_any())
}
