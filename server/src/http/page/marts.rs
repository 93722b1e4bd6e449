//! The marts of a study, for those who build them: how they hang together, what the last build came to, and where each
//! column comes from.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::Response;
use control::{Amount, MartRunRow as RunRow, Outcome as ReadOutcome, TableRead};
use flight::published::Visible;
use frontend::link;
use frontend::view::{
    MartAlert, MartColumn, MartRow, MartRunRow, MartTest, MartTiming, MartView, MartsView, Tab,
};
use kernel::{Read, StudyScope};
use marts::lineage::lineage;
use marts::{Built, MARTS, Mart, Rule, Run, Severity, Test};
use warehouse::Receipt;

use super::{Answer, Visit};
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;
use crate::work::file_lineage::files_of;
use crate::work::{mart_runs, receipts};

/// Builds on the page; `cairn marts history` lists more.
const RUNS_SHOWN: u32 = 20;
/// Files of one column; `cairn marts lineage` lists more.
const FILES_SHOWN: usize = 3;

/// `GET /studies/{study}/data/marts`.
pub(crate) async fn list(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (scope, visible) = place(&visit, &study).await?;
    let failed = |failure: Failure| visit.fail(failure);
    let rows = state.app.control.mart_runs(&scope, RUNS_SHOWN).await.map_err(|error| visit.fail(error))?;
    let last = mart_runs::last(&state.app, &scope).await.map_err(failed)?;
    let run = last.as_ref().map(|(_, run)| run);
    let view = MartsView {
        frame: visit.frame(Some(Tab::Data), Some((&scope, &visible.row))).await?,
        marts: MARTS.iter().map(|mart| mart_row(&study, mart, run, &visible)).collect(),
        runs: rows.iter().map(run_row).collect(),
        alerts: run.map(|run| alerts(&study, run)).unwrap_or_default(),
        plan_command: format!("cairn marts build --tenant <tenant> --study {study} --dry-run"),
    };
    Ok(visit.page(frontend::page::marts(&view)))
}

/// `GET /studies/{study}/data/marts/{mart}`: the first rows that failed a test are values of subjects, so that each
/// visit is an event of the ledger.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, name)): Path<(String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (scope, visible) = place(&visit, &study).await?;
    let Some(mart) = marts::registry::find(&name) else {
        let problem = visit.caller.refuse(&state, "no_such_mart").await;
        return Err(visit.refuse(&problem));
    };
    let (control, principal) = (&state.app.control, &visit.caller.principal);
    let read = TableRead {
        door: "page".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: mart.name.to_owned(),
        trace: visit.caller.trace.clone(),
    };
    let pull = control.read_started(principal, read.clone()).await.map_err(|error| visit.fail(error))?;
    let gathered = gather(&state, &scope).await;
    let (rows, outcome) = match &gathered {
        Ok((runs, _)) => (shown_rows(mart, runs), ReadOutcome::Success),
        Err(_) => (0, ReadOutcome::Failed),
    };
    let amount = Amount { rows, bytes: 0 };
    control.read_finished(principal, pull, read, amount, outcome).await.map_err(|error| visit.fail(error))?;
    let (runs, receipts) = gathered.map_err(|failure| visit.fail(failure))?;
    let view = MartView {
        frame: visit.frame(Some(Tab::Data), Some((&scope, &visible.row))).await?,
        ..mart_view(&study, mart, &runs, &receipts)
    };
    Ok(visit.page(frontend::page::mart(&view)))
}

/// Who builds in the study may see this; the snapshot is that of the readers.
async fn place(visit: &Visit<'_>, study: &str) -> Result<(StudyScope<Read>, Visible), Response> {
    let scope = visit.caller.build(visit.state, study).await.map_err(|problem| visit.refuse(&problem))?;
    let scope = scope.to_read();
    let visible = visit.visible(&scope).await?;
    Ok((scope, visible))
}

