//! `mart_missingness` against cells that were computed with pandas from the same table (the fixture of
//! `measures`), taken in through a mapping written for it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::study::Study;

const VISITS: &str = include_str!("../measures/tests/data/g16_missingness_mart/visits_long.csv");
const EXPECTED: &str = include_str!("../measures/tests/data/g16_missingness_mart/expected.json");

const MAPPING: &str = r#"
name = "test"
description = "findings of one table"
source_system = "test"
[[dataset]]
names = ["schedule"]
entity = "planned_visit"
[dataset.columns]
protocol_version = { const = "1" }
arm_code = { const = "*" }
visit_num = "visit"
visit = { template = "Visit {visit}" }
planned_day = "day"
anchor = { const = "RFSTDTC" }
is_required = { const = "true" }
[[dataset]]
names = ["subjects"]
entity = "subject"
[dataset.columns]
subject_id = "subject"
subject_no = "subject"
site_id = "site"
ref_start_dtc = { const = "2020-01-01" }
end_participation_dtc = { const = "2021-01-01" }
death_flag = { const = "false" }
status = { const = "ENROLLED" }
[[dataset]]
names = ["findings"]
entity = "observation"
[dataset.columns]
subject_id = "subject"
domain = { const = "XX" }
ob_seq = "row"
test_code = "variable"
std_result = "value"
std_value = "value"
not_done = { const = "false" }
visit_num = "visit"
[[dataset]]
names = ["visits"]
entity = "visit"
[dataset.columns]
subject_id = "subject"
visit_num = "visit"
visit_repeat = { const = "0" }
occurred = { const = "true" }
start_dtc = { const = "2020-01-01" }
window_status = { const = "NO_WINDOW" }
"#;

#[test]
fn every_cell_equals_the_one_that_pandas_counted() {
    let expected: serde_json::Value = serde_json::from_str(EXPECTED).expect("JSON");
    let study = delivered(&expected);
    let mut ours: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for row in study.rows("mart_missingness") {
        let visit: f64 = row["visit_num"].to_string().trim_matches('"').parse().expect("a number");
        ours.insert(format!("{} {visit} {}", row["site_id"], row["test_code"]), row);
    }
    let cells = expected["cells"].as_array().expect("cells");
    assert_eq!(ours.len(), cells.len());
    for cell in cells {
        let key = format!("{} {} {}", cell["site"], cell["visit"], cell["variable"]);
        let row = ours.get(&key).unwrap_or_else(|| panic!("there is a cell {key}"));
        let pairs = [
            ("n_expected", "n_expected"),
            ("n_rows", "n_received"),
            ("n_observed", "n_observed"),
            ("n_item_missing", "n_item_missing"),
            ("n_visit_missing", "n_visit_missing"),
            ("pct_missing_of_rows", "share_missing_of_received"),
            ("pct_missing_of_expected", "share_missing_of_expected"),
        ];
        for (theirs, mine) in pairs {
            let (theirs, mine) = (cell[theirs].as_f64(), row[mine].as_f64());
            let close = theirs.zip(mine).is_none_or(|(theirs, mine)| (theirs - mine).abs() <= 1e-9);
            assert!(close && theirs.is_some() == mine.is_some(), "{key}: {theirs:?} {mine:?}");
        }
    }
}

fn delivered(expected: &serde_json::Value) -> Study {
    let mut study = Study::new();
    study.deliver(
        MAPPING,
        &files(expected).iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>(),
    );
    study.build();
    study
}

#[test]
fn patterns_and_what_goes_with_a_gap_equal_those_of_pandas_and_scipy() {
    let expected: serde_json::Value = serde_json::from_str(EXPECTED).expect("JSON");
    let study = delivered(&expected);
    let patterns = study.rows("mart_missing_pattern");
    let theirs = expected["patterns"].as_array().expect("patterns");
    assert_eq!(patterns.len(), theirs.len());
    for pattern in theirs {
        let mut missing: Vec<&str> =
            ["crp", "hba1c", "sbp"].into_iter().filter(|name| pattern[name] == true).collect();
        missing.sort_unstable();
        let missing = missing.join(", ");
        let ours =
            patterns.iter().find(|row| row["missing"] == missing.as_str()).expect("the pattern is there");
        assert_eq!(ours["n_rows"].as_f64(), pattern["n"].as_f64(), "{missing}");
    }
    let rows = study.rows("mart_missing_association");
    let close = |variable: &str, compared: &str, theirs: &serde_json::Value, names: [(&str, &str); 3]| {
        let of = |row: &&serde_json::Value| row["variable"] == variable && row["compared"] == compared;
        let ours = rows.iter().find(of).expect("it was compared");
        for (mine, their) in names {
            let (mine, their) = (ours[mine].as_f64().expect("ours"), theirs[their].as_f64().expect("theirs"));
            assert!((mine - their).abs() <= 1e-9, "{variable} by {compared}: {mine} against {their}");
        }
    };
    for (variable, test) in expected["chi2_missing_by_site"].as_object().expect("tests") {
        let names = [("statistic", "chi2"), ("degrees_of_freedom", "df"), ("p_value", "p")];
        close(variable, "SITE", test, names);
    }
    for entry in expected["welch_t_by_missingness"].as_array().expect("tests") {
        let variable = entry["variable"].as_str().expect("a name");
        for (compared, test) in entry["pairs"].as_object().expect("pairs") {
            let names = [("statistic", "t"), ("degrees_of_freedom", "df"), ("p_value", "p")];
            close(variable, compared, test, names);
        }
    }
}

