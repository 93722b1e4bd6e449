//! Who gets which treatment in a blinded study: nobody sees it at any door without the role `unblinded`, and with it at
//! those that show it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, Installation, Need, Server, Visitor, python};
use crate::tenant_wall::doors;

const TENANT: &str = "blind";
const STUDY: &str = "BLIND-1";
/// Stands in every arm and treatment of the study, and nowhere else.
const ARM: &str = "XARMX";
/// The table of who gets what.
const TREATMENT: &str = "subject_treatment";
const PLACE: [&str; 4] = ["--tenant", TENANT, "--study", STUDY];

/// Forty subjects in two arms, some of whom have an event, a result or left early. One arm's code is longer than the standard
/// allows, and one subject's arm is none of the plan: what checks find there would tell it.
fn delivery() -> [(&'static str, String); 5] {
    let (mut dm, mut ex, mut ae, mut lb) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for subject in 1..=40 {
        let (id, day) = (format!("{STUDY}-{subject}"), 1 + subject % 28);
        let arm = if subject % 2 == 0 {
            format!("{ARM}-ACTIVE")
        } else {
            format!("{ARM}-PLACEBO-LONGER-THAN-ALLOWED")
        };
        let actual = if subject == 7 { format!("{ARM}-NEVER-PLANNED") } else { arm.clone() };
        dm.push(format!(
            "{STUDY},{id},{subject},0{},{arm},Arm {arm},{actual},Arm {actual},2024-01-{day:02},2024-06-{day:02},2023-12-{day:02}",
            1 + subject % 3
        ));
        ex.push(format!("{STUDY},{id},1,{ARM} drug,{subject},mg,2024-01-{day:02}"));
        if subject % 3 == 0 {
            ae.push(format!("{STUDY},{id},1,headache,HEADACHE,N,2024-02-{day:02}"));
        }
        lb.push(format!("{STUDY},{id},1,ALT,Alanine,{subject},U/L,{subject},U/L,2024-02-{day:02}"));
    }
    let file = |head: &str, rows: Vec<String>| format!("{head}\n{}\n", rows.join("\n"));
    [
        (
            "dm.csv",
            file("STUDYID,USUBJID,SUBJID,SITEID,ARMCD,ARM,ACTARMCD,ACTARM,RFSTDTC,RFENDTC,RFICDTC", dm),
        ),
        ("ex.csv", file("STUDYID,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC", ex)),
        ("ae.csv", file("STUDYID,USUBJID,AESEQ,AETERM,AEDECOD,AESER,AESTDTC", ae)),
        (
            "lb.csv",
            file("STUDYID,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBSTRESN,LBSTRESU,LBDTC", lb),
        ),
        ("ts.csv", format!("STUDYID,TSSEQ,TSPARMCD,TSPARM,TSVAL\n{STUDY},1,TBLIND,Blinding,DOUBLE BLIND\n")),
    ]
}

fn blinded_house() -> Option<Installation> {
    let installation = Installation::with_tenant(TENANT)?;
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("a folder");
    for (name, text) in delivery() {
        fs::write(folder.join(name), text).expect("a file");
    }
    installation.must(&[&["ingest"][..], &PLACE, &[&folder.to_string_lossy()]].concat());
    Some(installation)
}

/// Everything of the study that can be asked for with GET: every door, every table in every form, every check with its rows.
fn addresses(engineer: &mut Visitor, server: &Server) -> Vec<String> {
    let study = format!("/api/v1/studies/{STUDY}");
    let names = |answer: Value, key: &str| -> Vec<String> {
        let rows = answer.as_array().expect("a list").clone();
        rows.iter().filter_map(|row| row[key].as_str().map(str::to_owned)).collect()
    };
    let tables = names(engineer.get(&server.url(&format!("{study}/tables?limit=1000"))).json(), "table");
    let checks = names(engineer.get(&server.url(&format!("{study}/quality?limit=1000"))).json(), "check");
    assert!(tables.len() > 20 && checks.len() > 20, "{} tables, {} checks", tables.len(), checks.len());
    assert!(!tables.iter().any(|table| table == TREATMENT), "the table is named to the engineer");
    let mut asked: Vec<String> = tables
        .iter()
        .map(String::as_str)
        .chain([TREATMENT])
        .flat_map(|table| {
            ["json", "csv", "parquet"].map(|form| format!("{study}/tables/{table}?format={form}"))
        })
        .collect();
    asked.extend(checks.iter().map(|check| format!("{study}/quality/{check}?limit=1000")));
    for door in doors().iter().filter(|door| door.method == "get") {
        let path =
            door.path.replace("{study}", STUDY).replace("{indicator}", "kri0001").replace("{site}", "01");
        let path = path.replace("{subject}", &format!("{STUDY}-7")).replace("{mart}", "mart_ae_level");
        if !path.contains('{') {
            asked.push(path);
        }
    }
    asked
}

fn check_tells_nothing(who: &str, what: &str, answer: &Answer) {
    let told = answer.body.contains(ARM) || answer.body.to_lowercase().contains(&ARM.to_lowercase());
    assert!(!told, "{who} learns an arm at {what}: {}", answer.body);
}

const QUERIES: [&str; 7] = [
    "SELECT * FROM subject_treatment",
    "SELECT count(*) FROM subject_treatment",
    "SELECT count(DISTINCT actual_arm) AS arms FROM subject_treatment",
    "SELECT s.subject_id FROM dim_subject s JOIN subject_treatment t USING (subject_dk) WHERE t.actual_arm = 'x'",
    "SELECT CAST(planned_arm AS INT) FROM subject_treatment",
    "SELECT arm FROM mart_ae_level",
    "SELECT * FROM information_schema.columns",
];

#[test]
fn control_17_no_door_tells_a_blinded_account_an_arm() {
    let Some(installation) = blinded_house() else { return };
    let Some(interpreter) = Need::Python.path() else { return };
    let server = installation.serve();
    let builder = installation.account_called("builder", TENANT, "data_engineer").0;
    let asked = addresses(&mut builder.client(&server), &server);
    let port = server.flight.port().to_string();
    for role in ["data_engineer", "clinical", "researcher", "steward", "auditor", "administrator"] {
        let account = installation.account(TENANT, role);
        let (rest, pages): (Vec<_>, Vec<_>) = asked.iter().partition(|address| address.starts_with("/api/"));
        for (mut visitor, asked) in [(account.client(&server), rest), (account.browser(&server), pages)] {
            for address in asked {
                let answer = visitor.get(&server.url(address));
                assert!(answer.status < 500, "{role} at {address}: {}", answer.body);
                check_tells_nothing(role, address, &answer);
                assert!(!address.contains(TREATMENT) || answer.status == 404, "{role} at {address}");
            }
        }
        let mut client = account.client(&server);
        for sql in QUERIES {
            let url = server.url(&format!("/api/v1/studies/{STUDY}/query"));
            let answer = client.post_json(&url, &json!({ "sql": sql }));
            check_tells_nothing(role, sql, &answer);
            let is_of_arms = sql.contains(TREATMENT);
            assert!(!is_of_arms || [400, 404].contains(&answer.status), "{role}, {sql}: {}", answer.body);
        }
        let token = account.token(&server, "flight");
        for mode in ["pull", "schema", "info"] {
            let path = format!("{STUDY}/{TREATMENT}");
            let told =
                python(&interpreter, "flight_client.py", &["--port", &port, "--token", &token, mode, &path]);
            assert_eq!(told["refused"], "not_found", "{role}, {mode}: {told}");
        }
        let listed = python(&interpreter, "flight_client.py", &["--port", &port, "--token", &token, "list"]);
        assert!(!listed.to_string().contains(TREATMENT), "{role}: {listed}");
    }
    let log = server.log();
    assert!(!log.contains(ARM), "the log holds an arm");
    installation.check_whole("after all that was asked");
}

#[test]
fn control_17_an_unblinded_account_sees_the_arms_and_the_ledger_says_since_when() {
    let Some(installation) = blinded_house() else { return };
    let server = installation.serve();
    let (account, id) = installation.account_called("monitor", TENANT, "clinical");
    let table = server.url(&format!("/api/v1/studies/{STUDY}/tables/{TREATMENT}"));
    assert_eq!(account.client(&server).get(&table).status, 404);
    let mut administrator = installation.account(TENANT, "administrator").browser(&server);
    let page = server.url(&format!("/admin/accounts/{id}/grant"));
    let order = [("role", "unblinded"), ("study", STUDY), ("reason", "")];
    let silent = administrator.post_form(&page, &order);
    assert!(silent.body.contains("reason"), "{}", silent.body);
    let given =
        administrator.post_form(&page, &[order[0], order[1], ("reason", "data monitoring committee")]);
    assert_eq!(given.status, 303, "{}", given.body);

    let mut client = account.client(&server);
    for form in ["json", "csv"] {
        let answer = client.get(&format!("{table}?format={form}"));
        assert!(answer.status == 200 && answer.body.contains(ARM), "{form}: {}", answer.body);
    }
    let url = server.url(&format!("/api/v1/studies/{STUDY}/query"));
    let answer = client.post_json(&url, &json!({ "sql": QUERIES[0] }));
    assert!(answer.status == 200 && answer.body.contains(ARM), "{}", answer.body);
    let mut auditor = installation.account(TENANT, "auditor").client(&server);
    let events = auditor.get(&server.url("/api/v1/audit?action=access.unblinded")).json();
    assert_eq!(
        (events[0]["data"]["study"].as_str(), events.as_array().map(Vec::len)),
        (Some(STUDY), Some(1)),
        "{events}"
    );
}
