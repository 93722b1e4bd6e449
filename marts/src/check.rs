//! Asks the tests of a mart that was made, all in one statement. What a row can fail by itself is counted in one pass over
//! the mart.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use warehouse::engine::{Engine, identifier};
use warehouse::workbench::Made;

use crate::ascent::Ascent;
use crate::mart::Mart;
use crate::run::Tested;
use crate::seen::Seen;
use crate::test::{Rule, Severity, Test};

/// Tables of so many rows are first asked whether they are sorted by their key.
const MANY_ROWS: u64 = 100_000;
/// How many failing rows are kept of a test.
const SAMPLE_ROWS: usize = 5;
/// Longer values are cut: a sample is for recognising a row.
const VALUE_CHARS: usize = 120;

/// Every test of the mart, whether it holds or not: its columns, its key, and what it declares. Of a mart that no query
/// made some are seen to hold already.
///
/// # Errors
/// When the engine cannot ask.
pub(crate) fn check(
    engine: &Engine,
    mart: &Mart,
    made: &Made,
    seen: Option<&Seen<'_>>,
) -> warehouse::Result<Vec<Tested>> {
    let columns = columns(mart, &made.columns);
    if !columns.holds() {
        return Ok(vec![columns]);
    }
    let key = Test::that(Rule::Unique(mart.key));
    let tests: Vec<Test> = std::iter::once(key).chain(mart.tests.iter().copied()).collect();
    let is_sorted = match seen {
        Some(seen) => seen.ascends() && made.files_ascend_by(mart.key[0])?,
        None => made.rows >= MANY_ROWS && ascends(engine, mart)?,
    };
    let holds = |place: usize| match place.checked_sub(1) {
        None => is_sorted,
        Some(place) => seen.is_some_and(|seen| seen.passed(place)),
    };
    let asked: Vec<&Test> =
        tests.iter().enumerate().filter(|(place, _)| !holds(*place)).map(|(_, test)| test).collect();
    let mut counts = counts(engine, mart, &asked)?.into_iter();
    let mut found = vec![columns];
    for (place, test) in tests.iter().enumerate() {
        let rows = if holds(place) { 0 } else { counts.next().unwrap_or_default() };
        found.push(tested(engine, mart, test, rows)?);
    }
    Ok(found)
}

/// The rows that fail each test, asked in one statement: to plan a statement takes longer than to answer it for a small
/// mart.
fn counts(engine: &Engine, mart: &Mart, tests: &[&Test]) -> warehouse::Result<Vec<u64>> {
    if tests.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<String> = tests
        .iter()
        .map(|test| match (test.condition(), test.rule) {
            (Some(condition), _) => format!("count(*) FILTER (WHERE {condition})"),
            // Whether there is any; how many is asked when there is.
            (None, Rule::Unique(columns)) => {
                let nulls: Vec<String> = columns.iter().map(|column| format!("{column} IS NULL")).collect();
                format!(
                    "count(*) - count(DISTINCT ({})) + count(*) FILTER (WHERE {})",
                    columns.join(", "),
                    nulls.join(" OR ")
                )
            }
            (None, _) => format!("(SELECT count(*) FROM ({}))", test.failing(mart.name)),
        })
        .collect();
    // Without an aggregate there would be a row for each of the mart, and none for an empty one.
    let are_aggregates =
        tests.iter().any(|test| test.condition().is_some() || matches!(test.rule, Rule::Unique(_)));
    let from = if are_aggregates { format!(" FROM {}", identifier(mart.name)) } else { String::new() };
    let query = format!("SELECT {}{from}", asked.join(", "));
    let step = format!("test `{}`", mart.name);
    let mut counts = Vec::with_capacity(tests.len());
    for batch in engine.query(&step, &query)? {
        counts.extend(batch.columns().iter().map(|column| number(column)));
    }
    if counts.len() == tests.len() {
        Ok(counts)
    } else {
        Err(warehouse::Error::Engine { step, source: "not every test was answered".into() })
    }
}

/// Whether the rows of a mart that a query made stand in the order of its key.
fn ascends(engine: &Engine, mart: &Mart) -> warehouse::Result<bool> {
    let step = format!("read the keys of `{}`", mart.name);
    let query = format!("SELECT {} FROM {}", mart.key.join(", "), identifier(mart.name));
    let mut keys = Ascent::by(mart.key);
    engine.each_until(&step, &query, &mut |batch| {
        keys.see(batch).map_err(warehouse::Error::arrow(&step))?;
        Ok(if keys.holds() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(keys.holds())
}

fn number(column: &dyn Array) -> u64 {
    let number = cast(column, &DataType::Int64).ok();
    let value = number.filter(|column| !column.is_empty() && column.is_valid(0));
    value.map_or(0, |column| u64::try_from(column.as_primitive::<Int64Type>().value(0)).unwrap_or(0))
}

fn tested(engine: &Engine, mart: &Mart, test: &Test, rows: u64) -> warehouse::Result<Tested> {
    let query = test.failing(mart.name);
    let step = format!("show what fails a test of `{}`", mart.name);
    let (mut rows, mut sample) = (rows, Vec::new());
    if rows > 0 {
        if matches!(test.rule, Rule::Unique(_)) {
            rows = engine.count(&step, &format!("SELECT count(*) FROM ({query})"))?;
        }
        for batch in engine.query(&step, &format!("SELECT * FROM ({query}) LIMIT {SAMPLE_ROWS}"))? {
            sample.extend(rows_of(&batch));
        }
    }
    Ok(Tested {
        test: test.words(),
        column: test.column().map(str::to_owned),
        severity: test.severity,
        rows,
        sample,
        query: words(&query),
    })
}

/// That the mart has the columns that it declares, in their order.
fn columns(mart: &Mart, found: &[String]) -> Tested {
    let declared: Vec<&str> = mart.columns.iter().map(|column| column.name).collect();
    let mut sample = Vec::new();
    if found != declared {
        let row = |what: &str, name: &str| BTreeMap::from([(what.to_owned(), Some(name.to_owned()))]);
        let absent = declared.iter().filter(|name| !found.iter().any(|found| found == *name));
        sample.extend(absent.map(|name| row("declared and absent", name)));
        let foreign = found.iter().filter(|name| !declared.contains(&name.as_str()));
        sample.extend(foreign.map(|name| row("there and not declared", name)));
        if sample.is_empty() {
            sample.push(row("in another order", &found.join(", ")));
        }
    }
    Tested {
        test: "its columns are those that it declares".to_owned(),
        column: None,
        severity: Severity::Error,
        rows: sample.len() as u64,
        sample,
        query: format!("SELECT column_name FROM (DESCRIBE {})", identifier(mart.name)),
    }
}

fn rows_of(batch: &RecordBatch) -> Vec<BTreeMap<String, Option<String>>> {
    let schema = batch.schema();
    let mut rows = vec![BTreeMap::new(); batch.num_rows()];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let texts = cast(column, &DataType::Utf8).ok();
        for (place, row) in rows.iter_mut().enumerate() {
            let texts = texts.as_ref().map(AsArray::as_string::<i32>);
            let value = texts.filter(|texts| texts.is_valid(place));
            let value = value.map(|texts| texts.value(place).chars().take(VALUE_CHARS).collect());
            row.insert(field.name().clone(), value);
        }
    }
    rows
}

/// A query on one line.
fn words(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}
