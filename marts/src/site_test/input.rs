//! What the site tests are computed from: subjects with their sites, and what was measured on them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use measures::site_test::Cohort;
use warehouse::engine::Engine;

use super::refused;
use crate::by_key::{ByKey, keys_of};
use crate::{Error, Result};

pub(crate) const SUBJECTS: &str = include_str!("subjects.sql");
pub(crate) const FINDINGS: &str = include_str!("findings.sql");
pub(crate) const VISITS: &str = include_str!("visits.sql");
pub(crate) const SAMPLES: &str = include_str!("samples.sql");
pub(crate) const KINDS: &str = include_str!("kinds.sql");
pub(crate) const VARIABLES: &str = include_str!("variables.sql");
pub(crate) const MISSING: &str = include_str!("missing.sql");

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
    let variables = Variables::of(&asked("read the variables", VARIABLES)?);
    let each = |step: &str, sql: &str, take: &mut dyn FnMut(&RecordBatch)| {
        engine.each(step, sql, take).map_err(|source| Error::Build { mart: mart.to_owned(), source })
    };
    let mut found: Vec<Vec<Finding>> = vec![Vec::new(); variables.names.len()];
    each("read what was measured", FINDINGS, &mut |batch| note_findings(batch, &variables, &mut found))?;
    let numbers: ByKey = places.iter().map(|(key, place)| (*key, *place)).collect();
    let series = series(&variables.names, found, &numbers);
    let visits = visits(&asked("read when visits took place", VISITS)?, &places);
    let samples = samples(&asked("read when samples were taken", SAMPLES)?, &places);
    let kinds = kinds(&asked("read kinds of records", KINDS)?, &places);
    let mut marks = Marks::new(&variables, groups.len());
    each("read what is missing", MISSING, &mut |batch| marks.note(batch, &numbers))?;
    let missing = marks.missing(&places);
    Ok(Some(Input { sites, cohort, countries, groups, joined, series, visits, samples, kinds, missing }))
}

/// Variables by name, and the place of each version among them.
#[derive(Debug, Default)]
struct Variables {
    names: Vec<String>,
    versions: ByKey,
    keys: ByKey,
}

impl Variables {
    fn of(batches: &[RecordBatch]) -> Self {
        let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        let rows: Vec<(i64, i64, String)> =
            rows.map(|(batch, row)| (key(batch, 0, row), key(batch, 1, row), text(batch, 2, row))).collect();
        let mut names: Vec<String> = rows.iter().map(|(.., name)| name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let mut variables = Self { names, ..Self::default() };
        for (version, durable, name) in rows {
            let place = variables.names.binary_search(&name).unwrap_or_default();
            variables.versions.insert(version, place);
            variables.keys.insert(durable, place);
        }
        variables
    }
}

/// One value as it is read.
#[derive(Debug, Clone, Copy)]
struct Finding {
    subject: i64,
    day: f64,
    visit: f64,
    value: f64,
    decimals: f64,
}

impl Finding {
    /// By subject, then in order of time; what has no time comes first.
    fn before_or_beside(&self, other: &Self) -> Ordering {
        let known = |number: f64| if number.is_nan() { f64::NEG_INFINITY } else { number };
        let by = |one: f64, two: f64| known(one).total_cmp(&known(two));
        let subject = self.subject.cmp(&other.subject);
        subject
            .then(by(self.day, other.day))
            .then(by(self.visit, other.visit))
            .then(by(self.value, other.value))
    }
}

fn note_findings(batch: &RecordBatch, variables: &Variables, found: &mut [Vec<Finding>]) {
    let [subjects, versions] = [0, 1].map(|column| keys_of(batch, column));
    let [days, visits, values, decimals] = [2, 3, 4, 5].map(|column| optional_numbers(batch, column));
    for row in 0..batch.num_rows() {
        let Some(variable) = variables.versions.get(&versions[row]) else { continue };
        found[*variable].push(Finding {
            subject: subjects[row],
            day: days[row],
            visit: visits[row],
            value: values[row],
            decimals: decimals[row],
        });
    }
}

/// The values of subjects who are compared, variable by variable.
fn series(names: &[String], found: Vec<Vec<Finding>>, places: &ByKey) -> Vec<Series> {
    let mut all = Vec::new();
    for (name, mut findings) in names.iter().zip(found) {
        findings.retain(|finding| places.contains_key(&finding.subject));
        if findings.is_empty() {
            continue;
        }
        findings.sort_by(Finding::before_or_beside);
        all.push(Series {
            variable: name.clone(),
            subjects: findings.iter().map(|finding| places[&finding.subject]).collect(),
            days: findings.iter().map(|finding| finding.day).collect(),
            visits: findings.iter().map(|finding| finding.visit).collect(),
            values: findings.iter().map(|finding| finding.value).collect(),
            decimals: findings.iter().map(|finding| finding.decimals).collect(),
        });
    }
    all
}

/// How many values of each variable were due of each subject, and how many of them came.
struct Marks<'a> {
    variables: &'a Variables,
    /// By variable, then by the place of the subject.
    counts: Vec<Vec<(usize, usize)>>,
    subjects: usize,
}

impl<'a> Marks<'a> {
    fn new(variables: &'a Variables, subjects: usize) -> Self {
        Self { variables, counts: vec![Vec::new(); variables.names.len()], subjects }
    }

    fn note(&mut self, batch: &RecordBatch, places: &ByKey) {
        let [subjects, tests] = [0, 1].map(|column| keys_of(batch, column));
        let observed = batch.column(2).as_primitive::<Int32Type>().values();
        for row in 0..batch.num_rows() {
            let variable = self.variables.keys.get(&tests[row]);
            let (Some(subject), Some(variable)) = (places.get(&subjects[row]), variable) else { continue };
            let counts = &mut self.counts[*variable];
            if counts.is_empty() {
                counts.resize(self.subjects, (0, 0));
            }
            counts[*subject].0 += 1;
            counts[*subject].1 += usize::from(observed[row] > 0);
        }
    }

    fn missing(self, places: &BTreeMap<i64, usize>) -> BTreeMap<String, Missing> {
        let known = self.variables.names.iter().zip(self.counts).filter(|(_, counts)| !counts.is_empty());
        let of_variable = |(name, counts): (&String, Vec<(usize, usize)>)| {
            let mut marks = Missing::default();
            for subject in places.values() {
                let (due, observed) = counts[*subject];
                for place in 0..due {
                    marks.subjects.push(*subject);
                    marks.missing.push(place >= observed);
                }
            }
            (name.clone(), marks)
        };
        known.map(of_variable).collect()
    }
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
