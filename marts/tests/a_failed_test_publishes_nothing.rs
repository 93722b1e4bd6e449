//! A test of weight that fails keeps the former snapshot and shows the rows; a warning publishes; what was made beside a
//! failure is not made again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::FixedClock;
use marts::mart::{Column, Definition};
use marts::{
    Base, Cancel, Definitions, Error, Freshness, Mart, Order, Outcome, Publication, Rule, Severity, Status,
    Test,
};
use warehouse::Writer;
use warehouse::engine::Engine;

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\nS1,S1-3,3,002,A,2020-01-01,2020-01-31\n";

const SITE: &[Column] = &[
    Column { name: "site_id", description: "the site", from: &["dim_subject.site_id"] },
    Column { name: "n", description: "its subjects", from: &["dim_subject.subject_id"] },
];
const COUNTS: &str =
    "SELECT site_id, count(*) AS n FROM dim_subject WHERE is_enrolled GROUP BY site_id ORDER BY site_id";

fn mart(name: &'static str, inputs: &'static [&'static str], query: &'static str, tests: Vec<Test>) -> Mart {
    Mart {
        name,
        grain: "one row per site",
        description: "",
        owner: "tests",
        inputs,
        key: &["site_id"],
        columns: SITE,
        tests: Vec::leak(tests),
        tags: &[],
        definition: Definition::Sql(query),
    }
}

fn counts(tests: Vec<Test>) -> Mart {
    mart("mart_counts", &["dim_site", "dim_subject"], COUNTS, tests)
}

fn study() -> Study {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]);
    study
}

fn build(study: &mut Study, graph: Vec<Mart>) -> Publication {
    study.build_order(&Order { graph: Vec::leak(graph), ..Order::default() })
}

/// What the tests of the one mart found: their words, how many rows, and the first of them.
#[track_caller]
fn check(study: &mut Study, rule: Rule, (words, rows): (&str, u64), sample: &[(&str, &str)]) {
    let built = build(study, vec![counts(vec![Test::that(rule)])]);
    let made = &built.run.marts[0];
    let found = made.tests.iter().find(|test| test.test == words).expect("it was asked");
    assert_eq!(found.rows, rows, "{words}: {found:?}");
    assert_eq!(made.outcome, if rows == 0 { Outcome::Made } else { Outcome::Failed }, "{words}");
    assert_eq!(built.snapshot.is_some(), rows == 0, "{words}");
    for (column, value) in sample {
        assert_eq!(found.sample[0][*column].as_deref(), Some(*value), "{words}: {found:?}");
    }
}

// By hand: site 001 has one subject, site 002 has two.
#[test]
fn each_built_in_test_finds_what_is_there() {
    let mut study = study();
    let mut ask = |rule, words, rows, sample: &[(&str, &str)]| check(&mut study, rule, (words, rows), sample);
    ask(Rule::Unique(&["n"]), "n is unique and not null", 0, &[]);
    ask(Rule::NotNull("n"), "n is not null", 0, &[]);
    ask(Rule::Range("n", 1.0, 2.0), "n is between 1 and 2", 0, &[]);
    ask(Rule::Range("n", 2.0, 9.0), "n is between 2 and 9", 1, &[("site_id", "001"), ("n", "1")]);
    ask(Rule::Accepted("site_id", &["001", "002"]), "site_id is one of 001, 002", 0, &[]);
    ask(Rule::Accepted("site_id", &["001"]), "site_id is one of 001", 1, &[("site_id", "002")]);
    ask(Rule::Relationship("site_id", "dim_site", "site_id"), "site_id is a site_id of dim_site", 0, &[]);
    ask(Rule::Relationship("site_id", "dim_site", "country"), "site_id is a country of dim_site", 2, &[]);
    ask(Rule::RowsAtMost("sites", "SELECT 2"), "there are no more rows than sites", 0, &[]);
    let row = [("n_rows", "2"), ("at_most", "1")];
    ask(Rule::RowsAtMost("one", "SELECT 1"), "there are no more rows than one", 1, &row);
    let sum = "SELECT sum(n) FROM mart_counts";
    let facts = "SELECT count(DISTINCT subject_dk) FROM dim_subject WHERE is_enrolled";
    ask(Rule::Reconciles("the sum of subjects", sum, facts), "the sum of subjects equals the facts", 0, &[]);
    let row = [("mart", "3.0"), ("facts", "4.0")];
    ask(Rule::Reconciles("the sum", sum, "SELECT 4"), "the sum equals the facts", 1, &row);
    let alone = "SELECT * FROM mart_counts WHERE n = 1";
    ask(Rule::Absent("nobody is alone", alone), "nobody is alone", 1, &[("site_id", "001")]);
}

