//! Curves and tests of leaving the sample study against R survival 3.5-3, and of public data sets.

use std::collections::BTreeMap;

use measures::survival::{Band, cumulative_incidence, kaplan_meier, log_rank, survival_quantile};
use serde::Deserialize;

use super::oracle::{assert_close, json, rows, rows_of};

#[derive(Deserialize)]
struct Subject {
    country: String,
    timeonstudy: f64,
    event: u8,
    reason: String,
}

#[derive(Deserialize)]
struct Step {
    strata: String,
    conf_type: String,
    time: f64,
    n_risk: u64,
    n_event: u64,
    n_censor: u64,
    surv: f64,
    std_err: f64,
    lower: Option<f64>,
    upper: Option<f64>,
}

const COUNTRIES: [&str; 3] = ["Japan", "UK", "US"];

#[test]
fn curves_of_the_sample_study_agree() {
    let (Some(subjects), Some(steps)) =
        (rows::<Subject>("km_dropout_input.csv"), rows::<Step>("km_dropout_expected.csv"))
    else {
        return;
    };
    let mut curves: BTreeMap<(String, String), Vec<Step>> = BTreeMap::new();
    for step in steps {
        curves.entry((step.strata.clone(), step.conf_type.clone())).or_default().push(step);
    }
    assert_eq!(curves.len(), 6, "three bands of all and one of each country");
    for ((stratum, scale), theirs) in &curves {
        let within: Vec<&Subject> =
            subjects.iter().filter(|subject| stratum == "All" || subject.country == *stratum).collect();
        let times: Vec<f64> = within.iter().map(|subject| subject.timeonstudy).collect();
        let events: Vec<bool> = within.iter().map(|subject| subject.event == 1).collect();
        let band = match scale.as_str() {
            "plain" => Band::Plain,
            "log" => Band::Log,
            _ => Band::LogLog,
        };
        let ours = kaplan_meier(&times, &events, band, 0.95).expect("the times are valid");
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            let counts = (ours.at_risk, ours.events, ours.censored);
            assert_eq!(counts, (theirs.n_risk, theirs.n_event, theirs.n_censor), "{stratum} {}", theirs.time);
            assert_close("time", ours.time, theirs.time);
            assert_close("survival", ours.survival, theirs.surv);
            assert_close("error", ours.log_standard_error.expect("somebody remains"), theirs.std_err);
            assert_eq!(ours.limits.is_some(), theirs.lower.is_some(), "{stratum} {scale} {}", theirs.time);
            if let (Some((lower, upper)), Some(low), Some(high)) = (ours.limits, theirs.lower, theirs.upper) {
                assert_close("lower", lower, low);
                assert_close("upper", upper, high);
            }
        }
    }
}

#[derive(Deserialize)]
struct Group {
    n: u64,
    obs: u64,
    exp: f64,
    chisq: f64,
    df: usize,
    p: f64,
}

#[test]
fn the_log_rank_test_of_countries_agrees() {
    let (Some(subjects), Some(theirs)) =
        (rows::<Subject>("km_dropout_input.csv"), rows::<Group>("km_dropout_logrank.csv"))
    else {
        return;
    };
    let times: Vec<f64> = subjects.iter().map(|subject| subject.timeonstudy).collect();
    let events: Vec<bool> = subjects.iter().map(|subject| subject.event == 1).collect();
    let place = |subject: &Subject| COUNTRIES.iter().position(|country| *country == subject.country);
    let groups: Vec<usize> =
        subjects.iter().map(|subject| place(subject).expect("the country is one of three")).collect();
    let ours = log_rank(&times, &events, &groups).expect("the times are valid");
    for (ours, theirs) in ours.groups.iter().zip(&theirs) {
        assert_eq!((ours.subjects, ours.observed), (theirs.n, theirs.obs));
        assert_close("expected", ours.expected, theirs.exp);
    }
    assert_eq!(ours.degrees_of_freedom, theirs[0].df);
    assert_close("chi-square", ours.chi_square.expect("the groups differ"), theirs[0].chisq);
    assert_close("p", ours.p_value.expect("the groups differ"), theirs[0].p);
}

#[derive(Deserialize)]
struct Incidence {
    time: f64,
    n_risk: u64,
    #[serde(rename = "(s0)")]
    remaining: f64,
    #[serde(rename = "Death")]
    death: f64,
    #[serde(rename = "Lost to Follow-Up")]
    lost: f64,
    #[serde(rename = "Withdrew Consent")]
    withdrawn: f64,
}

