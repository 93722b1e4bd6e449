//! What the site tests are computed from: subjects with their sites, and what was measured on them.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use measures::site_test::Cohort;
use warehouse::engine::Engine;

use super::refused;
use crate::{Error, Result};

pub(crate) const SUBJECTS: &str = include_str!("subjects.sql");
pub(crate) const FINDINGS: &str = include_str!("findings.sql");
pub(crate) const VISITS: &str = include_str!("visits.sql");
pub(crate) const SAMPLES: &str = include_str!("samples.sql");
pub(crate) const KINDS: &str = include_str!("kinds.sql");
pub(crate) const MISSING: &str = concat!(
    include_str!("../missingness/of_due.sql"),
    include_str!("../missingness/names.sql"),
    include_str!("missing.sql")
);

/// More decimals than any instrument of a trial has.
const DECIMALS_MAX: u8 = 3;
/// A number of decimals counts as usual from this share of the values on: the last zero is often not written.
const USUAL: f64 = 0.2;

/// Everything that is tested.
pub(super) struct Input {
    /// The sites, in order; a group of the cohort is a place in it.
    pub(super) sites: Vec<String>,
    pub(super) cohort: Cohort,
    /// The country of each subject.
    pub(super) countries: Vec<String>,
    /// The group of each subject.
    pub(super) groups: Vec<usize>,
    /// The day on which each subject came, counted from 1970-01-01; NaN where it is not known.
    pub(super) joined: Vec<f64>,
    pub(super) series: Vec<Series>,
    pub(super) visits: Visits,
    /// Days on which samples were taken.
    pub(super) samples: Samples,
    pub(super) kinds: BTreeMap<String, Kinds>,
    pub(super) missing: BTreeMap<String, Missing>,
}

/// The values of one variable, by subject and in order of time.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// `VS.SYSBP`.
    pub(super) variable: String,
    pub(super) subjects: Vec<usize>,
    pub(super) days: Vec<f64>,
    pub(super) visits: Vec<f64>,
    pub(super) values: Vec<f64>,
    decimals: Vec<f64>,
}

/// Visits that took place, by subject and in order of time.
#[derive(Debug, Default)]
pub(super) struct Visits {
    pub(super) subjects: Vec<usize>,
    pub(super) positions: Vec<usize>,
    pub(super) days: Vec<f64>,
    /// Days from the planned day; NaN where none is planned.
    pub(super) days_from_plan: Vec<f64>,
}

impl Visits {
    /// The mean of each subject's days from the plan; NaN where it has none.
    pub(super) fn lateness(&self, subjects: usize) -> Vec<f64> {
        means(subjects, self.subjects.iter().zip(&self.days_from_plan))
    }
}

/// Days of something, by subject.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) subjects: Vec<usize>,
    pub(super) days: Vec<f64>,
}

/// Records of a kind.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    pub(super) subjects: Vec<usize>,
    pub(super) names: Vec<String>,
}

/// Values due, one mark each.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) subjects: Vec<usize>,
    pub(super) missing: Vec<bool>,
}

impl Series {
    /// The part of the variable before its code.
    pub(super) fn domain(&self) -> &str {
        self.variable.split('.').next().unwrap_or_default()
    }

    /// The mean of each subject's values; NaN where it has none.
    pub(super) fn means(&self, subjects: usize) -> Vec<f64> {
        means(subjects, self.subjects.iter().zip(&self.values))
    }

    /// One value per subject and visit, the first of several: readings of one sitting are no history.
    pub(super) fn by_visit(&self) -> (Vec<usize>, Vec<f64>) {
        let same = |left: usize, right: usize| {
            let equal = |a: f64, b: f64| a.total_cmp(&b).is_eq();
            self.subjects[left] == self.subjects[right]
                && equal(self.days[left], self.days[right])
                && equal(self.visits[left], self.visits[right])
        };
        let first = |place: &usize| *place == 0 || !same(*place - 1, *place);
        let places: Vec<usize> = (0..self.values.len()).filter(first).collect();
        (
            places.iter().map(|place| self.subjects[*place]).collect(),
            places.iter().map(|place| self.values[*place]).collect(),
        )
    }

    /// The decimals with which values are usually written.
    pub(super) fn usual_decimals(&self) -> u8 {
        let all = super::real(self.values.len());
        (1..=DECIMALS_MAX)
            .rev()
            .find(|decimals| {
                let least = f64::from(*decimals);
                super::real(self.decimals.iter().filter(|written| **written >= least).count()) >= USUAL * all
            })
            .unwrap_or_default()
    }
}

/// The mean of each subject's known values; NaN where it has none.
fn means<'a>(subjects: usize, values: impl Iterator<Item = (&'a usize, &'a f64)>) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); subjects];
    for (subject, value) in values.filter(|(_, value)| !value.is_nan()) {
        sums[*subject].0 += value;
        sums[*subject].1 += 1.0;
    }
    sums.into_iter().map(|(sum, n)| if n > 0.0 { sum / n } else { f64::NAN }).collect()
}