fn of_nobody(_: &Engine, _: &Definitions) -> marts::Result<RecordBatch> {
    let columns = [Field::new("site_id", DataType::Utf8, false), Field::new("n", DataType::Int64, false)];
    Ok(RecordBatch::new_empty(Arc::new(Schema::new(columns.to_vec()))))
}

// Whose keys ascend of itself, and who asks of no row: every test is answered even so.
#[test]
fn a_mart_of_a_function_that_gives_no_rows_fails_what_the_facts_contradict() {
    let facts = "SELECT count(DISTINCT subject_dk) FROM dim_subject WHERE is_enrolled";
    let rule = Rule::Reconciles("the sum of subjects", "SELECT sum(n) FROM mart_counts", facts);
    let definition = Definition::Rust(of_nobody, 1, &[]);
    let built = build(&mut study(), vec![Mart { definition, ..counts(vec![Test::that(rule)]) }]);
    let tests = &built.run.marts[0].tests;
    let found: Vec<(&str, u64)> = tests.iter().map(|test| (test.test.as_str(), test.rows)).collect();
    let key = ("site_id is unique and not null", 0);
    assert_eq!(found[1..], [key, ("the sum of subjects equals the facts", 1)]);
    assert!(built.failure.is_some() && built.snapshot.is_none());
}

fn of_three_sites(_: &Engine, _: &Definitions) -> marts::Result<RecordBatch> {
    let columns = [Field::new("site_id", DataType::Utf8, true), Field::new("n", DataType::Int64, true)];
    let sites = StringArray::from(vec!["001", "002", "003"]);
    let numbers = Int64Array::from(vec![Some(1), Some(20), Some(30)]);
    let rows = RecordBatch::try_new(
        Arc::new(Schema::new(columns.to_vec())),
        vec![Arc::new(sites), Arc::new(numbers)],
    );
    Ok(rows.expect("the columns are as long as each other"))
}

// Some tests are seen to hold while the rows are given, and the others are asked: each has its own answer.
#[test]
fn each_test_of_a_mart_of_a_function_has_its_own_answer() {
    let rules = [
        Rule::NotNull("n"),
        Rule::Range("n", 0.0, 10.0),
        Rule::Relationship("site_id", "dim_site", "site_id"),
        Rule::Range("n", 0.0, 30.0),
        Rule::Accepted("site_id", &[]),
        Rule::RowsAtMost("three", "SELECT 3"),
        Rule::AtMost("n", "n"),
    ];
    let of = |rules: &[Rule]| {
        let tests = rules.iter().copied().map(Test::warns).collect();
        let definition = Definition::Rust(of_three_sites, 1, &[]);
        let built = build(&mut study(), vec![Mart { definition, ..counts(tests) }]);
        assert!(built.snapshot.is_some(), "{:?}", built.failure);
        built.run.marts[0].tests.iter().skip(1).map(|test| (test.rows, test.sample.len())).collect::<Vec<_>>()
    };
    assert_eq!(of(&rules), [(0, 0), (0, 0), (2, 2), (1, 1), (0, 0), (3, 3), (0, 0), (0, 0)]);
    // Nothing but values of one number are asked, and nothing at all.
    assert_eq!(of(&rules[2..4]), [(0, 0), (1, 1), (0, 0)]);
    assert_eq!(of(&rules[6..]), [(0, 0), (0, 0)]);
}

