//! SQL over what is published: the same answers as DuckDB gives, in the ledger, and no way out.

use std::fs;

use serde_json::json;

use crate::support::{
    CANARY, CANARY_STUDY, Installation, Need, OTHER_STUDY, OTHER_TENANT, STUDY, TENANT, python,
};

#[test]
fn every_query_of_a_mart_has_the_same_answer_on_both_engines() {
    let Some(interpreter) = Need::Python.path() else { return };
    let Some(installation) = Installation::demonstration() else { return };
    let place = ["--tenant", TENANT, "--study", STUDY];
    let (catalogue, folder) = (installation.beside("catalogue.duckdb"), installation.beside("queries"));
    fs::create_dir(&folder).expect("a folder");
    let export = ["export", "--duckdb", &catalogue.to_string_lossy()].map(str::to_owned);
    installation.must(&[&export.each_ref().map(String::as_str)[..], &place].concat());

    let listed = installation.must(&["marts", "list"]).out;
    let marts: Vec<&str> = listed.lines().filter(|line| line.starts_with("mart_")).collect();
    let mut queries = 0;
    for mart in marts {
        let shown = installation.run(&["marts", "show", mart, "--sql"]);
        if shown.code != Some(0) {
            assert!(shown.errors.contains("without a query of its own"), "{shown}");
            continue;
        }
        queries += 1;
        let order = [&["sql"][..], &place, &["--format", "json", shown.out.as_str()]].concat();
        let answer = installation.must(&order);
        fs::write(folder.join(format!("{mart}.sql")), &shown.out).expect("a file");
        fs::write(folder.join(format!("{mart}.json")), &answer.out).expect("a file");
    }
    assert!(queries >= 5, "{queries} queries in:\n{listed}");
    let told = python(&interpreter, "engines.py", &[catalogue.as_os_str(), folder.as_os_str()]);
    let told = told.as_object().expect("by query");
    assert_eq!(told.len(), queries);
    for (mart, rows) in told {
        assert!(rows.as_u64().is_some_and(|rows| rows > 0), "{mart}: {rows}");
    }
}

#[test]
fn what_marts_are_is_said_without_making_a_data_folder() {
    let Some(installation) = Installation::empty() else { return };
    for words in [&["list"][..], &["show", "mart_kri"], &["graph"], &["docs"]] {
        let said = installation.must(&[&["marts"], words].concat());
        assert!(said.out.contains("mart_kri"), "{words:?}: {said}");
    }
    assert!(!installation.data().exists(), "looking makes no data folder");
}

#[test]
fn a_researcher_asks_a_query_and_the_ledger_knows_its_hash() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut researcher = installation.demo_account(TENANT, "researcher").client(&server);
    let url = |study: &str| server.url(&format!("/api/v1/studies/{study}/query"));
    let sql = "SELECT country, count(*) AS sites FROM dim_site GROUP BY country ORDER BY country";
    let answer = researcher.post_json(&url(STUDY), &json!({ "sql": sql }));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = answer.json();
    assert_eq!(found["columns"][0], json!({ "name": "country", "type": "Utf8" }), "{found}");
    assert_eq!(found["truncated"], false);
    let sites: u64 =
        found["rows"].as_array().expect("rows").iter().filter_map(|row| row["sites"].as_u64()).sum();
    let table = researcher.get(&server.url(&format!("/api/v1/studies/{STUDY}/tables/dim_site"))).json();
    assert_eq!(Some(sites), table["row_count"].as_u64());

    let short = json!({ "sql": "SELECT subject_id FROM dim_subject ORDER BY subject_id", "format": "csv", "limit": 3 });
    let csv = researcher.post_json(&url(STUDY), &short);
    assert_eq!((csv.status, csv.body.lines().count()), (200, 4), "{}", csv.body);
    let json = researcher.post_json(&url(STUDY), &json!({ "sql": short["sql"], "limit": 3 })).json();
    assert_eq!(json["truncated"], true);

    for (wrong, words) in [
        ("SELECT nothing FROM dim_site", "nothing"),
        ("SELECT * FROM no_such_table", "no_such_table"),
        ("SELEC 1", "SELEC at Line: 1"),
        ("SELECT 1/0 FROM dim_site", "ivide"),
    ] {
        let refused = researcher.post_json(&url(STUDY), &json!({ "sql": wrong }));
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.body);
        assert!(refused.body.contains(words), "{wrong}: {}", refused.body);
    }
    let mut engineer = installation.demo_account(TENANT, "data_engineer").client(&server);
    let events = engineer.get(&server.url("/api/v1/audit?limit=500")).body;
    let hash = "query sha256:";
    assert!(events.contains(hash) && !events.contains("SELECT country"), "{events}");

    let mut outsider = installation.demo_account(OTHER_TENANT, "researcher").client(&server);
    for study in [STUDY, CANARY_STUDY, "NOWHERE-1"] {
        assert_eq!(outsider.post_json(&url(study), &json!({ "sql": sql })).status, 404, "{study}");
    }
    drop(server);
    installation.check_whole("after queries");
}

