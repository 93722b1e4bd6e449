//! `mart_value_due`: each value that the schedule asks of a subject.
//!
//! Its query says what is due. Answered as it stands, every finding is grouped and joined by three keys of 64 bits. Here
//! sites, visits and variables have small numbers, and what is known of a value has its place in an array: one pass over
//! the findings, and nothing is looked up. A study whose arrays would take too much memory is passed over several times,
//! for some variables each.
//!
//! The rows are given in parts of some variables each. A part is made of what is known of the values of its variables and
//! of the visits: where that is as it was, its rows are as well.

use std::ops::Range;

use arrow::array::{Array, AsArray, Date32Array};
use arrow::datatypes::{Date32Type, Float64Type};
use warehouse::Result;
use warehouse::engine::Engine;

use crate::by_key::{Numbers, keys_of};
use crate::mart::Sink;

pub(crate) mod by_site;
pub(crate) mod counts;
mod keys;
mod rows;

use keys::{Keys, Last};
use rows::Rows;
pub(crate) use rows::schema;

/// What it is, as a query.
pub(crate) const QUERY: &str =
    concat!(include_str!("missingness/due.sql"), include_str!("missingness/by_subject.sql"));

/// Values that are held at a time, of sixteen bytes each: 384 MiB.
const VALUES_AT_ONCE: usize = 24 << 20;
const ROWS_OF_PART: usize = 1 << 16;

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn due(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    in_parts(engine, (VALUES_AT_ONCE, ROWS_OF_PART), sink)
}

/// The same, holding no more values than `most` at a time as far as one variable at a visit allows, in parts of so many
/// rows as far as one variable does.
fn in_parts(engine: &Engine, (most, part): (usize, usize), sink: &mut dyn Sink) -> Result<()> {
    let keys = Keys::read(engine)?;
    let mut study = Study::read(engine, &keys)?;
    let mut values = Some(Values::new(keys.pairs()));
    findings(engine, &keys, &mut |found| {
        let subject = study.saw(found);
        let pair = keys.pair(found.test, found.visit);
        study.records[pair] = study.records[pair].saturating_add(1);
        if let Some(held) = &mut values {
            held.add(pair, subject, found);
            if held.n > most {
                values = None;
            }
        }
    })?;
    study.count();
    let mut rows = Rows::new((&keys, &study), part, sink);
    if let Some(values) = values {
        return rows.write(0..keys.tests.len(), values);
    }
    for tests in study.ranges(&keys, most) {
        let mut values = Values::new(keys.pairs());
        findings(engine, &keys, &mut |found| {
            let pair = keys.pair(found.test, found.visit);
            if tests.contains(&found.test) && study.may_be_due(&keys, pair) {
                values.add(pair, study.subjects.known(found.subject), found);
            }
        })?;
        rows.write(tests, values)?;
    }
    Ok(())
}

/// One finding of a scheduled visit: the subject's key, and the places of the others.
#[derive(Debug, Clone, Copy)]
struct Finding {
    subject: i64,
    visit: usize,
    site: usize,
    test: usize,
    has_result: bool,
    value: Option<f64>,
}

/// The tables of findings, and whether a number alone, without its text, is a result there.
const TABLES: [(&str, bool); 2] = [("fact_observation", false), ("fact_lab", true)];
const FINDING: [&str; 7] =
    ["subject_dk", "visit_sk", "site_sk", "test_sk", "not_done", "std_result", "std_value"];

const VISIT: [&str; 6] = ["subject_dk", "visit_sk", "site_sk", "occurred", "start_date", "planned_date"];

/// Hands each finding of a visit on.
fn findings(engine: &Engine, keys: &Keys, hand_on: &mut dyn FnMut(&Finding)) -> Result<()> {
    let [mut last_visit, mut last_site, mut last_test] =
        [&keys.visits, &keys.sites, &keys.tests].map(Last::of);
    for (table, number_is_result) in TABLES {
        engine.scan("read the findings of visits", (table, &FINDING), &mut |batch| {
            let [subjects, visits, sites, tests] = [0, 1, 2, 3].map(|place| keys_of(batch, place));
            let (not_done, texts) = (batch.column(4).as_boolean(), batch.column(5));
            let values = batch.column(6).as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let (Some(visit), Some(site), Some(test)) =
                    (last_visit.at(visits[row]), last_site.at(sites[row]), last_test.at(tests[row]))
                else {
                    continue;
                };
                // Whether it was done has to be known.
                let was_done = not_done.is_valid(row) && !not_done.value(row);
                let value = (was_done && values.is_valid(row)).then(|| values.value(row));
                let has_result = was_done && (texts.is_valid(row) || number_is_result && value.is_some());
                hand_on(&Finding { subject: subjects[row], visit, site, test, has_result, value });
            }
        })?;
    }
    Ok(())
}

/// A subject at a visit that is due.
#[derive(Debug, Clone, Copy)]
struct Attendance {
    /// The place of the first of its sites.
    site: usize,
    came: bool,
    /// Days since 1970.
    due: Option<i32>,
}

/// Who was expected when, and how many records there are.
#[derive(Debug)]
struct Study {
    subjects: Numbers,
    /// By visit, then by subject.
    visits: Vec<Vec<Option<Attendance>>>,
    /// Records of each variable at each visit.
    records: Vec<u32>,
    /// Subjects who came to each visit.
    came: Vec<u64>,
}