/// Reads everything.
///
/// # Errors
/// [`Error::Build`] when the engine refuses, and [`Error::Measure`] without subjects.
pub(super) fn read(engine: &Engine, mart: &str) -> Result<Option<Input>> {
    let asked = |step: &str, sql: &str| {
        engine.query(step, sql).map_err(|source| Error::Build { mart: mart.to_owned(), source })
    };
    let mut places: BTreeMap<i64, usize> = BTreeMap::new();
    let (mut sites, mut groups, mut countries, mut joined): (Vec<String>, Vec<usize>, Vec<String>, Vec<f64>) =
        Default::default();
    for batch in asked("read who is at which site", SUBJECTS)? {
        let days = optional_numbers(&batch, 3);
        for (row, day) in days.into_iter().enumerate() {
            let site = text(&batch, 1, row);
            if sites.last() != Some(&site) {
                sites.push(site);
            }
            places.insert(key(&batch, 0, row), groups.len());
            groups.push(sites.len() - 1);
            countries.push(text(&batch, 2, row));
            joined.push(day);
        }
    }
    if groups.is_empty() {
        return Ok(None);
    }
    let cohort = Cohort::new(&groups).map_err(refused(mart, "site"))?;
    let series = series(&asked("read what was measured", FINDINGS)?, &places);
    let visits = visits(&asked("read when visits took place", VISITS)?, &places);
    let samples = samples(&asked("read when samples were taken", SAMPLES)?, &places);
    let kinds = kinds(&asked("read kinds of records", KINDS)?, &places);
    let missing = missing(&asked("read what is missing", MISSING)?, &places);
    Ok(Some(Input { sites, cohort, countries, groups, joined, series, visits, samples, kinds, missing }))
}

fn series(batches: &[RecordBatch], places: &BTreeMap<i64, usize>) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for batch in batches {
        let [days, visits, values, decimals] = [2, 3, 4, 5].map(|place| optional_numbers(batch, place));
        for row in 0..batch.num_rows() {
            let Some(subject) = places.get(&key(batch, 1, row)) else { continue };
            let variable = batch.column(0).as_string::<i32>().value(row);
            if all.last().is_none_or(|last| last.variable != variable) {
                all.push(Series { variable: variable.to_owned(), ..Series::default() });
            }
            if let Some(last) = all.last_mut() {
                last.subjects.push(*subject);
                last.days.push(days[row]);
                last.visits.push(visits[row]);
                last.values.push(values[row]);
                last.decimals.push(decimals[row]);
            }
        }
    }
    all
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the order of a visit is small and not negative"
)]
fn visits(batches: &[RecordBatch], places: &BTreeMap<i64, usize>) -> Visits {
    let mut all = Visits::default();
    for batch in batches {
        let [positions, days, from_plan] = [1, 2, 3].map(|place| optional_numbers(batch, place));
        for row in 0..batch.num_rows() {
            let Some(subject) = places.get(&key(batch, 0, row)) else { continue };
            all.subjects.push(*subject);
            all.positions.push(positions[row].max(0.0) as usize);
            all.days.push(days[row]);
            all.days_from_plan.push(from_plan[row]);
        }
    }
    all
}

fn samples(batches: &[RecordBatch], places: &BTreeMap<i64, usize>) -> Samples {
    let mut all = Samples::default();
    for batch in batches {
        let days = optional_numbers(batch, 1);
        for (row, day) in days.into_iter().enumerate() {
            let Some(subject) = places.get(&key(batch, 0, row)) else { continue };
            all.subjects.push(*subject);
            all.days.push(day);
        }
    }
    all
}

fn kinds(batches: &[RecordBatch], places: &BTreeMap<i64, usize>) -> BTreeMap<String, Kinds> {
    let mut all: BTreeMap<String, Kinds> = BTreeMap::new();
    for batch in batches {
        let counts = optional_numbers(batch, 3);
        for (row, count) in counts.into_iter().enumerate() {
            let Some(subject) = places.get(&key(batch, 1, row)) else { continue };
            let kinds = all.entry(text(batch, 0, row)).or_default();
            for _ in 0..whole(count) {
                kinds.subjects.push(*subject);
                kinds.names.push(text(batch, 2, row));
            }
        }
    }
    all
}

fn missing(batches: &[RecordBatch], places: &BTreeMap<i64, usize>) -> BTreeMap<String, Missing> {
    let mut all: BTreeMap<String, Missing> = BTreeMap::new();
    for batch in batches {
        let [due, observed] = [2, 3].map(|place| optional_numbers(batch, place));
        for row in 0..batch.num_rows() {
            let Some(subject) = places.get(&key(batch, 1, row)) else { continue };
            let marks = all.entry(text(batch, 0, row)).or_default();
            for place in 0..whole(due[row]) {
                marks.subjects.push(*subject);
                marks.missing.push(place >= whole(observed[row]));
            }
        }
    }
    all
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows are whole and not negative"
)]
fn whole(count: f64) -> usize {
    count as usize
}

fn key(batch: &RecordBatch, column: usize, row: usize) -> i64 {
    batch.column(column).as_primitive::<Int64Type>().value(row)
}

fn text(batch: &RecordBatch, column: usize, row: usize) -> String {
    batch.column(column).as_string::<i32>().value(row).to_owned()
}

/// A column of numbers, NaN where there is none.
fn optional_numbers(batch: &RecordBatch, column: usize) -> Vec<f64> {
    let numbers = batch.column(column).as_primitive::<Float64Type>();
    (0..numbers.len()).map(|row| if numbers.is_valid(row) { numbers.value(row) } else { f64::NAN }).collect()
}
