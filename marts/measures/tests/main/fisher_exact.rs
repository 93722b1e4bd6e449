//! Each site against all others, against R's `fisher.test` as gsm.core 1.1.3 calls it.

use measures::{Against, Kind, exact, fisher_exact};
use serde::Deserialize;

use super::oracle::{assert_close, assert_within, rows};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scored {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    #[serde(rename = "Numerator_Other")]
    numerator_other: f64,
    denominator: f64,
    #[serde(rename = "Denominator_Other")]
    denominator_other: f64,
    #[serde(rename = "Prop_Other")]
    share_other: f64,
    metric: f64,
    estimate: f64,
    score: f64,
}

fn check_scores(file: &str, sites: usize) {
    let Some(theirs) = rows::<Scored>(file) else { return };
    assert_eq!(theirs.len(), sites);
    let numerators: Vec<f64> = theirs.iter().map(|site| site.numerator).collect();
    let denominators: Vec<f64> = theirs.iter().map(|site| site.denominator).collect();
    let ours = fisher_exact(&numerators, &denominators).expect("the sites are valid");
    let exact = exact(&numerators, &denominators, Kind::Binary, Against::Rest).expect("the sites are valid");
    for ((site, ours), exact) in theirs.iter().zip(&ours).zip(&exact) {
        assert_eq!(
            (ours.numerator_other, ours.denominator_other),
            (site.numerator_other, site.denominator_other)
        );
        assert_close(&site.group, ours.metric, site.metric);
        assert_close(&site.group, ours.metric_other.expect("there are other sites"), site.share_other);
        assert_close(&site.group, ours.p, site.score);
        assert_close(&site.group, exact.two_sided, site.score);
        // R looks for the odds ratio with a tolerance of 1.2e-4 on the odds or their inverse.
        let inverse = (1.0 / ours.odds_ratio - 1.0 / site.estimate).abs() < 2e-4;
        if !inverse {
            assert_within(&site.group, ours.odds_ratio, site.estimate, 2e-4);
        }
    }
}

#[test]
fn discontinuations_of_every_site_agree() {
    check_scores("gsm_method_fisher_kri0006.csv", 145);
}

#[test]
fn screen_failures_of_every_site_agree() {
    check_scores("gsm_method_fisher_kri0012.csv", 149);
}
