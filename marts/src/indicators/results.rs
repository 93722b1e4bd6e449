//! `mart_subject_results`: how many results each subject has. Its query puts every result into a group; here they are
//! counted as they stand, those of one subject together.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Int8Type, Int32Type, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use crate::by_key::{Numbers, keys_of};
use crate::columns;
use crate::mart::Give;

/// What it is, as a query.
pub(crate) const QUERY: &str = include_str!("subject_results.sql");
const COLUMNS: [&str; 7] =
    ["subject_dk", "n_assessments", "n_empty", "n_graded", "n_grade_3_4", "n_samples_due", "n_samples"];
const LAB: [&str; 5] = ["subject_dk", "not_done", "std_result", "std_value", "toxicity_grade"];
/// The domain of samples of a drug's concentration.
const SAMPLE: &str = "PC";
/// The domain of how much of a drug came back, which is neither an assessment nor a sample.
const ACCOUNTABILITY: &str = "DA";
const OBSERVATION: [&str; 5] = ["subject_dk", "not_done", "std_result", "std_value", "domain"];

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    columns::schema(&COLUMNS.map(|name| (name, DataType::Int64)))
}

/// One subject's results, in the order of the columns after the first.
#[derive(Debug, Clone, Default)]
struct Counts {
    assessments: i64,
    empty: i64,
    graded: i64,
    grade_3_4: i64,
    samples_due: i64,
    samples: i64,
}

#[derive(Debug, Default)]
struct Subjects {
    numbers: Numbers,
    /// By number.
    counts: Vec<Counts>,
}

impl Subjects {
    /// Adds what is counted of the rows of each subject, which stand together.
    fn each(&mut self, batch: &RecordBatch, mut count: impl FnMut(&mut Counts, Range<usize>)) {
        let mut first = 0;
        for rows in keys_of(batch, 0).chunk_by(i64::eq) {
            let number = self.numbers.number(rows[0]);
            if number == self.counts.len() {
                self.counts.push(Counts::default());
            }
            count(&mut self.counts[number], first..first + rows.len());
            first += rows.len();
        }
    }
}

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, give: &mut Give<'_>) -> Result<()> {
    let mut subjects = Subjects::default();
    engine.scan("count laboratory results", ("fact_lab", &LAB), &mut |batch| {
        let Found { empty, .. } = Found::of(batch);
        let grades = batch.column(4).as_primitive::<Int8Type>();
        let [graded, grade_3_4] = [0..=4, 3..=4].map(|among| {
            let within = BooleanBuffer::collect_bool(grades.len(), |row| among.contains(&grades.value(row)));
            and_valid(within, grades.nulls())
        });
        subjects.each(batch, |counts, rows| {
            counts.assessments += whole(rows.len());
            counts.empty += ones(&empty, &rows);
            counts.graded += ones(&graded, &rows);
            counts.grade_3_4 += ones(&grade_3_4, &rows);
        });
    })?;
    engine.scan("count findings", ("fact_observation", &OBSERVATION), &mut |batch| {
        let Found { empty, not_done } = Found::of(batch);
        let [samples, others] = [SAMPLE, ACCOUNTABILITY].map(|domain| of_domain(batch.column(4), domain));
        let elsewhere = !&(&samples | &others);
        let [empty, taken] = [&empty & &elsewhere, &samples & &!&not_done];
        subjects.each(batch, |counts, rows| {
            counts.assessments += ones(&elsewhere, &rows);
            counts.empty += ones(&empty, &rows);
            counts.samples_due += ones(&samples, &rows);
            counts.samples += ones(&taken, &rows);
        });
    })?;
    give(&batch(&subjects)?)
}

/// Which findings were not done, and which have no result, a bit for each row.
struct Found {
    not_done: BooleanBuffer,
    empty: BooleanBuffer,
}

impl Found {
    fn of(batch: &RecordBatch) -> Self {
        let not_done = batch.column(1).as_boolean();
        let not_done = and_valid(not_done.values().clone(), not_done.nulls());
        let empty = match (batch.column(2).nulls(), batch.column(3).nulls()) {
            (Some(texts), Some(values)) => &not_done | &!&(texts.inner() | values.inner()),
            _ => not_done.clone(),
        };
        Self { not_done, empty }
    }
}

