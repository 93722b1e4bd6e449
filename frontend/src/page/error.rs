//! What a reader sees when something did not work.

use leptos::prelude::*;

use crate::component::document::{Document, Drawing};
use crate::link;
use crate::view::ErrorView;

/// The page of an error.
#[must_use]
pub fn error(view: &ErrorView) -> String {
    let (href, label) = if view.frame.person.is_some() {
        (link::STUDIES, "To the studies")
    } else {
        (link::LOGIN, "To the sign-in page")
    };
    let trace = (!view.trace_id.is_empty()).then(|| {
        view! { <p class="soft">"When you ask for help, quote the trace "<code>{view.trace_id.clone()}</code>"."</p> }
    });
    let content = view! {
        <div class="narrow">
            <p class="status-code">{view.status.to_string()}</p>
            <h1>{view.title.clone()}</h1>
            <p class="lead">{view.detail.clone()}</p>
            {(!view.remedy.is_empty()).then(|| view! { <p class="note">{view.remedy.clone()}</p> })}
            <p><a class="button primary" href=href>{label}</a></p>
            {trace}
        </div>
    };
    Document { frame: &view.frame, title: &view.title, drawing: Drawing::None }.render(content.into_any())
}
