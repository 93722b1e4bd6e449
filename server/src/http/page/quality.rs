//! What is missing, where and when.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::query::QualityQuery;
use frontend::view::{Choice, Definition, MissingnessRow, QualityView, Tab, VisitLabel};

use super::{Answer, Visit, pairs, signals};
use crate::http::State;
use crate::http::caller::Reader;
use crate::mart_rows::Rows;

/// `GET /studies/{study}/quality`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let rows = state.app.mart_rows.table(&scope, &visible, "mart_missingness").await;
    let rows = missingness(&rows.map_err(|failure| visit.fail(failure))?);
    let query = QualityQuery::from_pairs(&pairs(&uri));
    let matches = |row: &&MissingnessRow| {
        let is = |wanted: &Option<String>, key: &str| wanted.as_deref().is_none_or(|wanted| wanted == key);
        is(&query.variable, &row.variable.key)
            && is(&query.visit, &row.visit.key)
            && is(&query.site, &row.site.key)
    };
    let view = QualityView {
        frame: visit.frame(Some(Tab::Quality), Some((&scope, &visible.row))).await?,
        variables: distinct(rows.iter().map(|row| row.variable.clone()).collect()),
        visits: visits(&rows),
        sites: distinct(rows.iter().map(|row| row.site.clone()).collect()),
        rows: rows.iter().filter(matches).cloned().collect(),
        query,
        definition: definition(),
        downloads: signals::downloads(&study, "mart_missingness"),
    };
    Ok(visit.page(frontend::page::quality(&view)))
}

fn missingness(rows: &Rows) -> Vec<MissingnessRow> {
    let [domains, codes, tests, visits, numbers, sites] =
        ["domain", "test_code", "test", "visit", "visit_num", "site_id"].map(|name| rows.texts(name));
    let orders = rows.numbers("visit_order");
    let [expected, received, observed, item, visit] =
        ["n_expected", "n_received", "n_observed", "n_item_missing", "n_visit_missing"]
            .map(|name| rows.counts(name));
    (0..rows.len())
        .map(|row| MissingnessRow {
            variable: Choice {
                key: format!("{}.{}", domains[row], codes[row]),
                label: format!("{}: {}", domains[row], tests[row]),
            },
            visit: VisitLabel {
                key: numbers[row].clone(),
                label: visits[row].clone(),
                order: orders[row].unwrap_or(0.0),
            },
            site: Choice { key: sites[row].clone(), label: sites[row].clone() },
            n_expected: expected[row],
            n_received: received[row],
            n_observed: observed[row],
            n_item_missing: item[row],
            n_visit_missing: visit[row],
        })
        .collect()
}

fn distinct(mut choices: Vec<Choice>) -> Vec<Choice> {
    choices.sort_by(|a, b| a.key.cmp(&b.key));
    choices.dedup_by(|a, b| a.key == b.key);
    choices
}

fn visits(rows: &[MissingnessRow]) -> Vec<Choice> {
    let mut visits: Vec<&VisitLabel> = rows.iter().map(|row| &row.visit).collect();
    visits.sort_by(|a, b| a.order.total_cmp(&b.order).then(a.key.cmp(&b.key)));
    visits.dedup_by(|a, b| a.key == b.key);
    visits.into_iter().map(|visit| Choice { key: visit.key.clone(), label: visit.label.clone() }).collect()
}

fn definition() -> Definition {
    Definition {
        title: "Missing values".to_owned(),
        summary: "A value is expected of every subject whose visit is due. It is received when the record is there, \
                  and observed when the record has a result."
            .to_owned(),
        numerator: "values without a result".to_owned(),
        denominator: "expected: subjects whose visit took place or whose window closed while they took part; received: \
                      subjects with a record of the variable at the visit"
            .to_owned(),
        formula: "of expected: (expected - observed) / expected; of received: (received - observed) / received".to_owned(),
        source: "visit windows by the study's plan; a visit counts as missed once its window closes".to_owned(),
        parameters: vec![
            (
                "a variable is due at a visit when".to_owned(),
                "at least half of the subjects who came have a record of it".to_owned(),
            ),
        ],
        ..Definition::default()
    }
}