/// Which findings are of a domain.
fn of_domain(domains: &ArrayRef, domain: &str) -> BooleanBuffer {
    let domains = domains.as_dictionary::<Int32Type>();
    let is_it: Vec<bool> =
        domains.values().as_string::<i32>().iter().map(|name| name == Some(domain)).collect();
    BooleanBuffer::collect_bool(domains.len(), |row| domains.key(row).is_some_and(|key| is_it[key]))
}

fn and_valid(bits: BooleanBuffer, nulls: Option<&NullBuffer>) -> BooleanBuffer {
    nulls.map_or(bits.clone(), |nulls| &bits & nulls.inner())
}

fn ones(bits: &BooleanBuffer, rows: &Range<usize>) -> i64 {
    whole(bits.slice(rows.start, rows.len()).count_set_bits())
}

#[expect(clippy::cast_possible_wrap, reason = "rows of a batch")]
const fn whole(number: usize) -> i64 {
    number as i64
}

fn batch(subjects: &Subjects) -> Result<RecordBatch> {
    let in_order = subjects.numbers.in_order();
    let keys = in_order.iter().map(|number| subjects.numbers.keys()[*number]).collect::<Int64Array>();
    let column = |of: fn(&Counts) -> i64| -> ArrayRef {
        Arc::new(in_order.iter().map(|number| of(&subjects.counts[*number])).collect::<Int64Array>())
    };
    let columns = vec![
        Arc::new(keys),
        column(|counts| counts.assessments),
        column(|counts| counts.empty),
        column(|counts| counts.graded),
        column(|counts| counts.grade_3_4),
        column(|counts| counts.samples_due),
        column(|counts| counts.samples),
    ];
    RecordBatch::try_new(schema(), columns).map_err(Error::arrow("lay out how many results subjects have"))
}

#[cfg(test)]
mod tests {
    use arrow::compute::concat_batches;
    use warehouse::engine::Limits;

    use super::*;
    use crate::mart::together;

    /// Findings of every kind, done or not, with a number, a text, both or neither.
    const STUDY: &str = "
        CREATE TABLE findings AS
            SELECT CAST(hash(i % 40) % 1000000007 AS BIGINT) AS subject_dk, CASE hash(i, 1) % 5 WHEN 0 THEN true WHEN 1 THEN NULL ELSE false END AS not_done,
                CASE WHEN hash(i, 2) % 3 > 0 THEN 'text ' || i % 9 END AS std_result,
                CASE WHEN hash(i, 3) % 3 > 0 THEN CAST(i AS DOUBLE) END AS std_value,
                CAST(CASE WHEN hash(i, 4) % 4 > 0 THEN CAST(hash(i, 5) % 8 AS INTEGER) - 1 END AS TINYINT) AS toxicity_grade,
                ['VS', 'EG', 'PC', 'DA', NULL][1 + CAST(hash(i, 6) % 5 AS INTEGER)] AS domain
            FROM range(5000) t(i);
        CREATE TABLE fact_lab AS SELECT * EXCLUDE domain FROM findings WHERE hash(std_value, subject_dk) % 2 = 0;
        CREATE TABLE fact_observation AS SELECT * EXCLUDE toxicity_grade FROM findings WHERE hash(std_value, subject_dk) % 2 = 1;
        INSERT INTO fact_observation VALUES (7, false, 'one', 1.0, 'DA');";

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
        assert_eq!(theirs.num_rows(), 41, "one has nothing but what came back of the drug");
        assert_eq!(given(&engine), theirs);
        // The same from files, as a build has them.
        for table in ["fact_lab", "fact_observation"] {
            let file = folder.path().join(format!("{table}.parquet"));
            engine.copy("write", &format!("SELECT * FROM {table}"), &file).expect("written");
            engine.run("leave the file", &format!("DROP TABLE {table}")).expect("dropped");
            engine.view(table, &[file]).expect("opened");
        }
        assert_eq!(given(&engine), theirs);
    }
}
