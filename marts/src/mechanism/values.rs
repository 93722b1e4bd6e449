//! Which variables were due at the visits that took place, and which came: a table of rows (a subject at a visit) and
//! variables, nine bytes a cell.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type};
use warehouse::engine::Engine;

use crate::by_key::{ByKey, keys_of};
use crate::{Error, Result};

const VARIABLES: &str = include_str!("variables.sql");
const VISITS: &str = include_str!("visits.sql");
const SITES: &str = include_str!("sites.sql");
const SUBJECTS: &str = include_str!("subjects.sql");

/// What is read: all is asked but what was due, whose columns come as they are stored.
pub(super) const QUERIES: [&str; 5] = [VARIABLES, VISITS, SITES, SUBJECTS, include_str!("due.sql")];
/// What was due at visits that took place: where one did not, everything is missing, which is no question of single values.
const DUE: &str = "mart_value_due";
const ATTENDED: [&str; 4] = ["came", "visit_dk", "subject_dk", "site_dk"];
const VALUES: [&str; 6] = ["came", "visit_dk", "subject_dk", "test_dk", "observed", "mean_value"];

/// A subject at a visit.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) subject: i64,
    pub(super) order: f64,
    pub(super) visit: String,
    pub(super) site: String,
    pub(super) arm: Option<String>,
    /// NaN where it is not known.
    pub(super) age: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotDue,
    Missing,
    Observed,
}

/// A variable: what is known of it in each row.
#[derive(Debug)]
struct Variable {
    domain: String,
    name: String,
    states: Vec<State>,
    /// NaN without a number.
    numbers: Vec<f64>,
    /// How many numbers there are in rows with several.
    repeated: BTreeMap<usize, f64>,
}

/// Everything that was due.
#[derive(Debug)]
pub(super) struct Values {
    /// By subject, then in the order of visits.
    rows: Vec<Row>,
    /// By domain, then by name.
    variables: Vec<Variable>,
}

/// The variables of one domain.
pub(super) struct Domain<'a> {
    pub(super) name: &'a str,
    /// The numbers of its variables.
    pub(super) variables: Range<usize>,
    /// The rows in which one of them was due.
    pub(super) rows: Vec<usize>,
    values: &'a Values,
}

impl Values {
    /// Reads what was due.
    ///
    /// # Errors
    /// When the engine refuses.
    pub(super) fn read(engine: &Engine, mart: &str) -> Result<Self> {
        let failed = |source| Error::Build { mart: mart.to_owned(), source };
        let ask = |step: &str, query: &str| engine.query(step, query).map_err(failed);
        let visits = Visits::of(&ask("read the visits", VISITS)?);
        let sites = Sites::of(&ask("read the sites", SITES)?);
        let subjects = Subjects::of(&ask("read the subjects", SUBJECTS)?);
        let mut grid = Grid::new(&visits, &subjects);
        let scan = |step: &str, columns: &[&str], take: &mut dyn FnMut(&RecordBatch)| {
            engine.scan(step, (DUE, columns), take).map_err(failed)
        };
        scan("read the visits that took place", &ATTENDED, &mut |batch| grid.note(batch, &sites))?;
        let (rows, places) = grid.rows(&sites);
        let (mut variables, numbers) = variables(&ask("read the variables", VARIABLES)?, rows.len());
        scan("read the values that were due", &VALUES, &mut |batch| {
            let [visits, subjects, tests] = [1, 2, 3].map(|column| keys_of(batch, column));
            let observed = batch.column(4).as_primitive::<Int32Type>().values();
            let values = batch.column(5).as_primitive::<Float64Type>();
            for row in attended(batch) {
                let place = grid.cell(visits[row], subjects[row]).and_then(|cell| places[cell]);
                let (Some(place), Some(variable)) = (place, numbers.get(&tests[row])) else { continue };
                let value = if values.is_valid(row) { values.value(row) } else { f64::NAN };
                variables[*variable].note(place, observed[row] > 0, value);
            }
        })?;
        variables.iter_mut().for_each(Variable::average);
        variables.retain(|variable| variable.states.iter().any(|state| *state != State::NotDue));
        Ok(Self { rows, variables })
    }

