//! What is due, on its way into a table.

use std::mem::take;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::{Error, Result};

use super::keys::Keys;
use super::{Attendance, Pair, Study, Values};
use crate::by_key::Numbers;
use crate::columns;
use crate::mart::Give;

/// Rows that are given on at a time.
const ROWS_AT_ONCE: usize = 1 << 13;

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    columns::schema(&[
        ("subject_dk", DataType::Int64),
        ("test_dk", DataType::Int64),
        ("visit_dk", DataType::Int64),
        ("site_dk", DataType::Int64),
        ("came", DataType::Int32),
        ("due_date", DataType::Date32),
        ("received", DataType::Int32),
        ("observed", DataType::Int32),
        ("mean_value", DataType::Float64),
    ])
}

/// Who was expected at a visit, in the order of their keys.
#[derive(Debug, Default)]
struct Expected {
    numbers: Vec<usize>,
    subjects: Vec<i64>,
    sites: Vec<i64>,
    came: Vec<i32>,
    due: Vec<Option<i32>>,
}

impl Expected {
    fn at(visit: &[Option<Attendance>], subjects: (&Numbers, &[usize]), sites: &[i64]) -> Self {
        let mut expected = Self::default();
        let (subjects, in_order) = subjects;
        for &number in in_order {
            let Some(Some(seen)) = visit.get(number) else { continue };
            expected.numbers.push(number);
            expected.subjects.push(subjects.keys()[number]);
            expected.sites.push(sites[seen.site]);
            expected.came.push(i32::from(seen.came));
            expected.due.push(seen.due);
        }
        expected
    }
}

/// Rows on their way out, column by column.
pub(super) struct Rows<'a> {
    keys: &'a Keys,
    study: &'a Study,
    /// By visit.
    expected: Vec<Expected>,
    give: &'a mut Give<'a>,
    subjects: Vec<i64>,
    tests: Vec<i64>,
    visits: Vec<i64>,
    sites: Vec<i64>,
    came: Vec<i32>,
    due: Vec<Option<i32>>,
    received: Vec<i32>,
    observed: Vec<i32>,
    means: Vec<Option<f64>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(keys: &'a Keys, study: &'a Study, give: &'a mut Give<'a>) -> Self {
        let in_order = study.subjects.in_order();
        let expected = |visit: &Vec<_>| Expected::at(visit, (&study.subjects, &in_order), &keys.sites.keys);
        Self {
            keys,
            study,
            expected: study.visits.iter().map(expected).collect(),
            give,
            subjects: Vec::new(),
            tests: Vec::new(),
            visits: Vec::new(),
            sites: Vec::new(),
            came: Vec::new(),
            due: Vec::new(),
            received: Vec::new(),
            observed: Vec::new(),
            means: Vec::new(),
        }
    }

    /// Everything due of some variables: by variable, visit and subject.
    pub(super) fn write(&mut self, tests: Range<usize>, values: &Values) -> Result<()> {
        for test in tests {
            for visit in 0..self.keys.visits.len() {
                let pair = &values.pairs[self.keys.pair(test, visit)];
                if self.study.is_due(visit, pair.with_record()) {
                    self.add(test, visit, pair);
                }
                if self.subjects.len() >= ROWS_AT_ONCE {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, test: usize, visit: usize, pair: &Pair) {
        let expected = &self.expected[visit];
        let end = self.subjects.len() + expected.numbers.len();
        self.subjects.extend_from_slice(&expected.subjects);
        self.tests.resize(end, self.keys.tests.keys[test]);
        self.visits.resize(end, self.keys.visits.keys[visit]);
        self.sites.extend_from_slice(&expected.sites);
        self.came.extend_from_slice(&expected.came);
        self.due.extend_from_slice(&expected.due);
        for &subject in &expected.numbers {
            let value = pair.value(subject);
            self.received.push(i32::from(value.is_received()));
            self.observed.push(i32::from(value.is_observed()));
            self.means.push(value.mean());
        }
    }

    /// Gives on what is there; an empty table has its columns.
    pub(super) fn flush(&mut self) -> Result<()> {
        let whole = |numbers: &mut Vec<i64>| Arc::new(Int64Array::from(take(numbers))) as ArrayRef;
        let marks = |numbers: &mut Vec<i32>| Arc::new(Int32Array::from(take(numbers))) as ArrayRef;
        let columns = vec![
            whole(&mut self.subjects),
            whole(&mut self.tests),
            whole(&mut self.visits),
            whole(&mut self.sites),
            marks(&mut self.came),
            Arc::new(Date32Array::from(take(&mut self.due))),
            marks(&mut self.received),
            marks(&mut self.observed),
            Arc::new(Float64Array::from(take(&mut self.means))),
        ];
        let rows = RecordBatch::try_new(schema(), columns).map_err(Error::arrow("lay out what is due"))?;
        (self.give)(&rows)
    }
}
