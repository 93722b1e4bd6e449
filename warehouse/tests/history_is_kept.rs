//! Cuts in time: what vanishes gets a tombstone, what comes late changes nothing newer, and what was known at
//! an instant can be read again.

use std::fs;

use chrono::{DateTime, Utc};
use warehouse::CutKind::{Delta, Full};
use warehouse::Writer;
use warehouse::canon::write_as_of;

use crate::delivered::{Study, january};

const DM: (&str, &str) =
    ("dm.csv", "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC\nS1,S1-1,1,001,A,2020-01-01\n");

/// Adverse events as term and severity; the number is the place in the file.
fn ae(rows: &[(&str, &str)]) -> String {
    let mut text = "STUDYID,USUBJID,AESEQ,AETERM,AESEV,AESTDTC\n".to_owned();
    for (seq, (term, severity)) in (1..).zip(rows) {
        text.push_str(&format!("S1,S1-1,{seq},{term},{severity},2020-01-02\n"));
    }
    text
}

/// Takes in a cut and gives what became of its events: new, changed, unchanged, deleted, restored.
fn cut(study: &mut Study, kind: warehouse::CutKind, day: u32, rows: &[(&str, &str)]) -> [u64; 5] {
    let taken_in = study.deliver_cut((kind, day), &[DM, ("ae.csv", &ae(rows))]).expect("taken in");
    let counts = &taken_in.receipt.entities["adverse_event"];
    [counts.new, counts.changed, counts.unchanged, counts.deleted, counts.restored]
}

fn events(study: &Study) -> Vec<String> {
    let mut events = study.rows("fact_ae", &["term", "severity"]);
    events.sort();
    events
}

/// The bytes of the events as they were known at an instant.
fn as_of(study: &Study, instant: DateTime<Utc>) -> Vec<u8> {
    let writer = Writer::wait(&study.storage, &study.scope).expect("nobody else writes");
    let target = study.folder.path().join("as-of.parquet");
    write_as_of(&writer, study.manifest(), ("adverse_event", instant), &target).expect("read");
    fs::read(target).expect("written")
}

#[test]
fn a_full_cut_removes_what_it_does_not_hold_and_a_delta_does_not() {
    let mut study = Study::new();
    assert_eq!(cut(&mut study, Full, 1, &[("COUGH", "MILD"), ("RASH", "MILD")]), [2, 0, 0, 0, 0]);
    assert_eq!(cut(&mut study, Delta, 2, &[("FEVER", "MILD")]), [1, 0, 0, 0, 0]);
    assert_eq!(events(&study), ["COUGH|MILD", "FEVER|MILD", "RASH|MILD"]);
    assert_eq!(cut(&mut study, Full, 3, &[("COUGH", "SEVERE"), ("FEVER", "MILD")]), [0, 2, 0, 1, 0]);
    assert_eq!(events(&study), ["COUGH|SEVERE", "FEVER|MILD"]);
    assert_eq!(cut(&mut study, Full, 4, &[("COUGH", "SEVERE"), ("FEVER", "MILD"), ("RASH", "MILD")])[0], 1);
    assert_eq!(events(&study), ["COUGH|SEVERE", "FEVER|MILD", "RASH|MILD"]);
}

#[test]
fn a_dataset_that_a_full_cut_does_not_hold_stays() {
    let mut study = Study::new();
    cut(&mut study, Full, 1, &[("COUGH", "MILD")]);
    study.deliver_cut((Full, 2), &[DM]).expect("taken in");
    assert_eq!(events(&study), ["COUGH|MILD"]);
}

#[test]
fn a_row_that_was_set_aside_is_not_taken_for_gone() {
    let mut study = Study::new();
    let many: Vec<(String, &str)> = (0..200).map(|n| (format!("PAIN {n}"), "MILD")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(term, severity)| (term.as_str(), *severity)).collect();
    cut(&mut study, Full, 1, &many);
    // AESEQ of one row cannot be read any more.
    let text = ae(&many).replace("S1,S1-1,7,", "S1,S1-1,seven,");
    let taken_in = study.deliver_cut((Full, 2), &[DM, ("ae.csv", &text)]).expect("taken in");
    let counts = &taken_in.receipt.entities["adverse_event"];
    assert_eq!((counts.unchanged, counts.quarantined, counts.deleted), (199, 1, 0));
    assert_eq!(events(&study).len(), 200);
}

