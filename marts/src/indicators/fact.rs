//! A fact, and what is counted of each subject's rows of it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use super::rule::{Added, Batch, CUT_OFF, Count};
use crate::by_key::keys_of;

/// A table of facts about subjects.
#[derive(Debug)]
pub(super) struct Fact {
    /// What the relation of its counts is called.
    pub(super) name: &'static str,
    pub(super) table: &'static str,
    /// A truth of another table that its rows point to.
    pub(super) beside: Option<Beside>,
    /// What is counted, by name.
    pub(super) counts: &'static [(&'static str, Count)],
}

/// A column of another table, and the key, of one name in both, by which it is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    pub(super) column: &'static str,
}

/// Some rows of a fact.
#[derive(Debug)]
pub(super) struct Counted {
    /// The rows of each subject that stand together.
    pub(super) subjects: Vec<(i64, Range<usize>)>,
    /// What each row adds to each count.
    pub(super) added: Vec<Added>,
    /// How many there are.
    pub(super) len: usize,
}

/// The subject to whom a row belongs.
pub(super) const SUBJECT: &str = "subject_dk";

impl Fact {
    /// Its counts by subject as a query, over the relation `study` too where days are compared with its cut-off.
    pub(super) fn query(&self) -> String {
        let mut query = format!("SELECT {SUBJECT}");
        for (name, count) in self.counts {
            let _ = write!(query, ",\n    {} AS {name}", count.sql());
        }
        let _ = write!(query, "\nFROM {}", self.table);
        if self.reads().contains(CUT_OFF) {
            query += " CROSS JOIN study";
        }
        if let Some(Beside { table, key, column }) = self.beside {
            let _ = write!(
                query,
                "\nLEFT JOIN (SELECT {key} AS other_{key}, {column} FROM {table}) AS beside ON other_{key} = {key}"
            );
        }
        query + "\nGROUP BY " + SUBJECT
    }

    /// Hands on its rows with what they add to the counts, some at a time; days are compared with `cut_off`, in days since
    /// 1970 or NaN.
    ///
    /// # Errors
    /// When the engine refuses, or a column is not what a count needs.
    pub(super) fn count(
        &self,
        engine: &Engine,
        (step, cut_off): (&str, f64),
        hand_on: &mut dyn FnMut(&Counted),
    ) -> Result<()> {
        let beside = self.beside.map(|beside| Truths::read(engine, step, beside)).transpose()?;
        let names = self.columns();
        let mut outcome = Ok(());
        engine.scan(step, (self.table, &names), &mut |rows| {
            let mut columns: HashMap<&'static str, ArrayRef> =
                names.iter().copied().zip(rows.columns().iter().cloned()).collect();
            if let Some(beside) = &beside {
                beside.add_to(&mut columns);
            }
            let batch = Batch { len: rows.num_rows(), columns, cut_off };
            match self.counted(keys_of(rows, 0), &batch) {
                Ok(counted) if outcome.is_ok() => hand_on(&counted),
                Ok(_) => {}
                Err(error) => outcome = Err(error),
            }
        })?;
        outcome.map_err(Error::arrow(step))
    }

    fn counted(&self, keys: &[i64], batch: &Batch) -> std::result::Result<Counted, ArrowError> {
        let added =
            self.counts.iter().map(|(_, count)| count.of(batch)).collect::<std::result::Result<_, _>>()?;
        let mut first = 0;
        let together = keys.chunk_by(i64::eq).map(|same| {
            let rows = first..first + same.len();
            first = rows.end;
            (same[0], rows)
        });
        Ok(Counted { subjects: together.collect(), added, len: keys.len() })
    }

    /// The columns of its own table that its counts read, after that of the subject.
    fn columns(&self) -> Vec<&'static str> {
        let mut columns = self.reads();
        columns.remove(CUT_OFF);
        if let Some(Beside { key, column, .. }) = self.beside {
            columns.remove(column);
            columns.insert(key);
        }
        [SUBJECT].into_iter().chain(columns).collect()
    }

    fn reads(&self) -> BTreeSet<&'static str> {
        let mut columns = BTreeSet::new();
        self.counts.iter().for_each(|(_, count)| count.add_columns(&mut columns));
        columns
    }
}

/// A column of truths of another table.
#[derive(Debug)]
struct Truths {
    beside: Beside,
    by_key: HashMap<i64, Option<bool>>,
}

impl Truths {
    fn read(engine: &Engine, step: &str, beside: Beside) -> Result<Self> {
        let mut by_key = HashMap::new();
        engine.scan(step, (beside.table, &[beside.key, beside.column]), &mut |batch| {
            let truths = batch.column(1).as_boolean_opt().into_iter().flatten();
            by_key.extend(keys_of(batch, 0).iter().copied().zip(truths));
        })?;
        Ok(Self { beside, by_key })
    }

    /// Adds the column to those of rows that point to it.
    fn add_to(&self, columns: &mut HashMap<&'static str, ArrayRef>) {
        let keys = columns[self.beside.key].as_primitive::<Int64Type>();
        let found = keys.values().iter().map(|key| self.by_key.get(key).copied().flatten());
        columns.insert(self.beside.column, Arc::new(found.collect::<BooleanArray>()));
    }
}
