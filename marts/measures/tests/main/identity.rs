//! Scores that are the number itself, against gsm.core 1.1.3 and gsm.kri 1.5.1.

use measures::{Accrual, Basis, FlagRule, identity};
use serde::Deserialize;

use super::oracle::{assert_close, rows};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Flagged {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    metric: f64,
    score: Option<f64>,
    flag: Option<i8>,
}

fn check_flags(file: &str, basis: Basis, rule: &FlagRule, groups: usize) {
    let Some(theirs) = rows::<Flagged>(file) else { return };
    assert_eq!(theirs.len(), groups);
    let numerators: Vec<f64> = theirs.iter().map(|group| group.numerator).collect();
    let denominators: Vec<f64> = theirs.iter().map(|group| group.denominator).collect();
    let ours = identity(&numerators, &denominators, basis).expect("the groups are valid");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_close(&theirs.group, ours.metric, theirs.metric);
        let judged = rule.judge(theirs.numerator, theirs.denominator, ours.score);
        assert_eq!(judged.flag, theirs.flag, "{}", theirs.group);
        assert_eq!(judged.score.is_some(), theirs.score.is_some(), "{}", theirs.group);
        if let (Some(ours), Some(score)) = (judged.score, theirs.score) {
            assert_close(&theirs.group, ours, score);
        }
    }
}

#[test]
fn a_share_of_samples_is_its_own_score() {
    let rule = FlagRule::new(&[0.85, 0.9], &[-2, -1, 0], Some(Accrual::Difference(3.0)));
    let rule = rule.expect("the rule is valid");
    check_flags("gsm_method_identity_kri0013.csv", Basis::Metric, &rule, 10);
}

#[test]
fn a_count_of_ineligible_subjects_is_its_own_score() {
    let rule = FlagRule::new(&[1.5, 2.5], &[0, 1, 2], Some(Accrual::Denominator(3.0)));
    let rule = rule.expect("the rule is valid");
    check_flags("gsm_ineligibility_0014_site.csv", Basis::Numerator, &rule, 49);
    check_flags("gsm_ineligibility_0014_country.csv", Basis::Numerator, &rule, 3);
}
