//! `mart_subject_results`: how many results each subject has. Samples for pharmacokinetics (PC) are counted apart, and
//! accountability of drugs (DA) is no assessment.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use super::fact::{Fact, SUBJECT};
use super::rule::Count::Rows;
use super::rule::Holds::{self, All, Always, Among, Between, Either, No, NotAmong, Untold, Yes};
use crate::by_key::Numbers;
use crate::columns;
use crate::mart::Sink;

const NAMES: [&str; 6] =
    ["n_assessments", "n_empty", "n_graded", "n_grade_3_4", "n_samples_due", "n_samples"];

const IS_EMPTY: Holds = Either(&[Yes("not_done"), All(&[Untold("std_value"), Untold("std_result")])]);
const IS_ASSESSMENT: Holds = Either(&[Untold("domain"), NotAmong("domain", &["PC", "DA"])]);
const IS_SAMPLE: Holds = Among("domain", &["PC"]);

/// Each has some of the names.
const FACTS: [Fact; 2] = [
    Fact {
        name: "lab",
        table: "fact_lab",
        beside: None,
        counts: &[
            ("n_assessments", Rows(Always)),
            ("n_empty", Rows(IS_EMPTY)),
            ("n_graded", Rows(Between("toxicity_grade", 0, 4))),
            ("n_grade_3_4", Rows(Between("toxicity_grade", 3, 4))),
        ],
    },
    Fact {
        name: "observation",
        table: "fact_observation",
        beside: None,
        counts: &[
            ("n_assessments", Rows(IS_ASSESSMENT)),
            ("n_empty", Rows(All(&[IS_ASSESSMENT, IS_EMPTY]))),
            ("n_samples_due", Rows(IS_SAMPLE)),
            ("n_samples", Rows(All(&[IS_SAMPLE, Either(&[No("not_done"), Untold("not_done")])]))),
        ],
    },
];

/// What it is, as a query.
pub(crate) fn query() -> &'static str {
    static QUERY: LazyLock<String> = LazyLock::new(|| {
        let columns = |column: &dyn Fn(&str) -> String| NAMES.map(column).join(", ");
        let of_fact = |fact: &Fact| {
            let has = |name: &str| fact.counts.iter().any(|(counted, _)| *counted == name);
            let columns = columns(&|name| if has(name) { name.to_owned() } else { format!("0 AS {name}") });
            format!("SELECT {SUBJECT}, {columns} FROM (\n{}\n) AS {}", fact.query(), fact.name)
        };
        format!(
            "SELECT {SUBJECT}, {}\nFROM (\n{}\n) AS counted\nGROUP BY {SUBJECT}\nORDER BY {SUBJECT} NULLS LAST",
            columns(&|name| format!("CAST(sum({name}) AS BIGINT) AS {name}")),
            FACTS.each_ref().map(of_fact).join("\nUNION ALL\n")
        )
    });
    &QUERY
}

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    let names = std::iter::once(SUBJECT).chain(NAMES);
    columns::schema(&names.map(|name| (name, DataType::Int64)).collect::<Vec<_>>())
}

/// Gives the rows of [`query`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    let mut subjects = Numbers::default();
    // By name, then by subject.
    let mut numbers: [Vec<f64>; NAMES.len()] = Default::default();
    for fact in &FACTS {
        fact.count(engine, ("count results", f64::NAN), &mut |counted| {
            for (key, rows) in &counted.subjects {
                let subject = subjects.number(*key);
                numbers.iter_mut().for_each(|numbers| numbers.resize(subjects.len(), 0.0));
                for ((name, count), added) in fact.counts.iter().zip(&counted.added) {
                    for (_, numbers) in NAMES.iter().zip(&mut numbers).filter(|(other, _)| *other == name) {
                        count.add(&mut numbers[subject], added, rows);
                    }
                }
            }
        })?;
    }
    sink.write(&batch(&subjects, &numbers)?)
}

fn batch(subjects: &Numbers, numbers: &[Vec<f64>]) -> Result<RecordBatch> {
    let in_order = subjects.in_order();
    let keys = in_order.iter().map(|subject| subjects.keys()[*subject]).collect::<Int64Array>();
    #[expect(clippy::cast_possible_truncation, reason = "numbers of rows")]
    let column = |numbers: &Vec<f64>| -> ArrayRef {
        Arc::new(in_order.iter().map(|subject| numbers[*subject] as i64).collect::<Int64Array>())
    };
    let columns = std::iter::once(Arc::new(keys) as ArrayRef).chain(numbers.iter().map(column)).collect();
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
        let theirs = engine.query("ask", query()).expect("the query is answered");
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
