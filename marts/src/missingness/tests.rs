use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use warehouse::engine::Limits;

use super::*;
use crate::mart::{in_parts as parts_of, together};

/// Subjects at several sites, in several versions of everything; findings that are repeated, not done, empty, of visits
/// without a record, of visits that are not scheduled, and of variables that few have.
const STUDY: &str = "
    CREATE TABLE dim_site AS SELECT i AS site_sk, 900 - i % 4 AS site_dk FROM range(1, 9) t(i);
    CREATE TABLE dim_visit AS SELECT i AS visit_sk, 7 * (i % 8) AS visit_dk, i % 8 < 6 AS is_scheduled FROM range(1, 17) t(i);
    CREATE TABLE dim_test AS SELECT i AS test_sk, 50 + 3 * (i % 7) AS test_dk FROM range(1, 15) t(i);
    CREATE TABLE fact_visit AS
        SELECT CAST(hash(i % 40) % 1000000007 AS BIGINT) AS subject_dk, CAST(1 + hash(i, 1) % 8 AS BIGINT) AS site_sk,
            CAST(1 + hash(i, 2) % 16 AS BIGINT) AS visit_sk, hash(i, 3) % 5 > 0 AS occurred,
            CASE WHEN hash(i, 4) % 3 > 0 THEN DATE '2024-01-01' + CAST(hash(i, 5) % 300 AS INTEGER) END AS start_date,
            CASE WHEN hash(i, 6) % 2 > 0 THEN DATE '2024-01-01' + CAST(hash(i, 7) % 300 AS INTEGER) END AS planned_date
        FROM range(300) t(i);
    CREATE TABLE fact_lab AS
        SELECT CAST(hash(i % 43) % 1000000007 AS BIGINT) AS subject_dk, CAST(1 + hash(i, 1) % 8 AS BIGINT) AS site_sk,
            CAST(hash(i, 12) % 17 AS BIGINT) AS visit_sk,
            CAST(1 + (hash(i, 13) % 14) * (hash(i, 14) % 14) // 14 AS BIGINT) AS test_sk, hash(i, 15) % 7 = 0 AS not_done,
            CASE WHEN hash(i, 16) % 4 > 0 THEN 'text' END AS std_result,
            CASE WHEN hash(i, 17) % 3 > 0 THEN CAST(hash(i, 18) % 1000 AS DOUBLE) / 8 END AS std_value
        FROM range(4000) t(i);
    CREATE TABLE fact_observation AS SELECT * FROM fact_lab WHERE test_sk % 3 = 0;
    DELETE FROM fact_lab WHERE test_sk % 3 = 0;";

fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
    engine.run("make a study", STUDY).expect("the tables are new");
    (folder, engine)
}

fn given(engine: &Engine, most: usize) -> RecordBatch {
    together(&schema(), |sink| in_parts(engine, (most, ROWS_OF_PART), sink))
}

// The query is the definition; DuckDB answers it.
#[test]
fn the_function_gives_the_rows_of_the_query_in_its_order() {
    let (_folder, engine) = engine();
    let ours = given(&engine, VALUES_AT_ONCE);
    let asked = engine.query("ask", QUERY).expect("the query is answered");
    let theirs = concat_batches(&asked[0].schema(), &asked).expect("they have one schema");
    assert!(theirs.num_rows() > 1000, "{} rows", theirs.num_rows());
    assert_eq!(ours.num_rows(), theirs.num_rows());
    for (place, field) in schema().fields().iter().enumerate() {
        let of = theirs.schema();
        assert_eq!((field.name(), field.data_type()), (of.field(place).name(), of.field(place).data_type()));
        if field.name() == "mean_value" {
            let numbers =
                [&ours, &theirs].map(|rows| rows.column(place).as_primitive::<Float64Type>().clone());
            for (ours, theirs) in numbers[0].iter().zip(&numbers[1]) {
                assert!(ours.is_some() == theirs.is_some());
                assert!(ours.zip(theirs).is_none_or(|(ours, theirs)| (ours - theirs).abs() < 1e-9));
            }
        } else {
            assert_eq!(ours.column(place), theirs.column(place), "{}", field.name());
        }
    }
}

#[test]
fn a_study_that_is_passed_over_in_pieces_has_the_same_rows() {
    let (_folder, engine) = engine();
    let whole = given(&engine, VALUES_AT_ONCE);
    for most in [1, 200, 600] {
        assert_eq!(given(&engine, most), whole, "{most} values at a time");
    }
}

// By what a part is made of it is known again: it has to change with the rows and should change with nothing else.
#[test]
fn a_part_is_made_of_the_same_exactly_when_it_has_the_same_rows() {
    let parts = |engine: &Engine| parts_of(&schema(), |sink| in_parts(engine, (VALUES_AT_ONCE, 300), sink));
    let whole = given(&engine().1, VALUES_AT_ONCE);
    let former = parts(&engine().1);
    assert!(former.len() > 3, "{} parts", former.len());
    let rows: Vec<&RecordBatch> = former.iter().map(|(_, rows)| rows).collect();
    assert_eq!(concat_batches(&schema(), rows).expect("of one schema"), whole);
    let (mut kept, mut changed) = (0, 0);
    for change in [
        "SELECT 1",
        "UPDATE fact_lab SET std_value = std_value + 1 WHERE rowid = (SELECT min(rowid) FROM fact_lab WHERE NOT not_done AND visit_sk = 3)",
        "UPDATE fact_lab SET not_done = true WHERE rowid = (SELECT max(rowid) FROM fact_lab WHERE NOT not_done AND visit_sk = 2)",
        "DELETE FROM fact_observation WHERE rowid = (SELECT min(rowid) FROM fact_observation WHERE visit_sk = 1)",
        "UPDATE fact_visit SET start_date = DATE '2023-01-01' WHERE rowid = 0",
        "UPDATE dim_site SET site_dk = 1000 WHERE site_dk = 899",
        "UPDATE dim_test SET test_dk = 51 WHERE test_dk = 53",
        "UPDATE dim_visit SET visit_dk = 8 WHERE visit_dk = 7",
        "DELETE FROM fact_lab WHERE test_sk = (SELECT min(test_sk) FROM fact_lab)",
    ] {
        let (_folder, engine) = engine();
        engine.run("change it", change).expect("it is changed");
        for (made_of, rows) in parts(&engine) {
            let same_rows = former.iter().any(|(_, former)| *former == rows);
            let same_made_of = former.iter().any(|(former, _)| *former == made_of);
            assert_eq!(same_rows, same_made_of, "{change}: {rows:?}");
            if same_rows { kept += 1 } else { changed += 1 }
        }
    }
    assert!(kept > 5 && changed > 5, "{kept} parts kept, {changed} made again");
}
