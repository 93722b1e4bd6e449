//! The reference method against gsm.core 1.1.3 on its own sample study.

use std::collections::BTreeMap;

use measures::{Accrual, FlagRule, Kind, NormalApproximation, bounds, normal_approximation};
use serde::Deserialize;

use super::oracle::{assert_close, rows};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scored {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    metric: f64,
    overall_metric: f64,
    factor: f64,
    score: f64,
}

fn fit(numerators: &[f64], denominators: &[f64], kind: Kind) -> NormalApproximation {
    normal_approximation(numerators, denominators, kind).expect("the groups of the sample are valid")
}

fn check_scores(file: &str, kind: Kind) {
    let Some(sites) = rows::<Scored>(file) else { return };
    let numerators: Vec<f64> = sites.iter().map(|site| site.numerator).collect();
    let denominators: Vec<f64> = sites.iter().map(|site| site.denominator).collect();
    let ours = fit(&numerators, &denominators, kind);
    assert_eq!(sites.len(), 145);
    for (site, score) in sites.iter().zip(&ours.groups) {
        assert_close(&site.group, ours.overall, site.overall_metric);
        assert_close(&site.group, ours.factor, site.factor);
        assert_close(&site.group, score.metric, site.metric);
        assert_close(&site.group, score.score, site.score);
    }
}

#[test]
fn scores_of_a_rate_agree() {
    check_scores("gsm_method_normal_rate.csv", Kind::Rate);
}

#[test]
fn scores_of_a_share_agree() {
    check_scores("gsm_method_normal_binary_kri0006.csv", Kind::Binary);
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OracleBound {
    threshold: f64,
    denominator: f64,
    log_denominator: f64,
    numerator: f64,
    metric: f64,
}

fn check_bounds(scores: &str, limits: &str, kind: Kind, thresholds: &[f64]) {
    let (Some(sites), Some(theirs)) = (rows::<Scored>(scores), rows::<OracleBound>(limits)) else { return };
    let numerators: Vec<f64> = sites.iter().map(|site| site.numerator).collect();
    let denominators: Vec<f64> = sites.iter().map(|site| site.denominator).collect();
    let ours = fit(&numerators, &denominators, kind);
    let ours = bounds(&ours, &denominators, thresholds).expect("the exposures are valid");
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_close("threshold", ours.threshold, theirs.threshold);
        assert_close("denominator", ours.denominator, theirs.denominator);
        assert_close("log denominator", ours.denominator.ln(), theirs.log_denominator);
        assert_close("numerator", ours.numerator, theirs.numerator);
        assert_close("metric", ours.metric, theirs.metric);
    }
}

#[test]
fn bounds_of_a_rate_agree() {
    let thresholds = [-3.0, -2.0, 2.0, 3.0];
    check_bounds("gsm_method_normal_rate.csv", "gsm_method_normal_rate_bounds.csv", Kind::Rate, &thresholds);
}

