//! A member that changed has several versions in the star and counts once in every mart.

use crate::study::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,002,A,2020-01-01,2020-03-31\nS1,S1-3,3,002,Scrnfail,,\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESTDTC\nS1,S1-1,1,COUGH,N,2020-02-01\nS1,S1-1,2,FEVER,Y,2099-02-01\n\
    S1,S1-2,1,RASH,N,2020-02-01\n";

// By hand: subject 1 moves to site 002, which then has 3 events in 2 times 91 days and 1 failure among 3 screened; site
// 001 has nobody. One event of subject 1 is from before the move, one from after it.
#[test]
fn a_subject_that_moved_counts_once_at_its_site_of_now() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", AE)]);
    study.deliver("sdtm", &[("dm.csv", &DM.replace("S1,S1-1,1,001", "S1,S1-1,1,002")), ("ae.csv", AE)]);
    study.build();
    let rows = study.rows("mart_kri");
    let find = |indicator: &str| -> Vec<String> {
        let of = rows.iter().filter(|row| row["indicator_id"] == indicator);
        of.map(|row| format!("{} {} {}", row["site_id"], row["numerator"], row["denominator"])).collect()
    };
    assert_eq!(find("kri0001"), [r#""002" 3.0 182.0"#]);
    assert_eq!(find("kri0012"), [r#""002" 1.0 3.0"#]);
}

// By hand: of 2 subjects due at the visit both have the value, whichever version of their site and test it belongs to.
#[test]
fn a_site_that_changed_has_one_cell_for_each_variable_and_visit() {
    let mut study = Study::new();
    let dm = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,INVID,RFSTDTC,RFENDTC\n\
        S1,S1-1,1,001,A,P1,2020-01-01,2020-03-31\nS1,S1-2,2,001,A,P1,2020-01-01,2020-03-31\n";
    let tv = "STUDYID,VISITNUM,VISIT,VISITDY\nS1,1,Baseline,1\n";
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,1,Baseline,2020-01-01\nS1,S1-2,1,Baseline,2099-01-01\n";
    let lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSTRESC,LBSTRESN,LBSTRESU,VISITNUM,LBDTC\n\
        S1,S1-1,1,ALT,10,10,U/L,1,2020-01-01\nS1,S1-2,1,ALT,1,1,ukat/L,1,2099-01-01\n";
    for investigator in ["P1", "P2"] {
        let dm = dm.replace("P1", investigator);
        study.deliver("sdtm", &[("dm.csv", &dm), ("tv.csv", tv), ("sv.csv", sv), ("lb.csv", lb)]);
    }
    study.build();
    let rows = study.rows("mart_missingness");
    let cells: Vec<String> = rows
        .iter()
        .map(|row| {
            format!("{} {} {} {}", row["site_id"], row["test_code"], row["n_expected"], row["n_observed"])
        })
        .collect();
    assert_eq!(cells, [r#""001" "ALT" 2 2"#]);
}