#[test]
fn who_never_came_again_is_told_from_who_did() {
    let expected: serde_json::Value = serde_json::from_str(EXPECTED).expect("JSON");
    let rows = delivered(&expected).rows("mart_visit_attendance");
    let last = rows.iter().max_by_key(|row| row["visit_order"].as_i64()).expect("there are visits");
    let count = |name: &str| last[name].as_u64().expect("a count");
    assert_eq!(count("n_came"), expected["last_visit_counts"]["5"].as_u64().expect("a count"));
    let away = count("n_missed_since") + count("n_left_before") + count("n_not_due_yet");
    assert_eq!(away, expected["dropouts_before_last_visit"].as_u64().expect("a count"));
    assert_eq!(count("n_missed_and_returned"), 0, "nothing comes after the last visit");
}

/// The tables of another implementation, in the folder that `CAIRN_ORACLES` names; none, said in a line, without it.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
fn oracle(path: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set, and CI needs it");
        println!("not run: oracle data absent");
        return None;
    };
    let file = std::path::PathBuf::from(folder).join("evidence/g06_little_mcar").join(path);
    Some(std::fs::read_to_string(file).expect("the oracle file opens"))
}

// The same table through intake, canon and star, as one visit of 400 subjects; answers by R's norm.
#[test]
fn littles_test_of_a_domain_equals_that_of_r() {
    let (Some(table), Some(answers)) = (oracle("mar_400x5.csv"), oracle("expected.json")) else { return };
    let answers: serde_json::Value = serde_json::from_str(&answers).expect("JSON");
    let (mut subjects, mut findings, mut visits) = (
        "subject,site\n".to_owned(),
        "subject,row,variable,visit,value\n".to_owned(),
        "subject,visit\n".to_owned(),
    );
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().expect("a header").clone();
    for (number, row) in reader.records().enumerate() {
        let row = row.expect("a row");
        writeln!(subjects, "P{number},S1").expect("written");
        writeln!(visits, "P{number},0").expect("written");
        for (place, (name, value)) in header.iter().zip(&row).enumerate() {
            writeln!(findings, "P{number},{place},{name},0,{value}").expect("written");
        }
    }
    let schedule = "visit,day\n0,1\n";
    let mut study = Study::new();
    study.deliver(
        MAPPING,
        &[
            ("schedule.csv", schedule),
            ("subjects.csv", &subjects),
            ("findings.csv", &findings),
            ("visits.csv", &visits),
        ],
    );
    study.build();
    let rows = study.rows("mart_missing_mechanism");
    let ours = rows.iter().find(|row| row["domain"] == "XX" && row["visit"] != "ALL").expect("it was tested");
    let theirs = &answers["files"]["mar_400x5.csv"]["converged_rank_adjusted"];
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    assert!((number(&ours["statistic"]) / number(&theirs["statistic"]) - 1.0).abs() < 1e-6, "{ours}");
    assert!((number(&ours["p_value"]) / number(&theirs["p"]) - 1.0).abs() < 1e-4, "{ours}");
    assert_eq!(
        (ours["degrees_of_freedom"].as_f64(), ours["n_patterns"].as_f64()),
        (theirs["df"].as_f64(), theirs["patterns"].as_f64())
    );
}

/// The wide table of the fixture as the four files of the mapping.
fn files(expected: &serde_json::Value) -> Vec<(&'static str, String)> {
    let variables: Vec<&str> =
        expected["variables"].as_array().expect("names").iter().filter_map(|name| name.as_str()).collect();
    let planned = expected["visits_planned"].as_u64().expect("a count");
    let mut schedule = "visit,day\n".to_owned();
    (0..planned).for_each(|visit| writeln!(schedule, "{visit},{}", visit * 7 + 1).expect("written"));
    let (mut subjects, mut findings, mut visits) = (
        "subject,site\n".to_owned(),
        "subject,row,variable,visit,value\n".to_owned(),
        "subject,visit\n".to_owned(),
    );
    let mut known = std::collections::BTreeSet::new();
    let mut reader = csv::Reader::from_reader(VISITS.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|column| column == name).expect("a column");
    let (subject_at, site_at, visit_at) = (column("subject"), column("site"), column("visit"));
    let mut row_number = 0;
    for row in reader.records() {
        let row = row.expect("a row");
        let (subject, visit) = (&row[subject_at], &row[visit_at]);
        if known.insert(subject.to_owned()) {
            writeln!(subjects, "{subject},{}", &row[site_at]).expect("written");
        }
        writeln!(visits, "{subject},{visit}").expect("written");
        for variable in &variables {
            row_number += 1;
            writeln!(findings, "{subject},{row_number},{variable},{visit},{}", &row[column(variable)])
                .expect("written");
        }
    }
    vec![
        ("schedule.csv", schedule),
        ("subjects.csv", subjects),
        ("findings.csv", findings),
        ("visits.csv", visits),
    ]
}
