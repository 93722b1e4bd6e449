//! How many subjects came, how many are to be expected, and who stays.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::view::{
    Cell, Definition, KeyCount, Limit, Line, LineKind, Place, Plot, ReportView, Section, Tab, Table,
};

use super::report::{Numbers, Source, count, heads, limits, text};
use super::{Answer, Visit, signals};
use crate::error::Result;
use crate::http::State;
use crate::http::caller::Reader;

/// Reasons drawn; the table holds all.
const REASONS_DRAWN: usize = 5;

/// `GET /studies/{study}/enrolment`.
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
        frame: visit.frame(Some(Tab::Enrolment), Some((&scope, &visible.row))).await?,
        title: "Enrolment and retention".to_owned(),
        lead: "How many subjects came, when the target will be reached, and who stays.".to_owned(),
        counts: counts(source).await.map_err(failed)?,
        sections: vec![
            progress(source, &study).await.map_err(failed)?,
            funnel(source, &study).await.map_err(failed)?,
            sites(source, &study).await.map_err(failed)?,
            screen_failures(source, &study).await.map_err(failed)?,
            staying(source, &study).await.map_err(failed)?,
            leaving(source, &study).await.map_err(failed)?,
            groups(source, &study).await.map_err(failed)?,
        ],
        needs: "Enrolment is shown once subjects of this study are loaded and its marts are built."
            .to_owned(),
        definition: definition(),
        ..ReportView::default()
    };
    Ok(visit.page(frontend::page::report(&view)))
}

