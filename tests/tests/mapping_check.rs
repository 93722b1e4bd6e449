//! Whoever writes a mapping sees what becomes of a file before it is taken in, and what the model wants.

use std::fs;

use serde_json::Value;

use crate::support::Installation;

#[test]
fn a_misspelt_column_is_named_before_anything_is_taken_in() {
    let Some(installation) = Installation::empty() else { return };
    fs::write(installation.beside("ae.csv"), "STUDYID,USUBJJD,AESEQ,AETERM\nS1,S1-1,1,COUGH\n")
        .expect("a file");
    let said = installation.run(&["mapping", "check", "ae.csv", "--mapping", "sdtm"]);
    assert_eq!(said.code, Some(2), "{said}");
    for part in ["has no column `USUBJID`", "there is no USUBJID; nearly the same: USUBJJD"] {
        assert!(said.out.contains(part), "{part} in {said}");
    }
    assert!(said.errors.contains("1 of 1 datasets cannot be taken in"), "{said}");
    fs::write(installation.beside("ae.csv"), "STUDYID,USUBJID,AESEQ,AETERM,HUE\nS1,S1-1,1,COUGH,red\n")
        .expect("a file");
    let said = installation.must(&["mapping", "check", "ae.csv"]);
    for part in ["mapping `sdtm`", "becomes adverse_event", "not used: HUE", "`reference` in `DM`"] {
        assert!(said.out.contains(part), "{part} in {said}");
    }
    assert!(!installation.data().exists(), "looking makes no data folder");
}

#[test]
fn a_mapping_begun_from_a_file_reads_that_file() {
    let Some(installation) = Installation::empty() else { return };
    let rows = "STUDYID,USUBJID,AESEQ,AETERM,AESEV\nS1,S1-1,1,COUGH,MILD\n";
    fs::write(installation.beside("events.csv"), rows).expect("a file");
    let begun = installation.must(&["mapping", "new", "EVENTS", "events.csv"]);
    fs::write(installation.beside("mine.toml"), begun.out).expect("a file");
    let said = installation.must(&["mapping", "check", "events.csv", "--mapping", "mine.toml"]);
    assert!(said.out.contains("becomes adverse_event"), "{said}");
    let listed = installation.must(&["mapping", "list"]);
    for name in ["sdtm", "edc", "omop"] {
        assert!(listed.out.contains(name), "{listed}");
        installation.must(&["mapping", "show", name]);
    }
}

#[test]
fn the_model_is_told_to_people_and_to_programs() {
    let Some(installation) = Installation::empty() else { return };
    let page = fs::read_to_string("../docs/model.md").expect("the page is committed");
    assert!(
        installation.must(&["model", "--markdown"]).out == page,
        "`cairn model --markdown > docs/model.md`"
    );
    let schema = installation.must(&["model", "--json-schema", "query"]).out;
    let schema: Value = serde_json::from_str(&schema).expect("it is JSON");
    assert_eq!(schema["properties"]["state"]["enum"][0], "CANDIDATE");
    let said = installation.run(&["model", "patient"]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.errors.contains("there is no entity `patient`"), "{said}");
}
