//! What is missing, as a heat map of variables or sites over visits.

use plotly::layout::TicksDirection;
use serde_json::{Value, json};

use super::{Figure, axis, label, layout};
use crate::missing::{MissingCell, cells, headings, share_max, visits};
use crate::query::{Basis, QualityQuery, RowsBy};
use crate::view::{Choice, QualityView, VisitLabel};
use crate::{format, link};

/// Rows drawn at most; those with the most missing values are kept.
pub const HEATMAP_ROWS_MAX: usize = 40;

const ROW_HEIGHT: usize = 24;

/// The heat map of a missingness view; `None` when nothing was expected.
#[must_use]
pub fn missingness_heatmap(view: &QualityView) -> Option<Figure> {
    let query = &view.query;
    let cells = cells(query, &view.rows);
    let mut headings = headings(query, &cells);
    headings.truncate(HEATMAP_ROWS_MAX);
    let visits = visits(&cells);
    if headings.is_empty() || visits.is_empty() {
        return None;
    }
    let study = view.frame.study_key();
    let trace = trace(&Grid { study, query, cells: &cells, headings: &headings, visits: &visits });
    let ticks = |count: usize| (0_u32..).map(f64::from).take(count).collect::<Vec<f64>>();
    let x_axis = axis("Visit")
        .tick_values(ticks(visits.len()))
        .tick_text(visits.iter().map(|visit| label(&visit.label)).collect::<Vec<_>>())
        .ticks(TicksDirection::Outside)
        .show_grid(false);
    let y_axis = axis("")
        .tick_values(ticks(headings.len()))
        .tick_text(headings.iter().map(|heading| label(&heading.label)).collect::<Vec<_>>())
        .ticks(TicksDirection::Outside)
        .show_grid(false);
    let mut layout = super::value(&layout(120 + ROW_HEIGHT * headings.len(), x_axis, y_axis));
    // The typed axis cannot say that the first row stands on top.
    layout["yaxis"]["autorange"] = json!("reversed");
    Some(Figure {
        id: "missingness",
        label: figure_label(query),
        json: json!({ "data": [trace], "layout": layout }),
    })
}

struct Grid<'a> {
    study: &'a str,
    query: &'a QualityQuery,
    cells: &'a [MissingCell],
    headings: &'a [Choice],
    visits: &'a [VisitLabel],
}

impl Grid<'_> {
    /// One value per row and visit; a gap where nothing was expected.
    fn map(&self, each: impl Fn(&MissingCell) -> Value) -> Vec<Vec<Value>> {
        let cell = |heading: &Choice, visit: &VisitLabel| {
            self.cells.iter().find(|cell| cell.row.key == heading.key && cell.visit.key == visit.key)
        };
        self.headings
            .iter()
            .map(|heading| {
                self.visits.iter().map(|visit| cell(heading, visit).map_or(Value::Null, &each)).collect()
            })
            .collect()
    }
}

fn trace(grid: &Grid<'_>) -> Value {
    let basis = grid.query.basis;
    let share = |cell: &MissingCell| cell.counts.share(basis).map(|share| share * 100.0);
    json!({
        "type": "heatmap",
        "x": (0..grid.visits.len()).collect::<Vec<_>>(),
        "y": (0..grid.headings.len()).collect::<Vec<_>>(),
        "z": grid.map(|cell| json!(share(cell))),
        "text": grid.map(|cell| json!(hover_text(cell, basis))),
        "customdata": grid.map(|cell| json!(cell_link(grid.study, grid.query, cell))),
        "hoverinfo": "text",
        "hoverongaps": false,
        "xgap": 2,
        "ygap": 2,
        "zmin": 0,
        "zmax": share_max(grid.cells, basis) * 100.0,
        "colorscale": [[0, "var(--heat-0)"], [0.5, "var(--heat-1)"], [1, "var(--heat-2)"]],
        // The page shows the scale itself: the colour bar sets styles that the content security policy forbids.
        "showscale": false
    })
}

