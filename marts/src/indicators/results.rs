//! `mart_subject_results`: how many results each subject has. Its query puts every result into a group; here they are
//! counted as they stand, those of one subject together.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int32Type, SchemaRef};
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
    fn of(&mut self, key: i64) -> &mut Counts {
        let number = self.numbers.number(key);
        if number == self.counts.len() {
            self.counts.push(Counts::default());
        }
        &mut self.counts[number]
    }
}

/// What a finding counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Assessment,
    /// Of a drug's concentration.
    Sample,
    /// Of how much of the drug came back.
    Accountability,
}

impl Kind {
    fn of(domain: Option<&str>) -> Self {
        match domain {
            Some("PC") => Self::Sample,
            Some("DA") => Self::Accountability,
            _ => Self::Assessment,
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
        let (keys, states) = (keys_of(batch, 0), States::of(batch));
        let grades = batch.column(4).as_primitive::<Int8Type>();
        for (row, key) in keys.iter().enumerate() {
            let counts = subjects.of(*key);
            let grade = grades.is_valid(row).then(|| grades.value(row));
            counts.assessments += 1;
            counts.empty += i64::from(states.is_empty(row));
            counts.graded += i64::from(grade.is_some_and(|grade| (0..=4).contains(&grade)));
            counts.grade_3_4 += i64::from(matches!(grade, Some(3 | 4)));
        }
    })?;
    engine.scan("count findings", ("fact_observation", &OBSERVATION), &mut |batch| {
        let (keys, states) = (keys_of(batch, 0), States::of(batch));
        let domains = batch.column(4).as_dictionary::<Int32Type>();
        let kinds: Vec<Kind> = domains.values().as_string::<i32>().iter().map(Kind::of).collect();
        for (row, key) in keys.iter().enumerate() {
            let counts = subjects.of(*key);
            match domains.key(row).map_or(Kind::Assessment, |domain| kinds[domain]) {
                Kind::Assessment => {
                    counts.assessments += 1;
                    counts.empty += i64::from(states.is_empty(row));
                }
                Kind::Sample => {
                    counts.samples_due += 1;
                    counts.samples += i64::from(!states.is_not_done(row));
                }
                Kind::Accountability => {}
            }
        }
    })?;
    give(&batch(&subjects)?)
}

/// Whether results are there.
struct States<'a> {
    not_done: &'a BooleanArray,
    texts: &'a ArrayRef,
    values: &'a Float64Array,
}

impl<'a> States<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        Self {
            not_done: batch.column(1).as_boolean(),
            texts: batch.column(2),
            values: batch.column(3).as_primitive::<Float64Type>(),
        }
    }

    fn is_not_done(&self, row: usize) -> bool {
        self.not_done.is_valid(row) && self.not_done.value(row)
    }

    fn is_empty(&self, row: usize) -> bool {
        self.is_not_done(row) || (self.values.is_null(row) && self.texts.is_null(row))
    }
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
