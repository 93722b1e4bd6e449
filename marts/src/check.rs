//! Asks the tests of a mart that was made. What a row can fail by itself is counted in one pass over the mart, and the
//! rest in one statement.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::kernels::cmp::{eq, lt};
use arrow::compute::{and, cast, or};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use warehouse::engine::{Engine, identifier};

use crate::mart::Mart;
use crate::run::Tested;
use crate::test::{Rule, Severity, Test};

/// Tables of so many rows are first asked whether they are sorted by their key.
const MANY_ROWS: u64 = 100_000;
/// How many failing rows are kept of a test.
const SAMPLE_ROWS: usize = 5;
/// Longer values are cut: a sample is for recognising a row.
const VALUE_CHARS: usize = 120;

/// Every test of the mart, whether it holds or not: its columns, its key, and what it declares.
///
/// # Errors
/// When the engine cannot ask.
pub(crate) fn check(engine: &Engine, mart: &Mart, rows: u64) -> warehouse::Result<Vec<Tested>> {
    let columns = columns(engine, mart)?;
    if !columns.holds() {
        return Ok(vec![columns]);
    }
    let key = Test::that(Rule::Unique(mart.key));
    let tests: Vec<Test> = std::iter::once(key).chain(mart.tests.iter().copied()).collect();
    let counts = counts(engine, mart, &tests, rows)?;
    let mut found = vec![columns];
    for (test, rows) in tests.iter().zip(counts) {
        found.push(tested(engine, mart, test, rows)?);
    }
    Ok(found)
}

/// Tests, each with its place among all.
type Places<'a> = Vec<(usize, &'a Test)>;

fn counts(engine: &Engine, mart: &Mart, tests: &[Test], rows: u64) -> warehouse::Result<Vec<u64>> {
    let mut counts = vec![0; tests.len()];
    let is_sorted = rows >= MANY_ROWS && ascends(engine, mart)?;
    let (by_row, others): (Places<'_>, Places<'_>) = tests
        .iter()
        .enumerate()
        .partition(|(_, test)| test.condition().is_some() || matches!(test.rule, Rule::Unique(_)));
    let table = identifier(mart.name);
    let in_one_pass: Vec<String> = by_row
        .iter()
        .map(|(_, test)| match (test.condition(), test.rule) {
            (Some(condition), _) => format!("count(*) FILTER (WHERE {condition})"),
            // Whether there is any; how many is asked when there is.
            (None, Rule::Unique(columns)) => {
                let nulls: Vec<String> = columns.iter().map(|column| format!("{column} IS NULL")).collect();
                let nulls = format!("count(*) FILTER (WHERE {})", nulls.join(" OR "));
                if is_sorted && columns == mart.key {
                    nulls
                } else {
                    format!("count(*) - count(DISTINCT ({})) + {nulls}", columns.join(", "))
                }
            }
            (None, _) => "0".to_owned(),
        })
        .collect();
    let step = format!("test `{}`", mart.name);
    let mut keep = |places: &[(usize, &Test)], sql: &str| -> warehouse::Result<()> {
        for batch in engine.query(&step, sql)? {
            for ((place, _), column) in places.iter().zip(batch.columns()) {
                counts[*place] = number(column);
            }
        }
        Ok(())
    };
    keep(&by_row, &format!("SELECT {} FROM {table}", in_one_pass.join(", ")))?;
    if !others.is_empty() {
        let asked: Vec<String> = others
            .iter()
            .map(|(_, test)| format!("(SELECT count(*) FROM ({}))", test.failing(mart.name)))
            .collect();
        keep(&others, &format!("SELECT {}", asked.join(", ")))?;
    }
    Ok(counts)
}

/// Whether each row's key is above the one before it, so that none occurs twice. To look at them one after the other
/// costs a tenth of sorting them into a table.
fn ascends(engine: &Engine, mart: &Mart) -> warehouse::Result<bool> {
    let step = format!("read the keys of `{}`", mart.name);
    let query = format!("SELECT {} FROM {}", mart.key.join(", "), identifier(mart.name));
    let (mut last, mut ascends) = (None::<RecordBatch>, true);
    engine.each_until(&step, &query, &mut |batch| {
        let Some(others) = batch.num_rows().checked_sub(1) else { return Ok(ControlFlow::Continue(())) };
        let below = |one: &RecordBatch, next: &RecordBatch| {
            all_below(one, next).map_err(warehouse::Error::arrow(&step))
        };
        ascends = below(&batch.slice(0, others), &batch.slice(1, others))?;
        if let Some(last) = &last {
            ascends &= below(last, &batch.slice(0, 1))?;
        }
        last = Some(batch.slice(others, 1));
        Ok(if ascends { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(ascends)
}

/// Whether each row is below the row in the same place of `next`, by the first column in which they differ. A null is
/// below nothing.
fn all_below(one: &RecordBatch, next: &RecordBatch) -> Result<bool, ArrowError> {
    let mut below = BooleanArray::from(vec![false; one.num_rows()]);
    for (one, next) in one.columns().iter().zip(next.columns()).rev() {
        below = or(&lt(one, next)?, &and(&eq(one, next)?, &below)?)?;
    }
    Ok(below.true_count() == below.len())
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
fn columns(engine: &Engine, mart: &Mart) -> warehouse::Result<Tested> {
    let query = format!("SELECT column_name FROM (DESCRIBE {})", identifier(mart.name));
    let mut found: Vec<String> = Vec::new();
    for batch in engine.query(&format!("list the columns of `{}`", mart.name), &query)? {
        found.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
    }
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
    Ok(Tested {
        test: "its columns are those that it declares".to_owned(),
        column: None,
        severity: Severity::Error,
        rows: sample.len() as u64,
        sample,
        query,
    })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn keys(words: &[&str], numbers: &[Option<i64>]) -> RecordBatch {
        let words: ArrayRef = Arc::new(StringArray::from(words.to_vec()));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("word", words, true), ("number", numbers, true)])
            .expect("the columns are as long as each other")
    }

    #[test]
    fn a_row_is_below_another_by_the_first_column_in_which_they_differ() {
        let below = |one: &RecordBatch, next: &RecordBatch| all_below(one, next).expect("they compare");
        let one = keys(&["a", "a"], &[Some(2), Some(9)]);
        assert!(below(&one, &keys(&["a", "b"], &[Some(3), Some(1)])));
        assert!(!below(&one, &one), "none is below itself");
        assert!(!below(&one, &keys(&["a", "a"], &[Some(3), Some(8)])), "the second is above");
        assert!(!below(&one, &keys(&["a", "a"], &[Some(3), None])), "a null may be anything");
        assert!(below(&one.slice(0, 0), &one.slice(0, 0)), "of no rows every one is");
    }
}
