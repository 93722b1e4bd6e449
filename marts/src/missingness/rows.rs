//! What is due, on its way into a table: part by part, each of some variables.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::{Error, Result};

use super::keys::Keys;
use super::{Attendance, NUMBER, OBSERVED, RECEIVED, Study, Value, Values};
use crate::columns;
use crate::mart::Sink;

/// Subjects whose values are put into their rows at a time: those of one variable at one visit lie together there.
const AT_ONCE: usize = 16;
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
    fn at(visit: &[Option<Attendance>], (keys, in_order): (&[i64], &[usize]), sites: &[i64]) -> Self {
        let mut expected = Self::default();
        for &number in in_order {
            let Some(Some(seen)) = visit.get(number) else { continue };
            expected.numbers.push(number);
            expected.subjects.push(keys[number]);
            expected.sites.push(sites[seen.site]);
            expected.came.push(i32::from(seen.came));
            expected.due.push(seen.due);
        }
        expected
    }

    fn hash(&self) -> blake3::Hash {
        let mut hash = blake3::Hasher::new();
        let due = self.due.iter().map(|day| day.map_or(i64::MIN, i64::from));
        let [subjects, sites] = [&self.subjects, &self.sites].map(Buffer::from_slice_ref);
        let (came, due) = (Buffer::from_slice_ref(&self.came), due.collect::<Buffer>());
        for column in [subjects, sites, came, due] {
            hash.update(&column);
        }
        hash.finalize()
    }
}

/// A variable at a visit where it is due.
#[derive(Debug, Clone, Copy)]
struct Due {
    test: usize,
    visit: usize,
    /// Where its values are.
    column: usize,
    /// The first of its rows.
    row: usize,
}

