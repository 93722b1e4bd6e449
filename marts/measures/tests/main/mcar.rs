//! Little's test against R (norm, naniar) and a second implementation of its EM; patterns and flux against R mice;
//! associations against scipy.

use std::collections::BTreeMap;

use measures::mcar::{flux, little_test, missing_association, missing_patterns, normal_em};
use serde::Deserialize;

use super::oracle::{assert_close, json, rows_of};

type Row = Vec<Option<f64>>;

/// The columns of one table, gaps as NaN.
fn columns(file: &str) -> Option<Vec<Vec<f64>>> {
    let rows: Vec<Row> = rows_of(&format!("evidence/g06_little_mcar/{file}"))?;
    let width = rows.first().map_or(0, Vec::len);
    Some((0..width).map(|k| rows.iter().map(|row| row[k].unwrap_or(f64::NAN)).collect()).collect())
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

#[derive(Deserialize)]
struct Little {
    tolerance: Tolerance,
    files: BTreeMap<String, Answer>,
}

#[derive(Deserialize)]
struct Tolerance {
    statistic_rel: f64,
    p_rel: f64,
}

#[derive(Deserialize)]
struct Answer {
    converged_rank_adjusted: Converged,
    #[serde(rename = "R_norm")]
    norm: BTreeMap<String, Estimate>,
}

#[derive(Deserialize)]
struct Converged {
    statistic: f64,
    df: usize,
    p: f64,
    patterns: usize,
}

#[derive(Deserialize)]
struct Estimate {
    mu: Option<Vec<f64>>,
    sigma: Option<Vec<Vec<f64>>>,
}

#[test]
fn littles_test_agrees() {
    let Some(oracle) = json::<Little>("evidence/g06_little_mcar/expected.json") else { return };
    for (file, answer) in &oracle.files {
        let columns = columns(file).expect("the table is there");
        let ours = little_test(&slices(&columns)).expect("the table is valid");
        let theirs = &answer.converged_rank_adjusted;
        assert_eq!((ours.degrees_of_freedom, ours.patterns), (theirs.df, theirs.patterns), "{file}");
        let apart = (ours.statistic / theirs.statistic - 1.0).abs();
        assert!(apart <= oracle.tolerance.statistic_rel, "{file}: {} {}", ours.statistic, theirs.statistic);
        let p_value = ours.p_value.expect("there are gaps");
        let p_apart = (p_value / theirs.p - 1.0).abs();
        assert!(p_apart <= oracle.tolerance.p_rel, "{file}: p {p_value} {}", theirs.p);
        println!("{file}: statistic {apart:.1e}, p {p_apart:.1e}, {} steps", ours.iterations);
        check_estimate(file, &columns, answer.norm.get("naniar_equiv_crit1e-4"));
    }
    assert_eq!(oracle.files.len(), 7);
}

/// The estimate of R's norm stops at changes of 1e-4, so it agrees to about that.
fn check_estimate(file: &str, columns: &[Vec<f64>], theirs: Option<&Estimate>) {
    let Some(Estimate { mu: Some(mean), sigma: Some(covariance) }) = theirs else { return };
    let ours = normal_em(&slices(columns)).expect("the table is valid");
    let deviation = |k: usize| ours.covariance[k * mean.len() + k].sqrt();
    for (k, theirs) in mean.iter().enumerate() {
        assert!((ours.mean[k] - theirs).abs() < 3e-4 * deviation(k), "{file}: mean {k}");
        for (j, theirs) in covariance[k].iter().enumerate() {
            let apart = (ours.covariance[k * mean.len() + j] - theirs).abs();
            assert!(apart < 1e-3 * deviation(k) * deviation(j), "{file}: covariance {k} {j}: {apart}");
        }
    }
}

#[derive(Deserialize)]
struct Patterns {
    patterns: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
struct Table {
    columns: Vec<String>,
    counts: Vec<String>,
    rows: Vec<Vec<u64>>,
    flux: Vec<TheirFlux>,
}

#[derive(Deserialize)]
struct TheirFlux {
    #[serde(rename = "_row")]
    name: String,
    pobs: f64,
    influx: f64,
    outflux: f64,
}

#[test]
fn patterns_and_flux_agree() {
    let Some(oracle) = json::<Patterns>("evidence/g07_patterns/expected.json") else { return };
    for (file, table) in &oracle.patterns {
        let columns = columns(file).expect("the table is there");
        let ours = missing_patterns(&slices(&columns)).expect("the table is valid");
        assert_eq!(ours.len(), table.counts.len(), "{file}");
        // Their columns are in order of missingness.
        let place = |name: &String| {
            table.flux.iter().position(|flux| flux.name == *name).expect("the column is named")
        };
        let places: Vec<usize> = table.columns.iter().map(place).collect();
        for pattern in &ours {
            let mask: Vec<u64> = places.iter().map(|column| u64::from(pattern.observed[*column])).collect();
            let row =
                table.rows.iter().position(|row| row[..mask.len()] == mask).expect("the pattern is known");
            assert_eq!(table.counts[row].parse(), Ok(pattern.rows), "{file}");
        }
        for (ours, theirs) in flux(&ours).iter().zip(&table.flux) {
            assert_close("observed", ours.observed, theirs.pobs);
            assert_close("influx", ours.influx.expect("there are values"), theirs.influx);
            assert_close("outflux", ours.outflux.expect("there are gaps"), theirs.outflux);
        }
    }
    assert!(oracle.patterns.len() >= 4);
}

#[derive(Deserialize)]
struct Visit {
    sbp: Option<f64>,
    hba1c: Option<f64>,
    crp: Option<f64>,
}

#[derive(Deserialize)]
struct Missingness {
    patterns: Vec<PatternOfThree>,
    welch_t_by_missingness: Vec<Welch>,
}

#[derive(Deserialize)]
struct PatternOfThree {
    sbp: bool,
    hba1c: bool,
    crp: bool,
    n: u64,
}

#[derive(Deserialize)]
struct Welch {
    variable: String,
    pairs: BTreeMap<String, WelchTest>,
}

#[derive(Deserialize)]
struct WelchTest {
    t: f64,
    df: f64,
    p: f64,
}

/// The visits of a small study; answers computed with pandas and scipy.
#[test]
fn associations_and_patterns_of_the_sample_agree() {
    let mut reader =
        csv::Reader::from_reader(include_str!("../data/g16_missingness_mart/visits_long.csv").as_bytes());
    let visits: Vec<Visit> = reader.deserialize().map(|row| row.expect("the row has its columns")).collect();
    let oracle: Missingness =
        serde_json::from_str(include_str!("../data/g16_missingness_mart/expected.json")).expect("it parses");
    let column = |value: fn(&Visit) -> Option<f64>| -> Vec<f64> {
        visits.iter().map(|visit| value(visit).unwrap_or(f64::NAN)).collect()
    };
    let columns = [column(|v| v.sbp), column(|v| v.hba1c), column(|v| v.crp)];
    let ours = missing_patterns(&slices(&columns)).expect("the table is valid");
    assert_eq!(ours.len(), oracle.patterns.len());
    for theirs in &oracle.patterns {
        let observed = [!theirs.sbp, !theirs.hba1c, !theirs.crp];
        let pattern = ours.iter().find(|pattern| pattern.observed == observed).expect("the pattern is there");
        assert_eq!(pattern.rows, theirs.n);
    }
    const NAMES: [&str; 3] = ["sbp", "hba1c", "crp"];
    let found = missing_association(&slices(&columns)).expect("the table is valid");
    assert_eq!(found.len(), 6);
    for association in found {
        let theirs =
            oracle.welch_t_by_missingness.iter().find(|of| of.variable == NAMES[association.missing]);
        let theirs = &theirs.expect("the variable has gaps").pairs[NAMES[association.compared]];
        let ours = association.comparison.expect("both sides have values");
        assert_close("t", ours.t.abs(), theirs.t.abs());
        assert_close("degrees", ours.degrees_of_freedom, theirs.df);
        assert_close("p", ours.p_value, theirs.p);
    }
}
