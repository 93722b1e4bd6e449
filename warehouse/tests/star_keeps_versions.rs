//! Members have versions, facts belong to the version of their day, and none is lost, doubled or repeated.
//!
//! Deliveries of these tests are taken in from 2023-11-14 22:13:21 UTC on, a second apart, which dates what they change.

use std::collections::{BTreeMap, BTreeSet};

use warehouse::engine::star_key;
use warehouse::star::{Base, TABLES, build};
use warehouse::{Error, Table, Writer};

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,COUNTRY,RFSTDTC\n\
    S1,S1-1,1,001,A,USA,2023-01-01\nS1,S1-2,2,001,A,USA,2023-01-01\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC\nS1,S1-1,1,COUGH,2023-11-10\nS1,S1-1,2,FEVER,2023-11-20\n\
    S1,S1-1,3,PAIN,\nS1,S1-2,1,RASH,2023-11-20\n";

/// Rows of a table with the key of a member replaced by an attribute of it, in one order.
fn joined(
    study: &Study,
    table: &str,
    columns: &[&str],
    (key, member): (&str, (&str, &str, &str)),
) -> Vec<String> {
    let (dimension, id, attribute) = member;
    let members: BTreeMap<String, String> = split(&study.rows(dimension, &[id, attribute])).collect();
    let columns: Vec<&str> = std::iter::once(key).chain(columns.iter().copied()).collect();
    let rows = study.rows(table, &columns);
    let mut rows: Vec<String> =
        split(&rows).map(|(key, rest)| format!("{rest}|{}", members.get(&key).expect("a member"))).collect();
    rows.sort();
    rows
}

fn split(rows: &[String]) -> impl Iterator<Item = (String, String)> {
    rows.iter().filter_map(|row| row.split_once('|')).map(|(key, rest)| (key.to_owned(), rest.to_owned()))
}

#[test]
fn an_event_before_a_transfer_stays_with_the_old_site() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]).expect("taken in");
    let before = study.rows("fact_ae", &["term", "subject_sk", "site_sk"]);
    let moved = DM.replace("S1,S1-1,1,001,A,USA", "S1,S1-1,1,002,A,FRA");
    study.deliver("sdtm", &[("dm.csv", &moved), ("ae.csv", AE)]).expect("taken in");
    // An event without a day belongs to the site of now.
    let site = ("site_sk", ("dim_site", "site_sk", "site_id"));
    assert_eq!(
        joined(&study, "fact_ae", &["term"], site),
        ["COUGH|001", "FEVER|002", "PAIN|002", "RASH|001"]
    );
    // What is not tracked, as the country, is that of now in both versions.
    assert_eq!(
        study.members(
            "dim_subject",
            &["subject_id", "site_id", "country", "valid_from", "valid_to", "is_current"]
        ),
        [
            "S1-1|001|FRA|-|2023-11-14T22:13:22Z|false",
            "S1-2|001|USA|-|-|true",
            "S1-1|002|FRA|2023-11-14T22:13:22Z|-|true",
        ]
    );
    let keys = study.members("dim_subject", &["subject_sk", "subject_dk"]);
    let first = star_key("dim_subject|S1|S1-1");
    assert_eq!(keys[0], format!("{first}|{first}"), "the first version keeps the key of the subject");
    assert!(keys[2].ends_with(&format!("|{first}")) && keys[2] != keys[0], "{keys:?}");
    let after = study.rows("fact_ae", &["term", "subject_sk", "site_sk"]);
    assert_eq!(before.iter().filter(|row| after.contains(row)).count(), 2, "COUGH and RASH are untouched");
}

#[test]
fn a_lock_begins_a_version_of_the_study_and_a_status_one_of_the_site() {
    let mut study = Study::new();
    let (protocol, sites) = (
        "protocol_number,protocol_title,status\nS1,A study,Active\n",
        "protocol,pi_number,country,state,site_status\nS1,001,USA,OH,Active\n",
    );
    let subjects = "studyid,subjid,invid,enrollyn\nS1,1,001,Y\n";
    let events = "studyid,subjid,recordid,aeterm,aest_dt\nS1,1,a,COUGH,2023-11-10\nS1,1,b,PAIN,2023-11-20\n";
    let files = [("study.csv", protocol), ("site.csv", sites), ("subj.csv", subjects), ("ae.csv", events)];
    study.deliver("edc", &files).expect("taken in");
    let (protocol, sites) = (protocol.replace("Active", "Locked"), sites.replace("OH,Active", "NY,Closed"));
    let files =
        [("study.csv", &*protocol), ("site.csv", &*sites), ("subj.csv", subjects), ("ae.csv", events)];
    study.deliver("edc", &files).expect("taken in");
    assert_eq!(study.members("dim_study", &["status", "is_current"]), ["ACTIVE|false", "LOCKED|true"]);
    assert_eq!(
        study.members("dim_site", &["site_id", "status", "region", "is_current"]),
        ["001|ACTIVE|NY|false", "001|CLOSED|NY|true"]
    );
    assert_eq!(study.members("dim_subject", &["subject_id", "is_current"]), ["1|true"]);
    let study_then = ("study_sk", ("dim_study", "study_sk", "status"));
    assert_eq!(joined(&study, "fact_ae", &["term"], study_then), ["COUGH|ACTIVE", "PAIN|LOCKED"]);
    let site_then = ("site_sk", ("dim_site", "site_sk", "status"));
    assert_eq!(joined(&study, "fact_ae", &["term"], site_then), ["COUGH|ACTIVE", "PAIN|CLOSED"]);
    // A subject stands at the site as it is now.
    assert_eq!(
        joined(&study, "dim_subject", &["subject_id"], site_then).last().expect("a row"),
        "UNKNOWN|UNKNOWN"
    );
    assert_eq!(joined(&study, "dim_subject", &["subject_id"], site_then)[0], "1|CLOSED");
}