#[test]
fn a_repeated_key_is_found_without_being_asked_for() {
    let twice = "SELECT site_id, 1 AS n FROM dim_subject WHERE is_enrolled";
    let built = build(&mut study(), vec![mart("mart_counts", &["dim_subject"], twice, Vec::new())]);
    let found = &built.run.marts[0].tests[1];
    assert_eq!((found.test.as_str(), found.rows), ("site_id is unique and not null", 1));
    assert_eq!(found.sample[0]["site_id"].as_deref(), Some("002"));
}

#[test]
fn a_mart_without_its_columns_is_told_which() {
    let other = "SELECT site_id, count(*) AS n_subjects FROM dim_subject WHERE is_enrolled GROUP BY site_id";
    let built = build(&mut study(), vec![mart("mart_counts", &["dim_subject"], other, Vec::new())]);
    let found = &built.run.marts[0].tests[0];
    assert_eq!(found.sample[0]["declared and absent"].as_deref(), Some("n"));
    assert_eq!(found.sample[1]["there and not declared"].as_deref(), Some("n_subjects"));
}

#[test]
fn an_error_keeps_the_former_snapshot_and_a_warning_publishes() {
    let mut study = study();
    let wrong = Rule::Range("n", 2.0, 9.0);
    let failed = build(&mut study, vec![counts(vec![Test::that(wrong)])]);
    assert_eq!((failed.run.status, failed.snapshot.is_none()), (Status::Failed, true));
    assert_eq!(failed.run.alert_count(Severity::Error), 1);
    let Some(error @ Error::Test { .. }) = failed.failure else { unreachable!("{:?}", failed.failure) };
    let text = error.to_string();
    assert!(text.contains("mart `mart_counts`") && text.contains("n is between 2 and 9"), "{text}");
    assert!(text.contains("1 rows") && text.contains("cairn marts lineage mart_counts.n"), "{text}");
    assert!(!text.contains("001"), "a message holds no value: {text}");
    let warned = build(&mut study, vec![counts(vec![Test::warns(wrong)])]);
    assert_eq!((warned.run.status, warned.snapshot.is_some()), (Status::Published, true));
    assert_eq!(warned.run.alert_count(Severity::Warning), 1);
}

#[test]
fn what_reads_a_failed_mart_is_skipped_and_the_rest_is_kept_for_the_next_build() {
    const ALL: &str = "SELECT site_id, n FROM mart_counts";
    let graph = |tests| {
        vec![
            mart("mart_broken", &["dim_subject"], COUNTS, tests),
            counts(Vec::new()),
            mart("mart_after", &["mart_broken"], "SELECT site_id, n FROM mart_broken", Vec::new()),
            mart("mart_beside", &["mart_counts"], ALL, Vec::new()),
        ]
    };
    let mut study = study();
    let outcome = |built: &Publication, mart: &str| {
        built.run.marts.iter().find(|built| built.mart == mart).expect("it is told").outcome
    };
    let failed = build(&mut study, graph(vec![Test::that(Rule::Range("n", 2.0, 9.0))]));
    assert_eq!(outcome(&failed, "mart_broken"), Outcome::Failed);
    assert_eq!(outcome(&failed, "mart_after"), Outcome::Skipped);
    assert_eq!(outcome(&failed, "mart_beside"), Outcome::Made);
    let mended = build(&mut study, graph(Vec::new()));
    assert_eq!(mended.run.status, Status::Published);
    assert_eq!(outcome(&mended, "mart_counts"), Outcome::Shared);
    assert_eq!(outcome(&mended, "mart_beside"), Outcome::Shared);
    assert_eq!(outcome(&mended, "mart_after"), Outcome::Made);
    let manifest = &mended.snapshot.expect("published").2;
    assert_eq!(manifest.table("mart_beside").expect("there").rows(), 2);
}

