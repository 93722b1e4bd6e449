//! Adverse events, how soon they are reported, and laboratory results.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::view::{
    Cell, Definition, KeyCount, Limit, Line, LineKind, Place, Plot, ReportView, Section, Tab, Table,
};

use super::report::{Numbers, Source, count, heads, limits, text};
use super::{Answer, Visit, signals};
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;
use crate::mart_rows::Rows;

/// Terms of the table on the page.
const TERMS_MAX: usize = 150;
/// Shifts of the table on the page.
const SHIFTS_MAX: usize = 150;
/// The lines of Hy's law, in upper limits of normal.
const TRANSAMINASE: f64 = 3.0;
const BILIRUBIN: f64 = 2.0;
/// Results of nothing have no place on a logarithmic axis.
const LEAST: f64 = 0.01;

/// `GET /studies/{study}/safety`.
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
    let liver = {
        let reading = async {
            let section = liver(source, &study).await?;
            let rows = section.table.of.unwrap_or_default();
            Ok::<_, Failure>((section, rows))
        };
        super::subjects::recorded(&visit, (&scope, &visible), "mart_liver", reading).await?
    };
    let view = ReportView {
        frame: visit.frame(Some(Tab::Safety), Some((&scope, &visible.row))).await?,
        title: "Safety".to_owned(),
        lead: "Adverse events by term, how grave they are and how soon they are reported, and laboratory results."
            .to_owned(),
        counts: counts(source).await.map_err(failed)?,
        sections: vec![
            terms(source, &study).await.map_err(failed)?,
            grades(source, &study).await.map_err(failed)?,
            reporting(source, &study).await.map_err(failed)?,
            liver,
            shifts(source, &study).await.map_err(failed)?,
        ],
        needs: "Safety is shown once adverse events or laboratory results are loaded and the marts are built.".to_owned(),
        definition: definition(),
        ..ReportView::default()
    };
    Ok(visit.page(frontend::page::report(&view)))
}

async fn counts(source: Source<'_>) -> Result<Vec<KeyCount>> {
    let rows = source.table("mart_ae_level").await?;
    let (arms, levels) = (rows.texts("arm"), rows.texts("level"));
    let any = (0..rows.len()).find(|row| arms[*row] == "ALL" && levels[*row] == "ANY");
    let Some(any) = any else { return Ok(Vec::new()) };
    let number = |name: &str| rows.numbers(name)[any].unwrap_or_default();
    let figure = |label: &str, name: &str, note: String| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of events")]
        let count = Some(number(name) as u64);
        KeyCount { label: label.to_owned(), count, note, href: None }
    };
    let share = |name: &str, of: &str, words: &str| {
        format!("{} of {words}", frontend::format::percent(number(name) / number(of).max(1.0)))
    };
    Ok(vec![
        figure("Adverse events", "n_events", String::new()),
        figure("Subjects with an event", "n_subjects", share("n_subjects", "n_enrolled", "enrolled")),
        figure("Serious events", "n_serious", share("n_serious", "n_events", "events")),
        figure(
            "Grade 3 and higher",
            "n_grade_3_and_higher",
            share("n_grade_3_and_higher", "n_events", "events"),
        ),
    ])
}

async fn terms(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_ae_level").await?;
    let [arms, levels, terms] = ["arm", "level", "term"].map(|name| rows.texts(name));
    let numbers = Numbers::of(&rows);
    let [events, subjects, serious, related] =
        ["n_events", "n_subjects", "n_serious", "n_related"].map(|name| numbers.cells(name, count));
    let share = numbers.cells("share_of_subjects", Cell::Share);
    let rate = numbers.cells("events_per_100_patient_years", Cell::Number);
    let [low, high, rate_low, rate_high] =
        ["share_lower", "share_upper", "rate_lower", "rate_upper"].map(|name| rows.numbers(name));
    let of_all: Vec<usize> = (0..rows.len()).filter(|row| arms[*row] == "ALL").collect();
    let order = by_system(&rows, of_all.clone());
    let row = |row: &usize| {
        let row = *row;
        let name = terms[row].to_lowercase();
        let name =
            if matches!(levels[row].as_str(), "ANY" | "SOC") { text(&name) } else { Cell::Below(name) };
        vec![
            name,
            text(&levels[row]),
            subjects[row].clone(),
            share[row].clone(),
            limits(low[row], high[row], Cell::ShareBetween),
            events[row].clone(),
            serious[row].clone(),
            related[row].clone(),
            rate[row].clone(),
            limits(rate_low[row], rate_high[row], Cell::Between),
        ]
    };
    Ok(Section {
        id: "terms".to_owned(),
        title: "By body system and term".to_owned(),
        note: "Of enrolled subjects. A subject counts once in each row, however many events it has."
            .to_owned(),
        table: Table {
            heads: heads([
                "Term",
                "Level",
                "Subjects",
                "Share",
                "95 % limits",
                "Events",
                "Serious",
                "Related",
                "Events in 100 patient-years",
                "95 % limits",
            ]),
            rows: order.iter().take(TERMS_MAX).map(row).collect(),
            of: Some(of_all.len() as u64),
        },
        empty: "No adverse event of an enrolled subject is known.".to_owned(),
        downloads: signals::downloads(study, "mart_ae_level"),
        ..Section::default()
    })
}

