//! Which variables were due at the visits that took place, and which came: a table of rows (a subject at a visit) and
//! variables, nine bytes a cell.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use warehouse::engine::Engine;

use crate::{Error, Result};

/// The variables by number, from 1: by domain, then by name.
pub(super) const VARIABLES: &str = concat!(
    include_str!("../missingness/of_due.sql"),
    include_str!("../missingness/names.sql"),
    include_str!("../missingness/numbered.sql"),
    include_str!("../missingness/variables.sql")
);
/// One row per subject and visit that took place.
pub(super) const ROWS: &str = concat!(
    include_str!("../missingness/of_due.sql"),
    include_str!("../missingness/names.sql"),
    include_str!("../missingness/rows.sql")
);
/// One row per variable due at a visit that took place.
pub(super) const VALUES: &str = concat!(
    include_str!("../missingness/of_due.sql"),
    include_str!("../missingness/names.sql"),
    include_str!("../missingness/numbered.sql"),
    include_str!("../missingness/values.sql")
);

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
        let ask = |step: &str, query: &str| {
            engine.query(step, query).map_err(|source| Error::Build { mart: mart.to_owned(), source })
        };
        let rows: Vec<Row> = ask("read the visits that took place", ROWS)?.iter().flat_map(rows).collect();
        let named = ask("read the variables that were due", VARIABLES)?;
        let variable = |domain: String, name: String| Variable {
            domain,
            name,
            states: vec![State::NotDue; rows.len()],
            numbers: vec![f64::NAN; rows.len()],
        };
        let names = named.iter().flat_map(|batch| texts(batch.column(1)).zip(texts(batch.column(2))));
        let mut variables: Vec<Variable> = names
            .map(|(domain, name)| variable(domain.unwrap_or_default(), name.unwrap_or_default()))
            .collect();
        let places: BTreeMap<(i64, u64), usize> =
            rows.iter().enumerate().map(|(place, row)| ((row.subject, row.order.to_bits()), place)).collect();
        for batch in ask("read the values that were due", VALUES)? {
            let cells = whole(batch.column(0)).zip(whole(batch.column(1))).zip(numbers(batch.column(2)));
            let found = numbers(batch.column(3)).zip(numbers(batch.column(4)));
            for (((variable, subject), order), (observed, number)) in cells.zip(found) {
                let place = places.get(&(subject, order.to_bits()));
                let variable =
                    usize::try_from(variable - 1).ok().and_then(|number| variables.get_mut(number));
                let (Some(place), Some(variable)) = (place, variable) else { continue };
                variable.states[*place] = if observed > 0.0 { State::Observed } else { State::Missing };
                variable.numbers[*place] = number;
            }
        }
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

    /// NaN where there is none.
    pub(super) fn number(&self, variable: usize, row: usize) -> f64 {
        self.values.variables[variable].numbers[row]
    }
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    let text = |column: usize| texts(batch.column(column));
    let places = whole(batch.column(0)).zip(numbers(batch.column(1)));
    let named = text(2).zip(text(3)).zip(text(5)).zip(numbers(batch.column(4)));
    let mut rows = Vec::with_capacity(batch.num_rows());
    for ((subject, order), (((visit, site), arm), age)) in places.zip(named) {
        let (visit, site) = (visit.unwrap_or_default(), site.unwrap_or_default());
        rows.push(Row { subject, order, visit, site, arm, age });
    }
    rows
}

fn texts(column: &ArrayRef) -> impl Iterator<Item = Option<String>> {
    let texts = column.as_string::<i32>();
    (0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned()))
}

fn numbers(column: &ArrayRef) -> impl Iterator<Item = f64> {
    column.as_primitive::<Float64Type>().iter().map(|number| number.unwrap_or(f64::NAN))
}

fn whole(column: &ArrayRef) -> impl Iterator<Item = i64> {
    column.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default)
}
