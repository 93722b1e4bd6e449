//! Values that a row needs from another dataset of the same delivery: a subject's id by its screening
//! number, the reference date that study days count from, the name of a concept.
//!
//! Memory is bounded by what the delivery uses. A dataset of few rows is held whole; of a larger one, such as
//! a vocabulary with millions of concepts, only the keys that rows of this delivery ask for, which are collected
//! in a pass of their own before.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};

use super::files::{Landed, Step};
use crate::mapping::expression::{Context, Counts, LookupTable};
use crate::mapping::{Condition, DatasetMapping, Expression, Lookup, Mapping};
use crate::{Error, Result};
use formats::Dataset;

/// Up to so many rows a dataset is held whole, which saves the pass that collects keys.
const WHOLE_ROWS: u64 = 200_000;
/// The most keys that one lookup holds: with short values some hundred megabytes.
const MOST_KEYS: usize = 2_000_000;

/// Reads every lookup of the mapping whose dataset was delivered, in the mapping's order.
pub(super) fn context<'a>(mapping: &'a Mapping, plan: &[Step<'_>], landed: &[Landed]) -> Result<Context<'a>> {
    let uses: Vec<(File<'_>, &DatasetMapping)> =
        plan.iter().map(|step| (File::of(step.landed()), step.block())).collect();
    let mut context = Context { lookups: BTreeMap::new() };
    for lookup in &mapping.lookups {
        let known = landed.iter().filter(|file| lookup.knows(&file.dataset.name));
        let reading = Reading { lookup, files: known.map(File::of).collect(), limits: Limits::default() };
        let table = reading.table(&uses, &context)?;
        context.lookups.insert(lookup.name.as_str(), (lookup, table));
    }
    Ok(context)
}

/// A key in 16 bytes, so that the length of keys does not count.
type KeyHash = [u8; 16];

fn key_hash(key: &str) -> KeyHash {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    hash
}

/// A checked file and one dataset in it.
#[derive(Debug, Clone, Copy)]
struct File<'a> {
    path: &'a Path,
    dataset: &'a Dataset,
}

impl<'a> File<'a> {
    fn of(landed: &'a Landed) -> Self {
        Self { path: &landed.path, dataset: &landed.dataset }
    }
}

/// How much a lookup may hold.
#[derive(Debug, Clone, Copy)]
struct Limits {
    whole_rows: u64,
    most_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { whole_rows: WHOLE_ROWS, most_keys: MOST_KEYS }
    }
}

struct Reading<'a> {
    lookup: &'a Lookup,
    files: Vec<File<'a>>,
    limits: Limits,
}

impl Reading<'_> {
    /// The lookup's rows: all of them, or those that `uses` ask for when there are many.
    fn table(&self, uses: &[(File<'_>, &DatasetMapping)], context: &Context<'_>) -> Result<LookupTable> {
        // A file that does not say how many rows it has may have many.
        let rows = self.files.iter().map(|file| file.dataset.rows.unwrap_or(u64::MAX));
        let is_large = rows.fold(0_u64, u64::saturating_add) > self.limits.whole_rows;
        let used = if is_large { Some(self.used_keys(uses, context)?) } else { None };
        let mut table = LookupTable::default();
        for file in &self.files {
            self.read(file, used.as_ref(), &mut table)?;
        }
        Ok(table)
    }

    /// The keys that the blocks of the delivery ask this lookup for.
    fn used_keys(
        &self,
        uses: &[(File<'_>, &DatasetMapping)],
        context: &Context<'_>,
    ) -> Result<HashSet<KeyHash>> {
        let mut used = HashSet::new();
        for (file, block) in uses {
            let mut keys: Vec<&Expression> = Vec::new();
            block.expressions().for_each(|one| one.keys_for(&self.lookup.name, &mut keys));
            if keys.is_empty() {
                continue;
            }
            let mut source = formats::open(file.path, file.dataset)?;
            while let Some(batch) = source.next_batch()? {
                for key in &keys {
                    let texts = key.texts(&batch, context, &mut Counts::default());
                    used.extend(texts.as_string::<i32>().iter().flatten().map(key_hash));
                }
                self.check_size(used.len())?;
            }
        }
        Ok(used)
    }

    fn read(&self, file: &File<'_>, used: Option<&HashSet<KeyHash>>, table: &mut LookupTable) -> Result<()> {
        let mut source = formats::open(file.path, file.dataset)?;
        let mut counts = RowCounts::default();
        while let Some(batch) = source.next_batch()? {
            let rows = Rows::of(self.lookup, &batch, &mut counts);
            for (row, key) in rows.keys.as_string::<i32>().iter().enumerate() {
                let Some(key) = key.filter(|_| rows.selected[row]) else { continue };
                if used.is_none_or(|used| used.contains(&key_hash(key))) {
                    table.rows.entry(key.to_owned()).or_insert_with(|| rows.values(row));
                }
            }
            self.check_size(table.rows.len())?;
        }
        Ok(())
    }

    fn check_size(&self, keys: usize) -> Result<()> {
        if keys <= self.limits.most_keys {
            return Ok(());
        }
        Err(Error::LookupTooLarge {
            lookup: self.lookup.name.clone(),
            dataset: self.files.first().map(|file| file.dataset.name.clone()).unwrap_or_default(),
            limit: self.limits.most_keys,
        })
    }
}

/// What the lookup's own expressions remember from batch to batch.
#[derive(Default)]
struct RowCounts {
    key: Counts,
    only: Counts,
    given: Vec<Counts>,
}

/// Key and values of one batch of the lookup's dataset.
struct Rows {
    keys: ArrayRef,
    selected: Vec<bool>,
    given: Vec<ArrayRef>,
}

impl Rows {
    fn of(lookup: &Lookup, batch: &RecordBatch, counts: &mut RowCounts) -> Self {
        let nothing = Context::default();
        let holds = |only: &Condition| only.holds(batch, &nothing, &mut counts.only);
        let selected = lookup.only.as_ref().map_or_else(|| vec![true; batch.num_rows()], holds);
        let expressions: Vec<&Expression> = lookup.give.expressions().collect();
        counts.given.resize_with(expressions.len(), Counts::default);
        let given = expressions
            .into_iter()
            .zip(&mut counts.given)
            .map(|(expression, counts)| expression.texts(batch, &nothing, counts))
            .collect();
        Self { keys: lookup.key.texts(batch, &nothing, &mut counts.key), selected, given }
    }

    fn values(&self, row: usize) -> Vec<Option<String>> {
        let value = |column: &ArrayRef| {
            let texts = column.as_string::<i32>();
            (!texts.is_null(row)).then(|| texts.value(row).to_owned())
        };
        self.given.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests;
