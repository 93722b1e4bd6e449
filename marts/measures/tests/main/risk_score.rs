//! The composite against gsm.kri 1.5.1 on the sample study.

use std::collections::{BTreeMap, BTreeSet};

use measures::{Weights, risk_score};
use serde::Deserialize;

use super::oracle::{assert_close, rows};

#[derive(Deserialize)]
struct Weight {
    #[serde(rename = "MetricID")]
    metric: String,
    #[serde(rename = "Flag")]
    flag: i8,
    #[serde(rename = "Weight")]
    weight: f64,
}

#[derive(Deserialize)]
struct Flagged {
    #[serde(rename = "MetricID")]
    metric: String,
    #[serde(rename = "GroupID")]
    group: String,
    #[serde(rename = "Flag")]
    flag: Option<i8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Composite {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    score: f64,
}

#[test]
fn the_risk_score_of_every_site_agrees() {
    let (Some(weights), Some(flags), Some(theirs)) = (
        rows::<Weight>("gsm_riskscore_weights.csv"),
        rows::<Flagged>("gsm_analysis_flagged.csv"),
        rows::<Composite>("gsm_riskscore.csv"),
    ) else {
        return;
    };
    let mut by_metric: BTreeMap<&str, Vec<(i8, f64)>> = BTreeMap::new();
    for row in &weights {
        by_metric.entry(&row.metric).or_default().push((row.flag, row.weight));
    }
    let weights_of: BTreeMap<&str, Weights> = by_metric
        .iter()
        .map(|(metric, by_flag)| (*metric, Weights::new(by_flag).expect("the weights are valid")))
        .collect();
    let mut present = BTreeSet::new();
    let mut by_site: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in &flags {
        let Some(weights) = weights_of.get(row.metric.as_str()) else { continue };
        if let Some(weight) = row.flag.and_then(|flag| weights.of(flag)) {
            present.insert(row.metric.as_str());
            by_site.entry(&row.group).or_default().push(weight);
        }
    }
    let largest: Vec<f64> = present.iter().map(|metric| weights_of[metric].largest()).collect();
    assert_eq!(theirs.len(), by_site.len());
    for site in &theirs {
        let ours = risk_score(&by_site[site.group.as_str()], &largest).expect("the weights are valid");
        let ours = ours.expect("the site has a flag");
        assert_close(&site.group, ours.weight, site.numerator);
        assert_close(&site.group, ours.weight_largest, site.denominator);
        assert_close(&site.group, ours.score, site.score);
    }
}
