//! Where a page lies on the way from a flag to its rows.

use leptos::prelude::*;

/// Links to the pages above; the last one is this page.
pub(crate) fn breadcrumb(above: Vec<(String, String)>, here: String) -> AnyView {
    let links = above.into_iter().map(|(label, href)| view! { <li><a href=href>{label}</a></li> });
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol>{links.collect_view()}<li aria-current="page">{here}</li></ol>
        </nav>
    }
    .into_any()
}
