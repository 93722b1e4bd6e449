use arrow::compute::concat_batches;
use warehouse::engine::Limits;

use super::*;
use crate::mart::together;

/// Subjects at several sites, in two versions, screened, enrolled or neither; facts of them and of subjects whom nobody
/// knows, with every state that an indicator asks for, and nulls wherever they may be.
const MADE_UP: &str = "
    CREATE MACRO below(i, salt, n) AS CAST(hash(i, salt) % n AS INTEGER);
    CREATE MACRO yes(i, salt) AS CASE below(i, salt, 3) WHEN 0 THEN true WHEN 1 THEN false END;
    CREATE MACRO some_day(i, salt) AS CASE WHEN below(i, salt, 6) > 0 THEN DATE '2024-01-01' + below(i, salt + 1, 200) END;
    CREATE MACRO subject(i) AS CAST(hash(i % 53, 1) % 1000000007 AS BIGINT);
    CREATE TABLE dim_study AS SELECT DATE '2024-09-01' AS cut_off_date, true AS is_current;
    CREATE TABLE dim_site AS
        SELECT i AS site_sk, 900 - i % 6 AS site_dk, i < 6 AS is_current, CASE i % 3 WHEN 0 THEN 'CLOSED' WHEN 1 THEN 'ACTIVE' END AS status,
            some_day(i, 20) AS activation_date, CASE WHEN i % 4 > 0 THEN 10 + i END AS target_enrolment
        FROM range(12) t(i);
    CREATE TABLE dim_subject AS
        SELECT CAST(hash(i) % 1000000007 AS BIGINT) AS subject_sk, subject(i % 50) AS subject_dk, i % 5 AS site_sk, 900 - i % 5 AS site_dk,
            i < 50 AS is_current, yes(i, 30) AS is_screened, below(i, 31, 4) > 0 AS is_enrolled, yes(i, 32) AS is_screen_failure, yes(i, 33) AS has_died,
            CASE WHEN below(i, 34, 2) > 0 THEN below(i, 35, 3) END AS n_criteria_broken, some_day(i, 36) AS death_date,
            some_day(i, 38) AS consent_date, some_day(i, 40) AS randomised_date, some_day(i, 42) AS ref_start_date, some_day(i, 44) AS first_dose_date,
            CASE WHEN below(i, 46, 5) > 0 THEN below(i, 47, 300) END AS days_on_study
        FROM range(80) t(i);
    CREATE TABLE dim_visit AS SELECT CAST(i AS BIGINT) AS visit_sk, yes(i, 50) AS is_required FROM range(8) t(i);
    CREATE TABLE fact_visit AS
        SELECT subject(i) AS subject_dk, CAST(below(i, 51, 9) AS BIGINT) AS visit_sk, yes(i, 52) AS occurred, yes(i, 53) AS is_missed, below(i, 54, 2) AS visit_repeat,
            some_day(i, 55) AS start_date, ['IN', 'EARLY', 'LATE', NULL][1 + below(i, 57, 4)] AS window_status
        FROM range(300) t(i);
    CREATE TABLE fact_ae AS
        SELECT subject(i) AS subject_dk, yes(i, 60) AS serious, yes(i, 61) AS of_special_interest,
            CASE WHEN below(i, 62, 4) > 0 THEN below(i, 63, 30) - 3 END AS reporting_lag_days,
            ['DRUG INTERRUPTED', 'DOSE NOT CHANGED', NULL][1 + below(i, 64, 3)] AS action_taken
        FROM range(120) t(i);
    CREATE TABLE fact_deviation AS
        SELECT subject(i) AS subject_dk, yes(i, 70) AS important, ['Inclusion criteria', 'Study drug', NULL][1 + below(i, 71, 3)] AS category,
            ['consent not signed', 'prohibited medication', 'eligibility', NULL][1 + below(i, 72, 4)] AS term
        FROM range(60) t(i);
    CREATE TABLE fact_disposition AS
        SELECT subject(i) AS subject_dk, ['STUDY', 'TREATMENT', NULL][1 + below(i, 80, 3)] AS scope,
            ['DISPOSITION EVENT', 'PROTOCOL MILESTONE', NULL][1 + below(i, 81, 3)] AS category,
            ['COMPLETED', 'SCREEN FAILURE', 'DEATH', 'LOST TO FOLLOW-UP', 'ADVERSE EVENT', 'WITHDRAWAL BY SUBJECT', 'DISCONTINUED', 'Lost to follow-up', 'death', NULL][1 + below(i, 82, 10)] AS decoded,
            some_day(i, 83) AS start_date
        FROM range(150) t(i);
    CREATE TABLE fact_query AS
        SELECT subject(i) AS subject_dk, ['OPEN', 'ANSWERED', 'CLOSED', 'CANCELLED', NULL][1 + below(i, 90, 5)] AS state,
            ['SYSTEM', 'MANUAL', NULL][1 + below(i, 91, 3)] AS type, CASE WHEN below(i, 92, 4) > 0 THEN below(i, 93, 60) END AS age_days,
            CASE WHEN below(i, 94, 3) > 0 THEN below(i, 95, 140) - 5 END AS days_to_answer
        FROM range(90) t(i);
    CREATE TABLE fact_form AS
        SELECT subject(i) AS subject_dk, below(i, 100, 5) = 0 AS is_inferred, CASE WHEN below(i, 101, 4) > 0 THEN below(i, 102, 90) - 4 END AS entry_lag_days,
            some_day(i, 103) AS event_date, below(i, 105, 20) AS n_items, below(i, 106, 3) AS n_items_changed, below(i, 107, 3) AS n_items_missing,
            ['REQUIRED', 'PARTIAL', 'VERIFIED', NULL][1 + below(i, 108, 4)] AS sdv_status, ['SUBMITTED', 'OPEN', NULL][1 + below(i, 109, 3)] AS status,
            CASE WHEN below(i, 110, 3) > 0 THEN TIMESTAMP '2024-05-01 10:00:00' END AS signed_ts
        FROM range(260) t(i);
    CREATE TABLE mart_subject_results AS
        SELECT DISTINCT subject(i) AS subject_dk, CAST(i % 7 AS BIGINT) AS n_grade_3_4, CAST(i % 9 AS BIGINT) AS n_graded, CAST(i % 11 AS BIGINT) AS n_assessments,
            CAST(i % 4 AS BIGINT) AS n_empty, CAST(i % 5 AS BIGINT) AS n_samples_due, CAST(i % 3 AS BIGINT) AS n_samples
        FROM range(45) t(i);";

fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
    engine.run("make a study", MADE_UP).expect("the tables are new");
    (folder, engine)
}

/// The rows of the function and of the query.
fn both(engine: &Engine) -> [RecordBatch; 2] {
    let asked = engine.query("ask", query()).expect("the query is answered");
    let asked = concat_batches(&schema(), &asked).expect("they have the mart's columns");
    [together(&schema(), |give| rows(engine, give)), asked]
}

fn ids(rows: &RecordBatch) -> std::collections::BTreeSet<String> {
    use arrow::array::AsArray;
    rows.column(0).as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

// The query is the definition; DuckDB answers it.
#[test]
fn the_function_gives_the_rows_of_the_query_in_its_order() {
    let (_folder, engine) = engine();
    let [ours, theirs] = both(&engine);
    assert_eq!(ids(&theirs).len(), INDICATORS.len() + OF_SITES.len(), "every indicator has rows");
    assert_eq!(ours, theirs);
}

// Rows come in several batches, in which subjects stand together, and with columns that have nulls alone.
#[test]
fn the_rows_of_files_are_those_of_the_query() {
    let (folder, engine) = engine();
    let forget = "UPDATE fact_form SET sdv_status = NULL, signed_ts = NULL";
    engine.run("tell nothing of it", forget).expect("it is forgotten");
    for table in FACTS.map(|fact| fact.table) {
        for _ in 0..if table == "mart_subject_results" { 0 } else { 7 } {
            engine.run("double it", &format!("INSERT INTO {table} FROM {table}")).expect("it is doubled");
        }
        let file = folder.path().join(format!("{table}.parquet"));
        engine.copy("write", &format!("FROM {table} ORDER BY subject_dk"), &file).expect("written");
        engine.run("leave the file", &format!("DROP TABLE {table}")).expect("dropped");
        engine.view(table, &[file]).expect("opened");
    }
    assert!(engine.count("count", "SELECT count(*) FROM fact_form").expect("counted") > 3 * 8192);
    let [ours, theirs] = both(&engine);
    assert_eq!(ours, theirs);
}

#[test]
fn a_study_of_which_facts_tell_nothing_has_no_rows_of_them() {
    let (_folder, engine) = engine();
    for table in ["fact_ae", "fact_deviation", "fact_disposition", "fact_query", "fact_form", "fact_visit"] {
        let before = ids(&both(&engine)[0]).len();
        engine.run("empty it", &format!("DELETE FROM {table}")).expect("rows are deleted");
        let [ours, theirs] = both(&engine);
        assert_eq!(ours, theirs, "without {table}");
        assert!(ids(&ours).len() < before, "without {table}");
    }
    for unknown in ["UPDATE dim_study SET cut_off_date = NULL", "DELETE FROM dim_study"] {
        let (_folder, engine) = self::engine();
        engine.run("forget the cut-off", unknown).expect("rows are changed");
        let [ours, theirs] = both(&engine);
        assert_eq!(ours, theirs, "{unknown}");
    }
    engine.run("empty it", "DELETE FROM dim_subject").expect("rows are deleted");
    let [ours, theirs] = both(&engine);
    assert_eq!(ours, theirs, "without subjects");
}

// Sources of pages do not always tell the data points on them.
#[test]
fn queries_per_page_count_every_page_of_a_study_without_data_points() {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;
    let (_folder, engine) = engine();
    engine.run("tell no points", "UPDATE fact_form SET n_items = NULL").expect("rows are changed");
    let [ours, theirs] = both(&engine);
    assert_eq!(ours, theirs);
    let (of, below) = (ours.column(0).as_string::<i32>(), ours.column(4).as_primitive::<Float64Type>());
    let counted: f64 =
        (0..ours.num_rows()).filter(|row| of.value(*row) == "d01").map(|row| below.value(row)).sum();
    let pages = "SELECT count(*) FROM fact_form WHERE NOT is_inferred
        AND subject_dk IN (SELECT subject_dk FROM dim_subject WHERE is_current AND is_enrolled)";
    let pages = engine.count("count", pages).expect("counted");
    assert!(pages > 100 && (counted - pages as f64).abs() < 0.5, "{counted} of {pages} pages");
}