#[test]
fn leaving_by_reason_agrees() {
    let (Some(subjects), Some(theirs)) =
        (rows::<Subject>("km_dropout_input.csv"), rows::<Incidence>("cif_dropout_by_reason_expected.csv"))
    else {
        return;
    };
    const REASONS: [&str; 4] = ["censored", "Death", "Lost to Follow-Up", "Withdrew Consent"];
    let times: Vec<f64> = subjects.iter().map(|subject| subject.timeonstudy).collect();
    let place = |subject: &Subject| REASONS.iter().position(|reason| *reason == subject.reason);
    let causes: Vec<usize> =
        subjects.iter().map(|subject| place(subject).expect("the reason is one of three")).collect();
    let ours = cumulative_incidence(&times, &causes).expect("the times are valid");
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.at_risk, theirs.n_risk);
        assert_close("time", ours.time, theirs.time);
        assert_close("remaining", ours.remaining, theirs.remaining);
        for (ours, theirs) in ours.incidence.iter().zip([theirs.death, theirs.lost, theirs.withdrawn]) {
            assert_close("incidence", *ours, theirs);
        }
    }
}

#[derive(Deserialize)]
struct Timed {
    time: f64,
    cause: usize,
    incidence_1: f64,
    incidence_2: f64,
    error_1: f64,
    error_2: f64,
}

/// Answers of statsmodels 0.15.0, `CumIncidenceRight`; `tests/golden/README.md` has the command.
#[test]
fn errors_of_incidences_agree() {
    let mut reader = csv::Reader::from_reader(include_str!("../golden/cumulative_incidence.csv").as_bytes());
    let rows: Vec<Timed> = reader.deserialize().map(|row| row.expect("the row has its columns")).collect();
    let times: Vec<f64> = rows.iter().map(|row| row.time).collect();
    let causes: Vec<usize> = rows.iter().map(|row| row.cause).collect();
    let ours = cumulative_incidence(&times, &causes).expect("the times are valid");
    let mut compared = 0;
    for row in &rows {
        let step = ours.iter().find(|step| step.time == row.time).expect("every time has a step");
        assert_close("incidence 1", step.incidence[0], row.incidence_1);
        assert_close("incidence 2", step.incidence[1], row.incidence_2);
        assert_close("error 1", step.standard_error[0], row.error_1);
        assert_close("error 2", step.standard_error[1], row.error_2);
        compared += 1;
    }
    assert_eq!(compared, 60);
}

#[derive(Deserialize)]
struct DataSet {
    dataset: String,
    groups: BTreeMap<String, Curve>,
    tests: Tests,
}

#[derive(Deserialize)]
struct Tests {
    logrank: Test,
}

#[derive(Deserialize)]
struct Test {
    chi2: f64,
    df: usize,
}

#[derive(Deserialize)]
struct Curve {
    t: Vec<f64>,
    surv: Vec<f64>,
    se: Vec<f64>,
    quantiles: Quantiles,
}

#[derive(Deserialize)]
struct Quantiles {
    p: Vec<f64>,
    t: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Observed {
    time: f64,
    event: f64,
    group: String,
}

#[test]
fn public_data_sets_agree() {
    let Some(sets) = json::<Vec<DataSet>>("design/km_R.json") else { return };
    for set in &sets {
        let path = format!("design/datasets/{}.csv", set.dataset);
        let subjects = rows_of::<Observed>(&path).expect("the data set is there");
        for (group, curve) in &set.groups {
            let within: Vec<&Observed> =
                subjects.iter().filter(|subject| group == "ALL" || subject.group == *group).collect();
            check_curve(&format!("{} {group}", set.dataset), &within, curve);
        }
        check_log_rank(&set.dataset, &subjects, &set.tests.logrank);
    }
    assert_eq!(sets.len(), 9);
}

fn check_curve(name: &str, subjects: &[&Observed], theirs: &Curve) {
    let times: Vec<f64> = subjects.iter().map(|subject| subject.time).collect();
    let events: Vec<bool> = subjects.iter().map(|subject| subject.event > 0.0).collect();
    let ours = kaplan_meier(&times, &events, Band::LogLog, 0.95).expect("the times are valid");
    for (index, time) in theirs.t.iter().enumerate() {
        let step = ours.iter().rev().find(|step| step.time <= *time).expect("the time is in the curve");
        assert_close(name, step.survival, theirs.surv[index]);
        if let Some(error) = step.log_standard_error {
            assert_close(name, step.survival * error, theirs.se[index]);
        }
    }
    for (share, theirs) in theirs.quantiles.p.iter().zip(&theirs.quantiles.t) {
        assert_eq!(survival_quantile(&ours, *share), *theirs, "{name} {share}");
    }
}

fn check_log_rank(name: &str, subjects: &[Observed], theirs: &Test) {
    let mut names: Vec<&str> = subjects.iter().map(|subject| subject.group.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let times: Vec<f64> = subjects.iter().map(|subject| subject.time).collect();
    let events: Vec<bool> = subjects.iter().map(|subject| subject.event > 0.0).collect();
    let place = |subject: &Observed| names.iter().position(|name| *name == subject.group);
    let groups: Vec<usize> = subjects.iter().map(|s| place(s).expect("the group is named")).collect();
    let ours = log_rank(&times, &events, &groups).expect("the times are valid");
    assert_eq!(ours.degrees_of_freedom, theirs.df, "{name}");
    assert_close(name, ours.chi_square.expect("the groups differ"), theirs.chi2);
}
