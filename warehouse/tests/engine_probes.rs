//! What text that was smuggled into a query could do: everything that DuckDB offers to get out of a folder, to change
//! what is in it, or to change what binds it.

use std::fs;
use std::path::{Path, PathBuf};

use warehouse::engine::{Engine, Limits, identifier, literal};

/// What must be found nowhere.
const SECRET: &str = "canary-of-the-other-tenant";

/// A tenant's folder, its neighbour's whose name begins alike, and an engine for the first.
struct Cage {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Cage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [mine, theirs, work] = ["a", "a2", "work"].map(|name| folder.path().join(name));
        for place in [&mine, &theirs, &work] {
            fs::create_dir_all(place).expect("a folder");
        }
        fs::write(mine.join("x.csv"), "n\n1\n").expect("a file");
        fs::write(theirs.join("y.csv"), format!("n\n{SECRET}\n")).expect("a file");
        fs::write(theirs.join("y.json"), format!("{{\"n\": \"{SECRET}\"}}")).expect("a file");
        #[cfg(unix)]
        for (target, link) in [(theirs.clone(), "folder"), (theirs.join("y.csv"), "file.csv")] {
            fs::create_dir_all(mine.join("links")).expect("a folder");
            std::os::unix::fs::symlink(target, mine.join("links").join(link)).expect("a link");
        }
        let engine = Engine::open(&[mine], &work, &Limits::default()).expect("the engine starts");
        Self { folder, engine }
    }

    fn path(&self, rest: &str) -> PathBuf {
        self.folder.path().join(rest)
    }

    /// Every file below the folder with its content.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    below(&path, found);
                } else {
                    found.push((path.clone(), fs::read(&path).expect("a file")));
                }
            }
        }
        let mut found = Vec::new();
        below(self.folder.path(), &mut found);
        found.sort();
        found
    }
}

/// Probes that no session of an engine may survive. `{mine}` and `{theirs}` are the folders.
const ESCAPES: [&str; 36] = [
    "SELECT * FROM read_csv('{theirs}/y.csv')",
    "SELECT * FROM read_csv('{mine}/../a2/y.csv')",
    "SELECT * FROM read_csv('{mine}/./../a2/./y.csv')",
    "SELECT * FROM read_text('{theirs}/y.csv')",
    "SELECT * FROM read_blob('{theirs}/y.csv')",
    "SELECT * FROM read_json('{theirs}/y.json')",
    "SELECT * FROM read_parquet('{theirs}/y.parquet')",
    "SELECT * FROM read_csv('{mine}/links/file.csv')",
    "SELECT * FROM read_csv('{mine}/links/folder/y.csv')",
    "SELECT * FROM read_csv('{mine}/../*/y.csv')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_csv('file://{theirs}/y.csv')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '{theirs}/y.csv'",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')",
    "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "SELECT * FROM query('SELECT * FROM read_text(''{theirs}/y.csv'')')",
    "COPY (SELECT 1) TO '{theirs}/out.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "EXPORT DATABASE '{theirs}/export'",
    "IMPORT DATABASE '{theirs}'",
    "ATTACH '{theirs}/other.duckdb' AS other",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET allowed_directories",
    "SET lock_configuration = false",
    "SET memory_limit = '64GB'",
    "SET temp_directory = '/tmp'",
    "SET profiling_output = '{theirs}/profile.json'",
    "INSTALL httpfs",
    "LOAD '{theirs}/x.duckdb_extension'",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
    "CALL enable_logging(storage = 'file', storage_config = {'path': '{theirs}/log'})",
];

/// What an engine may do for us in its own folder, and what text in a query may not.
const OWN_FOLDER: [&str; 10] = [
    "COPY (SELECT 1) TO '{mine}/out.csv'",
    "COPY (SELECT 1) TO '{mine}/x.csv' (use_tmp_file false)",
    "ATTACH '{mine}/own.duckdb' AS own",
    "ATTACH ':memory:' AS own",
    "EXPORT DATABASE '{mine}/export'",
    "CREATE TABLE t AS SELECT 1",
    "INSERT INTO t SELECT 1",
    "PRAGMA database_list",
    "SELECT 1; COPY (SELECT 1) TO '{mine}/out.csv'",
    "SELECT 1; SELECT 2",
];

fn filled(cage: &Cage, probe: &str) -> String {
    let path = |name| cage.path(name).to_string_lossy().into_owned();
    probe.replace("{mine}", &path("a")).replace("{theirs}", &path("a2"))
}

#[test]
fn control_25_forty_six_probes_of_an_engine_are_refused() {
    let cage = Cage::new();
    let before = cage.contents();
    for probe in ESCAPES {
        let sql = filled(&cage, probe);
        assert!(cage.engine.run("probe", &sql).is_err(), "as a statement of ours: {probe}");
        check_query_is_refused(&cage, probe, &sql);
    }
    assert_eq!(cage.contents(), before, "a probe left something behind");
    for probe in OWN_FOLDER {
        check_query_is_refused(&cage, probe, &filled(&cage, probe));
    }
    assert_eq!(cage.contents(), before, "a query left something behind");
    assert_eq!(cage.engine.count("ask", "SELECT count(*) FROM (VALUES (1), (2))").expect("it reads"), 2);
    let own = filled(&cage, "SELECT n FROM read_csv('{mine}/x.csv')");
    assert_eq!(cage.engine.query("ask", &own).expect("it reads")[0].num_rows(), 1);
    assert!(ESCAPES.len() + OWN_FOLDER.len() >= 40);
}

fn check_query_is_refused(cage: &Cage, probe: &str, sql: &str) {
    for refused in [cage.engine.query("probe", sql).map(drop), cage.engine.count("probe", sql).map(drop)] {
        let error = refused.expect_err(probe);
        assert!(!format!("{error:?}").contains(SECRET), "{probe}: {error:?}");
    }
}

#[test]
fn control_25_a_name_or_a_value_stays_one() {
    let cage = Cage::new();
    let before = cage.contents();
    let file = cage.path("a/x.csv");
    for probe in ESCAPES.iter().chain(&OWN_FOLDER) {
        let inner = filled(&cage, probe);
        for text in [
            inner.clone(),
            format!("'; {inner}; --"),
            format!("\"; {inner}; --"),
            format!("x') UNION ALL ({inner}) --"),
            format!("\\'; {inner}"),
        ] {
            let said = cage
                .engine
                .query("ask", &format!("SELECT {} AS v, 1 AS {}", literal(&text), identifier(&text)));
            let batches = said.unwrap_or_else(|error| panic!("{text}: {error}"));
            let batch = &batches[0];
            assert_eq!(batch.schema().field(1).name(), &text);
            let value = arrow::array::AsArray::as_string::<i32>(batch.column(0)).value(0);
            assert_eq!(value, text);
            // A table whose name it is holds its own file and does nothing else.
            let named = cage.engine.view(&text, std::slice::from_ref(&file));
            assert!(named.is_err(), "a CSV file is no Parquet file: {text}");
        }
    }
    assert_eq!(cage.contents(), before);
}

#[cfg(unix)]
#[test]
fn control_25_what_is_published_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD\nS1,S1-1,1,001,A\n";
    let mut study = crate::delivered::Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let files = study.storage.study(&study.scope);
    let tables = study.manifest().tables.values().flat_map(|table| &table.files);
    let mut looked_at = 0;
    for file in study.manifest().canon.values().flatten().chain(tables) {
        let path = files.path(&file.key).expect("a path");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o222, 0, "{}: {mode:o}", file.key);
        looked_at += 1;
    }
    assert!(looked_at > 10);
}
