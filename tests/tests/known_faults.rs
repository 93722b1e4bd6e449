//! The faults that are known to be in two public studies are each found by a check with a name, with the right count,
//! and at the right row.
//!
//! Source of the expected numbers: `MAPCHECK.txt` and `README.md` of the oracle data (DuckDB over the files that
//! pyreadstat and pyarrow read), and the difference that is explained at its place.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::pilot_counts::xpt_files;
use crate::support::{Installation, Need, Server, Visitor};

#[test]
fn every_known_fault_of_the_pilot_is_found_by_name() {
    let Some(oracles) = Need::Oracles.path() else { return };
    let Some(installation) = Installation::with_tenant("pilot") else { return };
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("the temporary folder takes folders");
    let Some(()) = xpt_files(&folder, &oracles) else { return };
    let place = ["--tenant", "pilot", "--study", "CDISCPILOT01"];
    installation.must(&[&["ingest"], &place[..], &["--mapping", "sdtm", "--no-marts", "delivery"]].concat());
    let engineer = installation.account("pilot", "data_engineer");
    let server = installation.serve();
    let mut study = Checked { visitor: engineer.client(&server), server: &server, study: "CDISCPILOT01" };
    let checks = study.checks();
    // Serious by a criterion, not serious by the flag: 36 of 1,191, with cancer among the criteria.
    check(&checks, "R-10", (1_191, 36), "fail");
    let findings = study.findings("R-10");
    assert_eq!(findings.len(), 36);
    let deaths = findings.iter().filter(|finding| text(&finding["message"]).contains("death")).count();
    assert_eq!(deaths, 3, "three of them are deaths");
    // Day 366 was submitted for the day of the first dose.
    check(&checks, "R-02.adverse_event.start_day", (1_165, 1), "fail");
    let day = &study.findings("R-02.adverse_event.start_day")[0];
    assert_eq!((text(&day["subject_id"]), text(&day["value"])), ("01-716-1063", "366"));
    check(&checks, "R-02.adverse_event.end_day", (718, 0), "pass");
    check(&checks, "R-02.lab_result.day", (59_580, 0), "pass");
    // One visit number twice; on entry the second one got a repeat number.
    check(&checks, "U.visit", (3_559, 1), "fail");
    check(&checks, "L1.key.visit", (3_559, 0), "pass");
    assert_eq!(text(&study.findings("U.visit")[0]["subject_id"]), "01-711-1143");
    // 250 results seem to have no visit when visit numbers are compared as binary floats: LB.XPT holds
    // 9.299999999999999, SV.XPT 9.3. The model's visit numbers are decimals, and every result has its visit.
    check(&checks, "L1.fk.lab_result.visit_num", (59_580, 0), "pass");
    // Numbers of results: 59,580 texts, of which none disagrees with its number.
    assert_eq!(checks["R-12.value.lab_result"]["violations"], 0);
    // What no row could be asked of has not passed.
    check(&checks, "EDC.query.age", (0, 0), "not_applicable");
}

#[test]
fn every_known_fault_of_the_edc_study_is_found_by_name() {
    let Some(oracles) = Need::Oracles.path() else { return };
    let Some(installation) = Installation::with_tenant("edc") else { return };
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("the temporary folder takes folders");
    for name in ["rawplus/dm", "rawplus/lb", "ctms/protdev"] {
        let from = oracles.join(format!("studies/clindata/{name}.parquet"));
        let to = folder.join(from.file_name().expect("a file has a name"));
        fs::copy(from, to).expect("the oracle data has it");
    }
    fs::write(installation.beside("clindata.toml"), MAPPING).expect("the temporary folder takes files");
    let place = ["--tenant", "edc", "--study", "AA-AA-000-0000"];
    installation
        .must(&[&["ingest"], &place[..], &["--mapping", "clindata.toml", "--no-marts", "delivery"]].concat());
    let engineer = installation.account("edc", "data_engineer");
    let server = installation.serve();
    let mut study = Checked { visitor: engineer.client(&server), server: &server, study: "AA-AA-000-0000" };
    let checks = study.checks();
    // 4,837 deviations, of which 191 are of a site; 173 name a subject who is not enrolled.
    check(&checks, "L1.fk.deviation.subject_id", (4_837 - 191, 173), "fail");
    // 26 results repeat another of the same subject, test, visit and day. Without an id of the laboratory's own they
    // are records of their own on entry, by their place.
    check(&checks, "U.lab_result", (1_132_070, 26), "fail");
    check(&checks, "L1.key.lab_result", (1_132_070, 0), "pass");
    check(&checks, "L1.quarantine", (1_132_070 + 4_837 + 2_387 + site_count(&checks), 0), "pass");
}

fn site_count(checks: &BTreeMap<String, Value>) -> u64 {
    checks["L1.key.site"]["denominator"].as_u64().expect("a number")
}

/// Screening numbers are kept by everyone, enrolment numbers by those who were enrolled.
const MAPPING: &str = r#"
name = "clindata"
description = "A public EDC and CTMS extract"
source_system = "edc"

[[dataset]]
names = ["dm"]
entity = "site"
study = "studyid"
distinct = true
[dataset.columns]
site_id = "invid"
status = { const = "UNKNOWN" }

[[dataset]]
names = ["dm"]
entity = "subject"
study = "studyid"
[dataset.columns]
subject_id = { first = ["subjid", "subjectid"] }
subject_no = { first = ["subjid", "subjectid"] }
site_id = "invid"
death_flag = { const = "false" }
status = { const = "SCREENING" }

[[dataset]]
names = ["lb"]
entity = "lab_result"
[dataset.columns]
subject_id = "subjid"
lb_seq = { occurrence = ["subjid"], plus = 1 }
test_code = "lbtstnam"
category = "battrnam"
std_value = "siresn"
not_done = { const = "false" }
visit_num = "visnum"
collected_dtc = "lb_dt"

[[dataset]]
names = ["protdev"]
entity = "deviation"
[dataset.columns]
subject_id = { first = ["subjid", { const = "*" }] }
dv_seq = { occurrence = ["subjid"], plus = 1 }
term = { first = ["dvterm", { const = "NOT STATED" }] }
"#;

/// A study whose checks are read over REST.
struct Checked<'a> {
    visitor: Visitor,
    server: &'a Server,
    study: &'a str,
}

impl Checked<'_> {
    fn get(&mut self, path: &str) -> Value {
        let address = self.server.url(&format!("/api/v1/studies/{}/quality{path}", self.study));
        let answer = self.visitor.get(&address);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn checks(&mut self) -> BTreeMap<String, Value> {
        let checks = self.get("?limit=1000");
        let checks = checks.as_array().expect("a list of checks").iter();
        checks.map(|check| (text(&check["check"]).to_owned(), check.clone())).collect()
    }

    fn findings(&mut self, check: &str) -> Vec<Value> {
        let answer = self.get(&format!("/{check}"));
        answer["findings"].as_array().expect("a list of findings").clone()
    }
}

#[track_caller]
fn check(checks: &BTreeMap<String, Value>, id: &str, counts: (u64, u64), verdict: &str) {
    let found = &checks[id];
    let number = |name: &str| found[name].as_u64().expect("a number");
    assert_eq!((number("denominator"), number("violations")), counts, "{id}");
    assert_eq!(text(&found["verdict"]), verdict, "{id}");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}