#[test]
fn a_query_that_cannot_run_is_told_with_the_engines_word() {
    let built = build(
        &mut study(),
        vec![mart("mart_counts", &["dim_subject"], "SELECT nothing FROM dim_subject", Vec::new())],
    );
    let made = &built.run.marts[0];
    assert_eq!(made.outcome, Outcome::Failed);
    let error = made.error.as_deref().expect("it is told");
    assert!(error.contains("mart_counts") && error.contains("nothing"), "{error}");
}

#[test]
fn a_cancelled_build_publishes_nothing() {
    let cancel = Cancel::default();
    cancel.now();
    let mut study = study();
    let built = study.build_order(&Order { cancel, ..Order::default() });
    assert_eq!((built.run.status, built.snapshot.is_none()), (Status::Cancelled, true));
    assert!(matches!(built.failure, Some(Error::Cancelled)));
    assert_eq!(study.build().run.status, Status::Published);
}

// A query over two million pairs would run for minutes; it ends when it is told to.
#[test]
fn a_build_is_cancelled_in_the_middle_of_a_query() {
    const ENDLESS: &str = "SELECT '1' AS site_id, count(*) AS n FROM range(3000000) a, range(3000000) b
        WHERE hash(a.range) = hash(b.range + 1)";
    ends_when_cancelled(mart("mart_counts", &["dim_subject"], ENDLESS, Vec::new()));
}

// Nor does a function have to end by itself.
#[test]
fn a_build_is_cancelled_in_the_middle_of_a_function() {
    static BEGAN: AtomicBool = AtomicBool::new(false);
    fn endless(engine: &Engine, _: &Definitions) -> marts::Result<RecordBatch> {
        BEGAN.store(true, Ordering::Relaxed);
        loop {
            std::thread::yield_now();
            engine.go_on().map_err(|source| Error::Build { mart: "mart_counts".to_owned(), source })?;
        }
    }
    ends_when_cancelled(Mart { definition: Definition::Rust(endless, 1, &[]), ..counts(Vec::new()) });
    assert!(BEGAN.load(Ordering::Relaxed));
}

#[track_caller]
fn ends_when_cancelled(mart: Mart) {
    let (mut study, cancel) = (study(), Cancel::default());
    let order = Order { graph: Vec::leak(vec![mart]), cancel: cancel.clone(), ..Order::default() };
    let asked = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        cancel.now();
    });
    let built = study.build_order(&order);
    asked.join().expect("it ends");
    assert_eq!(built.run.status, Status::Cancelled);
}

#[test]
fn an_old_source_is_a_warning_where_the_study_says_how_old() {
    let mut study = study();
    let (id, star) = study.star.clone().expect("delivered");
    let delivered: DateTime<Utc> = star.cuts[0].extracted_at;
    let at = |days: i64| {
        let writer = Writer::wait(&study.storage, &study.scope).expect("nobody else writes");
        let definitions = Definitions::shipped().expect("well formed");
        let base = Base { current: (id, &star), formers: Vec::new(), definitions: &definitions };
        let freshness = Some(Freshness { fresh_within_days: 7 });
        let graph: &'static [Mart] = Vec::leak(vec![counts(Vec::new())]);
        let order = Order { graph, freshness, ..Order::default() };
        let clock = FixedClock(delivered + TimeDelta::days(days));
        let built = marts::build(&writer, &base, &order, &clock, &mut |_| {}).expect("the build ends");
        (built.run.status, built.run.alert_count(Severity::Warning))
    };
    assert_eq!(at(7), (Status::Published, 0));
    assert_eq!(at(8), (Status::Published, 1));
    study.build();
}