/// Where a cell leads: the same visit by site, or the same site by variable.
#[must_use]
pub fn cell_link(study: &str, query: &QualityQuery, cell: &MissingCell) -> String {
    let mut next = QualityQuery { visit: Some(cell.visit.key.clone()), ..query.clone() };
    match query.rows {
        RowsBy::Variable => {
            next.variable = Some(cell.row.key.clone());
            next.rows = RowsBy::Site;
        }
        RowsBy::Site => {
            next.site = Some(cell.row.key.clone());
            next.rows = RowsBy::Variable;
        }
    }
    link::quality(study, &next)
}

fn hover_text(cell: &MissingCell, basis: Basis) -> String {
    let counts = cell.counts;
    format!(
        "{}, {}<br>{} missing: {} of {} {}<br>{} on received pages, {} with visits not received",
        label(&cell.row.label),
        label(&cell.visit.label),
        counts.share(basis).map_or_else(|| format::NO_VALUE.to_owned(), format::percent),
        format::count(counts.missing(basis)),
        format::count(counts.denominator(basis)),
        basis.name(),
        format::count(counts.item_missing),
        format::count(counts.visit_missing),
    )
}

fn figure_label(query: &QualityQuery) -> String {
    let rows = match query.rows {
        RowsBy::Variable => "variable",
        RowsBy::Site => "site",
    };
    format!("Heat map of missing values as a share of {} values, by {rows} and visit", query.basis.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Frame, MissingnessRow};

    fn view(rows: RowsBy) -> QualityView {
        let choice = |key: &str| Choice { key: key.to_owned(), label: format!("<{key}>") };
        let row = |variable: &str, visit: &str, order, n_item_missing| MissingnessRow {
            variable: choice(variable),
            visit: VisitLabel { key: visit.to_owned(), label: visit.to_owned(), order },
            site: choice("101"),
            n_expected: 20,
            n_received: 10,
            n_observed: 10 - n_item_missing,
            n_item_missing,
            n_visit_missing: 10,
        };
        QualityView {
            frame: Frame { study: Some(choice("S1")), ..Frame::default() },
            query: QualityQuery { rows, basis: Basis::Received, ..QualityQuery::default() },
            rows: vec![row("SYSBP", "V10", 10.0, 1), row("SYSBP", "V2", 2.0, 0), row("WEIGHT", "V2", 2.0, 5)],
            ..QualityView::default()
        }
    }

    #[test]
    fn rows_are_worst_first_and_visits_in_order() {
        let figure = missingness_heatmap(&view(RowsBy::Variable)).expect("there are rows");
        let trace = &figure.json["data"][0];
        assert_eq!(trace["type"], "heatmap");
        assert_eq!(figure.json["layout"]["yaxis"]["ticktext"], json!(["&lt;WEIGHT&gt;", "&lt;SYSBP&gt;"]));
        assert_eq!(figure.json["layout"]["xaxis"]["ticktext"], json!(["V2", "V10"]));
        assert_eq!(figure.json["layout"]["yaxis"]["autorange"], "reversed");
        assert_eq!(trace["z"], json!([[50.0, null], [0.0, 10.0]]));
        assert_eq!(trace["zmax"], 50.0);
    }

    #[test]
    fn a_cell_leads_to_the_other_side_of_itself() {
        let figure = missingness_heatmap(&view(RowsBy::Variable)).expect("there are rows");
        assert_eq!(
            figure.json["data"][0]["customdata"][0][0],
            "/studies/S1/quality?rows=site&variable=WEIGHT&visit=V2&basis=received"
        );
        let figure = missingness_heatmap(&view(RowsBy::Site)).expect("there are rows");
        assert_eq!(
            figure.json["data"][0]["customdata"][0][0],
            "/studies/S1/quality?visit=V2&site=101&basis=received"
        );
    }

    #[test]
    fn nothing_expected_draws_nothing() {
        assert_eq!(missingness_heatmap(&QualityView::default()), None);
    }
}
