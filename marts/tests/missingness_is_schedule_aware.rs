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
    let mut study = Study::new();
    study.deliver(
        MAPPING,
        &files(&expected).iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>(),
    );
    study.build();
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
