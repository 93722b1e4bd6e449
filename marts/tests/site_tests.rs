//! Site tests of a small study, of which one site is planted to be different.

use std::fmt::Write as _;

use serde_json::Value;

use crate::study::Study;

const SITES: u32 = 4;
const SUBJECTS: u32 = 6;

/// Four sites of six subjects with three visits. Weights are different everywhere; site 003 is heavier than all others.
fn study() -> Study {
    let mut dm = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,SEX,COUNTRY,RFSTDTC,RFPENDTC\n".to_owned();
    let mut vs = "STUDYID,USUBJID,VSSEQ,VSTESTCD,VSTEST,VSORRES,VSORRESU,VSSTRESC,VSSTRESN,VSSTRESU,VISITNUM,VISIT,VSDTC\n"
        .to_owned();
    for site in 1..=SITES {
        for number in 1..=SUBJECTS {
            let subject = format!("S1-{site:03}-{number:02}");
            writeln!(
                dm,
                "S1,{subject},{number},{site:03},A,F,USA,2023-01-{:02},2023-04-10",
                site + 4 * (number - 1) + 1
            )
            .expect("a text takes all");
            for visit in 1..=3 {
                let base = 600 + 10 * number + 3 * site + visit + if site == 3 { 200 } else { 0 };
                let weight = format!("{}.{}", base / 10, base % 10);
                writeln!(
                    vs,
                    "S1,{subject},{visit},WEIGHT,Weight,{weight},kg,{weight},{weight},kg,{visit},V{visit},2023-0{visit}-28"
                )
                .expect("a text takes all");
            }
        }
    }
    let mut study = Study::new();
    study.deliver("sdtm", &[("dm.csv", &dm), ("vs.csv", &vs)]);
    study.build();
    study
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().expect("the column holds a number")
}

#[test]
fn the_one_site_above_all_others_has_the_probability_of_that_choice() {
    let study = study();
    let rows = study.rows("mart_site_test");
    let mean = |site: &str| {
        rows.iter()
            .find(|row| row["site_id"] == site && row["method"] == "mean" && row["variable"] == "VS.WEIGHT")
            .expect("the mean was tested")
            .clone()
    };
    // By hand: of the C(24, 6) = 134,596 ways to choose six subjects one has the largest sum; twice that, two-sided.
    let found = mean("003");
    assert!((number(&found, "p_value") * 134_596.0 / 2.0 - 1.0).abs() < 1e-6, "{found}");
    assert_eq!((number(&found, "n_site"), number(&found, "n_rest")), (6.0, 18.0));
    assert!(number(&found, "effect") > 0.0 && number(&mean("001"), "effect") < 0.0);
    assert!(number(&found, "q_value") >= number(&found, "p_value"));
}

#[test]
fn what_cannot_be_judged_says_why() {
    let study = study();
    let rows = study.rows("mart_site_test");
    let pairs = rows.iter().find(|row| row["method"] == "lag_correlation").expect("it was tried");
    assert!(pairs["p_value"].is_null());
    assert!(pairs["not_judged"].as_str().is_some_and(|why| why.contains("subjects")), "{pairs}");
}

// Source: Liu and Xie 2020: T is the mean of tan((0.5 - p) pi), and p is 0.5 - atan(T) / pi.
#[test]
fn a_site_has_one_probability_of_all_its_tests() {
    let study = study();
    let cells = study.rows("mart_site_test_combined");
    let of_site = |all: bool| {
        cells
            .iter()
            .filter(|row| row["site_id"] == "003" && (row["test_id"] == "ALL") == all)
            .map(|row| number(row, "p_value"))
            .collect::<Vec<f64>>()
    };
    let parts = of_site(false);
    let tangent = |p: &f64| ((0.5 - p.min(0.99)) * std::f64::consts::PI).tan();
    let statistic =
        parts.iter().map(tangent).sum::<f64>() / f64::from(u32::try_from(parts.len()).expect("few"));
    let expected = (1.0 / statistic).atan() / std::f64::consts::PI;
    assert!((of_site(true)[0] / expected - 1.0).abs() < 1e-6, "{:?} is not {expected}", of_site(true));
    let site =
        cells.iter().find(|row| row["site_id"] == "003" && row["test_id"] == "ALL").expect("it is there");
    let least = cells.iter().filter(|row| row["test_id"] == "ALL").map(|row| number(row, "p_value"));
    assert!(
        (number(site, "p_value") - least.fold(1.0, f64::min)).abs() < 1e-15,
        "the planted site is the oddest"
    );
}

#[test]
fn a_subject_stands_with_its_values_in_brief() {
    let study = study();
    let rows = study.rows("mart_subject_variable");
    let row = rows.iter().find(|row| row["subject_id"] == "S1-001-01").expect("the subject is there");
    // 61.4, 61.5, 61.6: one of the three ends in 5.
    assert!((number(row, "mean") - 61.5).abs() < 1e-9, "{row}");
    assert!((number(row, "standard_deviation") - 0.1).abs() < 1e-9);
    assert_eq!((&row["n_values"], &row["n_ending_in_0_or_5"]), (&3.into(), &1.into()));
}
