//! `mart_missingness`: how much of what is due came, by variable, visit and site. The names of each are few: what is counted
//! is put into their order as it is written.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use super::counts::Cell;
use super::keys::{Keys, Last, Places};
use crate::by_key::keys_of;
use crate::columns;
use crate::mart::Sink;

/// What it is, as a query.
pub(crate) const QUERY: &str = concat!(
    "WITH variables AS (\n",
    include_str!("variables.sql"),
    "), sites AS (\n",
    include_str!("sites.sql"),
    ")\n",
    include_str!("by_variable_visit_site.sql")
);
/// The names of each, in the order in which the mart has them, after their keys.
const VARIABLES: &str =
    concat!(include_str!("variables.sql"), "ORDER BY domain NULLS LAST, test_code NULLS LAST");
const VISITS: &str = "SELECT visit_dk, visit_num, visit, visit_order FROM dim_visit WHERE is_current ORDER BY visit_num NULLS LAST";
const SITES: &str = concat!(include_str!("sites.sql"), "ORDER BY site_id NULLS LAST");

const COUNTS: [&str; 6] = ["test_dk", "visit_dk", "site_dk", "n_expected", "n_received", "n_observed"];
/// Rows that are given on at a time.
const ROWS_AT_ONCE: usize = 1 << 16;
const STEP: &str = "name what is missing";

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    columns::schema(&[
        ("domain", DataType::Utf8),
        ("test_code", DataType::Utf8),
        ("test", DataType::Utf8),
        ("visit_num", DataType::Decimal128(9, 4)),
        ("visit", DataType::Utf8),
        ("visit_order", DataType::Int32),
        ("site_id", DataType::Utf8),
        ("n_expected", DataType::Int64),
        ("n_received", DataType::Int64),
        ("n_observed", DataType::Int64),
        ("n_item_missing", DataType::Int64),
        ("n_visit_missing", DataType::Int64),
        ("share_missing_of_expected", DataType::Float64),
        ("share_missing_of_received", DataType::Float64),
    ])
}

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    let [variables, visits, sites] = [VARIABLES, VISITS, SITES].map(|query| Names::read(engine, query));
    let (variables, visits, sites) = (variables?, visits?, sites?);
    let keys = Keys { tests: variables.places(), visits: visits.places(), sites: sites.places() };
    let counted = counts(engine, &keys)?;
    let [of_variables, of_visits, of_sites] =
        [variables.each(&keys.tests), visits.each(&keys.visits), sites.each(&keys.sites)];
    let (mut rows, mut cells) = (Rows::default(), vec![Cell::default(); keys.sites.len()]);
    for &(variable, test) in &of_variables {
        for &(visit, at) in &of_visits {
            let pair = &counted[keys.pair(test, at)];
            pair.iter().for_each(|(site, cell)| cells[*site] = *cell);
            for &(site, place) in of_sites.iter().filter(|(_, place)| cells[*place].expected > 0) {
                rows.add([variable, visit, site], cells[place]);
            }
            pair.iter().for_each(|(site, _)| cells[*site] = Cell::default());
        }
        if rows.cells.len() >= ROWS_AT_ONCE {
            sink.write(&rows.batch([&variables, &visits, &sites])?)?;
        }
    }
    // An empty table has its columns.
    sink.write(&rows.batch([&variables, &visits, &sites])?)
}

/// What is due of each variable at each visit, by site.
fn counts(engine: &Engine, keys: &Keys) -> Result<Vec<Vec<(usize, Cell)>>> {
    let mut pairs = vec![Vec::new(); keys.pairs()];
    let [mut last_test, mut last_visit, mut last_site] =
        [&keys.tests, &keys.visits, &keys.sites].map(Last::of);
    engine.scan(STEP, ("mart_missing_count", &COUNTS), &mut |batch| {
        let [tests, visits, sites, expected, received, observed] =
            [0, 1, 2, 3, 4, 5].map(|place| keys_of(batch, place));
        for row in 0..batch.num_rows() {
            if let (Some(test), Some(visit), Some(site)) =
                (last_test.at(tests[row]), last_visit.at(visits[row]), last_site.at(sites[row]))
            {
                let [expected, received, observed] = [expected, received, observed].map(|counts| counts[row]);
                pairs[keys.pair(test, visit)].push((site, Cell { expected, received, observed }));
            }
        }
    })?;
    Ok(pairs)
}

/// The names of variables, visits or sites, after the key of each.
struct Names(RecordBatch);

impl Names {
    fn read(engine: &Engine, query: &str) -> Result<Self> {
        let batches = engine.query(STEP, query)?;
        let schema =
            batches.first().map_or_else(|| columns::schema(&[("key", DataType::Int64)]), RecordBatch::schema);
        concat_batches(&schema, &batches).map(Self).map_err(Error::arrow(STEP))
    }

    fn places(&self) -> Places {
        Places::of(&keys_of(&self.0, 0).iter().map(|key| (*key, *key)).collect::<Vec<_>>())
    }