    /// The domains with anything due, by name.
    pub(super) fn domains(&self) -> impl Iterator<Item = Domain<'_>> {
        let ranges = self.variables.chunk_by(|left, right| left.domain == right.domain);
        let domains = ranges.scan(0, |end, variables| {
            let first = *end;
            *end += variables.len();
            Some((variables[0].domain.as_str(), first..*end))
        });
        domains.filter_map(|(name, variables)| {
            let is_due = |row: &usize| {
                self.variables[variables.clone()]
                    .iter()
                    .any(|variable| variable.states[*row] != State::NotDue)
            };
            let rows: Vec<usize> = (0..self.rows.len()).filter(is_due).collect();
            (!rows.is_empty()).then_some(Domain { name, variables, rows, values: self })
        })
    }
}

impl<'a> Domain<'a> {
    pub(super) fn row(&self, row: usize) -> &'a Row {
        &self.values.rows[row]
    }

    /// A number of every row, those of other domains too.
    pub(super) fn of_rows(&self, number: impl Fn(&Row) -> f64) -> Vec<f64> {
        self.values.rows.iter().map(number).collect()
    }

    /// The name of a variable.
    pub(super) fn variable(&self, variable: usize) -> &'a str {
        &self.values.variables[variable].name
    }

    pub(super) fn is_due(&self, variable: usize, row: usize) -> bool {
        self.values.variables[variable].states[row] != State::NotDue
    }

    pub(super) fn is_missing(&self, variable: usize, row: usize) -> bool {
        self.values.variables[variable].states[row] == State::Missing
    }

    /// Of every row; NaN where there is none.
    pub(super) fn numbers(&self, variable: usize) -> &'a [f64] {
        &self.values.variables[variable].numbers
    }
}

/// The rows of visits that took place.
fn attended(batch: &RecordBatch) -> impl Iterator<Item = usize> {
    let came = batch.column(0).as_primitive::<Int32Type>().values();
    came.iter().enumerate().filter(|(_, came)| **came == 1).map(|(row, _)| row)
}

/// The variables by domain and name, with nothing due in any of `rows` rows, and the number of each by its key.
fn variables(batches: &[RecordBatch], rows: usize) -> (Vec<Variable>, ByKey) {
    let (mut variables, mut numbers): (Vec<Variable>, ByKey) = (Vec::new(), ByKey::default());
    for batch in batches {
        let names = texts(batch.column(1)).zip(texts(batch.column(2)));
        for (key, (domain, name)) in keys_of(batch, 0).iter().zip(names) {
            let (domain, name) = (domain.unwrap_or_default(), name.unwrap_or_default());
            if variables.last().is_none_or(|last| (&last.domain, &last.name) != (&domain, &name)) {
                let (states, values) = (vec![State::NotDue; rows], vec![f64::NAN; rows]);
                variables.push(Variable { domain, name, states, numbers: values, repeated: BTreeMap::new() });
            }
            numbers.insert(*key, variables.len() - 1);
        }
    }
    (variables, numbers)
}

impl Variable {
    /// Two keys of one variable at visits of one place in the schedule count once, with the mean of their numbers.
    fn note(&mut self, row: usize, observed: bool, number: f64) {
        if observed {
            self.states[row] = State::Observed;
        } else if self.states[row] == State::NotDue {
            self.states[row] = State::Missing;
        }
        if number.is_nan() {
            return;
        }
        if self.numbers[row].is_nan() {
            self.numbers[row] = number;
        } else {
            self.numbers[row] += number;
            *self.repeated.entry(row).or_insert(1.0) += 1.0;
        }
    }

    fn average(&mut self) {
        for (row, count) in std::mem::take(&mut self.repeated) {
            self.numbers[row] /= count;
        }
    }
}

/// Visits by their place in the schedule.
#[derive(Debug)]
struct Visits {
    /// Ascending.
    orders: Vec<f64>,
    names: Vec<String>,
    /// A visit's number among the names, by its key.
    numbers: ByKey,
    /// The place among the orders of each of the names.
    places: Vec<usize>,
}

