//! `mart_missing_count`: how much of what is due came, by the keys of the variable, the visit and the site. It is made in the
//! parts of what is due: of variables of which nothing changed, nothing is counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use crate::by_key::{Numbers, keys_of};
use crate::columns;
use crate::mart::Sink;

/// What it is, as a query.
pub(crate) const QUERY: &str = concat!(include_str!("of_due.sql"), include_str!("counts.sql"));

const DUE: [&str; 5] = ["test_dk", "visit_dk", "site_dk", "received", "observed"];
const STEP: &str = "count what is missing";

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    let columns = ["test_dk", "visit_dk", "site_dk", "n_expected", "n_received", "n_observed"];
    columns::schema(&columns.map(|name| (name, DataType::Int64)))
}

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    for part in engine.parts("mart_value_due", "test_dk")? {
        if let Some(content) = part.content()?
            && sink.has_part(&content)?
        {
            continue;
        }
        let mut counts = Counts::default();
        engine.scan_part(STEP, (&part, &DUE), &mut |batch| {
            let [tests, visits, sites] = [0, 1, 2].map(|place| keys_of(batch, place));
            let [received, observed] =
                [3, 4].map(|place| batch.column(place).as_primitive::<Int32Type>().values());
            for row in 0..batch.num_rows() {
                let cell = counts.of((tests[row], visits[row]), sites[row]);
                cell.expected += 1;
                cell.received += i64::from(received[row] > 0);
                cell.observed += i64::from(observed[row] > 0);
            }
        })?;
        sink.write(&counts.batch()?)?;
    }
    Ok(())
}

/// What is due of one variable at one visit of one site.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) expected: i64,
    pub(super) received: i64,
    pub(super) observed: i64,
}

/// Cells by variable, visit and site. Rows of one variable at one visit stand together: for those, every site has its place.
#[derive(Debug, Default)]
struct Counts {
    cells: BTreeMap<(i64, i64, i64), Cell>,
    /// The variable and the visit at hand, and their cells by site.
    pair: (i64, i64),
    at_hand: Vec<Cell>,
    sites: Numbers,
}

impl Counts {
    fn of(&mut self, pair: (i64, i64), site: i64) -> &mut Cell {
        if pair != self.pair {
            self.put_away();
            self.pair = pair;
        }
        let site = self.sites.number(site);
        if self.at_hand.len() <= site {
            self.at_hand.resize(site + 1, Cell::default());
        }
        &mut self.at_hand[site]
    }

    fn put_away(&mut self) {
        let (test, visit) = self.pair;
        for (site, cell) in
            self.sites.keys().iter().zip(&mut self.at_hand).filter(|(_, cell)| cell.expected > 0)
        {
            let sum = self.cells.entry((test, visit, *site)).or_default();
            sum.expected += cell.expected;
            sum.received += cell.received;
            sum.observed += cell.observed;
            *cell = Cell::default();
        }
    }

    fn batch(mut self) -> Result<RecordBatch> {
        self.put_away();
        let keys = self.cells.keys();
        let column =
            |numbers: &mut dyn Iterator<Item = i64>| Arc::new(numbers.collect::<Int64Array>()) as ArrayRef;
        let counts = |of: fn(&Cell) -> i64| column(&mut self.cells.values().map(of));
        let columns = vec![
            column(&mut keys.clone().map(|(test, _, _)| *test)),
            column(&mut keys.clone().map(|(_, visit, _)| *visit)),
            column(&mut keys.map(|(_, _, site)| *site)),
            counts(|cell| cell.expected),
            counts(|cell| cell.received),
            counts(|cell| cell.observed),
        ];
        RecordBatch::try_new(schema(), columns).map_err(Error::arrow(STEP))
    }
}

#[cfg(test)]
mod tests {
    use arrow::compute::concat_batches;
    use warehouse::engine::Limits;

    use super::*;
    use crate::mart::together;

    const DUE: &str = "
        CREATE TABLE mart_value_due AS
            SELECT *, CASE WHEN received = 1 AND hash(test_dk, visit_dk, subject_dk) % 3 > 0 THEN 1 ELSE 0 END AS observed,
                1 AS came, DATE '2024-01-01' AS due_date, CAST(NULL AS DOUBLE) AS mean_value
            FROM (
                SELECT CAST(hash(s) % 1000003 AS BIGINT) AS subject_dk, 50 - 3 * t AS test_dk, 7 * v AS visit_dk, 900 - s % 5 AS site_dk,
                    CASE WHEN t <> 3 AND hash(s, t, v) % 4 > 0 THEN 1 ELSE 0 END AS received
                FROM range(30) a(s), range(8) b(t), range(9) c(v) WHERE hash(t, v) % 3 > 0)
            ORDER BY test_dk, visit_dk, subject_dk;";

    // The query is the definition; DuckDB answers it.
    #[test]
    fn the_function_gives_the_rows_of_the_query_in_its_order() {
        let shuffled = "CREATE OR REPLACE TABLE mart_value_due AS FROM mart_value_due ORDER BY hash(subject_dk, test_dk, visit_dk)";
        for (change, is_empty) in
            [("SELECT 1", false), (shuffled, false), ("DELETE FROM mart_value_due", true)]
        {
            let folder = tempfile::tempdir().expect("a folder");
            let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
            engine.run("make what is due", DUE).expect("the table is new");
            engine.run("change it", change).expect("it is changed");
            let theirs = engine.query("ask", QUERY).expect("the query is answered");
            let theirs = concat_batches(&schema(), &theirs).expect("they have the mart's columns");
            assert_eq!(theirs.num_rows() == 0, is_empty, "{} rows", theirs.num_rows());
            assert_eq!(together(&schema(), |sink| rows(&engine, sink)), theirs, "{change}");
        }
    }
}
