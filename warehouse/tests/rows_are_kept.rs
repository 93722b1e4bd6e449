//! Nothing is lost and nothing is written twice: counts, quarantine, versions.

use warehouse::Error;

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,AGE\n\
    S1,S1-1,1,001,A,2020-01-01,40\nS1,S1-2,2,001,A,2020-01-02,50\nS1,S1-3,3,002,Scrnfail,,60\n";

fn ae(rows: &[(&str, u32, &str)]) -> String {
    let mut text = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESTDTC\n".to_owned();
    for (subject, seq, term) in rows {
        text.push_str(&format!("S1,{subject},{seq},{term},N,2020-02\n"));
    }
    text
}

#[test]
fn the_same_rows_again_write_nothing() {
    let mut study = Study::new();
    let rows = ae(&[("S1-1", 1, "COUGH"), ("S1-2", 1, "FEVER")]);
    let first = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &rows)]).expect("taken in");
    assert_eq!(first.receipt.entities["adverse_event"].new, 2);
    let canon = study.manifest().canon.clone();
    let second = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &rows)]).expect("taken in");
    let counts = &second.receipt.entities["adverse_event"];
    assert_eq!((counts.new, counts.changed, counts.unchanged), (0, 0, 2));
    assert_eq!(study.manifest().canon, canon);
}

#[test]
fn a_changed_row_is_a_new_version_and_the_star_shows_it() {
    let mut study = Study::new();
    let before = ae(&[("S1-1", 1, "COUGH"), ("S1-2", 1, "FEVER")]);
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &before)]).expect("taken in");
    let after = ae(&[("S1-1", 1, "DRY COUGH"), ("S1-2", 1, "FEVER"), ("S1-2", 2, "RASH")]);
    let second = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &after)]).expect("taken in");
    // Rule R-17: another term is another event, whatever its number.
    let counts = &second.receipt.entities["adverse_event"];
    assert_eq!((counts.new, counts.changed, counts.unchanged, counts.deleted), (2, 0, 1, 1));
    let mut terms = study.rows("fact_ae", &["term"]);
    terms.sort();
    assert_eq!(terms, ["DRY COUGH", "FEVER", "RASH"]);
    assert_eq!(study.manifest().canon["adverse_event"].len(), 2, "the former version is kept");
}

#[test]
fn tables_whose_inputs_did_not_change_are_shared() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &ae(&[("S1-1", 1, "COUGH")]))]).expect("taken in");
    let before = study.manifest().tables.clone();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &ae(&[("S1-1", 1, "RASH")]))]).expect("taken in");
    let after = &study.manifest().tables;
    assert_eq!(before["dim_test"], after["dim_test"]);
    assert_ne!(before["fact_ae"].files, after["fact_ae"].files);
}

#[test]
fn the_same_delivery_makes_the_same_bytes_anywhere() {
    let (mut here, mut there) = (Study::new(), Study::new());
    let rows = ae(&[("S1-1", 1, "COUGH"), ("S1-2", 1, "FEVER"), ("S1-9", 1, "PAIN")]);
    for study in [&mut here, &mut there] {
        study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &rows)]).expect("taken in");
    }
    assert_eq!(here.current.as_ref().map(|(id, _)| *id), there.current.as_ref().map(|(id, _)| *id));
    assert_eq!(here.manifest(), there.manifest());
}

#[test]
fn a_few_rows_that_do_not_fit_are_set_aside_with_a_reason() {
    let mut study = Study::new();
    let mut rows = ae(&[]);
    for seq in 1..=200 {
        let start = if seq == 150 { "15MAR2020" } else { "2020-03-15" };
        rows.push_str(&format!("S1,S1-1,{seq},PAIN,N,{start}\n"));
    }
    let taken_in = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &rows)]).expect("taken in");
    let counts = &taken_in.receipt.entities["adverse_event"];
    assert_eq!((counts.rows_in, counts.new, counts.quarantined), (200, 199, 1));
    let note = &taken_in.receipt.quarantine[0];
    assert_eq!((note.column.as_str(), note.first_row), ("start_dtc", 150));
    assert_eq!(note.reason, "it is not an ISO 8601 date");
    let receipt = serde_json::to_string(&taken_in.receipt).expect("JSON");
    assert!(!receipt.contains("15MAR2020"), "a receipt holds no trial data");
}

#[test]
fn many_rows_that_do_not_fit_refuse_the_delivery() {
    let mut study = Study::new();
    let rows = format!("{}S1,S1-1,two,PAIN,N,2020\n", ae(&[("S1-1", 1, "COUGH")]));
    let refused = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", &rows)]).expect_err("refused");
    assert!(refused.is_refusal());
    let text = refused.to_string();
    for named in ["ae.csv", "AESEQ", "ae_seq", "`two`", "row 2"] {
        assert!(text.contains(named), "{named} in: {text}");
    }
    assert!(study.current.is_none());
}

#[test]
fn a_row_of_another_study_is_set_aside() {
    let mut study = Study::new();
    let foreign = DM.replace("S1,S1-3", "S2,S1-3");
    let refused =
        study.deliver("sdtm", &[("dm.csv", &foreign)]).expect_err("one row of three is more than 1 %");
    assert!(refused.to_string().contains("`S2`: the row belongs to another study"), "{refused}");
}

#[test]
fn a_missing_column_an_unknown_dataset_and_an_empty_file_are_named() {
    let mut study = Study::new();
    let lacking = "STUDYID,USUBJID,AESEQ\nS1,S1-1,1\n";
    let refused = study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", lacking)]).expect_err("refused");
    assert!(matches!(&refused, Error::MissingColumn { column, .. } if column == "AETERM"), "{refused}");
    let refused = study.deliver("sdtm", &[("ax.csv", lacking)]).expect_err("refused");
    assert!(matches!(&refused, Error::UnknownDataset { near, .. } if near.contains("`AE`")), "{refused}");
    let refused = study.deliver("sdtm", &[("ae.csv", "")]).expect_err("refused");
    assert!(
        matches!(&refused, Error::File(formats::Error::EmptyFile { file }) if file == "ae.csv"),
        "{refused}"
    );
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("the next delivery is not affected");
}

#[test]
fn windows_1252_is_read_when_utf_8_is_not_and_recorded() {
    let mut study = Study::new();
    let inbox = study.folder.path().join("latin");
    std::fs::create_dir_all(&inbox).expect("a folder");
    std::fs::write(inbox.join("ae.csv"), b"STUDYID,USUBJID,AESEQ,AETERM\nS1,S1-1,1,Patient\x92s cough\n")
        .expect("a file");
    let text = String::from_utf8_lossy(b"STUDYID,USUBJID,AESEQ,AETERM\n").into_owned();
    assert!(study.deliver("sdtm", &[("ae.csv", &text)]).is_ok(), "a dataset without rows is no error");
    let datasets = formats::datasets(&inbox.join("ae.csv")).expect("the file is read");
    assert_eq!(datasets[0].encoding, "windows-1252");
}
