//! `/studies`

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::snapshot_line;
use crate::component::table::{head, scrolling};
use crate::query::{FlagFilter, RbqmQuery};
use crate::view::{StudiesView, StudyRow};
use crate::{format, link};

/// The studies of a tenant.
#[must_use]
pub fn studies(view: &StudiesView) -> String {
    let content = view! {
        <div class="page-head"><h1>"Studies"</h1></div>
        {if view.studies.is_empty() { nothing(view.ingest_command.clone()) } else { study_table(&view.studies) }}
    };
    Document { frame: &view.frame, title: "Studies", drawing: Drawing::None }.render(content.into_any())
}

fn nothing(ingest_command: Option<String>) -> AnyView {
    let advice = if ingest_command.is_some() {
        "No study has been loaded yet. Land the files of a study with this command, and it appears here:"
    } else {
        "You have no study yet. Ask your data engineer to load one or to give you access."
    };
    Empty { title: "No studies", advice: advice.to_owned(), command: ingest_command, link: None }.render()
}

fn study_table(studies: &[StudyRow]) -> AnyView {
    let rows = studies.iter().map(study_row);
    let heads = view! {
        {head("Study", "")}{head("Sites to call", "num")}{head("Sites", "num")}{head("Subjects", "num")}
        {head("Last snapshot", "")}
    };
    let table = view! {
        <table class="roomy">
            <caption class="vh">"Studies you may open"</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    scrolling("Studies you may open".to_owned(), table.into_any())
}

fn study_row(study: &StudyRow) -> AnyView {
    let to_call = match study.sites_to_call {
        None => view! { <span class="soft">"not built"</span> }.into_any(),
        Some(0) => view! { <span class="pill good">"none"</span> }.into_any(),
        Some(count) => {
            let query = RbqmQuery { flag: FlagFilter::Flagged, ..RbqmQuery::default() };
            let href = link::rbqm(&study.key, &query);
            view! {
                <a class="pill high-red" href=href>
                    {format::count(count)}<span class="vh">{format!(" sites of {} to call", study.label)}</span>
                </a>
            }
            .into_any()
        }
    };
    let snapshot = study
        .snapshot
        .as_ref()
        .map_or_else(|| view! { <span class="soft">"nothing published"</span> }.into_any(), snapshot_line);
    view! {
        <tr>
            <th scope="row">
                <a href=link::study(&study.key)>{study.label.clone()}</a>
                <span class="row-note">{study.title.clone()}</span>
            </th>
            <td class="num">{to_call}</td>
            <td class="num">{format::count(study.site_count)}</td>
            <td class="num">{format::count(study.subject_count)}</td>
            <td>{snapshot}</td>
        </tr>
    }
    .into_any()
}
