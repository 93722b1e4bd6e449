//! `/studies/{study}`

use leptos::prelude::*;

use crate::component::calls::call_list;
use crate::component::counts::key_counts;
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::loads::{batch_table, snapshot_tables};
use crate::link;
use crate::query::RbqmQuery;
use crate::site_call::site_calls;
use crate::view::{OverviewView, Tab};

/// Sites named on the overview.
const CALLS_MAX: usize = 5;

/// One study at a glance.
#[must_use]
pub fn overview(view: &OverviewView) -> String {
    let label = view.frame.study.as_ref().map_or_else(String::new, |study| study.label.clone());
    let content = view! {
        <div class="page-head"><h1>{label}</h1><p class="lead">{view.title.clone()}</p></div>
        {key_counts(&view.counts)}
        {calls(view)}
        {loads(view)}
        {tables(view)}
    };
    Document { frame: &view.frame, title: "Overview", drawing: Drawing::None }.render(content.into_any())
}

fn calls(view: &OverviewView) -> AnyView {
    let study = view.frame.study_key();
    let calls = site_calls(&view.indicators, &view.sites);
    let href = link::rbqm(study, &RbqmQuery::default());
    let body = if view.indicators.is_empty() {
        Empty {
            title: "No risk indicators yet",
            advice: "The indicators are built with the next snapshot of this study.".to_owned(),
            command: None,
            link: Some((link::tab(study, Tab::Data), "See what was loaded")),
        }
        .render()
    } else if calls.is_empty() {
        view! { <p class="note good">"No site needs a call: no indicator is red, and no site has two in amber."</p> }
            .into_any()
    } else {
        let rest = calls.len().saturating_sub(CALLS_MAX);
        let more =
            if rest > 0 { format!("All {} sites to call", calls.len()) } else { "All sites".to_owned() };
        view! { {call_list(study, &calls, CALLS_MAX)} <p><a href=href>{more}</a></p> }.into_any()
    };
    view! { <section aria-labelledby="calls"><h2 id="calls">"Sites that need a call"</h2>{body}</section> }
        .into_any()
}

fn loads(view: &OverviewView) -> AnyView {
    let study = view.frame.study_key();
    let body = if view.batches.is_empty() {
        Empty {
            title: "No loads",
            advice: "Nothing has been landed for this study yet.".to_owned(),
            command: None,
            link: Some((link::tab(study, Tab::Data), "How to land data")),
        }
        .render()
    } else {
        let href = link::tab(study, Tab::Data);
        view! { {batch_table(&view.batches)} <p><a href=href>"All loads and snapshots"</a></p> }.into_any()
    };
    view! { <section aria-labelledby="loads"><h2 id="loads">"Last loads"</h2>{body}</section> }.into_any()
}

fn tables(view: &OverviewView) -> Option<AnyView> {
    if view.tables.is_empty() {
        return None;
    }
    let snippet = (!view.flight_snippet.is_empty()).then(|| {
        view! {
            <h3>"Pull a table in Python"</h3>
            <pre class="code" tabindex="0"><code>{view.flight_snippet.clone()}</code></pre>
        }
    });
    let section = view! {
        <section aria-labelledby="tables">
            <h2 id="tables">"Tables of this snapshot"</h2>
            {snapshot_tables(&view.tables)}
            {snippet}
        </section>
    };
    Some(section.into_any())
}
