//! The table of missing values and the list of its worst rows.

use leptos::prelude::*;

use crate::component::table::{Direction, SortHead, head, scrolling, share_bar};
use crate::figure::missingness::cell_link;
use crate::missing::{MissingCell, MissingCounts, worst_rows};
use crate::query::{QualityQuery, QualitySort, RowsBy};
use crate::view::{MissingnessRow, QualityView};
use crate::{format, link};

/// Rows of the table on the page; the files hold all.
const TABLE_ROWS_MAX: usize = 200;

/// Rows in the list of the worst.
const WORST_MAX: usize = 5;

/// One row per cell of the heat map.
pub(super) fn cell_table(view: &QualityView, cells: &[MissingCell]) -> AnyView {
    let study = view.frame.study_key();
    let rows = cells.iter().take(TABLE_ROWS_MAX).map(|cell| cell_row(study, &view.query, cell));
    let cut = (cells.len() > TABLE_ROWS_MAX).then(|| {
        let said = format!(
            "The first {TABLE_ROWS_MAX} of {} rows are shown. Narrow the filter, or take the file for all of them.",
            format::count(cells.len() as u64)
        );
        view! { <p class="soft">{said}</p> }
    });
    let table = view! {
        <table>
            <caption class="vh">"Missing values"</caption>
            <thead>{heads(study, &view.query)}</thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    view! { {scrolling("Missing values".to_owned(), table.into_any())} {cut} }.into_any()
}

/// The rows with the most missing values, at the finest grain there is.
pub(super) fn worst_table(view: &QualityView) -> Option<AnyView> {
    let worst = worst_rows(&view.query, &view.rows, WORST_MAX);
    if worst.is_empty() {
        return Some(view! { <p class="note good">"Nothing is missing here on this basis."</p> }.into_any());
    }
    let items = worst.iter().map(|row| worst_item(view, row));
    let section = view! {
        <section aria-labelledby="worst">
            <h2 id="worst">"Where most is missing"</h2>
            <ol class="worst">{items.collect_view()}</ol>
        </section>
    };
    Some(section.into_any())
}

fn heads(study: &str, query: &QualityQuery) -> AnyView {
    let sort_head = |label: &str, sort: QualitySort, direction: Direction, class: &'static str| {
        let sorted = (query.sort == sort).then_some(direction);
        let href = link::quality(study, &QualityQuery { sort, ..query.clone() });
        SortHead { label: label.to_owned(), href, sorted, class }.render()
    };
    let name = match query.rows {
        RowsBy::Variable => "Variable",
        RowsBy::Site => "Site",
    };
    view! {
        <tr>
            {sort_head(name, QualitySort::Name, Direction::Ascending, "")}
            {sort_head("Visit", QualitySort::Visit, Direction::Ascending, "")}
            {head("Expected", "num")}
            {head("Received", "num")}
            {head("Observed", "num")}
            {head("Missing on page", "num")}
            {head("Missing with visit", "num")}
            {sort_head("Missing", QualitySort::Missing, Direction::Descending, "num")}
            {sort_head("Share", QualitySort::Share, Direction::Descending, "num")}
            <td></td>
        </tr>
    }
    .into_any()
}

fn cell_row(study: &str, query: &QualityQuery, cell: &MissingCell) -> AnyView {
    let counts = cell.counts;
    let share = counts.share(query.basis);
    view! {
        <tr>
            <th scope="row"><a href=cell_link(study, query, cell)>{cell.row.label.clone()}</a></th>
            <td>{cell.visit.label.clone()}</td>
            <td class="num">{format::count(counts.expected)}</td>
            <td class="num">{format::count(counts.received)}</td>
            <td class="num">{format::count(counts.observed)}</td>
            <td class="num">{format::count(counts.item_missing)}</td>
            <td class="num">{format::count(counts.visit_missing)}</td>
            <td class="num">{format::count(counts.missing(query.basis))}</td>
            <td class="num">{share.map_or_else(|| format::NO_VALUE.to_owned(), format::percent)}</td>
            <td class="bar-cell">{share.map(|share| share_bar(share, "missing"))}</td>
        </tr>
    }
    .into_any()
}

fn worst_item(view: &QualityView, row: &MissingnessRow) -> AnyView {
    let query = &view.query;
    let counts = MissingCounts::of(row);
    let at_site = !row.site.key.is_empty();
    let next = QualityQuery {
        variable: Some(row.variable.key.clone()),
        site: at_site.then(|| row.site.key.clone()),
        visit: None,
        rows: if at_site { RowsBy::Variable } else { RowsBy::Site },
        ..query.clone()
    };
    let site = if at_site { format!(", site {}", row.site.label) } else { String::new() };
    let share = counts.share(query.basis).map_or_else(|| format::NO_VALUE.to_owned(), format::percent);
    let said = format!(
        "{share} missing: {} of {} {} values",
        format::count(counts.missing(query.basis)),
        format::count(counts.denominator(query.basis)),
        query.basis.name(),
    );
    view! {
        <li>
            <a href=link::quality(view.frame.study_key(), &next)>
                {format!("{}, {}{site}", row.variable.label, row.visit.label)}
            </a>
            <span class="worst-said">{said}</span>
        </li>
    }
    .into_any()
}