#[test]
fn bounds_of_a_share_agree() {
    let scores = "gsm_method_normal_binary_kri0006.csv";
    check_bounds(scores, "gsm_method_normal_binary_bounds_kri0006.csv", Kind::Binary, &[2.0, 3.0]);
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Flagged {
    #[serde(rename = "MetricID")]
    metric_id: String,
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    factor: Option<f64>,
    score: Option<f64>,
    flag: Option<i8>,
}

/// The method and the rule of one indicator, by its number; none for those of another method.
fn indicator(number: &str) -> Option<(Kind, FlagRule)> {
    const BOTH: [i8; 5] = [-2, -1, 0, 1, 2];
    const HIGH: [i8; 3] = [0, 1, 2];
    let (kind, thresholds, flags, accrual): (_, &[f64], &[i8], _) = match number {
        "0001" | "0002" => (Kind::Rate, &[-2.0, -1.0, 2.0, 3.0], &BOTH, Accrual::Denominator(30.0)),
        "0003" | "0004" => (Kind::Rate, &[-3.0, -2.0, 2.0, 3.0], &BOTH, Accrual::Denominator(30.0)),
        "0005" => (Kind::Binary, &[2.0, 3.0], &HIGH, Accrual::Numerator(10.0)),
        "0006" | "0007" => (Kind::Binary, &[2.0, 3.0], &HIGH, Accrual::Numerator(3.0)),
        "0008" => (Kind::Rate, &[2.0, 3.0], &HIGH, Accrual::Numerator(30.0)),
        "0009" | "0010" => (Kind::Binary, &[2.0, 3.0], &HIGH, Accrual::Numerator(30.0)),
        "0011" => (Kind::Binary, &[2.0, 3.0], &HIGH, Accrual::Numerator(100.0)),
        "0012" => (Kind::Binary, &[-3.0, -2.0, 2.0, 3.0], &BOTH, Accrual::Denominator(3.0)),
        _ => return None,
    };
    Some((kind, FlagRule::new(thresholds, flags, Some(accrual)).expect("the rule is valid")))
}

#[test]
fn every_indicator_of_the_sample_study_gets_the_same_flags() {
    let Some(all) = rows::<Flagged>("gsm_analysis_flagged.csv") else { return };
    let mut by_metric: BTreeMap<String, Vec<Flagged>> = BTreeMap::new();
    for row in all {
        by_metric.entry(row.metric_id.clone()).or_default().push(row);
    }
    let mut compared = 0;
    for (metric_id, groups) in &by_metric {
        let number = &metric_id[metric_id.len() - 4..];
        let Some((kind, rule)) = indicator(number) else { continue };
        let numerators: Vec<f64> = groups.iter().map(|group| group.numerator).collect();
        let denominators: Vec<f64> = groups.iter().map(|group| group.denominator).collect();
        let ours = fit(&numerators, &denominators, kind);
        for (theirs, score) in groups.iter().zip(&ours.groups) {
            let name = format!("{metric_id} {}", theirs.group);
            assert_close(&name, ours.factor, theirs.factor.expect("the method has a factor"));
            let judged = rule.judge(theirs.numerator, theirs.denominator, score.score);
            assert_eq!(judged.flag, theirs.flag, "{name}");
            assert_eq!(judged.score.is_some(), theirs.score.is_some(), "{name}");
            if let (Some(ours), Some(theirs)) = (judged.score, theirs.score) {
                assert_close(&name, ours, theirs);
            }
            compared += 1;
        }
    }
    println!("compared {compared} groups of {} metrics", by_metric.len());
    assert_eq!(compared, 1720, "1,733 rows less the 13 of the identity method");
}

#[derive(Deserialize)]
struct ReportedBound {
    #[serde(rename = "MetricID")]
    metric_id: String,
    #[serde(rename = "Threshold")]
    threshold: f64,
    #[serde(rename = "Denominator")]
    denominator: f64,
    #[serde(rename = "Numerator")]
    numerator: f64,
    #[serde(rename = "Metric")]
    metric: f64,
}

#[test]
fn bounds_as_they_are_reported_agree() {
    let (Some(groups), Some(theirs)) =
        (rows::<Flagged>("gsm_analysis_flagged.csv"), rows::<ReportedBound>("gsm_reporting_bounds_run.csv"))
    else {
        return;
    };
    let mut by_metric: BTreeMap<&str, Vec<&ReportedBound>> = BTreeMap::new();
    for row in &theirs {
        by_metric.entry(&row.metric_id).or_default().push(row);
    }
    assert_eq!((by_metric.len(), theirs.len()), (5, 4861));
    for (metric_id, theirs) in by_metric {
        let (kind, rule) = indicator(&metric_id[metric_id.len() - 4..]).expect("the indicator is known");
        let of_metric: Vec<&Flagged> = groups.iter().filter(|group| group.metric_id == metric_id).collect();
        let numerators: Vec<f64> = of_metric.iter().map(|group| group.numerator).collect();
        let denominators: Vec<f64> = of_metric.iter().map(|group| group.denominator).collect();
        let ours = fit(&numerators, &denominators, kind);
        let ours = bounds(&ours, &denominators, rule.thresholds()).expect("the exposures are valid");
        assert_eq!(ours.len(), theirs.len(), "{metric_id}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_close(metric_id, ours.threshold, theirs.threshold);
            assert_close(metric_id, ours.denominator, theirs.denominator);
            assert_close(metric_id, ours.numerator, theirs.numerator);
            assert_close(metric_id, ours.metric, theirs.metric);
        }
    }
}
