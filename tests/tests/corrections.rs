//! What is corrected stays readable: the old value beside the new one, with who, when and why, of the data and of the
//! definitions that judge them.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Account, Installation, Server, Visitor};

const STUDY: &str = "S1";
const PLACE: [&str; 4] = ["--tenant", "kept", "--study", STUDY];
/// Discontinuation of the study, whose rows are those of `fact_disposition`; and adverse events, of `fact_ae`.
const INDICATOR: &str = "kri0006";
const EVENTS: &str = "kri0001";

fn with_place<'a>(command: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    [command, &PLACE, rest].concat()
}

/// Thirty subjects at three sites, with the outcome and an event of each; `why` says what became of the first, whose event
/// was so severe.
fn deliver(installation: &Installation, folder: &str, (why, severity): (&str, &str)) {
    let mut dm = "STUDYID,USUBJID,SUBJID,SITEID,COUNTRY,ARMCD,RFSTDTC,RFENDTC\n".to_owned();
    let mut ds = "STUDYID,USUBJID,DSSEQ,DSCAT,DSTERM,DSDECOD,DSSTDTC\n".to_owned();
    let mut ae = "STUDYID,USUBJID,AESEQ,AETERM,AEDECOD,AESEV,AESER,AESTDTC\n".to_owned();
    for subject in 1..=30 {
        let severity = if subject == 1 { severity } else { "MODERATE" };
        writeln!(ae, "S1,S1-{subject:02},1,headache,Headache,{severity},N,2025-03-01")
            .expect("a text takes all");
        let why = match subject {
            1 => why,
            2 | 3 => "LOST TO FOLLOW-UP",
            _ => "COMPLETED",
        };
        let (site, day) = (subject % 3, 1 + subject % 28);
        writeln!(dm, "S1,S1-{subject:02},{subject},{site:03},DEU,A,2025-01-{day:02},2025-04-10")
            .expect("a text takes all");
        writeln!(ds, "S1,S1-{subject:02},1,DISPOSITION EVENT,{why},{why},2025-04-10")
            .expect("a text takes all");
    }
    let place = installation.beside(folder);
    fs::create_dir(&place).expect("the temporary folder takes folders");
    for (name, text) in [("dm.csv", dm), ("ds.csv", ds), ("ae.csv", ae)] {
        fs::write(place.join(name), text).expect("a file");
    }
    installation.must(&with_place(&["ingest"], &["--mapping", "sdtm", folder]));
}

/// An EDC's file of transactions: a value is entered, corrected with a reason, and corrected again without one.
const TRANSACTIONS: &str = r#"<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" ODMVersion="1.3" FileType="Transactional" FileOID="F.1"
     CreationDateTime="2025-05-01T00:00:00Z" AsOfDateTime="2025-05-01T00:00:00Z">
  <ClinicalData StudyOID="S1" MetaDataVersionOID="1"><SubjectData SubjectKey="S1-01"><SiteRef LocationOID="001"/>
    <StudyEventData StudyEventOID="V1"><FormData FormOID="VS"><ItemGroupData ItemGroupOID="VS">
      <ItemData ItemOID="VS.TEMP" TransactionType="Insert" Value="63.8"><AuditRecord><UserRef UserOID="ann"/><LocationRef LocationOID="001"/><DateTimeStamp>2025-02-01T08:00:00Z</DateTimeStamp></AuditRecord></ItemData>
    </ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData>
  <ClinicalData StudyOID="S1" MetaDataVersionOID="1"><SubjectData SubjectKey="S1-01"><SiteRef LocationOID="001"/>
    <StudyEventData StudyEventOID="V1"><FormData FormOID="VS"><ItemGroupData ItemGroupOID="VS">
      <ItemData ItemOID="VS.TEMP" TransactionType="Update" Value="36.8"><AuditRecord><UserRef UserOID="ann"/><LocationRef LocationOID="001"/><DateTimeStamp>2025-02-02T08:00:00Z</DateTimeStamp><ReasonForChange>two digits were swapped</ReasonForChange></AuditRecord></ItemData>
    </ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData>
  <ClinicalData StudyOID="S1" MetaDataVersionOID="1"><SubjectData SubjectKey="S1-01"><SiteRef LocationOID="001"/>
    <StudyEventData StudyEventOID="V1"><FormData FormOID="VS"><ItemGroupData ItemGroupOID="VS">
      <ItemData ItemOID="VS.TEMP" TransactionType="Update" Value="36.9"><AuditRecord><UserRef UserOID="bob"/><LocationRef LocationOID="001"/><DateTimeStamp>2025-02-03T08:00:00Z</DateTimeStamp></AuditRecord></ItemData>
    </ItemGroupData></FormData></StudyEventData></SubjectData></ClinicalData>
</ODM>
"#;