/// The last builds of the newest state, newest first, and what was delivered.
async fn gather(state: &State, scope: &StudyScope<Read>) -> Result<(Vec<(RunRow, Run)>, Vec<Receipt>)> {
    let rows = state.app.control.mart_runs(scope, RUNS_SHOWN).await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| row.sources_as_of.is_none()) {
        let run = mart_runs::read(&state.app, scope, &row).await?;
        runs.push((row, run));
    }
    Ok((runs, receipts(&state.app, scope).await?))
}

/// What became of a mart in a build.
fn built<'a>(mart: &Mart, run: &'a Run) -> Option<&'a Built> {
    run.marts.iter().find(|built| built.mart == mart.name)
}

/// The newest build that asked the mart's tests.
fn tested<'a>(mart: &Mart, runs: &'a [(RunRow, Run)]) -> Option<(&'a RunRow, &'a Built)> {
    let asked = |(row, run): &'a (RunRow, Run)| Some((row, built(mart, run)?));
    runs.iter().filter_map(asked).find(|(_, built)| !built.tests.is_empty())
}

/// When the mart of this content was tested: later builds take over what was found then.
fn asked_at(mart: &Mart, runs: &[(RunRow, Run)], (row, known): (&RunRow, &Built)) -> i64 {
    let made = runs.iter().find(|(_, run)| {
        let same = |built: &Built| built.outcome != marts::Outcome::Shared && built.content == known.content;
        built(mart, run).is_some_and(same)
    });
    made.map_or(row, |(row, _)| row).finished_at.timestamp()
}

fn shown_rows(mart: &Mart, runs: &[(RunRow, Run)]) -> u64 {
    let tests = tested(mart, runs).map(|(_, built)| built.tests.as_slice()).unwrap_or_default();
    tests.iter().map(|test| test.sample.len() as u64).sum()
}

fn why(built: &Built) -> String {
    built.error.clone().unwrap_or_else(|| built.reasons.join("; "))
}

fn mart_row(study: &str, mart: &Mart, run: Option<&Run>, visible: &Visible) -> MartRow {
    let built = run.and_then(|run| built(mart, run));
    MartRow {
        name: mart.name.to_owned(),
        href: link::mart(study, mart.name),
        grain: mart.grain.to_owned(),
        owner: mart.owner.to_owned(),
        tags: mart.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        reads: mart.inputs.iter().map(|input| (*input).to_owned()).collect(),
        row_count: visible.manifest.tables.get(mart.name).map(warehouse::Table::rows),
        outcome: built.map(|built| built.outcome.words().to_owned()),
        why: built.map(why).unwrap_or_default(),
        took_us: built.map(|built| built.took_us),
    }
}

fn run_row(row: &RunRow) -> MartRunRow {
    let took = (row.finished_at - row.started_at).num_microseconds();
    MartRunRow {
        id: row.id.to_string(),
        ended_unix_s: row.finished_at.timestamp(),
        status: row.status.name().to_owned(),
        made_count: row.made,
        shared_count: row.shared,
        error_count: row.errors,
        warning_count: row.warnings,
        took_us: took.and_then(|took| u64::try_from(took).ok()).unwrap_or(0),
        snapshot: row.snapshot.map(|id| id.to_string()),
        as_of_unix_s: row.sources_as_of.map(|at| at.timestamp()),
    }
}

fn alerts(study: &str, run: &Run) -> Vec<MartAlert> {
    let alert = |(mart, test): (Option<&str>, &marts::Tested)| MartAlert {
        mart: mart.unwrap_or_default().to_owned(),
        href: mart.map(|mart| link::mart(study, mart)),
        test: test.test.clone(),
        is_error: test.severity == Severity::Error,
        row_count: test.rows,
        next: match (mart, &test.column) {
            (Some(_), _) => {
                "Its page shows the rows and the files; deliver the file mended, and build again.".to_owned()
            }
            (None, _) => "Deliver the source again.".to_owned(),
        },
    };
    run.alerts().map(alert).collect()
}

