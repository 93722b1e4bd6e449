//! The engine reads what it is handed and nothing else; a scope opens its own files and no others.

use std::fs;

use warehouse::engine::{Engine, Limits, star_key};
use warehouse::{Error, Manifest, TableScan};

use crate::delivered::{Study, scope};

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD\nS1,S1-1,1,001,A\n";

#[test]
fn the_engine_cannot_leave_its_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mine, other, work) = (folder.path().join("a"), folder.path().join("a2"), folder.path().join("work"));
    for place in [&mine, &other, &work] {
        fs::create_dir_all(place).expect("a folder");
    }
    fs::write(mine.join("x.csv"), "n\n1\n").expect("a file");
    fs::write(other.join("y.csv"), "n\n2\n").expect("a file");
    let engine =
        Engine::open(std::slice::from_ref(&mine), &work, &Limits::default()).expect("the engine starts");
    let read = |path: &std::path::Path| {
        engine.count("read", &format!("SELECT count(*) FROM read_csv('{}')", path.display()))
    };
    assert_eq!(read(&mine.join("x.csv")).expect("its own folder"), 1);
    assert!(read(&other.join("y.csv")).is_err(), "a folder whose name begins alike");
    assert!(read(&mine.join("../a2/y.csv")).is_err(), "a path that climbs");
    for statement in [
        "SET enable_external_access = true",
        "SET memory_limit = '64GB'",
        "RESET allowed_directories",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
    ] {
        assert!(engine.run("probe", statement).is_err(), "{statement}");
    }
}

#[test]
fn a_batch_comes_back_from_the_engine_as_it_went_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
    let query = "SELECT * FROM (VALUES (1, 'a', 1.5::DOUBLE, DATE '2020-01-31', 9.3::DECIMAL(9,4), true),
                                       (NULL, NULL, NULL, NULL, NULL, NULL)) AS t(i, s, d, day, v, b)";
    let file = folder.path().join("t.parquet");
    assert_eq!(engine.copy("write", query, &file).expect("written"), 2);
    engine.view("t", &[file]).expect("opened");
    let (direct, through_parquet) = (
        engine.query("ask", query).expect("answered"),
        engine.query("ask", "SELECT * FROM t").expect("answered"),
    );
    assert_eq!(direct[0].columns(), through_parquet[0].columns());
    assert_eq!(direct[0].num_rows(), 2);
}

#[test]
fn the_key_of_a_member_is_the_same_in_sql_and_in_rust() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
    let key = engine.count("ask", "SELECT star_key('dim_site|S1|001')").expect("answered");
    assert_eq!(i64::try_from(key), Ok(star_key("dim_site|S1|001")));
}

#[test]
fn a_scope_opens_no_other_studys_files() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    for (tenant, name) in
        [("01890a5d-ac96-774b-bcce-b302099a8057", "S2"), ("01890a5d-ac96-774b-bcce-b302099a8058", "S1")]
    {
        let foreign = scope(tenant, name).to_read();
        let opened = TableScan::open(&study.storage, &foreign, study.manifest(), "dim_site", 10);
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{tenant} {name}");
    }
    let files = study.storage.study(&study.scope);
    for key in ["../x", "a/b/../../c", "", "/etc/passwd"] {
        assert!(files.path(key).is_err(), "{key:?}");
    }
}

#[test]
fn a_changed_manifest_or_file_is_found() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let files = study.storage.study(&study.scope);
    let (id, manifest) = study.current.as_ref().expect("delivered");
    let key = format!("{}/snapshots/{}/{id}.json", files.tenant(), files.study());
    assert_eq!(&Manifest::read(&files, &key, *id).expect("read"), manifest);
    let file = &manifest.tables["dim_site"].files[0];
    files.check(file).expect("untouched");
    for (key, content) in [(&file.key, "x"), (&key, "{}")] {
        let path = files.path(key).expect("a path");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, content).expect("written");
    }
    assert!(matches!(files.check(file), Err(Error::Corrupt { .. })));
    assert!(matches!(Manifest::read(&files, &key, *id), Err(Error::Corrupt { .. })));
}