#[test]
fn control_25_forty_ways_out_of_a_query_are_refused() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut researcher = installation.demo_account(TENANT, "researcher").client(&server);
    let url = server.url(&format!("/api/v1/studies/{STUDY}/query"));
    let data = installation.data();
    let data = data.to_string_lossy();
    let attempts = ways_out(&data);
    assert!(attempts.len() >= 40, "{}", attempts.len());
    for sql in &attempts {
        let answer = researcher.post_json(&url, &json!({ "sql": sql }));
        assert_eq!(answer.status, 400, "{sql}: {}", answer.body);
        for secret in [CANARY, OTHER_STUDY, &*data, "/data/", "root:"] {
            // What the caller has written may be said again.
            assert!(sql.contains(secret) || !answer.body.contains(secret), "{sql}: {}", answer.body);
        }
    }
    // What the catalogue holds is the scope's and nothing else.
    let listed = researcher.post_json(
        &url,
        &json!({ "sql": "SELECT DISTINCT table_schema, table_name FROM information_schema.tables" }),
    );
    assert_eq!(listed.status, 200, "{}", listed.body);
    assert!(
        listed.body.contains("dim_subject") && !listed.body.contains("subject_treatment"),
        "{}",
        listed.body
    );
    assert!(server.log().lines().all(|line| !line.contains("panicked")), "{}", server.log());
}

/// Files, other stores, other tenants, other statements, settings, and what is too much.
fn ways_out(data: &str) -> Vec<String> {
    let mut attempts: Vec<String> = [
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'file:///'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'http://169.254.169.254/latest'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://bucket/key'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'cairn://published/'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'cairn://published/star'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/tmp/x.parquet')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
        "SELECT * FROM metadata_cache()",
        "COPY dim_site TO '/tmp/out.csv'",
        "COPY (SELECT * FROM dim_site) TO 'cairn://published/out.parquet' STORED AS PARQUET",
        "COPY dim_site TO 's3://bucket/out.parquet'",
        "INSERT INTO dim_site SELECT * FROM dim_site",
        "INSERT INTO dim_site VALUES (1)",
        "DELETE FROM dim_site",
        "UPDATE dim_site SET country = 'X'",
        "TRUNCATE TABLE dim_site",
        "DROP TABLE dim_site",
        "DROP SCHEMA published CASCADE",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE SCHEMA s",
        "CREATE DATABASE d",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "SELECT 1 INTO t",
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.catalog.create_default_catalog_and_schema = true",
        "RESET datafusion.execution.batch_size",
        "SHOW ALL",
        "EXPLAIN SELECT * FROM dim_site",
        "EXPLAIN ANALYZE SELECT * FROM dim_site",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "ATTACH '/tmp/x.db' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "SELECT * FROM subject_treatment",
        "SELECT * FROM cairn.published.subject_treatment",
        "SELECT * FROM other.published.dim_subject",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM audit_events",
        "",
        "--",
        "\u{0}",
    ]
    .map(str::to_owned)
    .into();
    attempts.push(format!("SELECT * FROM '{data}/demo.json'"));
    attempts.push(format!("CREATE EXTERNAL TABLE t STORED AS JSON LOCATION '{data}/demo.json'"));
    attempts.push(format!("SELECT {}1", "1+".repeat(5_000)));
    attempts.push(format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)));
    attempts.push(format!("SELECT {}TRUE", "NOT ".repeat(5_000)));
    attempts.push(format!("SELECT '{}'", "x".repeat(100_000)));
    let many = "dim_subject a, dim_subject b, dim_subject c, dim_subject d";
    attempts.push(format!(
        "SELECT * FROM {many} ORDER BY a.subject_id, b.subject_id, c.subject_id, d.subject_id"
    ));
    attempts
}