#[test]
fn a_new_monitor_begins_a_version_of_the_site_and_has_one_pseudonym_at_every_site() {
    let mut study = Study::new();
    let sites = "protocol,pi_number,country,site_status,cro,cra\n\
        S1,001,DEU,Active,Oakfield,ana.alder\nS1,002,DEU,Active,Oakfield,bo.birch\nS1,003,USA,Active,,\n";
    study.deliver("edc", &[("site.csv", sites)]).expect("taken in");
    let taken_over = sites.replace("001,DEU,Active,Oakfield,ana.alder", "001,DEU,Active,Oakfield,bo.birch");
    study.deliver("edc", &[("site.csv", &taken_over)]).expect("taken in");
    assert_eq!(
        study.members("dim_site", &["site_id", "cro", "is_current"]),
        ["001|Oakfield|false", "001|Oakfield|true", "002|Oakfield|true", "003|-|true"]
    );
    let monitors = study.members("dim_site", &["monitor_pseudonym"]);
    assert_eq!(monitors[1], monitors[2], "one person");
    assert!(monitors[0] != monitors[1] && monitors[0].starts_with("CRA-"), "{monitors:?}");
    assert_eq!(monitors[3], "-");
}

#[test]
fn a_subject_that_comes_late_takes_the_key_its_events_have() {
    let mut study = Study::new();
    let ae = "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC\nS1,S1-9,1,COUGH,2023-11-10\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", ae)]).expect("taken in");
    let known = |study: &Study| {
        let row = study.members("dim_subject", &["subject_id", "site_id", "is_inferred", "valid_from"]);
        row.into_iter().find(|row| row.starts_with("S1-9")).expect("a member")
    };
    assert_eq!(known(&study), "S1-9|UNKNOWN|true|-");
    let keys = study.rows("fact_ae", &["subject_sk", "subject_dk"]);
    let dm = format!("{DM}S1,S1-9,9,003,A,USA,2023-01-01\n");
    study.deliver("sdtm", &[("dm.csv", &dm), ("ae.csv", ae)]).expect("taken in");
    assert_eq!(known(&study), "S1-9|003|false|-");
    assert_eq!(study.rows("fact_ae", &["subject_sk", "subject_dk"]), keys);
    let key = star_key("dim_subject|S1|S1-9");
    assert_eq!(keys, [format!("{key}|{key}")]);
}

#[test]
fn every_record_has_its_row_whatever_its_members_are() {
    let mut study = Study::new();
    let lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESN,LBSTRESU,VISITNUM,LBDTC\n\
        S1,S1-1,1,ALT,SERUM,10,U/L,1,2023-02-01\nS1,S1-1,2,ALT,SERUM,11,U/L,,2023-02-02\n\
        S1,S1-1,3,ALT,SERUM,,,7,2023-02\nS1,S1-9,1,ALT,URINE,12,U/L,1,\nS1,S1-1,4,ALT,SERUM,9,ukat/L,1,2023\n";
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,1,Baseline,2023-02-01\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("lb.csv", lb), ("sv.csv", sv)]).expect("taken in");
    let visit = ("visit_sk", ("dim_visit", "visit_sk", "visit"));
    assert_eq!(
        joined(&study, "fact_lab", &["lb_seq"], visit),
        ["1|Baseline", "1|Baseline", "2|UNKNOWN", "3|VISIT 7.0", "4|Baseline"]
    );
    // A result without a unit is one of the test's first unit; another unit is another test.
    let unit = ("test_sk", ("dim_test", "test_sk", "std_unit"));
    assert_eq!(
        joined(&study, "fact_lab", &["lb_seq"], unit),
        ["1|U/L", "1|U/L", "2|U/L", "3|U/L", "4|ukat/L"]
    );
    assert_eq!(study.members("dim_test", &["test_dk"]).into_iter().collect::<BTreeSet<_>>().len(), 1);
    let day = ("time_sk", ("dim_time", "time_sk", "label"));
    assert_eq!(
        joined(&study, "fact_lab", &["lb_seq"], day),
        ["1|2023-02-01", "1|UNKNOWN", "2|2023-02-02", "3|2023-02", "4|2023"]
    );
}