/// The rows in order: body systems by their subjects, and below each its terms from the broad to the narrow.
fn by_system(rows: &Rows, mut order: Vec<usize>) -> Vec<usize> {
    let [levels, systems, terms] = ["level", "soc", "term"].map(|name| rows.texts(name));
    let n = rows.numbers("n_subjects");
    let size: BTreeMap<&str, f64> = order
        .iter()
        .filter(|row| levels[**row] == "SOC")
        .map(|row| (systems[*row].as_str(), n[*row].unwrap_or_default()))
        .collect();
    // Any event belongs to no body system and comes first.
    let of_system = |row: usize| size.get(systems[row].as_str()).copied().unwrap_or(f64::INFINITY);
    let rank =
        |row: usize| ["ANY", "SOC", "HLGT", "HLT", "PT"].iter().position(|level| *level == levels[row]);
    order.sort_by(|left, right| {
        of_system(*right)
            .total_cmp(&of_system(*left))
            .then_with(|| systems[*left].cmp(&systems[*right]))
            .then_with(|| rank(*left).cmp(&rank(*right)))
            .then_with(|| n[*right].unwrap_or_default().total_cmp(&n[*left].unwrap_or_default()))
            .then_with(|| terms[*left].cmp(&terms[*right]))
    });
    order
}

async fn grades(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_ae_grade").await?;
    let grades = rows.texts("grade");
    let numbers = Numbers::of(&rows);
    let [events, subjects, serious, related] =
        ["n_events", "n_subjects", "n_serious", "n_related"].map(|name| numbers.cells(name, count));
    let share = numbers.cells("share_serious", Cell::Share);
    let row = |row: usize| {
        vec![
            text(&grades[row].to_lowercase()),
            events[row].clone(),
            subjects[row].clone(),
            serious[row].clone(),
            share[row].clone(),
            related[row].clone(),
        ]
    };
    Ok(Section {
        id: "grades".to_owned(),
        title: "By grade".to_owned(),
        table: Table {
            heads: heads(["Grade", "Events", "Subjects", "Serious", "Share serious", "Related"]),
            rows: (0..rows.len()).map(row).collect(),
            of: None,
        },
        empty: "No adverse event of an enrolled subject is known.".to_owned(),
        downloads: signals::downloads(study, "mart_ae_grade"),
        ..Section::default()
    })
}

async fn reporting(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_ae_reporting").await?;
    let sites = rows.texts("site_id");
    let numbers = Numbers::of(&rows);
    let columns = [
        "n_events",
        "n_within_1_day",
        "n_2_to_7_days",
        "n_8_to_30_days",
        "n_above_30_days",
        "n_serious",
        "n_serious_above_1_day",
    ]
    .map(|name| numbers.cells(name, count));
    let mean = numbers.cells("mean_days", Cell::Number);
    let share = numbers.cells("share_serious", Cell::Share);
    let days = rows.numbers("mean_days");
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|left, right| {
        let key = |row: &usize| (sites[*row] != "ALL", -days[*row].unwrap_or_default());
        key(left).0.cmp(&key(right).0).then(key(left).1.total_cmp(&key(right).1))
    });
    let row = |row: usize| {
        let name = if sites[row] == "ALL" { "All sites" } else { &sites[row] };
        let [all, first, week, month, later, serious, late] =
            columns.each_ref().map(|cells| cells[row].clone());
        vec![text(name), all, mean[row].clone(), first, week, month, later, serious, share[row].clone(), late]
    };
    Ok(Section {
        id: "reporting".to_owned(),
        title: "From start to entry".to_owned(),
        note: "The days from the start of an event to its entry, the slowest site first.".to_owned(),
        table: Table {
            heads: heads([
                "Site",
                "Events",
                "Mean days",
                "Within a day",
                "2 to 7 days",
                "8 to 30 days",
                "Later",
                "Serious",
                "Share serious",
                "Serious after more than a day",
            ]),
            rows: order.into_iter().map(row).collect(),
            of: None,
        },
        empty: "No adverse event of an enrolled subject is known.".to_owned(),
        downloads: signals::downloads(study, "mart_ae_reporting"),
        ..Section::default()
    })
}

