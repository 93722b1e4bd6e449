//! Tolerance limits against gsm.qtl, R's distributions, rbqmR and adaptive quadrature.

use std::collections::BTreeMap;

use measures::Kind;
use measures::tolerance::critical_count::critical_count;
use measures::tolerance::deviation::deviation;
use measures::tolerance::hierarchical::hierarchical;
use measures::tolerance::observed_minus_expected::Course;
use measures::tolerance::posterior::Prior;
use measures::tolerance::predictive::Forecast;
use measures::tolerance::{Levels, Method, Reading, Rule, Snapshot, Verdict};
use serde::Deserialize;

use super::oracle::{assert_close, assert_within, rows};

fn levels(secondary: f64, limit: f64) -> Levels {
    Levels::new(secondary, limit).expect("the limits are valid")
}

fn read(method: Method, events: f64, units: f64) -> Reading {
    let rule = Rule::new(Kind::Binary, method, 0.0).expect("the rule is valid");
    rule.readings(&[Snapshot { events, units }]).expect("the snapshot is valid")[0]
}

fn flag(verdict: Verdict) -> i8 {
    match verdict {
        Verdict::TooFew | Verdict::Within => 0,
        Verdict::Secondary => 1,
        Verdict::Breach => 2,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneSided {
    #[serde(rename = "GroupID")]
    group: String,
    #[serde(rename = "MetricID", default)]
    metric_id: String,
    numerator: f64,
    denominator: f64,
    metric: f64,
    flag: i8,
    score: f64,
    #[serde(rename = "nPropRate")]
    expected: Option<f64>,
    #[serde(rename = "nNumDeviations")]
    deviations: Option<f64>,
}

fn check_one_sided(row: &OneSided, expected: f64, deviations: f64) {
    let score = deviation(Kind::Binary, expected, row.numerator, row.denominator).expect("the row is valid");
    assert_close(&row.group, score, row.score);
    let method = Method::Deviations { expected, levels: levels(0.0, deviations) };
    let ours = read(method, row.numerator, row.denominator);
    assert_close(&row.group, ours.statistic.expect("there are units"), row.metric);
    assert_eq!(flag(ours.verdict), row.flag, "{} at {expected}", row.group);
}

#[test]
fn scores_and_flags_of_a_share_above_its_expectation_agree() {
    let Some(all) = rows::<OneSided>("gsm_qtl_onesideprop.csv") else { return };
    assert_eq!(all.len(), 24);
    for row in &all {
        let (expected, deviations) = (row.expected.expect("a rate"), row.deviations.expect("a number"));
        check_one_sided(row, expected, deviations);
    }
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "MetricID")]
    metric_id: String,
    #[serde(rename = "nPropRate")]
    expected: f64,
    #[serde(rename = "nNumDeviations")]
    deviations: f64,
}

#[test]
fn two_limits_over_six_snapshots_agree() {
    let (Some(all), Some(parameters)) =
        (rows::<OneSided>("gsm_qtl_example_results.csv"), rows::<Parameters>("gsm_qtl_example_metrics.csv"))
    else {
        return;
    };
    assert_eq!(all.len(), 12);
    for row in &all {
        let of_metric = parameters.iter().find(|metric| metric.metric_id == row.metric_id);
        let Parameters { expected, deviations, .. } = of_metric.expect("the metric is known");
        check_one_sided(row, *expected, *deviations);
    }
}

#[derive(Deserialize)]
struct CriticalCounts {
    n: f64,
    p0: f64,
    crit_warn_975: f64,
    crit_action_99865: f64,
    normal3_limit: f64,
}

#[test]
fn critical_counts_agree() {
    let Some(all) = rows::<CriticalCounts>("qtl_exact_binomial_limits.csv") else { return };
    assert_eq!(all.len(), 45);
    for row in &all {
        let name = format!("{} at {}", row.n, row.p0);
        let critical = |mass| critical_count(Kind::Binary, row.p0, row.n, mass).expect("the row is valid");
        assert_eq!(
            (critical(0.975), critical(0.99865)),
            (row.crit_warn_975, row.crit_action_99865),
            "{name}"
        );
        let method = Method::Exact { expected: row.p0, levels: levels(0.975, 0.99865) };
        assert_eq!(read(method, row.crit_warn_975, row.n).verdict, Verdict::Secondary, "{name}");
        assert_eq!(read(method, row.crit_warn_975 - 1.0, row.n).verdict, Verdict::Within, "{name}");
        assert_eq!(read(method, row.crit_action_99865, row.n).verdict, Verdict::Breach, "{name}");
        let normal = Method::Deviations { expected: row.p0, levels: levels(0.0, 3.0) };
        assert_close(&name, read(normal, 0.0, row.n).limit.expect("there are units"), row.normal3_limit);
    }
}

