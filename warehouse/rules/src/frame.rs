//! The table that a check is evaluated on: the columns of a dataset, of those joined to it, and of operations.
//! Columns are borrowed from the study wherever they can be; a join adds row numbers, not copies.

mod build;
mod keys;

pub(crate) use build::{dataset_metadata, domain_presence, of_unit, variable_metadata};
pub(crate) use keys::{Grouping, KeyIndex};

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::RuleError;
use crate::pool::{Scratch, Sym};

/// Why a check has no answer on a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Halt {
    /// A column is not there; `any` goes on without the condition that asks for it.
    Absent(String),
    /// The rule has nothing to say here.
    Inapplicable(String),
    /// The rule cannot be judged here.
    Unable(String),
}

impl From<RuleError> for Halt {
    fn from(error: RuleError) -> Self {
        Self::Unable(error.to_string())
    }
}

/// A list that an operation made, in its order, and as a set.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) items: Vec<Sym>,
    set: FxHashSet<Sym>,
}

impl List {
    /// The list of distinct items, each at its first place.
    pub(crate) fn distinct(items: impl IntoIterator<Item = Sym>) -> Self {
        let mut set = FxHashSet::default();
        let items = items.into_iter().filter(|item| set.insert(*item)).collect();
        Self { items, set }
    }

    pub(crate) fn contains(&self, sym: Sym) -> bool {
        self.set.contains(&sym)
    }
}

/// One column; a row number gives its cell.
#[derive(Debug, Clone)]
pub(crate) enum Column<'s> {
    /// A column of the study.
    Slice(&'s [Sym]),
    /// A column of the study at these rows; [`NO_ROW`] is null.
    Picked(&'s [Sym], Rc<[u32]>),
    Owned(Rc<[Sym]>),
    Constant(Sym),
    /// A list in every row, or none.
    Lists(Rc<[Option<Rc<List>>]>),
    /// The same list in every row.
    List(Rc<List>),
}

/// The row number of a record that has no partner.
pub(crate) const NO_ROW: u32 = u32::MAX;

impl Column<'_> {
    /// The cell of a row; null in a column of lists.
    pub(crate) fn cell(&self, row: usize) -> Sym {
        match self {
            Self::Slice(cells) => cells[row],
            Self::Picked(cells, rows) => match rows[row] {
                NO_ROW => Sym::EMPTY,
                row => cells[row as usize],
            },
            Self::Owned(cells) => cells[row],
            Self::Constant(sym) => *sym,
            Self::Lists(_) | Self::List(_) => Sym::EMPTY,
        }
    }

    /// The list of a row, in a column of lists.
    pub(crate) fn list(&self, row: usize) -> Option<&List> {
        match self {
            Self::Lists(lists) => lists[row].as_deref(),
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn holds_lists(&self) -> bool {
        matches!(self, Self::Lists(_) | Self::List(_))
    }

    /// How many items the lists of all rows have, each list counted for each of its rows.
    pub(crate) fn listed(&self, rows: usize) -> usize {
        match self {
            Self::List(list) => list.items.len().saturating_mul(rows),
            Self::Lists(lists) => {
                lists.iter().flatten().fold(0, |sum: usize, list| sum.saturating_add(list.items.len()))
            }
            _ => 0,
        }
    }
}

/// Where a row comes from: a place in [`crate::study::Study::datasets`], and a record there, from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) dataset: u32,
    pub(crate) record: u32,
}

/// The table of one rule and one dataset.
#[derive(Debug)]
pub(crate) struct Frame<'s> {
    pub(crate) rows: usize,
    /// One for each row.
    pub(crate) origins: Vec<Origin>,
    places: HashMap<String, usize>,
    columns: Vec<(String, Column<'s>)>,
}

impl<'s> Frame<'s> {
    pub(crate) fn new(origins: Vec<Origin>) -> Self {
        Self { rows: origins.len(), origins, places: HashMap::new(), columns: Vec::new() }
    }

    /// Adds a column, or replaces the one of that name.
    pub(crate) fn set(&mut self, name: &str, column: Column<'s>) {
        match self.places.get(name) {
            Some(place) => self.columns[*place].1 = column,
            None => {
                self.places.insert(name.to_owned(), self.columns.len());
                self.columns.push((name.to_owned(), column));
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Column<'s>> {
        self.places.get(name).map(|place| &self.columns[*place].1)
    }

    pub(crate) fn need(&self, name: &str) -> Result<&Column<'s>, Halt> {
        self.get(name).ok_or_else(|| Halt::Absent(name.to_owned()))
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, &Column<'s>)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The same columns at other rows; a row may be left out or come several times.
    pub(crate) fn at(&self, rows: &Rc<[u32]>) -> Self {
        let origins = rows.iter().map(|row| self.origins[*row as usize]).collect();
        let mut frame = Self::new(origins);
        for (name, column) in &self.columns {
            let column = match column {
                Column::Slice(cells) => Column::Picked(cells, rows.clone()),
                Column::Picked(..) | Column::Owned(_) => {
                    Column::Owned(rows.iter().map(|row| column.cell(*row as usize)).collect())
                }
                Column::Lists(lists) => {
                    Column::Lists(rows.iter().map(|row| lists[*row as usize].clone()).collect())
                }
                Column::Constant(_) | Column::List(_) => column.clone(),
            };
            frame.set(name, column);
        }
        frame
    }
}

/// How much work one rule may still do on one dataset, counted in cells looked at and rows made. Counting work
/// instead of time gives the same answer on every machine.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u64>);

/// What a row that a join makes costs. It takes memory, so that there have to be fewer of them than of cells looked
/// at: at the default limits 15 million, of about 20 bytes each.
const ROW_WORK: usize = 64;

impl Budget {
    pub(crate) fn new(work: u64) -> Self {
        Self(Cell::new(work))
    }

    pub(crate) fn spend(&self, work: usize) -> Result<(), Halt> {
        let left = self.0.get().checked_sub(work as u64);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| Halt::Unable("it needs more work than one rule may do".to_owned()))
    }

    /// Pays for rows that a join is about to make.
    pub(crate) fn spend_rows(&self, rows: usize) -> Result<(), Halt> {
        self.spend(rows.saturating_mul(ROW_WORK))
    }
}

/// A frame with all that a condition needs to read it.
#[derive(Debug)]
pub(crate) struct Table<'s> {
    pub(crate) frame: Frame<'s>,
    pub(crate) scratch: Scratch<'s>,
    /// What stands for `--`.
    pub(crate) prefix: Option<String>,
    pub(crate) budget: Budget,
}

impl<'s> Table<'s> {
    /// A column name with the domain in place of `--`.
    pub(crate) fn resolve(&self, name: &str) -> String {
        match (&self.prefix, name.strip_prefix("--")) {
            (Some(prefix), Some(rest)) => format!("{prefix}{rest}"),
            _ => name.to_owned(),
        }
    }

    /// The column of a name in which `--` may stand for the domain.
    pub(crate) fn column(&self, name: &str) -> Result<&Column<'s>, Halt> {
        self.frame.need(&self.resolve(name))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Column<'s>> {
        self.frame.get(&self.resolve(name))
    }

    /// The columns of those names that are there.
    pub(crate) fn present(&self, names: &[String]) -> Vec<&Column<'s>> {
        names.iter().filter_map(|name| self.find(name)).collect()
    }
}