fn page(server: &Server, visitor: &mut Visitor, (indicator, subject): (&str, &str), rest: &str) -> String {
    // Subject n is at site n modulo 3.
    let site = subject[3..].parse::<u32>().expect("a number") % 3;
    let path = format!("/studies/{STUDY}/rbqm/{indicator}/sites/{site:03}/subjects/{subject}{rest}");
    let answer = visitor.get(&server.url(&path));
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// The snapshots of which a table was read, by the events of the ledger, newest first.
fn reads(server: &Server, auditor: &Account, table: &str) -> Vec<String> {
    let url = server.url("/api/v1/audit?action=data.read.started&limit=200");
    let answer = auditor.client(server).get(&url);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = answer.json();
    let of_table = |event: &&Value| event["resource"] == format!("table:{table}");
    let events = found.as_array().expect("a list").iter().filter(of_table);
    events.map(|event| event["data"]["snapshot"].to_string()).collect()
}

#[test]
fn control_11_a_corrected_value_is_shown_beside_the_one_before_with_the_reason_of_its_source() {
    let Some(installation) = Installation::with_tenant("kept") else { return };
    deliver(&installation, "first", ("LOST TO FOLLOW-UP", "MILD"));
    let reader = installation.account("kept", "researcher");
    let auditor = installation.account_called("auditor", "kept", "auditor").0;
    deliver(&installation, "second", ("WITHDRAWAL BY SUBJECT", "SEVERE"));
    fs::write(installation.beside("edc.xml"), TRANSACTIONS).expect("a file");
    installation.must(&with_place(&["ingest"], &["--mapping", "odm", "edc.xml"]));
    let server = installation.serve();
    let mut browser = reader.browser(&server);

    let plain = page(&server, &mut browser, (INDICATOR, "S1-01"), "");
    assert!(plain.contains("WITHDRAWAL BY SUBJECT") && !plain.contains("LOST TO FOLLOW-UP"), "{plain}");
    assert!(plain.contains("?corrections=yes"), "what was said before is one step away: {plain}");
    let before = reads(&server, &auditor, "fact_disposition").len();
    assert_eq!(before, 1, "the page's own rows");
    let html = page(&server, &mut browser, (INDICATOR, "S1-01"), "?corrections=yes");
    for word in ["LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "reason not given by the source"] {
        assert!(html.contains(word), "{word} is not on the page: {html}");
    }
    let after = reads(&server, &auditor, "fact_disposition");
    assert_eq!(after.len() - before, 2, "each table that was read is an event: {after:?}");
    assert_ne!(after[0], after[1], "of the snapshot before too");
    // The source knows an outcome by what it says: it takes one back and tells another. An event it knows by its term and day.
    assert!(html.contains("taken back"), "{html}");
    let events = page(&server, &mut browser, (EVENTS, "S1-01"), "?corrections=yes");
    let row = events.split("<tr>").find(|row| row.contains("<td><code>severity</code></td>"));
    let row = row.expect("the cell is named");
    assert!(row.contains("MILD") && row.contains("SEVERE") && row.contains("reason not given"), "{row}");
    let unchanged = page(&server, &mut browser, (INDICATOR, "S1-04"), "?corrections=yes");
    assert!(unchanged.contains("None of these rows was changed"), "{unchanged}");

    // The values of an audit trail may be of any item, so that a blinded reader does not see them.
    assert!(html.contains("while the study is blinded") && !html.contains("63.8"), "{html}");
    let id = installation.account_called("unblinded", "kept", "researcher");
    installation.must(&["admin", "account", "unblind", "kept", &id.1, "--reason", "a test of the trail"]);
    let html = page(&server, &mut id.0.browser(&server), (INDICATOR, "S1-01"), "?corrections=yes");
    let rows: Vec<&str> = html.split("<tr>").filter(|row| row.contains("VS.TEMP")).collect();
    assert_eq!(rows.len(), 2, "{html}");
    let says = |row: &str, words: &[&str]| words.iter().all(|word| row.contains(word));
    assert!(says(rows[0], &["36.8", "36.9", "bob", "reason not given by the source"]), "{}", rows[0]);
    assert!(says(rows[1], &["63.8", "36.8", "ann", "two digits were swapped"]), "{}", rows[1]);
    installation.check_whole("after corrections were looked at");
}

#[test]
fn control_11_a_definition_is_changed_with_a_reason_alone_and_its_page_shows_both_values() {
    let Some(installation) = Installation::with_tenant("kept") else { return };
    deliver(&installation, "first", ("LOST TO FOLLOW-UP", "MILD"));
    let engineer = installation.account("kept", "data_engineer");
    let reader = installation.account("kept", "researcher");
    let set = |words: &[&str]| installation.run(&with_place(&["marts", "definitions", "set"], words));
    let refused = set(&[INDICATOR, "--thresholds", "4,5"]);
    assert!(refused.errors.contains("--reason"), "the command asks for it: {}", refused.errors);
    let refused = set(&[INDICATOR, "--thresholds", "4,5", "--reason", " "]);
    assert!(refused.errors.contains("reason"), "{}", refused.errors);
    installation.must(&with_place(
        &["marts", "definitions", "set"],
        &["qtl_study_discontinuation", "--tolerated", "0.2", "--reason", "protocol 3.1"],
    ));
    let server = installation.serve();
    let mut client = engineer.client(&server);
    let url = server.url(&format!("/api/v1/studies/{STUDY}/definitions/{INDICATOR}"));
    for order in [json!({ "thresholds": [4.0, 5.0] }), json!({ "thresholds": [4.0, 5.0], "reason": " \n" })] {
        let answer = client.post_json(&url, &order);
        assert!([400, 422].contains(&answer.status), "{order}: {}", answer.status);
    }
    let order = json!({ "thresholds": [4.0, 5.0], "reason": "the monitoring plan" });
    assert_eq!(client.post_json(&url, &order).status, 200);

    let mut browser = reader.browser(&server);
    let html = browser.get(&server.url(&format!("/studies/{STUDY}/rbqm/{INDICATOR}"))).body;
    // As shipped: 2 and 3.
    for word in ["thresholds: 2, 3", "thresholds: 4, 5", "the monitoring plan", "this study"] {
        assert!(html.contains(word), "{word} is not on the page of the indicator: {html}");
    }
    assert!(!html.contains("protocol 3.1"), "that is another definition's");
    let html = browser.get(&server.url(&format!("/studies/{STUDY}/limits"))).body;
    for word in ["limit: 0.07", "limit: 0.2", "protocol 3.1", "operator"] {
        assert!(html.contains(word), "{word} is not on the page of the limits: {html}");
    }
    let history: Value = client.get(&format!("{url}/history")).json();
    assert_eq!(history[0]["reason"], "the monitoring plan");
}
