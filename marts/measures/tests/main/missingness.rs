//! Every cell of a small study, counted from its rows. The answers were computed with pandas.

use std::collections::{BTreeMap, BTreeSet};

use measures::{Counts, missingness};
use serde::Deserialize;

use super::oracle::assert_close;

const ROWS: &str = include_str!("../data/g16_missingness_mart/visits_long.csv");
const EXPECTED: &str = include_str!("../data/g16_missingness_mart/expected.json");

#[derive(Deserialize)]
struct Row {
    subject: String,
    site: String,
    visit: u32,
    sbp: Option<f64>,
    hba1c: Option<f64>,
    crp: Option<f64>,
}

#[derive(Deserialize)]
struct Expected {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    site: String,
    visit: u32,
    variable: String,
    n_expected: u64,
    n_rows: u64,
    n_observed: u64,
    n_item_missing: u64,
    n_visit_missing: u64,
    pct_missing_of_rows: Option<f64>,
    pct_missing_of_expected: Option<f64>,
}

fn counts(rows: &[Row]) -> BTreeMap<(String, u32, &'static str), (u64, u64)> {
    let mut cells = BTreeMap::new();
    for row in rows {
        for (variable, value) in [("sbp", row.sbp), ("hba1c", row.hba1c), ("crp", row.crp)] {
            let cell: &mut (u64, u64) = cells.entry((row.site.clone(), row.visit, variable)).or_default();
            cell.0 += 1;
            cell.1 += u64::from(value.is_some());
        }
    }
    cells
}

#[test]
fn every_cell_of_the_sample_agrees() {
    let mut reader = csv::Reader::from_reader(ROWS.as_bytes());
    let rows: Vec<Row> = reader.deserialize().map(|row| row.expect("the row has its columns")).collect();
    let expected: Expected = serde_json::from_str(EXPECTED).expect("the answers parse");
    let mut subjects: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        subjects.entry(&row.site).or_default().insert(&row.subject);
    }
    let counts = counts(&rows);
    assert_eq!(expected.cells.len(), 72);
    for cell in &expected.cells {
        let variable = ["sbp", "hba1c", "crp"].into_iter().find(|name| *name == cell.variable);
        let key = (cell.site.clone(), cell.visit, variable.expect("the variable is known"));
        let (received, observed) = counts.get(&key).copied().unwrap_or_default();
        let due = subjects[cell.site.as_str()].len() as u64;
        let ours = missingness(Counts { expected: due, rows: received, observed }).expect("the counts agree");
        let name = format!("{key:?}");
        assert_eq!((due, received, observed), (cell.n_expected, cell.n_rows, cell.n_observed), "{name}");
        assert_eq!(
            (ours.item_missing, ours.visit_missing),
            (cell.n_item_missing, cell.n_visit_missing),
            "{name}"
        );
        check_share(&name, ours.of_rows, cell.pct_missing_of_rows);
        check_share(&name, ours.of_expected, cell.pct_missing_of_expected);
    }
}

#[track_caller]
fn check_share(name: &str, ours: Option<f64>, theirs: Option<f64>) {
    assert_eq!(ours.is_some(), theirs.is_some(), "{name}");
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        assert_close(name, ours, theirs);
    }
}
