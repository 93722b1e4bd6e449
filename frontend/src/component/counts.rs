//! The figures at the top of a page.

use leptos::prelude::*;

use crate::format;
use crate::view::KeyCount;

/// Figures with their names, in a grid; nothing without any.
pub(crate) fn key_counts(counts: &[KeyCount]) -> Option<AnyView> {
    let counts = (!counts.is_empty()).then(|| counts.iter().map(key_count).collect_view())?;
    Some(view! { <dl class="counts">{counts}</dl> }.into_any())
}

fn key_count(count: &KeyCount) -> AnyView {
    let shown = count.count.map_or_else(
        || view! { <span class="soft">"not in this source"</span> }.into_any(),
        |count| format::count(count).into_any(),
    );
    let shown = match &count.href {
        Some(href) => view! { <a href=href.clone()>{shown}</a> }.into_any(),
        None => shown,
    };
    view! {
        <div class="count">
            <dt>{count.label.clone()}</dt>
            <dd class="count-value">{shown}</dd>
            {(!count.note.is_empty()).then(|| view! { <dd class="count-note">{count.note.clone()}</dd> })}
        </div>
    }
    .into_any()
}
