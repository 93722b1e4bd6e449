//! Central statistical monitoring: is each site like the others? Fourteen kinds of tests (C1 to C14) of every variable at
//! every site against the rest, and one probability of many for each site.
//!
//! Sites differ a little by themselves. What the other sites differ among themselves by a test of a variable is taken off
//! before a site is called unlike them ([`beside_others`]); the probability that would hold if sites did not differ at
//! all stands beside.
//!
//! Probabilities are combined by Cauchy's transformation, which holds under any dependence, and adjusted by Benjamini and
//! Hochberg's procedure for how many were looked at; an average of the smallest logarithms is not offered.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::site_test::{Alternative, Beside, Outcome, Seen, SiteTest, beside_others};
use measures::{MeasureError, benjamini_hochberg, cauchy_combination};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, some_texts, table, texts};
use crate::{Definitions, Error, Result};

mod battery;
mod facts;
mod input;
mod weekend;

pub use battery::LEAST_SUBJECTS;
pub use facts::{Facts, TESTS, facts};
pub(crate) use input::{FINDINGS, KINDS, MISSING, SAMPLES, SUBJECTS, VARIABLES, VISITS};

pub(crate) const MART: &str = "mart_site_test";
pub(crate) const COMBINED_MART: &str = "mart_site_test_combined";

/// The test that stands for all of a site.
pub const ALL: &str = "ALL";
/// What stands behind a domain where its variables are tested together.
pub(crate) const ALL_OF_DOMAIN: &str = ": together";

/// One test of one variable at one site.
#[derive(Debug)]
pub(crate) struct Row {
    test: &'static str,
    method: &'static str,
    site: String,
    variable: String,
    outcome: std::result::Result<(Outcome, Beside), String>,
    q: Option<f64>,
}

impl Row {
    /// One row for each site, with the probabilities beside those of the other sites.
    fn of_sites(
        (test, method): (&'static str, &'static str),
        variable: &str,
        answers: Vec<(String, SiteTest)>,
    ) -> std::result::Result<Vec<Self>, MeasureError> {
        let judged: Vec<std::result::Result<Outcome, String>> =
            answers.iter().map(|(_, answer)| judged(*answer)).collect();
        let seen: Vec<Option<Seen>> =
            judged.iter().map(|outcome| outcome.as_ref().ok().map(Seen::from)).collect();
        let alternative = facts(method).map_or(Alternative::TwoSided, |facts| facts.alternative);
        let beside = beside_others(&seen, alternative)?;
        let rows = answers.into_iter().zip(judged).zip(beside).map(|(((site, _), outcome), beside)| Self {
            test,
            method,
            site,
            variable: variable.to_owned(),
            outcome: outcome.and_then(|outcome| {
                beside.map(|beside| (outcome, beside)).ok_or_else(|| "there is no probability".to_owned())
            }),
            q: None,
        });
        Ok(rows.collect())
    }

    fn p(&self) -> Option<f64> {
        self.number(|(_, beside)| beside.p_value)
    }

    fn number(&self, of: impl Fn(&(Outcome, Beside)) -> f64) -> Option<f64> {
        self.outcome.as_ref().ok().map(of).filter(|number| number.is_finite())
    }
}

