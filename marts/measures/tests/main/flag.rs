//! Flags at and around every threshold, with the three ways of asking for enough data.

use measures::{Accrual, FlagRule};
use serde::Deserialize;

use super::oracle::rows;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EdgeCase {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    score: Option<f64>,
    flag: Option<i8>,
    case: String,
}

#[track_caller]
fn check_case(case: &str, thresholds: &[f64], flags: &[i8], accrual: Option<Accrual>) {
    let Some(all) = rows::<EdgeCase>("gsm_flag_edgecases.csv") else { return };
    let rule = FlagRule::new(thresholds, flags, accrual).expect("the rule is valid");
    // The score before the accrual rule stands in the default case; group `l` has an infinite one.
    let score_of = |group: &str| {
        let plain = all.iter().find(|row| row.case == "default" && row.group == group);
        plain.and_then(|row| row.score).unwrap_or(f64::INFINITY)
    };
    let cases: Vec<&EdgeCase> = all.iter().filter(|row| row.case == case).collect();
    assert_eq!(cases.len(), 12, "{case}");
    for row in cases {
        let judged = rule.judge(row.numerator, row.denominator, score_of(&row.group));
        assert_eq!((judged.score, judged.flag), (row.score, row.flag), "{case} {}", row.group);
    }
}

#[test]
fn flags_agree_at_the_edges_without_an_accrual_rule() {
    check_case("default", &[-3.0, -2.0, 2.0, 3.0], &[-2, -1, 0, 1, 2], None);
}

#[test]
fn flags_agree_at_the_edges_with_an_accrual_on_the_denominator() {
    let accrual = Accrual::Denominator(30.0);
    check_case("accrual_den30", &[-3.0, -2.0, 2.0, 3.0], &[-2, -1, 0, 1, 2], Some(accrual));
}

#[test]
fn flags_agree_at_the_edges_with_an_accrual_on_the_numerator() {
    check_case("onesided_num3", &[2.0, 3.0], &[0, 1, 2], Some(Accrual::Numerator(3.0)));
}

#[test]
fn flags_agree_at_the_edges_with_an_accrual_on_the_difference() {
    check_case("ae_diff3", &[-2.0, -1.0, 2.0, 3.0], &[-2, -1, 0, 1, 2], Some(Accrual::Difference(3.0)));
}
