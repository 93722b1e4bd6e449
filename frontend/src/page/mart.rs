//! `/studies/{study}/data/marts/{mart}`

use leptos::prelude::*;

use super::marts::{milliseconds, outcome, severity_name};
use crate::component::breadcrumb::breadcrumb;
use crate::component::document::{Document, Drawing};
use crate::component::table::{head, scrolling};
use crate::view::{MartColumn, MartTest, MartTiming, MartView, Tab};
use crate::{format, link};

/// One mart, for those who build it.
#[must_use]
pub fn mart(view: &MartView) -> String {
    let study = view.frame.study_key();
    let above =
        vec![("Data".to_owned(), link::tab(study, Tab::Data)), ("Marts".to_owned(), link::marts(study))];
    let facts =
        view.facts.iter().map(|(name, text)| view! { <dt>{name.clone()}</dt><dd>{text.clone()}</dd> });
    let content = view! {
        {breadcrumb(above, view.name.clone())}
        <div class="page-head">
            <h1><code>{view.name.clone()}</code></h1>
            <p class="lead">{view.description.clone()}</p>
        </div>
        <section class="panel" aria-labelledby="facts">
            <h2 id="facts" class="vh">"Facts"</h2>
            <dl class="facts">
                {facts.collect_view()}
                <dt>"Reads"</dt><dd>{names(&view.reads)}</dd>
                <dt>"Read by"</dt><dd>{names(&view.read_by)}</dd>
            </dl>
        </section>
        <section aria-labelledby="tests"><h2 id="tests">"Tests"</h2>{tests(view)}</section>
        <section aria-labelledby="columns">
            <h2 id="columns">"Columns and where they come from"</h2>
            <p class="lead">"Every file of every delivery: "<code>{view.lineage_command.clone()}</code></p>
            {columns(&view.columns)}
        </section>
        <section aria-labelledby="history"><h2 id="history">"Builds"</h2>{history(&view.history)}</section>
        {view.query.clone().map(|query| view! {
            <section aria-labelledby="query">
                <h2 id="query">"Definition"</h2>
                <details><summary>"The query"</summary><pre class="code"><code>{query}</code></pre></details>
            </section>
        })}
    };
    Document { frame: &view.frame, title: &view.name, drawing: Drawing::None }.render(content.into_any())
}

fn names(names: &[(String, Option<String>)]) -> AnyView {
    if names.is_empty() {
        return "no other mart".into_any();
    }
    let links = names.iter().enumerate().map(|(place, (name, href))| {
        let comma = if place == 0 { "" } else { ", " };
        let name = view! { <code>{name.clone()}</code> };
        match href {
            Some(href) => view! { {comma}<a href=href.clone()>{name}</a> }.into_any(),
            None => view! { {comma}{name} }.into_any(),
        }
    });
    links.collect_view().into_any()
}

fn tests(view: &MartView) -> AnyView {
    let heads =
        view! { {head("What must hold", "")}{head("Weight", "")}{head("Found", "")}{head("Rows", "num")} };
    let rows = view.tests.iter().map(test_rows);
    let said = view.tested_unix_s.map_or_else(
        || "No build has asked them yet.".to_owned(),
        |at| format!("Asked when it was last made, {}.", format::instant(at)),
    );
    let table = view! {
        <table>
            <caption class="vh">"Tests with what was found last"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    view! { <p class="lead">{said}</p>{scrolling("Tests with what was found last".to_owned(), table.into_any())} }.into_any()
}

fn test_rows(test: &MartTest) -> AnyView {
    let (found, class) = match test.row_count {
        None => ("not asked yet", "pill none"),
        Some(0) => ("holds", "pill good"),
        Some(_) if test.is_error => ("fails", "pill high-red"),
        Some(_) => ("fails", "pill high-amber"),
    };
    let sample = (!test.sample.is_empty()).then(|| {
        let rows = test.sample.iter().map(|row| {
            let cells = row.iter().map(|(name, value)| format!("{name} {value}"));
            view! { <li>{cells.collect::<Vec<_>>().join(", ")}</li> }
        });
        view! { <tr class="sub"><td colspan="4"><p class="sub-title">"The first rows"</p><ul>{rows.collect_view()}</ul></td></tr> }
    });
    view! {
        <tr>
            <th scope="row">{test.words.clone()}</th>
            <td>{severity_name(test.is_error)}</td>
            <td><span class=class>{found}</span></td>
            <td class="num">{test.row_count.map(format::count)}</td>
        </tr>
        {sample}
    }
    .into_any()
}

fn columns(columns: &[MartColumn]) -> AnyView {
    let heads = view! {
        {head("Column", "")}{head("Meaning", "")}{head("From", "")}{head("From canon", "")}{head("From files", "")}
    };
    let lines = |names: &[String]| {
        let items = names.iter().map(|name| view! { <li><code>{name.clone()}</code></li> }).collect_view();
        view! { <ul class="plain-list">{items}</ul> }
    };
    let rows = columns.iter().map(|column| {
        view! {
            <tr>
                <th scope="row"><code>{column.name.clone()}</code></th>
                <td>{column.description.clone()}</td>
                <td>{lines(&column.from)}</td>
                <td>{lines(&column.canon)}</td>
                <td>{lines(&column.files)}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"Columns and where they come from"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Columns and where they come from".to_owned(), table.into_any())
}

fn history(history: &[MartTiming]) -> AnyView {
    let heads = view! {
        {head("Ended", "")}{head("Outcome", "")}{head("Rows", "num")}{head("Time", "num")}{head("Why", "")}
    };
    let rows = history.iter().map(|timing| {
        view! {
            <tr>
                <th scope="row"><time datetime=format::instant_iso(timing.ended_unix_s)>
                    {format::instant(timing.ended_unix_s)}
                </time></th>
                <td>{outcome(&timing.outcome)}</td>
                <td class="num">{format::count(timing.row_count)}</td>
                <td class="num">{milliseconds(timing.took_us)}</td>
                <td>{timing.why.clone()}</td>
            </tr>
        }
    });
    let table = view! {
        <table>
            <caption class="vh">"What became of it in the last builds, newest first"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("What became of it in the last builds".to_owned(), table.into_any())
}