/// An answer as it enters, or why not.
fn judged(answer: SiteTest) -> std::result::Result<Outcome, String> {
    match answer {
        Ok(found) if found.group_size < LEAST_SUBJECTS => Err(format!(
            "the group has {} subjects with data, and {LEAST_SUBJECTS} are asked for",
            found.group_size
        )),
        Ok(found) => Ok(found),
        Err(why) => Err(why.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "subjects and records are fewer than 2^53")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

fn refused(mart: &str, indicator: &str) -> impl Fn(MeasureError) -> Error {
    move |source| Error::Measure { mart: mart.to_owned(), indicator: indicator.to_owned(), source }
}

/// `mart_site_test`: every test of every variable at every site.
///
/// # Errors
/// [`Error::Measure`] with the test whose values cannot be used.
pub fn by_variable(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let mut rows = match input::read(engine, MART)? {
        Some(input) => battery::run(engine, &input, MART)?,
        None => Vec::new(),
    };
    let probabilities: Vec<f64> = rows.iter().map(|row| row.p().unwrap_or(f64::NAN)).collect();
    for (row, adjusted) in rows.iter_mut().zip(benjamini_hochberg(&probabilities)) {
        row.q = row.outcome.is_ok().then_some(adjusted);
    }
    rows.sort_by(|left, right| {
        let key = |row: &Row| (row.site.clone(), facts::place(row.test), row.method, row.variable.clone());
        key(left).cmp(&key(right))
    });
    let columns = vec![
        texts("site_id", &rows, |row| &row.site),
        texts("test_id", &rows, |row| row.test),
        texts("method", &rows, |row| row.method),
        texts("variable", &rows, |row| &row.variable),
        some_numbers("p_value", &rows, Row::p),
        some_numbers("q_value", &rows, |row| row.q),
        some_numbers("p_alike", &rows, |row| row.number(|(found, _)| found.p_value)),
        some_numbers("between_sites", &rows, |row| row.number(|(_, beside)| beside.between)),
        some_numbers("effect", &rows, |row| row.number(|(found, _)| found.effect)),
        some_numbers("n_site", &rows, |row| row.number(|(found, _)| real(found.group_size))),
        some_numbers("n_rest", &rows, |row| row.number(|(found, _)| real(found.rest_size))),
        some_texts("not_judged", &rows, |row| row.outcome.as_ref().err().map(String::as_str)),
    ];
    table(MART, columns)
}

pub(crate) const JUDGED: &str = "SELECT site_id, test_id, method, variable, p_value, effect
    FROM mart_site_test WHERE p_value IS NOT NULL
    ORDER BY site_id, test_id, method, variable";

/// One test of a site over all its variables, or all tests of a site.
#[derive(Debug, Clone, Default)]
struct Cell {
    site: String,
    test: String,
    probabilities: Vec<f64>,
    strongest: Option<(f64, String, String, f64)>,
    p: f64,
    q: f64,
}

/// `mart_site_test_combined`: one probability for each site and test, and one for each site.
///
/// # Errors
/// [`Error::Measure`] when probabilities cannot be combined.
pub fn combined(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: COMBINED_MART.to_owned(), source };
    let mut cells: BTreeMap<(String, usize), Cell> = BTreeMap::new();
    for batch in engine.query("read the site tests", JUDGED).map_err(failed)? {
        for row in 0..batch.num_rows() {
            let text = |column: usize| batch.column(column).as_string::<i32>().value(row).to_owned();
            let number = |column: usize| {
                let numbers = batch.column(column).as_primitive::<Float64Type>();
                if numbers.is_valid(row) { numbers.value(row) } else { f64::NAN }
            };
            let test = text(1);
            let cell = cells.entry((text(0), facts::place(&test))).or_insert_with(|| Cell {
                site: text(0),
                test,
                ..Cell::default()
            });
            let p = number(4);
            cell.probabilities.push(p);
            if cell.strongest.as_ref().is_none_or(|strongest| p < strongest.0) {
                cell.strongest = Some((p, text(2), text(3), number(5)));
            }
        }
    }
    let mut cells: Vec<Cell> = cells.into_values().collect();
    combine(&mut cells)?;
    let mut sites: BTreeMap<String, Cell> = BTreeMap::new();
    for cell in &cells {
        let site = sites.entry(cell.site.clone()).or_insert_with(|| Cell {
            site: cell.site.clone(),
            test: ALL.to_owned(),
            ..Cell::default()
        });
        site.probabilities.push(cell.p);
        if site.strongest.as_ref().is_none_or(|strongest| cell.p < strongest.0) {
            site.strongest =
                cell.strongest.clone().map(|strongest| (cell.p, strongest.1, strongest.2, strongest.3));
        }
    }
    let mut sites: Vec<Cell> = sites.into_values().collect();
    combine(&mut sites)?;
    cells.extend(sites);
    cells.sort_by(|left, right| {
        (&left.site, facts::place(&left.test)).cmp(&(&right.site, facts::place(&right.test)))
    });
    into_batch(&cells)
}

/// Combines the probabilities of each cell, and adjusts the cells for their number.
fn combine(cells: &mut [Cell]) -> Result<()> {
    for cell in cells.iter_mut() {
        cell.p = cauchy_combination(&cell.probabilities).map_err(refused(COMBINED_MART, &cell.test))?;
    }
    let all: Vec<f64> = cells.iter().map(|cell| cell.p).collect();
    for (cell, adjusted) in cells.iter_mut().zip(benjamini_hochberg(&all)) {
        cell.q = adjusted;
    }
    Ok(())
}

fn into_batch(cells: &[Cell]) -> Result<RecordBatch> {
    let columns = vec![
        texts("site_id", cells, |cell| &cell.site),
        texts("test_id", cells, |cell| &cell.test),
        numbers("n_tests", cells, |cell| real(cell.probabilities.len())),
        numbers("p_value", cells, |cell| cell.p),
        numbers("q_value", cells, |cell| cell.q),
        some_texts("strongest_method", cells, |cell| cell.strongest.as_ref().map(|found| found.1.as_str())),
        some_texts("strongest_variable", cells, |cell| cell.strongest.as_ref().map(|found| found.2.as_str())),
        some_numbers("strongest_effect", cells, |cell| {
            cell.strongest.as_ref().map(|found| found.3).filter(|effect| effect.is_finite())
        }),
    ];
    table(COMBINED_MART, columns)
}