#[test]
fn an_older_cut_that_comes_late_overwrites_nothing_newer() {
    let mut study = Study::new();
    cut(&mut study, Full, 1, &[("COUGH", "MILD"), ("RASH", "MILD")]);
    cut(&mut study, Full, 10, &[("COUGH", "SEVERE"), ("RASH", "MILD")]);
    let late = study.deliver_cut(
        (Full, 5),
        &[DM, ("ae.csv", &ae(&[("COUGH", "MODERATE"), ("RASH", "MODERATE"), ("FEVER", "MILD")]))],
    );
    let receipt = late.expect("taken in").receipt;
    assert_eq!(receipt.out_of_order_after, Some(january(10)));
    let counts = &receipt.entities["adverse_event"];
    // COUGH has a version of day 10; RASH had none, because nothing had changed, and FEVER was not there.
    assert_eq!((counts.new, counts.changed, counts.deleted, counts.restored), (1, 2, 0, 2));
    assert_eq!(events(&study), ["COUGH|SEVERE", "RASH|MILD"]);
    // A later cut is compared with the state of day 10, not with the late one.
    assert_eq!(cut(&mut study, Full, 11, &[("COUGH", "SEVERE"), ("RASH", "MILD")]), [0, 0, 2, 0, 0]);
}

#[test]
fn a_late_cut_without_a_row_does_not_remove_it_from_a_newer_one() {
    let mut study = Study::new();
    cut(&mut study, Full, 1, &[("COUGH", "MILD"), ("RASH", "MILD")]);
    cut(&mut study, Full, 10, &[("COUGH", "MILD"), ("RASH", "MILD")]);
    assert_eq!(cut(&mut study, Full, 5, &[("COUGH", "MILD")]), [0, 0, 1, 1, 1]);
    assert_eq!(events(&study), ["COUGH|MILD", "RASH|MILD"]);
}

#[test]
fn a_file_that_was_taken_in_before_is_said_to_be_a_duplicate() {
    let mut study = Study::new();
    let first = study.deliver_cut((Full, 1), &[DM, ("ae.csv", &ae(&[("COUGH", "MILD")]))]).expect("taken in");
    let again = study.deliver_cut((Full, 2), &[DM, ("ae.csv", &ae(&[("RASH", "MILD")]))]).expect("taken in");
    let duplicate = |name: &str| {
        again.receipt.files.iter().find(|file| file.file == name).and_then(|file| file.duplicate_of)
    };
    assert_eq!(duplicate("dm.csv"), Some(first.receipt.batch));
    assert_eq!(duplicate("ae.csv"), None);
}

#[test]
fn an_order_of_rows_that_changes_changes_no_identity() {
    let mut study = Study::new();
    cut(&mut study, Full, 1, &[("COUGH", "MILD"), ("RASH", "MILD")]);
    // Both numbers change, so both rows have other content; none is new and none is gone.
    assert_eq!(cut(&mut study, Full, 2, &[("RASH", "MILD"), ("COUGH", "MILD")]), [0, 2, 0, 0, 0]);
}

#[test]
fn what_was_known_at_an_instant_is_read_again_byte_for_byte() {
    let mut study = Study::new();
    cut(&mut study, Full, 1, &[("COUGH", "MILD"), ("RASH", "MILD")]);
    let then = study.manifest().as_of;
    let before = as_of(&study, then);
    cut(&mut study, Full, 2, &[("COUGH", "SEVERE"), ("FEVER", "MILD")]);
    cut(&mut study, Full, 1, &[("NAUSEA", "MILD")]);
    assert_eq!(as_of(&study, then), before);
    assert_ne!(as_of(&study, study.manifest().as_of), before);
}

#[test]
fn a_cut_of_the_future_is_refused() {
    let mut study = Study::new();
    let refused = study.deliver_future(&[DM]).expect_err("refused");
    assert!(refused.is_refusal());
    assert!(refused.to_string().contains("--extracted-at"), "{refused}");
}
