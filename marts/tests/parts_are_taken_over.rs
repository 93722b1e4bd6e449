//! A mart that is made in parts takes over those that are made of the same, and says of them what it said before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use marts::mart::{Column, Definition, Native, Sink};
use marts::{Mart, Order, Outcome, Publication, Rule, Test};
use warehouse::engine::{Engine, Limits};
use warehouse::{DataFile, TableScan};

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\nS1,S1-3,3,002,A,2020-01-01,2020-01-31\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER\nS1,S1-1,1,COUGH,N\nS1,S1-1,2,FEVER,Y\nS1,S1-2,1,RASH,N\nS1,S1-3,1,RASH,N\n";
const ONE_MORE: &str = "S1,S1-2,2,PAIN,N\n";

const QUERY: &str = "SELECT subject_dk, count(*) AS n FROM fact_ae GROUP BY subject_dk ORDER BY subject_dk";

/// Parts that were written by a function of the same test.
struct Written(AtomicUsize);

impl Written {
    const fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn schema() -> SchemaRef {
    let columns = ["subject_dk", "n"].map(|name| Field::new(name, DataType::Int64, true));
    Arc::new(Schema::new(columns.to_vec()))
}

/// One part for each subject, whose key is as `key` says.
fn give(
    engine: &Engine,
    sink: &mut dyn Sink,
    (written, key): (&Written, fn(i64) -> i64),
) -> warehouse::Result<()> {
    for batch in engine.query("count", QUERY)? {
        let [subjects, counts] = [0, 1].map(|place| batch.column(place).as_primitive::<Int64Type>());
        for (subject, n) in subjects.iter().flatten().zip(counts.iter().flatten()) {
            if sink.has_part(&format!("{subject} {n}"))? {
                continue;
            }
            written.0.fetch_add(1, Ordering::Relaxed);
            let columns = [key(subject), n].map(|value| Arc::new(Int64Array::from(vec![value])) as ArrayRef);
            sink.write(&RecordBatch::try_new(schema(), columns.to_vec()).expect("of the schema"))?;
        }
    }
    Ok(())
}

fn mart(rows: fn(&Engine, &mut dyn Sink) -> warehouse::Result<()>, tests: Vec<Test>) -> Mart {
    Mart {
        name: "mart_events",
        grain: "one row per subject with an event",
        description: "",
        owner: "tests",
        inputs: &["fact_ae"],
        key: &["subject_dk"],
        columns: &[
            Column { name: "subject_dk", description: "the subject", from: &["fact_ae.subject_dk"] },
            Column { name: "n", description: "events", from: &["fact_ae.ae_seq"] },
        ],
        tests: Vec::leak(tests),
        tags: &[],
        definition: Definition::Native(|| QUERY, Native { schema, rows }, 1),
    }
}

fn deliver(study: &mut Study, more: &str) {
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &format!("{AE}{more}"))]);
}

fn build(study: &mut Study, mart: Mart, full_refresh: bool) -> Publication {
    study.build_order(&Order { graph: Vec::leak(vec![mart]), full_refresh, ..Order::default() })
}

fn files(built: &Publication) -> Vec<DataFile> {
    built.snapshot.as_ref().expect("it is published").2.tables["mart_events"].files.clone()
}

#[test]
fn only_what_changed_is_written_and_the_table_is_that_of_a_full_build() {
    static WRITTEN: Written = Written::none();
    let events = || mart(|engine, sink| give(engine, sink, (&WRITTEN, |key| key)), Vec::new());
    let mut study = Study::new();
    deliver(&mut study, "");
    let first = files(&build(&mut study, events(), false));
    assert_eq!((first.len(), WRITTEN.take()), (3, 3));
    deliver(&mut study, ONE_MORE);
    let built = build(&mut study, events(), false);
    let second = files(&built);
    assert_eq!(WRITTEN.take(), 1);
    assert_eq!(first.iter().filter(|file| second.contains(file)).count(), 2);
    assert_eq!(built.run.marts[0].rows, 3);
    let mut counts: Vec<i64> =
        study.rows("mart_events").iter().map(|row| row["n"].as_i64().expect("a number")).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 2]);
    // Who takes it as one file has all of it.
    let marts = study.marts.as_ref().expect("built");
    let scan = TableScan::open(&study.storage, &study.scope.to_read(), marts, "mart_events", 1024);
    let bytes = scan.and_then(TableScan::into_parquet).expect("it is written");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("events.parquet");
    std::fs::write(&file, bytes).expect("written");
    let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
    engine.view("events", &[file]).expect("it is Parquet");
    assert_eq!(engine.count("sum", "SELECT sum(n)::BIGINT FROM events").expect("a number"), 5);
    // The same table: nothing new is published.
    let full = build(&mut study, events(), true);
    assert_eq!(WRITTEN.take(), 3);
    assert_eq!(full.run.marts[0].outcome, Outcome::Made);
    assert!(full.snapshot.is_none());
}

#[test]
fn a_part_with_a_row_that_a_test_warns_of_is_looked_at_again() {
    static WRITTEN: Written = Written::none();
    let events = || {
        let warns = vec![Test::warns(Rule::Range("n", 0.0, 1.0))];
        mart(|engine, sink| give(engine, sink, (&WRITTEN, |key| key)), warns)
    };
    let mut study = Study::new();
    deliver(&mut study, "");
    let built = build(&mut study, events(), false);
    let warned = |built: &Publication| {
        let tests = &built.run.marts[0].tests;
        tests.iter().find(|test| test.test == "n is between 0 and 1").expect("it was asked").rows
    };
    assert_eq!(warned(&built), 1);
    assert!(files(&built).iter().any(|file| file.made_of.is_none()));
    deliver(&mut study, ONE_MORE);
    assert_eq!(warned(&build(&mut study, events(), false)), 2);
}

#[test]
fn a_part_of_another_definition_or_with_other_tests_is_not_taken_over() {
    static WRITTEN: Written = Written::none();
    let events = |tests| mart(|engine, sink| give(engine, sink, (&WRITTEN, |key| key)), tests);
    let mut study = Study::new();
    deliver(&mut study, "");
    build(&mut study, events(Vec::new()), false);
    assert_eq!(WRITTEN.take(), 3);
    let built = build(&mut study, events(vec![Test::that(Rule::Range("n", 0.0, 1.0))]), false);
    assert_eq!(WRITTEN.take(), 3);
    assert!(built.failure.is_some() && built.snapshot.is_none());
}

// Each part for itself has one key; together they have it three times.
#[test]
fn a_key_that_several_parts_have_is_found() {
    static WRITTEN: Written = Written::none();
    let events = || mart(|engine, sink| give(engine, sink, (&WRITTEN, |_| 7)), Vec::new());
    let mut study = Study::new();
    deliver(&mut study, "");
    let built = build(&mut study, events(), false);
    let key = built.run.marts[0].tests.iter().find(|test| test.test == "subject_dk is unique and not null");
    assert_eq!(key.expect("it was asked").rows, 1);
    assert!(built.snapshot.is_none());
}
