//! `mart_reporting`: what each subject had reported by each of its visits. Its query has four running sums over every
//! subject's days; here the days of each subject are put in order once.

use std::mem::take;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int32Type, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use crate::by_key::{ByKey, keys_of};
use crate::columns;
use crate::mart::Sink;

const ENROLLED: &str = include_str!("enrolled.sql");
const LINE: &str = include_str!("line.sql");
/// What it is, as a query.
pub(crate) const QUERY: &str = concat!(
    "WITH enrolled AS (\n",
    include_str!("enrolled.sql"),
    "), line AS (\n",
    include_str!("line.sql"),
    ")\n",
    include_str!("reporting.sql")
);
const COLUMNS: [&str; 6] = ["subject_sk", "site_sk", "visit_no", "n_ae", "n_sae", "n_pd"];
/// Rows that are given on at a time.
const ROWS_AT_ONCE: usize = 1 << 16;

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    columns::schema(&COLUMNS.map(|name| (name, DataType::Int64)))
}

/// One enrolled subject.
#[derive(Debug)]
struct Subject {
    site: i64,
    version: i64,
    days: Vec<Day>,
}

/// A visit or an event on the line of time; on one day events come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Day {
    /// Days since 1970.
    day: i32,
    is_visit: bool,
    /// Adverse events, of those serious ones, and deviations.
    events: [i32; 3],
}

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    let mut subjects = read(engine)?;
    subjects.sort_unstable_by_key(|subject| (subject.site, subject.version));
    let mut columns: [Vec<i64>; 6] = Default::default();
    for subject in &mut subjects {
        subject.days.sort_unstable();
        let (mut visits, mut events) = (0, [0; 3]);
        for day in &subject.days {
            for (sum, more) in events.iter_mut().zip(day.events) {
                *sum += i64::from(more);
            }
            if day.is_visit {
                visits += 1;
                let row = [subject.version, subject.site, visits, events[0], events[1], events[2]];
                for (column, value) in columns.iter_mut().zip(row) {
                    column.push(value);
                }
            }
        }
        if columns[0].len() >= ROWS_AT_ONCE {
            sink.write(&batch(&mut columns)?)?;
        }
    }
    // An empty table has its columns.
    sink.write(&batch(&mut columns)?)
}

fn batch(columns: &mut [Vec<i64>; 6]) -> Result<RecordBatch> {
    let columns = columns.iter_mut().map(|column| Arc::new(Int64Array::from(take(column))) as ArrayRef);
    RecordBatch::try_new(schema(), columns.collect())
        .map_err(Error::arrow("lay out what was reported by visit"))
}

fn read(engine: &Engine) -> Result<Vec<Subject>> {
    let (mut subjects, mut numbers): (Vec<Subject>, ByKey) = Default::default();
    engine.each("read the enrolled subjects", ENROLLED, &mut |batch| {
        let [keys, versions, sites] = [0, 1, 2].map(|place| keys_of(batch, place));
        for row in 0..batch.num_rows() {
            numbers.insert(keys[row], subjects.len());
            subjects.push(Subject { site: sites[row], version: versions[row], days: Vec::new() });
        }
    })?;
    engine.each("read visits and events by day", LINE, &mut |batch| {
        let keys = keys_of(batch, 0);
        let days = batch.column(1).as_primitive::<Date32Type>().values();
        let [visits, events @ ..] =
            [2, 3, 4, 5].map(|place| batch.column(place).as_primitive::<Int32Type>().values());
        for row in 0..batch.num_rows() {
            let Some(number) = numbers.get(&keys[row]) else { continue };
            let (is_visit, events) = (visits[row] == 1, events.map(|column| column[row]));
            subjects[*number].days.push(Day { day: days[row], is_visit, events });
        }
    })?;
    Ok(subjects)
}

#[cfg(test)]
mod tests {
    use arrow::compute::concat_batches;
    use warehouse::engine::Limits;

    use super::*;
    use crate::mart::together;

    /// Subjects who are enrolled or not, in several versions, with visits and events of one day, without a day, and of
    /// subjects that nobody knows.
    const STUDY: &str = "
        CREATE TABLE dim_subject AS
            SELECT CAST(hash(i) % 1000000007 AS BIGINT) AS subject_sk, CAST(hash(i % 40, 1) % 1000000007 AS BIGINT) AS subject_dk,
                100 + i % 7 AS site_sk, i < 40 AS is_current, i % 9 > 0 AS is_enrolled
            FROM range(60) t(i);
        CREATE TABLE fact_visit AS
            SELECT CAST(hash(i % 43, 1) % 1000000007 AS BIGINT) AS subject_dk, hash(i, 2) % 4 > 0 AS occurred,
                CASE WHEN hash(i, 3) % 8 > 0 THEN DATE '2024-01-01' + CAST(hash(i, 4) % 30 AS INTEGER) END AS start_date
            FROM range(500) t(i);
        CREATE TABLE fact_ae AS
            SELECT CAST(hash(i % 43, 1) % 1000000007 AS BIGINT) AS subject_dk, CASE WHEN i % 5 > 0 THEN i % 3 = 0 END AS serious,
                CASE WHEN hash(i, 5) % 8 > 0 THEN DATE '2023-12-30' + CAST(hash(i, 6) % 35 AS INTEGER) END AS start_min
            FROM range(400) t(i);
        CREATE TABLE fact_deviation AS
            SELECT CAST(hash(i % 43, 1) % 1000000007 AS BIGINT) AS subject_dk,
                CASE WHEN hash(i, 7) % 8 > 0 THEN DATE '2023-12-30' + CAST(hash(i, 8) % 35 AS INTEGER) END AS start_date
            FROM range(300) t(i);";

    fn given(engine: &Engine) -> RecordBatch {
        together(&schema(), |give| rows(engine, give))
    }

    // The query is the definition; DuckDB answers it.
    #[test]
    fn the_function_gives_the_rows_of_the_query_in_its_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        engine.run("make a study", STUDY).expect("the tables are new");
        let theirs = engine.query("ask", QUERY).expect("the query is answered");
        let theirs = concat_batches(&schema(), &theirs).expect("they have the mart's columns");
        assert!(theirs.num_rows() > 200, "{} rows", theirs.num_rows());
        assert_eq!(given(&engine), theirs);
        engine.run("empty it", "DELETE FROM dim_subject").expect("rows are deleted");
        assert_eq!(given(&engine).num_rows(), 0);
    }
}
