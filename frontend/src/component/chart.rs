//! A figure: its data block, and the place where the script draws it.

use leptos::prelude::*;

use crate::figure::Figure;

/// The figure with its colour scale and a caption. Without a script the caption and the table of the page remain.
pub(crate) fn chart(figure: &Figure, scale: Option<AnyView>, caption: String) -> AnyView {
    let block = format!("figure-{}", figure.id);
    view! {
        <figure class="figure">
            <div class="canvas" data-figure=block.clone() role="img" aria-label=figure.label.clone()></div>
            <script type="application/json" id=block inner_html=figure.data_block()></script>
            <figcaption>{scale}{caption}</figcaption>
        </figure>
    }
    .into_any()
}

/// The colours of a heat map from nothing to `highest`.
pub(crate) fn heat_scale(highest: String, unit: String) -> AnyView {
    view! {
        <span class="scale">
            <span>"0%"</span>
            <svg class="scale-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <defs>
                    <linearGradient id="heat">
                        <stop class="heat-0" offset="0"></stop>
                        <stop class="heat-1" offset="0.5"></stop>
                        <stop class="heat-2" offset="1"></stop>
                    </linearGradient>
                </defs>
                <rect width="100" height="8" fill="url(#heat)"></rect>
            </svg>
            <span>{highest}</span>
            <span>{unit}</span>
        </span>
    }
    .into_any()
}
