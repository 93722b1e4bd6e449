//! Who gets which treatment is in one table, which is not there for a blinded reader (rule R-20).

use kernel::{ActionKind, Build, Grants, Permission, Read, StudyScope};
use warehouse::TableScan;

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,ARM,ACTARMCD,ACTARM\n\
    S1,S1-1,1,001,CANARYA,Canary A,CANARYA,Canary A\nS1,S1-2,2,001,CANARYB,Canary B,CANARYA,Canary A\n";
const EX: &str = "STUDYID,USUBJID,EXSEQ,EXTRT,EXSTDTC\nS1,S1-1,1,CANARY DRUG,2024-01-02\n";

fn study(blinding: Option<&str>) -> Study {
    let mut study = Study::new();
    let ts =
        blinding.map(|value| format!("STUDYID,TSSEQ,TSPARMCD,TSPARM,TSVAL\nS1,1,TBLIND,Blinding,{value}\n"));
    let mut files = vec![("dm.csv", DM), ("ex.csv", EX)];
    files.extend(ts.as_deref().map(|text| ("ts.csv", text)));
    study.deliver("sdtm", &files).expect("taken in");
    study
}

/// The scope of a reader who has, or has not, the grant to unblind.
fn reader(study: &Study, unblinded: bool) -> StudyScope<Read> {
    let actions =
        if unblinded { vec![ActionKind::Read, ActionKind::Unblind] } else { vec![ActionKind::Read] };
    let permissions = actions.into_iter().map(|action| Permission { action, study: None }).collect();
    let grants = Grants::from_gate(study.scope.tenant(), permissions);
    grants.scope(study.scope.study()).expect("granted")
}

#[test]
fn control_17_a_blinded_reader_finds_no_arm_in_any_table() {
    for blinding in [None, Some("DOUBLE BLIND"), Some("SINGLE BLIND")] {
        let study = study(blinding);
        let blinded = reader(&study, false);
        let seen = study.manifest().clone().seen_by(&blinded);
        let whole = study.manifest();
        // The values of an audit trail may be of the item that tells.
        for masked in ["subject_treatment", "fact_correction"] {
            assert!(whole.tables.contains_key(masked) && !seen.tables.contains_key(masked), "{masked}");
        }
        assert!(seen.masked.is_empty());
        for table in seen.tables.keys() {
            let scan = TableScan::open(&study.storage, &blinded, &seen, table, 1024).expect("it is there");
            for batch in scan {
                let shown = format!("{:?}", batch.expect("it can be read"));
                assert!(!shown.to_uppercase().contains("CANARY"), "{table}: {shown}");
            }
        }
        // Neither is it there for who has the whole manifest in hand.
        assert!(TableScan::open(&study.storage, &blinded, whole, "subject_treatment", 1024).is_err());
    }
}

#[test]
fn an_unblinded_reader_and_everybody_of_an_open_study_sees_who_gets_what() {
    let blinded = study(Some("DOUBLE BLIND"));
    let open = study(Some("OPEN LABEL"));
    for (study, scope) in [(&blinded, reader(&blinded, true)), (&open, reader(&open, false))] {
        let seen = study.manifest().clone().seen_by(&scope);
        let scan =
            TableScan::open(&study.storage, &scope, &seen, "subject_treatment", 1024).expect("it is there");
        let shown: String = scan.map(|batch| format!("{:?}", batch.expect("it can be read"))).collect();
        for text in ["CANARYA", "CANARYB", "CANARY DRUG"] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
    }
}

#[test]
fn a_build_on_a_blinded_snapshot_carries_the_masked_table_on() {
    let mut study = study(None);
    let scope: StudyScope<Build> = study.scope.clone();
    assert!(study.manifest().clone().seen_by(&scope).tables.contains_key("subject_treatment"));
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    assert!(study.manifest().masked.contains("subject_treatment"));
}
