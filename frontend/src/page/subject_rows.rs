//! `/studies/{study}/rbqm/{indicator}/sites/{site}/subjects/{subject}`
mod corrections;

use leptos::prelude::*;

use crate::component::breadcrumb::breadcrumb;
use crate::component::definition::downloads;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::table::scrolling;
use crate::query::RowsQuery;
use crate::view::{SubjectRowsView, Tab};
use crate::{format, link};

/// The rows behind what one subject adds to an indicator.
#[must_use]
pub fn subject_rows(view: &SubjectRowsView) -> String {
    let study = view.frame.study_key();
    let (indicator, site) = (&view.indicator, &view.site);
    let above = vec![
        ("RBQM".to_owned(), link::tab(study, Tab::Rbqm)),
        (indicator.title.clone(), link::indicator_at(study, &indicator.id, &site.key)),
        (format!("Site {}", site.label), link::site_subjects(study, &indicator.id, &site.key)),
    ];
    let title = format!("Subject {}", view.subject);
    let lead = format!(
        "{} from {} that feed {}.",
        format::counted(view.row_count, "row", "rows"),
        view.table,
        indicator.title
    );
    let base = link::subject_rows(study, &indicator.id, &site.key, &view.subject);
    let content = view! {
        {breadcrumb(above, title.clone())}
        <div class="page-head"><h1>{title.clone()}</h1><p class="lead">{lead}</p></div>
        {downloads(&view.downloads)}
        {if view.rows.is_empty() { nothing(view) } else { row_table(view) }}
        {(!view.rows.is_empty()).then(|| empty_columns(&view.empty))}
        {paging(view)}
        {corrections::corrections(view, &base)}
    };
    Document { frame: &view.frame, title: &title, drawing: Drawing::None }.render(content.into_any())
}

fn row_table(view: &SubjectRowsView) -> AnyView {
    let heads =
        view.columns.iter().map(|column| view! { <th scope="col"><code>{column.clone()}</code></th> });
    let rows = view.rows.iter().map(|row| {
        let cells = row.iter().map(|text| view! { <td>{text.clone()}</td> });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    let label = format!("Rows of {}", view.table);
    let table = view! {
        <table class="rows">
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>{heads.collect_view()}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling(label, table.into_any())
}

/// What no row tells, in a sentence rather than in blank columns.
fn empty_columns(names: &[String]) -> Option<AnyView> {
    if names.is_empty() {
        return None;
    }
    let names = names.iter().enumerate().map(|(place, name)| {
        view! { {if place > 0 { ", " } else { "" }}<code>{name.clone()}</code> }
    });
    Some(view! { <p class="lead">"Empty in every row: " {names.collect_view()} "."</p> }.into_any())
}

fn paging(view: &SubjectRowsView) -> Option<AnyView> {
    let pages = view.row_count.div_ceil(view.page_size.max(1));
    if pages < 2 {
        return None;
    }
    let base = link::subject_rows(view.frame.study_key(), &view.indicator.id, &view.site.key, &view.subject);
    let at = |page: u64| format!("{base}{}", RowsQuery { page, ..view.query.clone() }.to_query_string());
    let page = view.query.page;
    let previous = (page > 1).then(|| {
        view! { <a class="button" rel="prev" href=at(page.min(pages + 1) - 1)>"Previous"</a> }
    });
    let next = (page < pages).then(|| view! { <a class="button" rel="next" href=at(page + 1)>"Next"</a> });
    let said = format!("Page {} of {}", format::count(page), format::count(pages));
    Some(
        view! { <nav class="paging" aria-label="Pages">{previous}<span>{said}</span>{next}</nav> }.into_any(),
    )
}

fn nothing(view: &SubjectRowsView) -> AnyView {
    let href = link::site_subjects(view.frame.study_key(), &view.indicator.id, &view.site.key);
    let advice = if view.row_count > 0 {
        "There is no such page; this subject has fewer rows."
    } else {
        "This subject adds nothing to the numerator, so that no row stands behind it."
    };
    Empty {
        title: "No rows",
        advice: advice.to_owned(),
        command: None,
        link: Some((href, "Back to the subjects")),
    }
    .render()
}