#[test]
fn every_dimension_has_the_members_that_stand_for_none() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    for table in TABLES.iter().filter(|table| table.name.starts_with("dim_")) {
        let key = format!("{}_sk", table.name.trim_start_matches("dim_"));
        let mut reserved = study.rows(table.name, &[&key]);
        reserved.retain(|row| row.starts_with('-'));
        reserved.sort();
        assert_eq!(reserved, ["-1", "-2", "-3"], "{}", table.name);
    }
}

#[test]
fn a_deviation_of_a_whole_site_has_no_subject() {
    let mut study = Study::new();
    let mapping = study.folder.path().join("ctms.toml");
    let text = r#"
name = "ctms"
description = "a deviation log"
source_system = "ctms"
[[dataset]]
names = ["log"]
entity = "deviation"
[dataset.columns]
subject_id = "subject"
dv_seq = "seq"
site_id = "site"
term = "term"
start_dtc = "day"
identified_dtc = "found"
"#;
    std::fs::write(&mapping, text).expect("a file");
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let log = "subject,seq,site,term,day,found\n*,1,001,POWER CUT,2023-02-01,2023-02-05\nS1-2,1,001,LATE,2023-03,2023-03-04\n\
        S1-8,1,007,OTHER,2023-03-01,\n";
    study.deliver(&mapping.to_string_lossy(), &[("log.csv", log)]).expect("taken in");
    let site = ("site_sk", ("dim_site", "site_sk", "site_id"));
    // By hand: 1 to 5 February are 4 days; from an unknown day no lag is known.
    assert_eq!(
        joined(&study, "fact_deviation", &["term", "detection_lag_days", "source_system"], site),
        ["LATE|-|ctms|001", "OTHER|-|ctms|007", "POWER CUT|4|ctms|001"]
    );
    let subject = ("subject_sk", ("dim_subject", "subject_sk", "subject_id"));
    assert_eq!(
        joined(&study, "fact_deviation", &["term"], subject),
        ["LATE|S1-2", "OTHER|S1-8", "POWER CUT|NOT APPLICABLE"]
    );
    assert!(study.members("dim_subject", &["subject_id"]).iter().all(|id| id != "*"));
}

#[test]
fn two_sources_of_one_subject_make_one_member_and_keep_both_their_facts() {
    let mut study = Study::new();
    let dm = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,SEX,ETHNIC,COUNTRY,DTHFL,DTHDTC\n\
        S1,1,1,009,A,F,NOT HISPANIC OR LATINO,USA,Y,2023-05\n";
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,1,1,Baseline,2023-02-01\n";
    study.deliver("sdtm", &[("dm.csv", dm), ("sv.csv", sv)]).expect("taken in");
    let subjects = "studyid,subjid,invid,enrollyn,sex\nS1,1,001,N,\n";
    let visits = "studyid,subjid,foldername,visit_dt,visit_num\nS1,1,Baseline,2023-02-02,1\n";
    study.deliver("edc", &[("subj.csv", subjects), ("visit.csv", visits)]).expect("taken in");
    // Site and status are those of the EDC, which comes first; sex and ethnicity are what SDTM alone states, and so is death.
    let columns = ["subject_id", "site_id", "status", "sex", "ethnicity", "has_died", "is_current"];
    assert_eq!(
        study.members("dim_subject", &columns),
        [
            "1|001|SCREEN_FAILED|F|NOT HISPANIC OR LATINO|true|true",
            "1|009|ENROLLED|F|NOT HISPANIC OR LATINO|true|false",
        ]
    );
    let mut visits = study.rows("fact_visit", &["source_system", "start_date", "subject_dk"]);
    visits.sort();
    let key = star_key("dim_subject|S1|1");
    assert_eq!(visits, [format!("edc|2023-02-02|{key}"), format!("sdtm|2023-02-01|{key}")]);
}

