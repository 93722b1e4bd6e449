//! Why values are missing, as far as the data can tell.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::link;
use frontend::view::{
    Cell, Choice, Definition, Line, LineKind, Place, Plot, ReportView, Section, Tab, Table,
};

use super::report::{Numbers, Source, count, heads, text};
use super::{Answer, Visit, signals};
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;

/// Rows of each table on the page.
const ROWS_MAX: usize = 60;

/// `GET /studies/{study}/missing`.
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
    let source = Source { app: &state.app, scope: &scope, visible: &visible };
    let failed = |failure| visit.fail(failure);
    let view = ReportView {
        frame: visit.frame(Some(Tab::Quality), Some((&scope, &visible.row))).await?,
        title: "Why values are missing".to_owned(),
        lead: "What is missing together, since when, and what goes with it.".to_owned(),
        above: Some(Choice { key: link::tab(&study, Tab::Quality), label: "Quality".to_owned() }),
        sections: vec![
            attendance(source, &study).await.map_err(failed)?,
            trend(source, &study).await.map_err(failed)?,
            patterns(source, &study).await.map_err(failed)?,
            mechanism(source, &study).await.map_err(failed)?,
            associations(source, &study).await.map_err(failed)?,
        ],
        needs:
            "This needs a visit schedule and findings; it is made with the next build of this study's marts."
                .to_owned(),
        definition: definition(),
        ..ReportView::default()
    };
    Ok(visit.page(frontend::page::report(&view)))
}

async fn attendance(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_visit_attendance").await?;
    let visits = rows.texts("visit");
    let numbers = Numbers::of(&rows);
    let columns =
        ["n_enrolled", "n_came", "n_missed_and_returned", "n_missed_since", "n_left_before", "n_not_due_yet"]
            .map(|name| numbers.cells(name, count));
    let order = rows.numbers("visit_order");
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by(|left, right| {
        order[*left].unwrap_or_default().total_cmp(&order[*right].unwrap_or_default())
    });
    let row = |row: usize| {
        std::iter::once(text(&visits[row])).chain(columns.iter().map(|cells| cells[row].clone())).collect()
    };
    Ok(Section {
        id: "attendance".to_owned(),
        title: "Visits: missed, or never to come".to_owned(),
        note: "Every enrolled subject stands in one column of each visit.".to_owned(),
        table: Table {
            heads: heads([
                "Visit",
                "Enrolled",
                "Came",
                "Missed, came later",
                "Missed, not since",
                "Had left",
                "Not due yet",
            ]),
            rows: places.into_iter().map(row).collect(),
            of: None,
        },
        empty: "The study has no schedule of visits.".to_owned(),
        downloads: signals::downloads(study, "mart_visit_attendance"),
        ..Section::default()
    })
}

async fn trend(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_missing_month").await?;
    let (domains, months) = (rows.texts("domain"), rows.texts("year_month"));
    let share = rows.numbers("share_missing_of_expected");
    let numbers = Numbers::of(&rows);
    let [expected, item, visit] =
        ["n_expected", "n_item_missing", "n_visit_missing"].map(|name| numbers.cells(name, count));
    let shares = numbers.cells("share_missing_of_expected", Cell::Share);
    let day = |row: usize| {
        format!(
            "{}-{}-01",
            &months[row].get(..4).unwrap_or_default(),
            months[row].get(4..6).unwrap_or_default()
        )
    };
    let mut lines: Vec<Line> = Vec::new();
    for row in 0..rows.len() {
        if lines.last().is_none_or(|line| line.name != domains[row]) {
            let kind = if lines.is_empty() { LineKind::Main } else { LineKind::Other };
            lines.push(Line { name: domains[row].clone(), kind, ..Line::default() });
        }
        if let (Some(line), Some(share)) = (lines.last_mut(), share[row]) {
            line.x.push(Place::Day(day(row)));
            line.y.push(share);
        }
    }
    let row = |row: usize| {
        let month = day(row);
        vec![
            text(&domains[row]),
            text(month.get(..7).unwrap_or_default()),
            expected[row].clone(),
            item[row].clone(),
            visit[row].clone(),
            shares[row].clone(),
        ]
    };
    Ok(Section {
        id: "trend".to_owned(),
        title: "Over time".to_owned(),
        plot: Some(Plot {
            label: "Share of expected values that are missing, by domain and month of the visit".to_owned(),
            caption: "By the month of the visit, or in which it was planned. The last month is young: visits may be entered yet."
                .to_owned(),
            across: "Month".to_owned(),
            up: "Missing of expected".to_owned(),
            is_share: true,
            lines,
            ..Plot::default()
        }),
        table: Table {
            heads: heads(["Domain", "Month", "Expected", "Missing on page", "Missing with visit", "Share"]),
            rows: (0..rows.len()).take(ROWS_MAX).map(row).collect(),
            of: Some(rows.len() as u64),
        },
        is_folded: true,
        empty: "No visit has a day.".to_owned(),
        downloads: signals::downloads(study, "mart_missing_month"),
        ..Section::default()
    })
}