impl Study {
    /// With the records of visits alone.
    fn read(engine: &Engine, keys: &Keys) -> Result<Self> {
        let mut study = Self {
            subjects: Numbers::default(),
            visits: vec![Vec::new(); keys.visits.len()],
            records: vec![0; keys.pairs()],
            came: Vec::new(),
        };
        engine.scan("read the visits", ("fact_visit", &VISIT), &mut |batch| {
            let [subjects, visits, sites] = [0, 1, 2].map(|place| keys_of(batch, place));
            let occurred = batch.column(3).as_boolean();
            let [start, planned] = [4, 5].map(|place| batch.column(place).as_primitive::<Date32Type>());
            for row in 0..batch.num_rows() {
                let (Some(visit), Some(site)) = (keys.visits.at(visits[row]), keys.sites.at(sites[row]))
                else {
                    continue;
                };
                let came = occurred.is_valid(row) && occurred.value(row);
                let day = |days: &Date32Array| days.is_valid(row).then(|| days.value(row));
                let subject = study.subjects.number(subjects[row]);
                study.note(
                    visit,
                    subject,
                    Attendance { site, came, due: day(start).or_else(|| day(planned)) },
                );
            }
        })?;
        Ok(study)
    }

    /// A finding shows that its visit took place, whether that has a record of its own or not.
    fn saw(&mut self, found: &Finding) -> usize {
        let subject = self.subjects.number(found.subject);
        self.note(found.visit, subject, Attendance { site: found.site, came: true, due: None });
        subject
    }

    fn note(&mut self, visit: usize, subject: usize, seen: Attendance) {
        let visit = &mut self.visits[visit];
        if visit.len() <= subject {
            visit.resize(subject + 1, None);
        }
        let known = visit[subject].get_or_insert(seen);
        known.site = known.site.min(seen.site);
        known.came |= seen.came;
        known.due = match (known.due, seen.due) {
            (Some(known), Some(seen)) => Some(known.min(seen)),
            (known, seen) => known.or(seen),
        };
    }

    fn count(&mut self) {
        let came =
            |visit: &Vec<Option<Attendance>>| visit.iter().flatten().filter(|seen| seen.came).count() as u64;
        self.came = self.visits.iter().map(came).collect();
    }

    /// A variable is due at a visit when half of those who came have a record of it.
    fn is_due(&self, visit: usize, with_record: u64) -> bool {
        with_record > 0 && 2 * with_record >= self.came[visit]
    }

    /// No more subjects than records have a record.
    fn may_be_due(&self, keys: &Keys, pair: usize) -> bool {
        self.is_due(pair % keys.visits.len(), u64::from(self.records[pair]))
    }

    /// All variables, in ranges of which each has at most so many values, or is one variable.
    fn ranges(&self, keys: &Keys, most: usize) -> Vec<Range<usize>> {
        let values = |test: usize| {
            let pairs = (0..keys.visits.len()).map(|visit| keys.pair(test, visit));
            pairs.filter(|pair| self.may_be_due(keys, *pair)).count() * self.subjects.len()
        };
        let (mut ranges, mut held): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
        for test in 0..keys.tests.len() {
            held += values(test);
            match ranges.last_mut().filter(|_| held <= most) {
                Some(range) => range.end = test + 1,
                None => {
                    held = values(test);
                    ranges.push(test..test + 1);
                }
            }
        }
        ranges
    }
}

/// What is known of values, by subject: the findings of one stand together.
#[derive(Debug)]
struct Values {
    /// The column of each variable at each visit of which there is a value.
    columns: Vec<Option<usize>>,
    /// Subjects with a record, by column.
    with_record: Vec<u64>,
    subjects: Vec<Vec<Value>>,
    /// For how many there is room.
    n: usize,
}

/// What is known of one value.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    sum: f64,
    /// How many numbers the sum is of.
    numbers: u32,
    /// [`RECEIVED`], [`OBSERVED`] and [`NUMBER`].
    marks: u8,
}

const RECEIVED: u8 = 1;
const OBSERVED: u8 = 2;
const NUMBER: u8 = 4;

impl Values {
    fn new(pairs: usize) -> Self {
        Self { columns: vec![None; pairs], with_record: Vec::new(), subjects: Vec::new(), n: 0 }
    }

    /// Notes a finding. Repeated measures of one visit count once, with their mean.
    fn add(&mut self, pair: usize, subject: usize, found: &Finding) {
        let column = *self.columns[pair].get_or_insert_with(|| {
            self.with_record.push(0);
            self.with_record.len() - 1
        });
        if self.subjects.len() <= subject {
            self.subjects.resize(subject + 1, Vec::new());
        }
        let values = &mut self.subjects[subject];
        if values.len() <= column {
            self.n += self.with_record.len() - values.len();
            values.resize(self.with_record.len(), Value::default());
        }
        let known = &mut values[column];
        self.with_record[column] += u64::from(known.marks == 0);
        known.marks |= RECEIVED;
        if found.has_result {
            known.marks |= OBSERVED;
        }
        if let Some(value) = found.value {
            known.sum += value;
            known.numbers += 1;
            known.marks |= NUMBER;
        }
    }

    /// Subjects with a record of a variable at a visit.
    fn with_record(&self, pair: usize) -> u64 {
        self.columns[pair].map_or(0, |column| self.with_record[column])
    }

    /// What is known of a subject's values, by column.
    fn take(&mut self, subject: usize) -> Vec<Value> {
        self.subjects.get_mut(subject).map(std::mem::take).unwrap_or_default()
    }
}

impl Value {
    /// The mean of its numbers; zero when there is none.
    fn mean(&self) -> f64 {
        if self.numbers > 0 { self.sum / f64::from(self.numbers) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
