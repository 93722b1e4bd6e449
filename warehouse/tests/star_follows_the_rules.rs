//! Facts and dimensions of a study small enough to be worked out by hand.

use crate::delivered::Study;

const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n\
    S1,S1-1,1,001,A,2020-01-01,2020-03-31\nS1,S1-2,2,001,A,2020-01-01,2020-01-20\nS1,S1-3,3,002,Scrnfail,,\n";
const SCHEDULE: &str = "studyid,visit_num,foldername,planned_day,window_lower,window_upper\n\
    S1,1,Baseline,1,-3,3\nS1,2,Week 2,15,-3,3\nS1,3,Week 4,29,-3,3\n";
const SUBJ: &str = "studyid,invid,country,subjid,subject_nsv,enrollyn,firstdosedate,timeonstudy\n\
    S1,001,USA,1,1-X,Y,2020-01-01,90\nS1,001,USA,2,2-X,Y,2020-01-01,20\nS1,002,FRA,3,3-X,N,,\n";

// Rule R-05, by hand: planned day 15 is 2020-01-15; 2020-01-19 is 4 days late, 2020-01-11 4 days early, 2020-01-18
// inside. Rule R-06: subject 2 ended on 2020-01-21 and so owes week 2 (window closed on 2020-01-18) and not week 4.
#[test]
fn a_visit_is_early_late_inside_or_missed_by_its_window() {
    let mut study = Study::new();
    let visits = "studyid,subjid,foldername,visit_dt,visit_num\n\
        S1,1,Baseline,2020-01-01,1\nS1,1,Week 2,2020-01-19,2\nS1,1,Week 4,2020-01-26,3\nS1,2,Baseline,2019-12-28,1\n";
    study
        .deliver("edc", &[("subj.csv", SUBJ), ("schedule.csv", SCHEDULE), ("visit.csv", visits)])
        .expect("taken in");
    let mut rows =
        study.rows("fact_visit", &["visit_num", "occurred", "deviation_days", "window_status", "start_date"]);
    rows.sort();
    assert_eq!(
        rows,
        [
            "1.0000|true|-4|EARLY|2019-12-28",
            "1.0000|true|0|IN|2020-01-01",
            "2.0000|false|-|MISSED|-",
            "2.0000|true|4|LATE|2020-01-19",
            "3.0000|true|-3|IN|2020-01-26",
        ]
    );
}

#[test]
fn a_subject_that_only_an_event_names_is_inferred() {
    let mut study = Study::new();
    let ae = "STUDYID,USUBJID,AESEQ,AETERM\nS1,S1-1,1,COUGH\nS1,S1-9,1,PAIN\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("ae.csv", ae)]).expect("taken in");
    let subjects =
        study.rows("dim_subject", &["subject_id", "site_id", "status", "is_enrolled", "is_inferred"]);
    assert!(subjects.contains(&"S1-9|UNKNOWN|UNKNOWN|false|true".to_owned()), "{subjects:?}");
    assert!(subjects.contains(&"S1-3|002|SCREEN_FAILED|false|false".to_owned()), "{subjects:?}");
    assert_eq!(study.rows("fact_ae", &["term"]).len(), 2, "no event is lost");
}

// By hand: 2020-01-01 to 2020-03-31 are 91 days, both counted.
#[test]
fn days_on_study_count_both_ends() {
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", DM)]).expect("taken in");
    let mut days = study.rows("dim_subject", &["subject_id", "days_on_study"]);
    days.retain(|row| row.starts_with("S1-"));
    assert_eq!(days, ["S1-1|91", "S1-2|20", "S1-3|-"]);
}

#[test]
fn points_without_a_page_share_one_inferred_page() {
    let mut study = Study::new();
    let points = "subjectname,n_changes\n1-X,0\n1-X,2\n1-X,0\n2-X,1\n";
    study.deliver("edc", &[("subj.csv", SUBJ), ("datachg.csv", points)]).expect("taken in");
    let mut pages = study.rows("fact_form", &["is_inferred", "n_items", "n_items_changed", "n_changes"]);
    pages.sort();
    assert_eq!(pages, ["true|1|1|1", "true|3|1|2"]);
}

#[test]
fn a_visit_number_that_floating_point_spoiled_is_the_same_visit() {
    let mut study = Study::new();
    let sv = "STUDYID,USUBJID,VISITNUM,VISIT,SVSTDTC\nS1,S1-1,9.3,U,2020-01-05\nS1,S1-1,9.299999999999999,U,2020-01-06\n";
    study.deliver("sdtm", &[("dm.csv", DM), ("sv.csv", sv)]).expect("taken in");
    let mut visits = study.rows("fact_visit", &["visit_num", "visit_repeat"]);
    visits.sort();
    assert_eq!(visits, ["9.3000|0", "9.3000|1"]);
}