async fn patterns(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_missing_pattern").await?;
    let (domains, missing) = (rows.texts("domain"), rows.texts("missing"));
    let numbers = Numbers::of(&rows);
    let [size, n] = ["n_missing", "n_rows"].map(|name| numbers.cells(name, count));
    let share = numbers.cells("share", Cell::Share);
    let row = |row: usize| {
        let what = if missing[row].is_empty() { "nothing" } else { &missing[row] };
        vec![text(&domains[row]), text(what), size[row].clone(), n[row].clone(), share[row].clone()]
    };
    Ok(Section {
        id: "patterns".to_owned(),
        title: "What is missing together".to_owned(),
        note: "Of visits that took place; the commonest of each domain first.".to_owned(),
        table: Table {
            heads: heads(["Domain", "Missing", "Variables", "Subjects at visits", "Share"]),
            rows: (0..rows.len()).take(ROWS_MAX).map(row).collect(),
            of: Some(rows.len() as u64),
        },
        empty: "No value was due at a visit that took place.".to_owned(),
        downloads: signals::downloads(study, "mart_missing_pattern"),
        ..Section::default()
    })
}

async fn mechanism(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_missing_mechanism").await?;
    let (domains, visits, why) = (rows.texts("domain"), rows.texts("visit"), rows.texts("not_judged"));
    let numbers = Numbers::of(&rows);
    let [n, variables, freedom, patterns] =
        ["n_rows", "n_variables", "degrees_of_freedom", "n_patterns"].map(|name| numbers.cells(name, count));
    let statistic = numbers.cells("statistic", Cell::Number);
    let p = numbers.cells("p_value", Cell::P);
    let all = |name: &str, words: &str| if name == "ALL" { words.to_owned() } else { name.to_owned() };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|row| (domains[*row] != "ALL", domains[*row].clone(), visits[*row] != "ALL"));
    let row = |row: usize| {
        vec![
            text(&all(&domains[row], "whole study")),
            text(&all(&visits[row], "all together")),
            n[row].clone(),
            variables[row].clone(),
            patterns[row].clone(),
            statistic[row].clone(),
            freedom[row].clone(),
            p[row].clone(),
            text(&why[row]),
        ]
    };
    Ok(Section {
        id: "mechanism".to_owned(),
        title: "Completely at random? Little's test".to_owned(),
        note: "A small probability speaks against values missing completely at random. A large one proves nothing: the test \
               compares means alone. A row is a subject at a visit."
            .to_owned(),
        table: Table {
            heads: heads(["Domain", "Visit", "Rows", "Variables", "Patterns", "d2", "Degrees of freedom", "p", "Not judged"]),
            rows: order.into_iter().take(ROWS_MAX).map(row).collect(),
            of: Some(rows.len() as u64),
        },
        empty: "No domain has numeric variables at a visit.".to_owned(),
        downloads: signals::downloads(study, "mart_missing_mechanism"),
        ..Section::default()
    })
}

async fn associations(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_missing_association").await?;
    let [domains, variables, compared, methods] =
        ["domain", "variable", "compared", "method"].map(|name| rows.texts(name));
    let numbers = Numbers::of(&rows);
    let missing = numbers.cells("n_missing", count);
    let [statistic, effect] = ["statistic", "effect"].map(|name| numbers.cells(name, Cell::Number));
    let [p, adjusted] = ["p_value", "q_value"].map(|name| numbers.cells(name, Cell::P));
    let values = rows.numbers("p_value");
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|left, right| values[*left].unwrap_or(1.0).total_cmp(&values[*right].unwrap_or(1.0)));
    let row = |row: usize| {
        let with = match compared[row].as_str() {
            "AGE" => "age",
            "VISIT" => "order of the visit",
            "BEFORE" => "its own last value",
            "SITE" => "site",
            "ARM" => "arm",
            variable => variable,
        };
        let method = if methods[row] == "welch" { "difference of means" } else { "groups" };
        vec![
            text(&format!("{}.{}", domains[row], variables[row])),
            text(with),
            text(method),
            missing[row].clone(),
            statistic[row].clone(),
            effect[row].clone(),
            p[row].clone(),
            adjusted[row].clone(),
        ]
    };
    Ok(Section {
        id: "associations".to_owned(),
        title: "What goes with a gap".to_owned(),
        note: "Observed values where a variable is missing against those where it is not. What goes with a gap should be in \
               any model that fills it. Visits of one subject count as independent: read it as a ranking."
            .to_owned(),
        table: Table {
            heads: heads(["Missing", "Compared with", "By", "Gaps", "t or chi-square", "Effect", "p", "Adjusted"]),
            rows: order.into_iter().take(ROWS_MAX).map(row).collect(),
            of: Some(rows.len() as u64),
        },
        empty: "Nothing is missing at visits that took place.".to_owned(),
        downloads: signals::downloads(study, "mart_missing_association"),
        ..Section::default()
    })
}

fn definition() -> Definition {
    Definition {
        title: "Why values are missing".to_owned(),
        summary: "Little's test is made for each domain and visit, where subjects are independent rows, and combined over \
                  visits and domains. No test can see whether a value is missing because of what it would have been."
            .to_owned(),
        method: "Little's test over maximum-likelihood mean and covariance; Welch's test; Pearson's chi-square".to_owned(),
        formula: "d2 = sum over patterns of n (m - mu)' S^-1 (m - mu)".to_owned(),
        source: "Little 1988; arms are compared only where the study is not blinded".to_owned(),
        ..Definition::default()
    }
}
