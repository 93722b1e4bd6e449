//! `/studies/{study}/quality`
mod missing_table;

use leptos::prelude::*;
use missing_table::{cell_table, worst_table};

use crate::component::chart::{chart, heat_scale};
use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::filter::{Select, choice, filter_bar};
use crate::figure::missingness::HEATMAP_ROWS_MAX;
use crate::figure::missingness_heatmap;
use crate::missing::{MissingCounts, cells, headings, share_max, total};
use crate::query::{Basis, QualityQuery, RowsBy};
use crate::view::{QualityView, Tab};
use crate::{format, link};

/// What is missing, where and when.
#[must_use]
pub fn quality(view: &QualityView) -> String {
    let drawing = if view.rows.is_empty() { Drawing::None } else { Drawing::Figures };
    let body = if view.rows.is_empty() { nothing(view) } else { found(view) };
    let content = view! {
        <div class="page-head">
            <h1>"Data quality: missing values"</h1>
            <p class="lead">"Which values the schedule asked for and which never came, by variable, visit and site."</p>
            <p><a href=link::missing(view.frame.study_key())>"Why values are missing: patterns, trend, Little's test"</a></p>
        </div>
        {filter(view)}
        {body}
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: "Quality", drawing }.render(content.into_any())
}

fn found(view: &QualityView) -> AnyView {
    let cells = cells(&view.query, &view.rows);
    let basis = view.query.basis;
    let scale =
        || heat_scale(format::percent(share_max(&cells, basis)), format!("missing of {}", basis.name()));
    let figure = missingness_heatmap(view).map(|figure| chart(&figure, Some(scale()), caption(view)));
    view! {
        {summary(&total(&view.rows), basis)}
        {figure}
        {worst_table(view)}
        <section aria-labelledby="cells">
            <h2 id="cells">{table_title(view.query.rows)}</h2>
            {downloads(&view.downloads)}
            {cell_table(view, &cells)}
        </section>
    }
    .into_any()
}

fn table_title(rows: RowsBy) -> &'static str {
    match rows {
        RowsBy::Variable => "By variable and visit",
        RowsBy::Site => "By site and visit",
    }
}

fn caption(view: &QualityView) -> String {
    let rows = headings(&view.query, &cells(&view.query, &view.rows)).len();
    let kept = if rows > HEATMAP_ROWS_MAX {
        format!(
            " The {HEATMAP_ROWS_MAX} of {} with the most missing values are drawn.",
            format::counted(rows as u64, "row", "rows")
        )
    } else {
        String::new()
    };
    format!(
        "Rows with the most missing values on top; visits in the order of the schedule. Blank: nothing is expected. A click opens the cell.{kept}"
    )
}

fn filter(view: &QualityView) -> AnyView {
    let query = &view.query;
    let select = |name, label, any, choices, chosen| Select { name, label, any, choices, chosen }.render();
    let rows = [choice("variable", "Variables"), choice("site", "Sites")];
    let bases = [choice("expected", "Expected values"), choice("received", "Received values")];
    let fields = vec![
        select("rows", "Rows", None, &rows, Some(query.rows.name())),
        select("variable", "Variable", Some("All variables"), &view.variables, query.variable.as_deref()),
        select("visit", "Visit", Some("All visits"), &view.visits, query.visit.as_deref()),
        select("site", "Site", Some("All sites"), &view.sites, query.site.as_deref()),
        select("basis", "Share of", None, &bases, Some(query.basis.name())),
    ];
    let hidden = vec![("sort", query.sort.name().to_owned())];
    filter_bar(link::tab(view.frame.study_key(), Tab::Quality), hidden, fields, "Filter missing values")
}

/// Both denominators side by side, so that nobody takes one for the other.
fn summary(counts: &MissingCounts, basis: Basis) -> AnyView {
    let fact = |of: Basis, title: &'static str, explained: String| {
        let share = counts.share(of).map_or_else(|| format::NO_VALUE.to_owned(), format::percent);
        let (class, shown) = if of == basis { ("count lit", " (shown below)") } else { ("count", "") };
        view! {
            <div class=class>
                <dt>{format!("{title}{shown}")}</dt>
                <dd class="count-value">{share}</dd>
                <dd class="count-note">{explained}</dd>
            </div>
        }
    };
    let expected = format!(
        "{} of {} values the schedule asks for: {} on received pages and {} with visits or pages not received",
        format::count(counts.missing(Basis::Expected)),
        format::count(counts.expected),
        format::count(counts.item_missing),
        format::count(counts.visit_missing),
    );
    let received = format!(
        "{} of {} values on received pages; a visit that did not take place does not count",
        format::count(counts.missing(Basis::Received)),
        format::count(counts.received),
    );
    view! {
        <dl class="counts wide">
            {fact(Basis::Expected, "Missing of expected", expected)}
            {fact(Basis::Received, "Missing of received", received)}
        </dl>
    }
    .into_any()
}

fn nothing(view: &QualityView) -> AnyView {
    let study = view.frame.study_key();
    let unfiltered = QualityQuery { variable: None, visit: None, site: None, ..view.query.clone() };
    if unfiltered == view.query {
        return Empty {
            title: "Nothing to compare with the schedule",
            advice:
                "This snapshot holds no expected values: the study's source has no visit schedule, or no \
                     snapshot was published yet."
                    .to_owned(),
            command: None,
            link: Some((link::tab(study, Tab::Data), "See what was loaded")),
        }
        .render();
    }
    Empty {
        title: "No values match this filter",
        advice: "The schedule asks for nothing at this combination of variable, visit and site.".to_owned(),
        command: None,
        link: Some((link::quality(study, &unfiltered), "Remove the filter")),
    }
    .render()
}