#[derive(Deserialize)]
struct BetaBinomial {
    x: f64,
    n: f64,
    qtl: f64,
    a: f64,
    b: f64,
    post_prob_gt_qtl: f64,
    post_mean: f64,
    ci_lo: f64,
    ci_hi: f64,
    #[serde(rename = "N")]
    planned: f64,
    pred_prob_breach: f64,
}

#[test]
fn posteriors_and_forecasts_agree() {
    let Some(all) = rows::<BetaBinomial>("qtl_beta_binomial.csv") else { return };
    assert_eq!(all.len(), 258);
    for row in &all {
        let name = format!("{} of {} at {} with {}, {}", row.x, row.n, row.qtl, row.a, row.b);
        let prior = Prior { a: row.a, b: row.b };
        let posterior = prior.posterior(row.x, row.n).expect("the row is valid");
        assert_close(&name, posterior.above(row.qtl), row.post_prob_gt_qtl);
        assert_close(&name, posterior.mean(), row.post_mean);
        assert_close(&name, posterior.quantile(0.025), row.ci_lo);
        assert_close(&name, posterior.quantile(0.975), row.ci_hi);
        let forecast = Forecast { prior, tolerated: row.qtl, planned_units: row.planned };
        let breach = forecast.probability(row.x, row.n).expect("the row is valid");
        assert_close(&name, breach, row.pred_prob_breach);
        if (1e-300..1e-3).contains(&row.pred_prob_breach) {
            assert_within(&name, breach / row.pred_prob_breach, 1.0, 1e-9);
        }
        if (1e-300..1e-3).contains(&row.post_prob_gt_qtl) {
            assert_within(&name, posterior.above(row.qtl) / row.post_prob_gt_qtl, 1.0, 1e-9);
        }
        let method = Method::Posterior { prior, tolerated: row.qtl, levels: levels(0.5, 0.8) };
        assert_eq!(flag(read(method, row.x, row.n).verdict) == 2, row.post_prob_gt_qtl >= 0.8, "{name}");
    }
}

#[test]
fn the_excess_of_every_subject_agrees() {
    let Some(all) = rows::<BTreeMap<String, String>>("qtl_observed_minus_expected.csv") else { return };
    assert_eq!(all.len(), 400);
    let course = Course { expected: 0.1, permitted: 0.15, planned_units: 400.0, warning: 0.99 };
    let mut first_warning = None;
    for row in &all {
        let number = |column: &str| -> f64 { row[column].parse().expect("the column holds numbers") };
        let subject = number("Subject");
        let ours =
            course.excess(Kind::Binary, number("CumulativeEvents"), subject).expect("the row is valid");
        assert_close("excess", ours.excess, number("ObservedMinusExpected"));
        assert_close("lower warning limit", ours.warning.0, number("LowerWarningLimit"));
        assert_close("upper warning limit", ours.warning.1, number("UpperWarningLimit"));
        assert_close("upper action limit", ours.action, number("UpperActionLimit"));
        let status = if ours.verdict == Verdict::Secondary { "WARN" } else { "OK" };
        assert_eq!(status, row["Status"], "subject {subject}");
        let as_rule = read(Method::ObservedMinusExpected(course), number("CumulativeEvents"), subject);
        assert_eq!((as_rule.statistic, as_rule.verdict), (Some(ours.excess), ours.verdict));
        if ours.verdict == Verdict::Secondary {
            first_warning = first_warning.or(Some(subject));
        }
    }
    assert_eq!(first_warning, Some(62.0), "as the README of rbqmR prints");
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Site {
    subjects: f64,
    events: f64,
    observed_response: f64,
}

#[test]
fn groups_that_differ_are_drawn_together() {
    let Some(sites) = rows::<Site>("rbqmR_berrySummary.csv") else { return };
    let events: Vec<f64> = sites.iter().map(|site| site.events).collect();
    let subjects: Vec<f64> = sites.iter().map(|site| site.subjects).collect();
    let ours = hierarchical(&events, &subjects, 0.7, 10.0).expect("the sites are valid");
    for (site, ours) in sites.iter().zip(&ours.groups) {
        assert_close("share", ours.metric, site.observed_response);
    }
    // rbqmR's README prints 0.68033 from its sampler; the rest is scipy 1.17, adaptive quadrature over share and size.
    assert_within("sampled mean", ours.mean, 0.68033, 1e-3);
    assert_close("mean", ours.mean, 0.680_580_258_937_256_6);
    assert_close("above", ours.above, 0.392_554_340_072_075_6);
    assert_close("further group", ours.further_above, 0.496_037_557_976_480_7);
    assert_close("first site", ours.groups[0].mean, 0.906_289_979_316_630_7);
    assert_close("second site", ours.groups[1].mean, 0.525_628_763_005_032_8);
    assert_close("second site", ours.groups[1].above, 0.071_268_159_666_137_8);
}