fn mart_view(study: &str, mart: &Mart, runs: &[(RunRow, Run)], receipts: &[Receipt]) -> MartView {
    let page_of = |name: &str| marts::registry::find(name).map(|mart| link::mart(study, mart.name));
    let asked = tested(mart, runs);
    let fact = |name: &str, text: String| (name.to_owned(), text);
    let readers = MARTS.iter().filter(|reader| reader.inputs.contains(&mart.name));
    MartView {
        name: mart.name.to_owned(),
        description: mart.description.to_owned(),
        facts: vec![
            fact("One row is", mart.grain.trim_start_matches("one row per ").to_owned()),
            fact("Key", mart.key.join(", ")),
            fact("Owner", mart.owner.to_owned()),
            fact("Tags", mart.tags.join(", ")),
        ],
        reads: mart.inputs.iter().map(|input| ((*input).to_owned(), page_of(input))).collect(),
        read_by: readers.map(|reader| (reader.name.to_owned(), page_of(reader.name))).collect(),
        query: mart.query().map(str::to_owned),
        columns: columns(mart, receipts),
        tests: tests(mart, asked.map(|(_, built)| built)),
        tested_unix_s: asked.map(|asked| asked_at(mart, runs, asked)),
        history: runs
            .iter()
            .filter_map(|(row, run)| {
                let built = built(mart, run)?;
                Some(MartTiming {
                    ended_unix_s: row.finished_at.timestamp(),
                    outcome: built.outcome.words().to_owned(),
                    why: why(built),
                    row_count: built.rows,
                    took_us: built.took_us,
                })
            })
            .collect(),
        lineage_command: format!("cairn marts lineage --tenant <tenant> --study {study} {}", mart.name),
        ..MartView::default()
    }
}

/// The declared tests and the key, each with what was found last.
fn tests(mart: &Mart, built: Option<&Built>) -> Vec<MartTest> {
    let key = Test::that(Rule::Unique(mart.key));
    let declared = std::iter::once(&key).chain(mart.tests);
    let found = |words: &str| built.and_then(|built| built.tests.iter().find(|test| test.test == words));
    declared
        .map(|test| {
            let words = test.words();
            let found = found(&words);
            let sample = found.map(|found| found.sample.as_slice()).unwrap_or_default();
            let cell = |(name, value): (&String, &Option<String>)| {
                (name.clone(), value.clone().unwrap_or_else(|| "null".to_owned()))
            };
            MartTest {
                is_error: test.severity == Severity::Error,
                row_count: found.map(|found| found.rows),
                sample: sample.iter().map(|row| row.iter().map(cell).collect()).collect(),
                words,
            }
        })
        .collect()
}

fn columns(mart: &Mart, receipts: &[Receipt]) -> Vec<MartColumn> {
    // Many columns come from the same column of canon.
    let mut known: BTreeMap<(String, Option<String>), Vec<String>> = BTreeMap::new();
    let mut columns = Vec::with_capacity(mart.columns.len());
    for column in mart.columns {
        let canon = lineage(MARTS, &format!("{}.{}", mart.name, column.name))
            .map(|source| source.canon())
            .unwrap_or_default();
        let mut files: Vec<String> = Vec::new();
        for place in &canon {
            let of_place = known.entry(place.clone()).or_insert_with(|| file_names(receipts, place));
            files.extend(of_place.iter().filter(|name| !files.contains(name)).cloned().collect::<Vec<_>>());
        }
        columns.push(MartColumn {
            name: column.name.to_owned(),
            description: column.description.to_owned(),
            from: column.from.iter().map(|from| (*from).to_owned()).collect(),
            canon: canon
                .into_iter()
                .map(|(entity, column)| {
                    column.map_or_else(|| entity.clone(), |column| format!("{entity}.{column}"))
                })
                .collect(),
            files,
        });
    }
    columns
}

/// The newest files that feed a column of canon, with the sender's columns.
fn file_names(receipts: &[Receipt], (entity, column): &(String, Option<String>)) -> Vec<String> {
    let mut names = Vec::new();
    for source in files_of(receipts, entity, column.as_deref()) {
        let columns = source.columns.unwrap_or_default().join(", ");
        let name = if columns.is_empty() { source.file } else { format!("{}: {columns}", source.file) };
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() == FILES_SHOWN {
            break;
        }
    }
    names
}