#[test]
fn one_source_that_names_a_subject_in_two_records_is_refused() {
    let mut study = Study::new();
    let mapping = study.folder.path().join("twice.toml");
    let text = r#"
name = "twice"
description = "subjects with ids of their own"
source_system = "twice"
[[dataset]]
names = ["subjects"]
entity = "subject"
record_id = "id"
[dataset.columns]
subject_id = "subject"
subject_no = "subject"
site_id = "site"
death_flag = { const = "false" }
status = { const = "ENROLLED" }
"#;
    std::fs::write(&mapping, text).expect("a file");
    let subjects = "id,subject,site\na,1,001\nb,1,002\nc,2,002\n";
    let refused =
        study.deliver(&mapping.to_string_lossy(), &[("subjects.csv", subjects)]).expect_err("refused");
    assert!(matches!(&refused, Error::RepeatedMember { table, rows: 1 } if table == "subject"), "{refused}");
    assert!(refused.is_refusal());
}

/// The tables of the star. What the checks found also tells what changed since the snapshot before.
fn star_of(mut tables: BTreeMap<String, Table>) -> BTreeMap<String, Table> {
    tables.retain(|name, _| !name.starts_with("quality_"));
    tables
}

#[test]
fn the_order_of_canons_files_changes_no_byte_of_the_star() {
    let mut study = Study::new();
    let moved = DM.replace("S1,S1-1,1,001", "S1,S1-1,1,002");
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]).expect("taken in");
    study.deliver("sdtm", &[("dm.csv", &moved), ("ae.csv", &AE.replace("RASH", "PAIN"))]).expect("taken in");
    let mut ingested = study
        .deliver("sdtm", &[("dm.csv", &moved), ("ae.csv", &AE.replace("RASH", "ITCH"))])
        .expect("taken in");
    let writer = Writer::wait(&study.storage, &study.scope).expect("nobody else writes");
    let as_of = study.manifest().as_of;
    let mut anew = |reversed: bool| {
        if reversed {
            ingested.canon.values_mut().for_each(|files| files.reverse());
        }
        let base = Base { former: None, ingested: &ingested, as_of };
        star_of(build(&writer, &base, &mut |_| {}).expect("built").2.tables)
    };
    let (forward, backward) = (anew(false), anew(true));
    assert!(ingested.canon["subject"].len() > 1, "there is an order to change");
    assert_eq!(forward, backward);
    assert_eq!(forward, star_of(study.manifest().tables.clone()), "nor does what was shared on the way");
}

#[test]
fn a_dimension_that_came_out_the_same_builds_no_fact_again() {
    let mut study = Study::new();
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,1,Baseline,2023-02-01\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("sv.csv", sv), ("ae.csv", AE)]).expect("taken in");
    let before = study.manifest().tables.clone();
    let worded_otherwise = AE.replace("COUGH", "DRY COUGH");
    study
        .deliver("sdtm", &[("dm.csv", DM), ("sv.csv", sv), ("ae.csv", &worded_otherwise)])
        .expect("taken in");
    let after = &study.manifest().tables;
    assert_ne!(before["dim_subject"].inputs, after["dim_subject"].inputs, "events may name subjects");
    assert_eq!(before["dim_subject"].files, after["dim_subject"].files);
    assert_eq!(before["fact_visit"], after["fact_visit"]);
    assert_ne!(before["fact_ae"].files, after["fact_ae"].files);
}

// By hand: day 8 of the first plan is 2023-11-08, day 22 of the second one 2023-11-22; the second plan is in force from
// its delivery on 2023-11-14.
#[test]
fn a_visit_is_measured_by_the_protocol_version_in_force_on_its_day() {
    let mut study = Study::new();
    let dm = DM.replace("2023-01-01", "2023-11-01");
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,2,Week,2023-11-10\nS1,S1-2,2,Week,2023-11-20\n";
    study.deliver("sdtm", &[("dm.csv", &dm), ("sv.csv", sv)]).expect("taken in");
    let mapping = study.folder.path().join("plan.toml");
    let text = r#"
name = "plan"
description = "a schedule"
source_system = "plan"
[[dataset]]
names = ["plan"]
entity = "planned_visit"
[dataset.columns]
protocol_version = "protocol"
arm_code = { const = "*" }
visit_num = "visit"
visit = { const = "Week" }
planned_day = "day"
anchor = { const = "RFSTDTC" }
is_required = { const = "true" }
"#;
    std::fs::write(&mapping, text).expect("a file");
    for plan in ["protocol,visit,day\n1,2,8\n", "protocol,visit,day\n2,2,22\n"] {
        study.deliver(&mapping.to_string_lossy(), &[("plan.csv", plan)]).expect("taken in");
    }
    assert_eq!(
        study.members("dim_visit", &["visit_num", "protocol_version", "planned_day", "is_current"]),
        ["2.0000|1|8|false", "2.0000|2|22|true", "-|-|-|true"]
    );
    let mut visits = study.rows("fact_visit", &["start_date", "planned_date", "deviation_days"]);
    visits.sort();
    assert_eq!(visits, ["2023-11-10|2023-11-08|2", "2023-11-20|2023-11-22|-2"]);
}