/// Gives the rows of a study.
pub(super) struct Rows<'a> {
    keys: &'a Keys,
    study: &'a Study,
    /// The numbers of subjects in the order of their keys.
    subjects: Vec<usize>,
    /// By visit, with a hash of it.
    expected: Vec<(Expected, blake3::Hash)>,
    /// A part has so many rows, or ends with the variable that has the last of them.
    rows_of_part: usize,
    sink: &'a mut dyn Sink,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        (keys, study): (&'a Keys, &'a Study),
        rows_of_part: usize,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let subjects = study.subjects.in_order();
        let expected = |visit: &Vec<_>| {
            let expected = Expected::at(visit, (study.subjects.keys(), &subjects), &keys.sites.keys);
            let hash = expected.hash();
            (expected, hash)
        };
        let expected = study.visits.iter().map(expected).collect();
        Self { keys, study, subjects, expected, rows_of_part, sink }
    }

    /// Everything due of some variables: by variable, visit and subject.
    pub(super) fn write(&mut self, tests: Range<usize>, values: Values) -> Result<()> {
        let (mut dues, mut rows) = (Vec::new(), 0);
        for (test, visit) in
            tests.flat_map(|test| (0..self.keys.visits.len()).map(move |visit| (test, visit)))
        {
            let pair = self.keys.pair(test, visit);
            if let Some(column) = values.columns[pair]
                && self.study.is_due(visit, values.with_record(pair))
            {
                dues.push(Due { test, visit, column, row: rows });
                rows += self.rows_of(visit);
            }
        }
        let (marks, means) = self.known(&dues, rows, values);
        let mut rest = dues.as_slice();
        while let Some(first) = rest.first() {
            let is_last = |due: &&Due| due.row + self.rows_of(due.visit) >= first.row + self.rows_of_part;
            let last = rest.iter().find(is_last).map_or(usize::MAX, |due| due.test);
            let (part, others) = rest.split_at(rest.partition_point(|due| due.test <= last));
            self.part(part, &marks, &means)?;
            rest = others;
        }
        Ok(())
    }

    fn rows_of(&self, visit: usize) -> usize {
        self.expected[visit].0.numbers.len()
    }

    /// The rows of what is due.
    fn rows(&self, dues: &[Due]) -> Range<usize> {
        let first = dues.first().map_or(0, |due| due.row);
        first..dues.last().map_or(first, |due| due.row + self.rows_of(due.visit))
    }

    fn part(&mut self, part: &[Due], marks: &[u8], means: &ScalarBuffer<f64>) -> Result<()> {
        let mut hash = blake3::Hasher::new();
        hash.update(&part.len().to_le_bytes());
        for due in part {
            hash.update(&self.keys.tests.keys[due.test].to_le_bytes());
            hash.update(&self.keys.visits.keys[due.visit].to_le_bytes());
            hash.update(self.expected[due.visit].1.as_bytes());
        }
        let rows = self.rows(part);
        hash.update(&marks[rows.clone()]);
        hash.update(means.slice(rows.start, rows.len()).inner());
        if self.sink.has_part(&hash.finalize().to_hex())? {
            return Ok(());
        }
        let at_once = |one: &Due, next: &Due| one.row / ROWS_AT_ONCE == next.row / ROWS_AT_ONCE;
        for some in part.chunk_by(at_once) {
            let rows = self.rows(some);
            let means = means.slice(rows.start, rows.len());
            self.sink.write(&self.batch(some, &marks[rows], means)?)?;
        }
        Ok(())
    }

    /// The marks of each row's value, and its number.
    fn known(&self, dues: &[Due], rows: usize, mut values: Values) -> (Vec<u8>, ScalarBuffer<f64>) {
        let (mut marks, mut means) = (vec![0; rows], vec![0.0; rows]);
        // The places of some subjects among those who were expected at each visit.
        let (mut next, mut places) =
            (vec![0; self.expected.len()], vec![[None; AT_ONCE]; self.expected.len()]);
        for subjects in self.subjects.chunks(AT_ONCE) {
            for ((next, places), (expected, _)) in next.iter_mut().zip(&mut places).zip(&self.expected) {
                for (place, subject) in places.iter_mut().zip(subjects) {
                    *place = (expected.numbers.get(*next) == Some(subject)).then_some(*next);
                    *next += usize::from(place.is_some());
                }
            }
            // What was put into its place is held no longer.
            let values: Vec<Vec<Value>> = subjects.iter().map(|subject| values.take(*subject)).collect();
            for due in dues {
                for (values, place) in values.iter().zip(&places[due.visit]) {
                    if let (Some(place), Some(value)) = (place, values.get(due.column)) {
                        let row = due.row + place;
                        (marks[row], means[row]) = (value.marks, value.mean());
                    }
                }
            }
        }
        (marks, means.into())
    }

    fn batch(&self, part: &[Due], marks: &[u8], means: ScalarBuffer<f64>) -> Result<RecordBatch> {
        let rows = marks.len();
        let [mut subjects, mut tests, mut visits, mut sites] = [(); 4].map(|()| Vec::with_capacity(rows));
        let (mut came, mut days) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for due in part {
            let (expected, _) = &self.expected[due.visit];
            subjects.extend_from_slice(&expected.subjects);
            tests.resize(subjects.len(), self.keys.tests.keys[due.test]);
            visits.resize(subjects.len(), self.keys.visits.keys[due.visit]);
            sites.extend_from_slice(&expected.sites);
            came.extend_from_slice(&expected.came);
            days.extend_from_slice(&expected.due);
        }
        let [received, observed] = [RECEIVED, OBSERVED].map(|mark| {
            Int32Array::from(marks.iter().map(|marks| i32::from(marks & mark > 0)).collect::<Vec<_>>())
        });
        let numbers = NullBuffer::from(marks.iter().map(|marks| marks & NUMBER > 0).collect::<Vec<_>>());
        let keys = [subjects, tests, visits, sites].map(|keys| Arc::new(Int64Array::from(keys)) as ArrayRef);
        let columns = keys.into_iter().chain([
            Arc::new(Int32Array::from(came)) as ArrayRef,
            Arc::new(Date32Array::from(days)),
            Arc::new(received),
            Arc::new(observed),
            Arc::new(Float64Array::new(means, Some(numbers))),
        ]);
        RecordBatch::try_new(schema(), columns.collect()).map_err(Error::arrow("lay out what is due"))
    }
}
