//! Enrolment, retention by group and safety of a small study, counted by hand.

use std::fmt::Write as _;

use serde_json::Value;

use crate::study::Study;

/// 25 subjects of two sites from the first of January on, of whom the first left after 10 days and the second after 20; the
/// others completed after 100. Two failed screening. Four events; liver tests of three subjects.
fn study() -> Study {
    let mut dm = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,ARM,SEX,COUNTRY,RFSTDTC,RFPENDTC\n".to_owned();
    let mut ds = "STUDYID,USUBJID,DSSEQ,DSCAT,DSTERM,DSDECOD,DSSTDTC\n".to_owned();
    let written = |text: &mut String, line: String| writeln!(text, "{line}").expect("a text takes all");
    for subject in 1..=27 {
        let site = 1 + subject % 2;
        let id = format!("S1-{subject:02}");
        if subject > 25 {
            written(&mut dm, format!("S1,{id},{subject},{site:03},SCRNFAIL,Screen Failure,F,USA,,"));
            let why = if subject == 26 { "Inclusion criteria not met" } else { "Withdrew" };
            written(&mut ds, format!("S1,{id},1,DISPOSITION EVENT,{why},SCREEN FAILURE,2023-01-01"));
            continue;
        }
        let (end, why) = match subject {
            1 => ("2023-01-10", "LOST TO FOLLOW-UP"),
            2 => ("2023-01-20", "ADVERSE EVENT"),
            _ => ("2023-04-10", "COMPLETED"),
        };
        written(&mut dm, format!("S1,{id},{subject},{site:03},A,Active,F,USA,2023-01-01,{end}"));
        written(&mut ds, format!("S1,{id},1,DISPOSITION EVENT,{why},{why},{end}"));
    }
    let ae = "STUDYID,USUBJID,AESEQ,AETERM,AEDECOD,AEBODSYS,AESER,AETOXGR,AESTDTC\n\
        S1,S1-01,1,Head ache,HEADACHE,Nervous system disorders,N,1,2023-01-02\n\
        S1,S1-01,2,Head ache,HEADACHE,Nervous system disorders,N,2,2023-01-05\n\
        S1,S1-02,1,Migraine,HEADACHE,Nervous system disorders,Y,3,2023-01-03\n\
        S1,S1-03,1,Rash,RASH,Skin and subcutaneous tissue disorders,N,1,2023-02-03\n";
    let mut lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBSTRESC,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBNRIND,LBBLFL,VISITNUM,LBDTC\n"
        .to_owned();
    // Both high within ten days; both high, but sixty days apart; neither.
    let results = [
        ("01", "ALT", 20, "2023-01-01"),
        ("01", "ALT", 130, "2023-01-05"),
        ("01", "BILI", 50, "2023-01-08"),
        ("01", "ALP", 60, "2023-01-06"),
        ("03", "ALT", 130, "2023-01-10"),
        ("03", "BILI", 50, "2023-03-11"),
        ("04", "ALT", 40, "2023-01-10"),
        ("04", "BILI", 10, "2023-01-10"),
    ];
    for (row, (subject, test, value, day)) in results.into_iter().enumerate() {
        let (high, baseline) =
            (if test == "BILI" { 20 } else { 40 }, if day == "2023-01-01" { "Y" } else { "" });
        let state = if value > high { "HIGH" } else { "NORMAL" };
        written(
            &mut lb,
            format!(
                "S1,S1-{subject},{},{test},{test},{value},{value},{value},U/L,1,{high},{state},{baseline},1,{day}",
                row + 1
            ),
        );
    }
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", &dm), ("ds.csv", &ds), ("ae.csv", ae), ("lb.csv", &lb)]);
    study.build();
    study
}

fn find<'a>(rows: &'a [Value], key: &[(&str, &str)]) -> &'a Value {
    rows.iter().find(|row| key.iter().all(|(name, value)| row[name] == *value)).expect("there is such a row")
}

#[track_caller]
fn close(row: &Value, name: &str, expected: f64) {
    let found = row[name].as_f64().expect("the column holds a number");
    assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{name}: {found} is not {expected}");
}

