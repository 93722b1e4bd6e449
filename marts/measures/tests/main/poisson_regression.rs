//! The count method of the reference as it is coded and as it is documented, against R's `glm`.

use measures::{Exposure, PoissonRegression, poisson_bounds, poisson_regression};
use serde::Deserialize;

use super::oracle::{assert_close, assert_within, rows};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scored {
    #[serde(rename = "GroupID")]
    group: String,
    numerator: f64,
    denominator: f64,
    metric: f64,
    score: f64,
    predicted_count: f64,
}

#[derive(Deserialize)]
struct Coefficients {
    model: String,
    intercept: f64,
    slope_logden: f64,
    deviance: f64,
}

fn fit(sites: &[Scored], exposure: Exposure) -> PoissonRegression {
    let numerators: Vec<f64> = sites.iter().map(|site| site.numerator).collect();
    let denominators: Vec<f64> = sites.iter().map(|site| site.denominator).collect();
    poisson_regression(&numerators, &denominators, exposure).expect("the sites are valid")
}

fn check_model(file: &str, model: &str, exposure: Exposure) {
    let (Some(sites), Some(coefficients)) =
        (rows::<Scored>(file), rows::<Coefficients>("gsm_method_poisson_coef.csv"))
    else {
        return;
    };
    let ours = fit(&sites, exposure);
    let theirs = coefficients.iter().find(|row| row.model == model).expect("the model is there");
    assert_close("intercept", ours.intercept, theirs.intercept);
    assert_close("slope", ours.slope, theirs.slope_logden);
    assert_close("deviance", ours.deviance, theirs.deviance);
    assert_eq!(sites.len(), 145);
    for (site, ours) in sites.iter().zip(&ours.groups) {
        assert_close(&site.group, ours.metric, site.metric);
        assert_close(&site.group, ours.predicted, site.predicted_count);
        assert_close(&site.group, ours.score, site.score);
    }
}

#[test]
fn the_model_as_coded_agrees() {
    check_model("gsm_method_poisson.csv", "gsm_as_coded", Exposure::Covariate);
}

#[test]
fn the_model_with_an_offset_agrees() {
    check_model("method_poisson_true_offset.csv", "true_offset", Exposure::Offset);
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OracleBound {
    threshold: f64,
    log_denominator: f64,
    denominator: f64,
    numerator: f64,
}

#[test]
fn bounds_of_the_model_agree() {
    let (Some(sites), Some(theirs)) =
        (rows::<Scored>("gsm_method_poisson.csv"), rows::<OracleBound>("gsm_method_poisson_bounds.csv"))
    else {
        return;
    };
    let denominators: Vec<f64> = sites.iter().map(|site| site.denominator).collect();
    let fit = fit(&sites, Exposure::Covariate);
    let ours = poisson_bounds(&fit, &denominators, &[-7.0, -5.0, 5.0, 7.0]).expect("the exposures are valid");
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_close("threshold", ours.threshold, theirs.threshold);
        assert_close("denominator", ours.denominator, theirs.denominator);
        assert_close("log denominator", ours.denominator.ln(), theirs.log_denominator);
        // Lambert's W loses half of the digits where a curve touches zero or the expected count.
        assert_within("numerator", ours.numerator, theirs.numerator, 1e-7);
    }
}