async fn liver(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_liver").await?;
    let [subjects, sites, cases, cholestasis] =
        ["subject_id", "site_id", "hys_law", "cholestasis"].map(|name| rows.texts(name));
    let [high, bilirubin, phosphatase, day] =
        ["transaminase_x_uln", "bilirubin_x_uln", "alkaline_phosphatase_x_uln", "hys_law_day"]
            .map(|name| rows.numbers(name));
    let mut points = Line { kind: LineKind::Points, ..Line::default() };
    let mut alarms = Line { kind: LineKind::Alarms, ..Line::default() };
    let mut table = Table {
        heads: heads([
            "Subject",
            "Site",
            "Transaminase",
            "Bilirubin",
            "Alkaline phosphatase",
            "Hy's law",
            "Cholestasis",
            "On day",
        ]),
        of: Some(rows.len() as u64),
        ..Table::default()
    };
    for row in 0..rows.len() {
        let (Some(across), Some(up)) = (high[row], bilirubin[row]) else { continue };
        let is_case = cases[row] == "Y";
        let line = if is_case { &mut alarms } else { &mut points };
        line.x.push(Place::Number(across.max(LEAST)));
        line.y.push(up.max(LEAST));
        line.says
            .push(format!("{}: transaminase {across:.2}, bilirubin {up:.2} times the limit", subjects[row]));
        if across >= TRANSAMINASE || up >= BILIRUBIN {
            table.rows.push(vec![
                text(&subjects[row]),
                text(&sites[row]),
                Cell::Number(across),
                Cell::Number(up),
                phosphatase[row].map_or(Cell::Empty, Cell::Number),
                if is_case { Cell::Alarm("met".to_owned()) } else { Cell::Text("not met".to_owned()) },
                text(&cholestasis[row]),
                day[row].map_or(Cell::Empty, count),
            ]);
        }
    }
    Ok(Section {
        id: "liver".to_owned(),
        title: "Liver: Hy's law".to_owned(),
        note: "A transaminase of 3 and bilirubin of 2 times the upper limit of normal within 30 days meet the laboratory part \
               of Hy's law. Whether another cause explains it is for a person to judge. The table holds whoever is beyond \
               either line."
            .to_owned(),
        plot: Some(hys_plot(points, alarms)),
        table,
        is_folded: false,
        empty: "No subject has a transaminase of 3 or bilirubin of 2 times the upper limit, or no liver test is known."
            .to_owned(),
        downloads: signals::downloads(study, "mart_liver"),
    })
}

/// Bilirubin against transaminases: the plot known as eDISH.
fn hys_plot(points: Line, alarms: Line) -> Plot {
    Plot {
            label: "Highest bilirubin against highest transaminase of each subject, in upper limits of normal".to_owned(),
            caption: "Each mark is a subject; both axes are logarithmic. Right of the first line and above the second: both \
                      were high, if not at one time."
                .to_owned(),
            across: "Highest transaminase, times the upper limit".to_owned(),
            up: "Highest bilirubin, times the upper limit".to_owned(),
            is_logarithmic: true,
            lines: vec![points, alarms],
            limits: vec![
                Limit::Across(TRANSAMINASE, "3 times".to_owned()),
                Limit::Height(BILIRUBIN, "2 times".to_owned()),
            ],
            ..Plot::default()
        }
}

async fn shifts(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_lab_shift").await?;
    let [tests, scales, before, worst] =
        ["test_code", "scale", "baseline", "worst"].map(|name| rows.texts(name));
    let n = Numbers::of(&rows).cells("n_subjects", count);
    // Who stayed where they were is no shift; the file holds all.
    let moved: Vec<usize> = (0..rows.len())
        .filter(|row| before[*row] != worst[*row] && before[*row] != "MISSING" && worst[*row] != "MISSING")
        .collect();
    let row = |row: &usize| {
        vec![
            text(&tests[*row]),
            text(&scales[*row]),
            text(&before[*row].to_lowercase()),
            text(&worst[*row].to_lowercase()),
            n[*row].clone(),
        ]
    };
    Ok(Section {
        id: "shifts".to_owned(),
        title: "Laboratory shifts".to_owned(),
        note: "From the state at baseline to the worst one after it, by the limits of the laboratory and by grade.".to_owned(),
        table: Table {
            heads: heads(["Test", "By", "Baseline", "Worst after it", "Subjects"]),
            rows: moved.iter().take(SHIFTS_MAX).map(row).collect(),
            of: Some(moved.len() as u64),
        },
        empty: "No laboratory result has moved, or none has limits or grades.".to_owned(),
        downloads: signals::downloads(study, "mart_lab_shift"),
        ..Section::default()
    })
}

fn definition() -> Definition {
    Definition {
        title: "Safety".to_owned(),
        summary: "Events of enrolled subjects by the terms of the source's dictionary; levels that it does not have are left \
                  out. Arms are in the file where the study is not blinded."
            .to_owned(),
        method: "Clopper-Pearson limits of shares; exact Poisson limits of rates".to_owned(),
        formula: "events in 100 patient-years = events / days on study of all enrolled subjects x 36,525".to_owned(),
        source: "Garwood 1936; Clopper and Pearson 1934; FDA guidance on drug-induced liver injury 2009".to_owned(),
        ..Definition::default()
    }
}