// Limits by bisection of the binomial and Poisson sums in another language.
#[test]
fn events_have_exact_limits_at_each_level() {
    let rows = study().rows("mart_ae_level");
    let any = find(&rows, &[("arm", "ALL"), ("level", "ANY")]);
    close(any, "n_events", 4.0);
    close(any, "n_subjects", 3.0);
    close(any, "share_of_subjects", 3.0 / 25.0);
    close(any, "share_lower", 0.025_465_396_647_733);
    close(any, "share_upper", 0.312_190_307_286_235);
    let days = 23.0 * 100.0 + 10.0 + 20.0;
    close(any, "exposure_days", days);
    close(any, "events_per_100_patient_years", 4.0 * 36_525.0 / days);
    close(any, "rate_lower", 1.089_865_4 * 36_525.0 / days);
    close(any, "rate_upper", 10.241_588_7 * 36_525.0 / days);
    let nerves = find(&rows, &[("arm", "ALL"), ("level", "SOC"), ("soc", "Nervous system disorders")]);
    close(nerves, "n_events", 3.0);
    close(nerves, "n_subjects", 2.0);
    // The source has no levels between body system and preferred term, and says nothing of blinding.
    assert!(rows.iter().all(|row| row["level"] != "HLT" && row["level"] != "HLGT" && row["arm"] == "ALL"));
}

#[test]
fn grave_events_stand_apart() {
    let rows = study().rows("mart_ae_grade");
    assert_eq!(find(&rows, &[("grade", "3")])["n_serious"], 1);
    assert_eq!((&find(&rows, &[("grade", "1")])["n_events"], rows.len()), (&2.into(), 3));
}

#[test]
fn hys_law_asks_for_both_results_within_thirty_days() {
    let study = study();
    let rows = study.rows("mart_liver");
    let first = find(&rows, &[("subject_id", "S1-01")]);
    assert_eq!((&first["hys_law"], &first["cholestasis"]), (&"Y".into(), &"ruled out".into()));
    close(first, "transaminase_x_uln", 3.25);
    // From the fifth to the eighth of January.
    close(first, "hys_law_day", 3.0);
    assert_eq!(find(&rows, &[("subject_id", "S1-03")])["hys_law"], "N");
    let shifts = study.rows("mart_lab_shift");
    let moved = [("test_code", "ALT"), ("scale", "range"), ("baseline", "NORMAL"), ("worst", "HIGH")];
    assert_eq!(find(&shifts, &moved)["n_subjects"], 1);
}

#[test]
fn sites_and_stages_are_counted() {
    let study = study();
    let sites = study.rows("mart_site_enrolment");
    let site = find(&sites, &[("site_id", "002")]);
    assert_eq!((&site["n_screened"], &site["n_enrolled"]), (&14.into(), &13.into()));
    let stages = study.rows("mart_enrolment_funnel");
    let stage = |name: &str| find(&stages, &[("stage", name)])["n"].clone();
    assert_eq!(
        (stage("screened"), stage("failed screening"), stage("enrolled")),
        (27.into(), 2.into(), 25.into())
    );
    assert_eq!((stage("completed"), stage("left early")), (23.into(), 2.into()));
    let reasons = study.rows("mart_screen_failure");
    assert_eq!(find(&reasons, &[("reason", "Withdrew")])["n_subjects"], 1);
    let progress = study.rows("mart_enrolment_forecast");
    assert!(progress.iter().all(|row| row["kind"] == "actual"), "nothing says how many are planned");
    close(progress.last().expect("there is a day"), "n_enrolled", 25.0);
}

// By hand: subject 1 of site 002 left on day 10, 2 of site 001 on day 20. On day 10 thirteen of 25 at risk are of site
// 002, on day 20 twelve of 24: expected 13/25 + 12/24 there. The variance is 13 * 12 / 25^2 + 12 * 12 / 24^2.
#[test]
fn groups_are_compared_by_the_log_rank_test() {
    let rows = study().rows("mart_retention_group");
    let site = find(&rows, &[("level", "site"), ("group_id", "002")]);
    let expected = 13.0 / 25.0 + 12.0 / 24.0;
    close(site, "n_expected", expected);
    close(site, "chi_square", (1.0 - expected).powi(2) / (13.0 * 12.0 / 625.0 + 0.25));
    close(site, "on_study_day_90", 12.0 / 13.0);
    assert!(site["on_study_day_180"].is_null(), "nobody was followed so long");
    assert!(rows.iter().all(|row| row["level"] != "arm"), "the study may be blinded");
}