    /// Each row, and the place of its key.
    fn each(&self, places: &Places) -> Vec<(u32, usize)> {
        (0..).zip(keys_of(&self.0, 0)).filter_map(|(row, key)| Some((row, places.at(*key)?))).collect()
    }
}

/// Rows on their way out.
#[derive(Debug, Default)]
struct Rows {
    /// The rows of the names of the variable, the visit and the site.
    named: [Vec<u32>; 3],
    cells: Vec<Cell>,
}

impl Rows {
    fn add(&mut self, names: [u32; 3], cell: Cell) {
        self.named.iter_mut().zip(names).for_each(|(rows, row)| rows.push(row));
        self.cells.push(cell);
    }

    fn batch(&mut self, names: [&Names; 3]) -> Result<RecordBatch> {
        let Self { named, cells } = std::mem::take(self);
        if cells.is_empty() {
            return Ok(RecordBatch::new_empty(schema()));
        }
        let mut columns = Vec::new();
        for (rows, Names(names)) in named.into_iter().zip(names) {
            let rows = UInt32Array::from(rows);
            for column in names.columns().iter().skip(1) {
                columns.push(take(column, &rows, None).map_err(Error::arrow(STEP))?);
            }
        }
        let whole =
            |of: fn(&Cell) -> i64| -> ArrayRef { Arc::new(cells.iter().map(of).collect::<Int64Array>()) };
        let missing = |of: fn(&Cell) -> i64| -> ArrayRef {
            #[expect(clippy::cast_precision_loss, reason = "subjects of a site")]
            let share =
                |cell: &Cell| (of(cell) > 0).then(|| (of(cell) - cell.observed) as f64 / of(cell) as f64);
            Arc::new(cells.iter().map(share).collect::<Float64Array>())
        };
        columns.extend([
            whole(|cell| cell.expected),
            whole(|cell| cell.received),
            whole(|cell| cell.observed),
            whole(|cell| cell.received - cell.observed),
            whole(|cell| cell.expected - cell.received),
            missing(|cell| cell.expected),
            missing(|cell| cell.received),
        ]);
        RecordBatch::try_new(schema(), columns).map_err(Error::arrow(STEP))
    }
}

#[cfg(test)]
mod tests {
    use warehouse::engine::Limits;

    use super::*;
    use crate::mart::together;

    /// Counts of some variables, at visits and sites of several versions and names, some of which are not there.
    const STUDY: &str = "
        CREATE TABLE dim_test AS
            SELECT i AS test_sk, 50 + 3 * (i % 7) AS test_dk, CASE WHEN i % 7 = 2 THEN NULL WHEN i % 7 < 4 THEN 'LB' ELSE 'VS' END AS domain,
                'T' || (9 - i % 7) AS test_code, 'test ' || i AS test FROM range(14) t(i);
        CREATE TABLE dim_visit AS
            SELECT i AS visit_sk, 7 * (i % 8) AS visit_dk, CAST(CASE WHEN i % 8 < 7 THEN 9 - i % 8 + 0.5 END AS DECIMAL(9,4)) AS visit_num,
                'visit ' || i AS visit, CAST(i % 8 AS INTEGER) AS visit_order, i < 8 AS is_current
            FROM range(15) t(i);
        CREATE TABLE dim_site AS
            SELECT i AS site_sk, 900 - i % 4 AS site_dk, CASE i WHEN 5 THEN 'renamed' WHEN 6 THEN NULL ELSE 'S' || i % 4 END AS site_id FROM range(8) t(i);
        CREATE TABLE mart_missing_count AS
            SELECT 50 + 3 * t AS test_dk, 7 * v AS visit_dk, 900 - s AS site_dk, CAST(7 AS BIGINT) AS n_expected,
                CAST(hash(s, t, v) % 5 AS BIGINT) AS n_received, CAST(hash(s, t, v) % 3 % 2 AS BIGINT) AS n_observed
            FROM range(5) a(s), range(8) b(t), range(9) c(v) WHERE hash(t, v) % 3 > 0
            ORDER BY test_dk, visit_dk, site_dk;";

    // The query is the definition; DuckDB answers it.
    #[test]
    fn the_function_gives_the_rows_of_the_query_in_its_order() {
        let shuffled = "CREATE OR REPLACE TABLE mart_missing_count AS FROM mart_missing_count ORDER BY hash(site_dk, test_dk, visit_dk)";
        for (change, rows_at_least) in [
            ("SELECT 1", 100),
            (shuffled, 100),
            ("DELETE FROM mart_missing_count", 0),
            ("DELETE FROM dim_visit", 0),
            ("DELETE FROM dim_site", 0),
            ("DELETE FROM dim_test", 0),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
            engine.run("make a study", STUDY).expect("the tables are new");
            engine.run("change it", change).expect("it is changed");
            let theirs = engine.query("ask", QUERY).expect("the query is answered");
            let theirs = concat_batches(&schema(), &theirs).expect("they have the mart's columns");
            assert!(theirs.num_rows() >= rows_at_least, "{} rows", theirs.num_rows());
            assert_eq!(together(&schema(), |sink| rows(&engine, sink)), theirs, "{change}");
        }
    }
}