impl Visits {
    fn of(batches: &[RecordBatch]) -> Self {
        let (mut numbers, mut names, mut found) = (ByKey::default(), Vec::new(), Vec::new());
        for batch in batches {
            let orders = batch.column(1).as_primitive::<Float64Type>().values();
            for ((key, order), name) in keys_of(batch, 0).iter().zip(orders).zip(texts(batch.column(2))) {
                numbers.insert(*key, names.len());
                names.push(name.unwrap_or_default());
                found.push(*order);
            }
        }
        let mut orders = found.clone();
        orders.sort_by(f64::total_cmp);
        orders.dedup();
        let place = |order: &f64| orders.binary_search_by(|other| other.total_cmp(order)).unwrap_or_default();
        let places = found.iter().map(place).collect();
        Self { orders, names, numbers, places }
    }
}

/// The names of sites.
#[derive(Debug, Default)]
struct Sites {
    names: Vec<String>,
    numbers: ByKey,
}

impl Sites {
    fn of(batches: &[RecordBatch]) -> Self {
        let mut sites = Self::default();
        for batch in batches {
            for (key, name) in keys_of(batch, 0).iter().zip(texts(batch.column(1))) {
                sites.numbers.insert(*key, sites.names.len());
                sites.names.push(name.unwrap_or_default());
            }
        }
        sites
    }
}

/// Subjects in the order of their keys.
#[derive(Debug, Default)]
struct Subjects {
    keys: Vec<i64>,
    /// NaN where it is not known.
    ages: Vec<f64>,
    arms: Vec<Option<String>>,
    numbers: ByKey,
}

impl Subjects {
    fn of(batches: &[RecordBatch]) -> Self {
        let mut subjects = Self::default();
        for batch in batches {
            for key in keys_of(batch, 0) {
                subjects.numbers.insert(*key, subjects.keys.len());
                subjects.keys.push(*key);
            }
            let ages = batch.column(1).as_primitive::<Float64Type>();
            subjects.ages.extend(ages.iter().map(|age| age.unwrap_or(f64::NAN)));
            subjects.arms.extend(texts(batch.column(2)));
        }
        subjects
    }
}

/// The visits of each subject that took place: a cell for each place in the schedule.
struct Grid<'a> {
    visits: &'a Visits,
    subjects: &'a Subjects,
    /// By subject, then by place: the numbers of the visit and of the site.
    cells: Vec<Option<(usize, usize)>>,
}

impl<'a> Grid<'a> {
    fn new(visits: &'a Visits, subjects: &'a Subjects) -> Self {
        Self { visits, subjects, cells: vec![None; visits.orders.len() * subjects.keys.len()] }
    }

    /// The cell of a subject at a visit, both by their keys.
    fn cell(&self, visit: i64, subject: i64) -> Option<usize> {
        let place = self.visits.places[*self.visits.numbers.get(&visit)?];
        Some(self.subjects.numbers.get(&subject)? * self.visits.orders.len() + place)
    }

    fn note(&mut self, batch: &RecordBatch, sites: &Sites) {
        let [visits, subjects, at] = [1, 2, 3].map(|column| keys_of(batch, column));
        for row in attended(batch) {
            let (Some(cell), Some(visit), Some(&site)) = (
                self.cell(visits[row], subjects[row]),
                self.visits.numbers.get(&visits[row]),
                sites.numbers.get(&at[row]),
            ) else {
                continue;
            };
            let (first, known) = self.cells[cell].get_or_insert((*visit, site));
            if *first != *visit && self.visits.names[*visit] < self.visits.names[*first] {
                *first = *visit;
            }
            if *known != site && sites.names[site] < sites.names[*known] {
                *known = site;
            }
        }
    }

    /// The rows by subject, then in the order of visits, and the place among them of each cell.
    fn rows(&self, sites: &Sites) -> (Vec<Row>, Vec<Option<usize>>) {
        let (mut rows, mut places) = (Vec::new(), vec![None; self.cells.len()]);
        for (cell, seen) in self.cells.iter().enumerate() {
            let Some((visit, site)) = seen else { continue };
            let (subject, order) = (cell / self.visits.orders.len(), cell % self.visits.orders.len());
            places[cell] = Some(rows.len());
            rows.push(Row {
                subject: self.subjects.keys[subject],
                order: self.visits.orders[order],
                visit: self.visits.names[*visit].clone(),
                site: sites.names[*site].clone(),
                arm: self.subjects.arms[subject].clone(),
                age: self.subjects.ages[subject],
            });
        }
        (rows, places)
    }
}

fn texts(column: &ArrayRef) -> impl Iterator<Item = Option<String>> {
    let texts = column.as_string::<i32>();
    (0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned()))
}
