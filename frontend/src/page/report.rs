//! `/studies/{study}/enrolment`, `/studies/{study}/safety`, `/studies/{study}/missing`

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::chart::chart;
use crate::component::counts::key_counts;
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::table::scrolling;
use crate::figure::plot;
use crate::view::{Cell, ReportView, Section, Tab, Table};
use crate::{format, link};

/// Names of the places where figures are drawn: more than a page has sections.
const PLACES: [&str; 8] = ["plot-1", "plot-2", "plot-3", "plot-4", "plot-5", "plot-6", "plot-7", "plot-8"];

/// A page of sections.
#[must_use]
pub fn report(view: &ReportView) -> String {
    let has_figures = view.sections.iter().any(|section| section.plot.is_some());
    let sections = view.sections.iter().zip(PLACES).map(|(part, place)| section(part, place));
    let body = if view.sections.iter().all(|section| section.table.rows.is_empty()) {
        Empty {
            title: "Nothing to show yet",
            advice: view.needs.clone(),
            command: None,
            link: Some((link::tab(view.frame.study_key(), Tab::Data), "See what was loaded")),
        }
        .render()
    } else {
        view! { {key_counts(&view.counts)} {sections.collect_view()} }.into_any()
    };
    let above = view
        .above
        .as_ref()
        .map(|above| breadcrumb(vec![(above.label.clone(), above.key.clone())], view.title.clone()));
    let content = view! {
        {above}
        <div class="page-head"><h1>{view.title.clone()}</h1><p class="lead">{view.lead.clone()}</p></div>
        {body}
        {definition_box(&view.definition)}
    };
    let drawing = if has_figures { Drawing::Figures } else { Drawing::None };
    Document { frame: &view.frame, title: &view.title, drawing }.render(content.into_any())
}

fn section(section: &Section, place: &'static str) -> AnyView {
    let figure = section
        .plot
        .as_ref()
        .and_then(|wanted| plot(place, wanted).map(|figure| chart(&figure, None, wanted.caption.clone())));
    let note = (!section.note.is_empty()).then(|| view! { <p class="soft">{section.note.clone()}</p> });
    let body = if section.table.rows.is_empty() {
        view! { <p class="note">{section.empty.clone()}</p> }.into_any()
    } else {
        let shown = view! { {downloads(&section.downloads)} {table(&section.title, &section.table)} };
        if section.is_folded && figure.is_some() {
            view! { <details><summary>"The numbers"</summary>{shown}</details> }.into_any()
        } else {
            shown.into_any()
        }
    };
    view! {
        <section aria-labelledby=section.id.clone()>
            <h2 id=section.id.clone()>{section.title.clone()}</h2>
            {note}
            {figure}
            {body}
        </section>
    }
    .into_any()
}

fn table(title: &str, table: &Table) -> AnyView {
    // A column is of numbers when its first filled cell is one.
    let class = |column: usize| {
        let first = table.rows.iter().filter_map(|row| row.get(column)).find(|cell| **cell != Cell::Empty);
        match first {
            None | Some(Cell::Text(_) | Cell::Below(_) | Cell::Alarm(_)) => "",
            Some(_) => "num",
        }
    };
    let heads = table.heads.iter().enumerate().map(|(column, head)| {
        view! { <th scope="col" class=class(column)>{head.clone()}</th> }
    });
    let rows = table.rows.iter().map(|row| {
        let cells = row.iter().enumerate().map(|(column, shown)| {
            if column == 0 {
                let below = if matches!(shown, Cell::Below(_)) { "below" } else { "" };
                view! { <th scope="row" class=below>{cell(shown)}</th> }.into_any()
            } else {
                view! { <td class=class(column)>{cell(shown)}</td> }.into_any()
            }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    let cut = table.of.filter(|all| *all > table.rows.len() as u64).map(|all| {
        let said = format!(
            "{} of {} rows are shown; the file holds all.",
            format::count(table.rows.len() as u64),
            format::count(all)
        );
        view! { <p class="soft">{said}</p> }
    });
    let shown = view! {
        <table>
            <caption class="vh">{title.to_owned()}</caption>
            <thead><tr>{heads.collect_view()}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    view! { {scrolling(title.to_owned(), shown.into_any())} {cut} }.into_any()
}

fn cell(cell: &Cell) -> AnyView {
    match cell {
        Cell::Empty => format::NO_VALUE.to_owned().into_any(),
        Cell::Text(text) | Cell::Below(text) => text.clone().into_any(),
        Cell::Count(count) => format::count(*count).into_any(),
        Cell::Number(number) => format::rate(*number).into_any(),
        Cell::Share(share) => format::percent(*share).into_any(),
        Cell::P(p) => format::p_value(*p).into_any(),
        Cell::ShareBetween(low, high) => {
            format!("{} to {}", format::percent(*low), format::percent(*high)).into_any()
        }
        Cell::Between(low, high) => format!("{} to {}", format::rate(*low), format::rate(*high)).into_any(),
        Cell::Alarm(text) => view! { <span class="pill high-red">{text.clone()}</span> }.into_any(),
    }
}