async fn counts(source: Source<'_>) -> Result<Vec<KeyCount>> {
    let rows = source.table("mart_enrolment_forecast").await?;
    let (days, kinds) = (rows.texts("day"), rows.texts("kind"));
    let (enrolled, target) = (rows.numbers("n_enrolled"), rows.numbers("target"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of subjects")]
    let whole = |number: Option<f64>| number.map(|number| number.max(0.0) as u64);
    let last = (0..rows.len()).rfind(|row| kinds[*row] == "actual");
    let Some(last) = last else { return Ok(Vec::new()) };
    let day = |kind: &str| (0..rows.len()).find(|row| kinds[*row] == kind).map(|row| days[row].clone());
    let note = match (day("target_early"), day("target_median"), day("target_late")) {
        (early, Some(median), late) => {
            let (early, late) = (early.unwrap_or_default(), late.unwrap_or_else(|| "later".to_owned()));
            format!("reached about {median} (95 %: {early} to {late})")
        }
        _ => match (enrolled[last], target[last]) {
            (_, None) => "no source names a target".to_owned(),
            (Some(now), Some(target)) if now >= target => "reached".to_owned(),
            _ => "no forecast: nobody was enrolled lately".to_owned(),
        },
    };
    let share = enrolled[last].zip(target[last]).filter(|(_, target)| *target > 0.0);
    let share = share
        .map_or_else(String::new, |(now, target)| format!("{:.0} % of the target", 100.0 * now / target));
    let figure =
        |label: &str, count, note: String| KeyCount { label: label.to_owned(), count, note, href: None };
    Ok(vec![
        figure("Subjects enrolled", whole(enrolled[last]), share),
        figure("Target", whole(target[last]), note),
    ])
}

async fn progress(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_enrolment_forecast").await?;
    let (days, kinds) = (rows.texts("day"), rows.texts("kind"));
    let [enrolled, lower, upper, low80, high80, target] =
        ["n_enrolled", "lower_95", "upper_95", "lower_80", "upper_80", "target"]
            .map(|name| rows.numbers(name));
    let (mut seen, mut ahead) = (
        Line { name: "enrolled".to_owned(), ..Line::default() },
        Line { name: "forecast".to_owned(), kind: LineKind::Forecast, ..Line::default() },
    );
    let mut table =
        Table { heads: heads(["Day", "Kind", "Subjects", "80 % limits", "95 % limits"]), ..Table::default() };
    for row in 0..rows.len() {
        let line = match kinds[row].as_str() {
            "actual" => Some(&mut seen),
            "forecast" => Some(&mut ahead),
            _ => None,
        };
        if let (Some(line), Some(height)) = (line, enrolled[row]) {
            line.x.push(Place::Day(days[row].clone()));
            line.y.push(height);
            line.band.extend(lower[row].zip(upper[row]));
        }
        table.rows.push(vec![
            text(&days[row]),
            text(&kinds[row].replace('_', " ")),
            enrolled[row].map_or(Cell::Empty, count),
            limits(low80[row], high80[row], Cell::Between),
            limits(lower[row], upper[row], Cell::Between),
        ]);
    }
    let goal = target.iter().flatten().next().map(|target| Limit::Height(*target, "target".to_owned()));
    Ok(Section {
        id: "progress".to_owned(),
        title: "Progress and forecast".to_owned(),
        note: "The forecast lets each site go on at a rate that its past allows. It ends at the target, and there is none \
               when recruitment has ended."
            .to_owned(),
        plot: Some(Plot {
            label: "Subjects enrolled by month, with the forecast and the target".to_owned(),
            caption: "Month ends until the cut-off; dashes are the median forecast, the band its 95 % limits.".to_owned(),
            across: "Day".to_owned(),
            up: "Subjects enrolled".to_owned(),
            lines: vec![ahead, seen],
            limits: goal.into_iter().collect(),
            ..Plot::default()
        }),
        table,
        is_folded: true,
        empty: "No day of enrolment is known.".to_owned(),
        downloads: signals::downloads(study, "mart_enrolment_forecast"),
    })
}

async fn funnel(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_enrolment_funnel").await?;
    let (units, stages) = (rows.texts("unit"), rows.texts("stage"));
    let n = Numbers::of(&rows).cells("n", count);
    Ok(Section {
        id: "funnel".to_owned(),
        title: "From activation to completion".to_owned(),
        table: Table {
            heads: heads(["Stage", "Of", "Number"]),
            rows: (0..rows.len())
                .map(|row| vec![text(&stages[row]), text(&units[row]), n[row].clone()])
                .collect(),
            of: None,
        },
        empty: "No site is known.".to_owned(),
        downloads: signals::downloads(study, "mart_enrolment_funnel"),
        ..Section::default()
    })
}

async fn sites(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_site_enrolment").await?;
    let [ids, countries, states, activated] =
        ["site_id", "country", "status", "activation_date"].map(|name| rows.texts(name));
    let numbers = Numbers::of(&rows);
    let [screened, failed, enrolled, target, days] =
        ["n_screened", "n_screen_failed", "n_enrolled", "target_enrolment", "days_open"]
            .map(|name| numbers.cells(name, count));
    let share = numbers.cells("share_screen_failed", Cell::Share);
    let pace = numbers.cells("enrolled_per_month", Cell::Number);
    let order = rows.numbers("n_enrolled");
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by(|left, right| {
        let n = |row: &usize| order[*row].unwrap_or_default();
        n(right).total_cmp(&n(left)).then_with(|| ids[*left].cmp(&ids[*right]))
    });
    let row = |row: usize| {
        vec![
            text(&ids[row]),
            text(&countries[row]),
            text(&states[row].to_lowercase()),
            text(&activated[row]),
            days[row].clone(),
            screened[row].clone(),
            failed[row].clone(),
            share[row].clone(),
            enrolled[row].clone(),
            target[row].clone(),
            pace[row].clone(),
        ]
    };
    Ok(Section {
        id: "sites".to_owned(),
        title: "Sites, the most subjects first".to_owned(),
        table: Table {
            heads: heads([
                "Site",
                "Country",
                "Status",
                "Activated",
                "Days open",
                "Screened",
                "Failed",
                "Share failed",
                "Enrolled",
                "Target",
                "Enrolled a month",
            ]),
            rows: places.into_iter().map(row).collect(),
            of: None,
        },
        empty: "No site is known.".to_owned(),
        downloads: signals::downloads(study, "mart_site_enrolment"),
        ..Section::default()
    })
}

async fn screen_failures(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_screen_failure").await?;
    let reasons = rows.texts("reason");
    let numbers = Numbers::of(&rows);
    let (n, share) = (numbers.cells("n_subjects", count), numbers.cells("share", Cell::Share));
    Ok(Section {
        id: "screen-failures".to_owned(),
        title: "Why screening failed".to_owned(),
        table: Table {
            heads: heads(["Reason", "Subjects", "Share"]),
            rows: (0..rows.len())
                .map(|row| vec![text(&reasons[row].to_lowercase()), n[row].clone(), share[row].clone()])
                .collect(),
            of: None,
        },
        empty: "Nobody failed screening.".to_owned(),
        downloads: signals::downloads(study, "mart_screen_failure"),
        ..Section::default()
    })
}

async fn staying(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_retention").await?;
    let [days, risk, left, share, error, lower, upper] =
        ["day", "at_risk", "n_left", "share_on_study", "standard_error", "lower_limit", "upper_limit"]
            .map(|name| rows.numbers(name));
    let mut line = Line {
        name: "on study".to_owned(),
        kind: LineKind::Steps,
        x: vec![Place::Number(0.0)],
        y: vec![1.0],
        band: vec![(1.0, 1.0)],
        says: Vec::new(),
    };
    let mut table = Table {
        heads: heads(["Day", "On study before", "Left", "Share that stays", "Standard error", "95 % limits"]),
        ..Table::default()
    };
    for row in 0..rows.len() {
        let (Some(day), Some(height)) = (days[row], share[row]) else { continue };
        line.x.push(Place::Number(day));
        line.y.push(height);
        line.band.push(lower[row].zip(upper[row]).unwrap_or((height, height)));
        if left[row].is_some_and(|left| left > 0.0) {
            table.rows.push(vec![
                count(day),
                risk[row].map_or(Cell::Empty, count),
                left[row].map_or(Cell::Empty, count),
                Cell::Share(height),
                error[row].map_or(Cell::Empty, Cell::Number),
                limits(lower[row], upper[row], Cell::ShareBetween),
            ]);
        }
    }
    Ok(Section {
        id: "staying".to_owned(),
        title: "Who stays".to_owned(),
        note: "Who completed or goes on is censored on the last day; leaving early is the event.".to_owned(),
        plot: Some(Plot {
            label: "Share of subjects that stays on study by day, with 95 % limits".to_owned(),
            caption: "Kaplan-Meier estimate with log-log limits from Greenwood's variance.".to_owned(),
            across: "Days on study".to_owned(),
            up: "Share on study".to_owned(),
            is_share: true,
            lines: vec![line],
            ..Plot::default()
        }),
        table,
        is_folded: true,
        empty: "Nobody left early.".to_owned(),
        downloads: signals::downloads(study, "mart_retention"),
    })
}

async fn leaving(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_retention_reason").await?;
    let reasons = rows.texts("reason");
    let [days, share, error] = ["day", "share_left", "standard_error"].map(|name| rows.numbers(name));
    let mut lines: Vec<Line> = Vec::new();
    let mut last: Vec<(String, f64, f64, f64)> = Vec::new();
    for row in 0..rows.len() {
        let (Some(day), Some(height)) = (days[row], share[row]) else { continue };
        let name = reasons[row].to_lowercase();
        if lines.last().is_none_or(|line| line.name != name) {
            let kind = LineKind::OtherSteps;
            let (x, y) = (vec![Place::Number(0.0)], vec![0.0]);
            lines.push(Line { name: name.clone(), kind, x, y, ..Line::default() });
            last.push((name, 0.0, 0.0, 0.0));
        }
        if let (Some(line), Some(last)) = (lines.last_mut(), last.last_mut()) {
            line.x.push(Place::Number(day));
            line.y.push(height);
            (last.1, last.2, last.3) = (day, height, error[row].unwrap_or_default());
        }
    }
    lines.sort_by(|left, right| {
        let end = |line: &Line| line.y.last().copied().unwrap_or_default();
        end(right).total_cmp(&end(left))
    });
    lines.truncate(REASONS_DRAWN);
    if let Some(first) = lines.first_mut() {
        first.kind = LineKind::Steps;
    }
    last.sort_by(|left, right| right.2.total_cmp(&left.2));
    let row = |(reason, day, share, error): &(String, f64, f64, f64)| {
        vec![text(reason), Cell::Share(*share), Cell::Number(*error), count(*day)]
    };
    Ok(Section {
        id: "leaving".to_owned(),
        title: "Why subjects leave".to_owned(),
        plot: Some(Plot {
            label: "Share of subjects that has left for each reason by day".to_owned(),
            caption: format!(
                "Cumulative incidence with the reasons competing (Aalen and Johansen); the {REASONS_DRAWN} commonest are drawn."
            ),
            across: "Days on study".to_owned(),
            up: "Share that has left".to_owned(),
            is_share: true,
            lines,
            ..Plot::default()
        }),
        table: Table {
            heads: heads(["Reason", "Share that has left", "Standard error", "Last on day"]),
            rows: last.iter().map(row).collect(),
            of: None,
        },
        empty: "Nobody left early.".to_owned(),
        downloads: signals::downloads(study, "mart_retention_reason"),
        ..Section::default()
    })
}

async fn groups(source: Source<'_>, study: &str) -> Result<Section> {
    let rows = source.table("mart_retention_group").await?;
    let (levels, names) = (rows.texts("level"), rows.texts("group_id"));
    let [chi, freedom, p] = ["chi_square", "degrees_of_freedom", "p_value"].map(|name| rows.numbers(name));
    let numbers = Numbers::of(&rows);
    let (n, left) = (numbers.cells("n_subjects", count), numbers.cells("n_left", count));
    let expected = numbers.cells("n_expected", Cell::Number);
    let after = numbers.cells("on_study_day_180", Cell::Share);
    let mut said: Vec<String> = Vec::new();
    for level in ["arm", "country", "site"] {
        if let Some(row) = (0..rows.len()).find(|row| levels[*row] == level)
            && let (Some(chi), Some(freedom), Some(p)) = (chi[row], freedom[row], p[row])
        {
            let p = frontend::format::p_value(p);
            said.push(format!("by {level}: chi-square {chi:.2} on {freedom:.0} degrees of freedom, p {p}"));
        }
    }
    let mut places: Vec<usize> = (0..rows.len()).collect();
    let rank = |level: &str| ["arm", "country", "site"].iter().position(|known| *known == level);
    places.sort_by_key(|row| (rank(&levels[*row]), names[*row].clone()));
    Ok(Section {
        id: "groups".to_owned(),
        title: "Do groups lose subjects at one pace?".to_owned(),
        note: if said.is_empty() { String::new() } else { format!("Log-rank tests {}.", said.join("; ")) },
        table: Table {
            heads: heads([
                "Group",
                "Of",
                "Subjects",
                "Left",
                "Expected at the pace of all",
                "On study after 180 days",
            ]),
            rows: places
                .into_iter()
                .map(|row| {
                    vec![
                        text(&names[row]),
                        text(&levels[row]),
                        n[row].clone(),
                        left[row].clone(),
                        expected[row].clone(),
                        after[row].clone(),
                    ]
                })
                .collect(),
            of: None,
        },
        empty: "There are no two groups to compare.".to_owned(),
        downloads: signals::downloads(study, "mart_retention_group"),
        ..Section::default()
    })
}

fn definition() -> Definition {
    Definition {
        title: "Enrolment and retention".to_owned(),
        summary: "A site's subjects come by a Poisson process whose rate is drawn from a gamma law of all sites; a site's own \
                  past says what its rate may be. Laws that the past leaves possible are all counted, each with its weight."
            .to_owned(),
        method: "Poisson-gamma (Anisimov and Fedorov 2007); Kaplan-Meier; log-rank; Aalen-Johansen".to_owned(),
        formula: "next subjects of a site: negative binomial with shape a + k and odds h / (b + t), for k subjects in t days \
                  and a horizon h"
            .to_owned(),
        source: "a site's time runs from activation to close-out; arms are compared only where the study is not blinded"
            .to_owned(),
        ..Definition::default()
    }
}
