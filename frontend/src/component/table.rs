//! Parts of tables.

use leptos::prelude::*;

/// A table that scrolls sideways by itself and can be reached by keyboard.
pub(crate) fn scrolling(label: String, table: AnyView) -> AnyView {
    view! { <div class="scroll" role="region" tabindex="0" aria-label=label>{table}</div> }.into_any()
}

/// How a column's head sorts.
pub(crate) struct SortHead {
    /// The column's name.
    pub(crate) label: String,
    /// The address sorted by this column.
    pub(crate) href: String,
    /// The direction when the table is sorted by this column now.
    pub(crate) sorted: Option<Direction>,
    /// The classes of the head.
    pub(crate) class: &'static str,
}

/// The direction of a sorted column.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl SortHead {
    /// The head as a cell with a link.
    pub(crate) fn render(self) -> AnyView {
        let (sorted, sign) = match self.sorted {
            None => (None, ""),
            Some(Direction::Ascending) => (Some("ascending"), " ▴"),
            Some(Direction::Descending) => (Some("descending"), " ▾"),
        };
        view! {
            <th scope="col" class=self.class aria-sort=sorted>
                <a class="sort" href=self.href>{self.label}<span aria-hidden="true">{sign}</span></a>
            </th>
        }
        .into_any()
    }
}

/// A bar from 0 to 1 beside its figure. Decoration: the figure stands in the text.
pub(crate) fn share_bar(share: f64, class: &'static str) -> AnyView {
    let width = if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    view! {
        <svg class=format!("bar {class}") viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"
            focusable="false">
            <rect class="bar-track" width="100" height="8"></rect>
            <rect class="bar-value" width=format!("{width:.1}") height="8"></rect>
        </svg>
    }
    .into_any()
}

/// A plain column head.
pub(crate) fn head(label: &'static str, class: &'static str) -> AnyView {
    view! { <th scope="col" class=class>{label}</th> }.into_any()
}
