//! From verbatim text to a typed canon row. A row that does not fit is set aside with the reason; it is
//! never dropped and never bent into shape.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use kernel::{BatchId, StudyId};

use crate::contract::{self, ColumnType, Entity};
use crate::date::{PartialDate, study_day};
use crate::mapping::expression::{Context, Counts, Expression, Tally, column_of, repeated};
use crate::mapping::{DatasetMapping, StudyDays};
use crate::row_hash::{Hex, RowHasher, row_id};
use crate::{Error, Result};

mod parse;

use parse::{derived_dates, typed};

/// What is the same for every row of a delivery.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The study that the scope opens; a row that names another is set aside.
    pub study: StudyId,
    /// Where the rows come from.
    pub source_system: String,
    /// The delivery.
    pub batch: BatchId,
    /// The instant of the source's cut.
    pub extracted_at: DateTime<Utc>,
    /// The instant at which the warehouse takes the rows in.
    pub received_at: DateTime<Utc>,
}

/// A row that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Its row in the file, counted from 1.
    pub row: u64,
    /// The canon column.
    pub column: String,
    /// The sender's column that feeds it; empty when none does.
    pub source_column: String,
    /// Why, in words, without the value: reasons are kept where no trial data may be.
    pub reason: String,
    /// The start of the text that did not fit, for the quarantine and for the sender.
    pub value: String,
    /// The record it is a version of, as far as its key could be read. A full cut does not remove it.
    pub row_id: [u8; 16],
    /// The source's id of the record, where it could be made out: it tells whether a later delivery mends it.
    pub record: Option<String>,
}

/// How many submitted study days were compared with rule R-02, and how many differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StudyDayCheck {
    /// Rows with a submitted day.
    pub submitted: u64,
    /// Rows whose day the rule gives too.
    pub equal: u64,
}

/// How many rows had a value that the mapping counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What is counted, in the mapping's words.
    pub count: String,
    /// The canon column.
    pub column: String,
    /// The sender's column that feeds it.
    pub source_column: String,
    /// How many, and of how many.
    pub tally: Tally,
}

/// Conforms the batches of one dataset to one entity.
pub struct Conformer<'a> {
    block: &'a DatasetMapping,
    entity: &'static Entity,
    context: &'a Context<'a>,
    stamp: &'a Stamp,
    dataset: String,
    schema: SchemaRef,
    counts: BTreeMap<String, Counts>,
    rows_read: u64,
    /// Comparisons with rule R-02, by submitted column.
    pub study_days: BTreeMap<String, StudyDayCheck>,
}

/// The rows of one batch that fit, and those that did not.
#[derive(Debug)]
pub struct Conformed {
    /// In the entity's schema.
    pub rows: RecordBatch,
    /// Set aside.
    pub misfits: Vec<Misfit>,
    /// Rows that the block reads, fitting or not.
    pub rows_in: u64,
}

impl<'a> Conformer<'a> {
    /// A conformer for one block of a mapping, reading the named dataset.
    ///
    /// # Errors
    /// [`Error::Contract`] when the block's entity does not exist.
    pub fn new(
        block: &'a DatasetMapping,
        context: &'a Context<'a>,
        stamp: &'a Stamp,
        dataset: &str,
    ) -> Result<Self> {
        let entity = contract::entity(&block.entity)?;
        Ok(Self {
            block,
            entity,
            context,
            stamp,
            dataset: dataset.to_owned(),
            schema: entity.schema(),
            counts: BTreeMap::new(),
            rows_read: 0,
            study_days: BTreeMap::new(),
        })
    }

    /// The schema of the rows it makes.
    #[must_use]
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Conforms the next batch of the file.
    ///
    /// # Errors
    /// [`Error::Arrow`] when a kernel refuses, which the types rule out.
    pub fn conform(&mut self, batch: &RecordBatch) -> Result<Conformed> {
        let selected = self.selected(batch);
        let mut verdict = Verdict::new(selected.clone());
        self.check_study(batch, &mut verdict);
        let mut business: Vec<ArrayRef> = Vec::with_capacity(self.entity.columns.len());
        let mut derived: Vec<ArrayRef> = Vec::new();
        for column in &self.entity.columns {
            let texts = self.texts(&column.name, batch, &selected);
            let array = typed(texts.as_string(), column, &mut verdict);
            if column.is_partial_date() {
                derived.extend(derived_dates(texts.as_string(), column, &mut verdict));
            }
            business.push(array);
        }
        for days in &self.block.study_days {
            self.check_study_days(days, batch);
        }
        // Neither needs the other, and each takes a good part of a batch's time.
        let entity = self.entity;
        let (record_ids, row_hashes) = thread::scope(|threads| {
            let row_hashes = threads.spawn(|| row_hashes(entity, &business));
            (self.record_ids(batch, &business), row_hashes.join())
        });
        let row_hashes = row_hashes.unwrap_or_else(|panic| resume_unwind(panic));
        let row_ids = self.row_ids(&record_ids);
        let keys = self.entity.columns.iter().zip(&business).filter(|(column, _)| column.is_key);
        let keys: Vec<ArrayRef> = keys.map(|(_, array)| array.clone()).collect();
        let system = self.system_columns(&record_ids, &row_ids, row_hashes);
        let columns = business.into_iter().chain(derived).chain(system).collect();
        let rows = self.keep(columns, &verdict)?;
        let rows_in = verdict.selected.iter().filter(|selected| **selected).count() as u64;
        // Without an id of the source's own, the whole natural key has to be there.
        let is_known =
            |row: usize| self.block.record_id.is_some() || keys.iter().all(|key| !key.is_null(row));
        let misfits = verdict
            .reasons
            .into_iter()
            .map(|(row, misfit)| Misfit {
                row: self.rows_read + misfit.row,
                source_column: self.source_of(&misfit.column),
                row_id: row_ids[row],
                record: is_known(row).then(|| record_ids.value(row).to_owned()),
                ..misfit
            })
            .collect();
        self.rows_read += batch.num_rows() as u64;
        Ok(Conformed { rows, misfits, rows_in })
    }

    /// The sender's name for what feeds a canon column.
    fn source_of(&self, column: &str) -> String {
        if column == "study_id" {
            return self.block.study.clone().unwrap_or_default();
        }
        let sources = self.block.columns.get(column).map(Expression::sources);
        sources.and_then(|sources| sources.into_iter().next()).unwrap_or_default()
    }

    fn selected(&mut self, batch: &RecordBatch) -> Vec<bool> {
        let Some(only) = &self.block.only else { return vec![true; batch.num_rows()] };
        let counts = self.counts.entry("only".to_owned()).or_default();
        only.holds(batch, self.context, counts)
    }

    /// What the mapping counts, over all rows so far.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        let columns = self.counts.iter();
        let tallies = columns.flat_map(|(column, counts)| {
            counts.tallies.iter().map(move |(name, tally)| (column, name, *tally))
        });
        tallies
            .filter(|(_, _, tally)| tally.rows > 0)
            .map(|(column, name, tally)| Counted {
                count: name.clone(),
                column: column.clone(),
                source_column: self.source_of(column),
                tally,
            })
            .collect()
    }

    fn keep(&self, columns: Vec<ArrayRef>, verdict: &Verdict) -> Result<RecordBatch> {
        let failed = || format!("conform `{}`", self.entity.name);
        if verdict.is_clean() {
            return RecordBatch::try_new(self.schema.clone(), columns).map_err(Error::arrow(failed()));
        }
        // A misfit may hold nulls where none are allowed: it is filtered out under a schema that allows them.
        let fields = self.schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let open = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let all = RecordBatch::try_new(open, columns).map_err(Error::arrow(failed()))?;
        let kept = filter_record_batch(&all, &verdict.fits()).map_err(Error::arrow(failed()))?;
        RecordBatch::try_new(self.schema.clone(), kept.columns().to_vec()).map_err(Error::arrow(failed()))
    }

    fn texts(&mut self, column: &str, batch: &RecordBatch, selected: &[bool]) -> ArrayRef {
        if column == "study_id" {
            return repeated(self.stamp.study.as_str(), batch.num_rows());
        }
        match self.block.columns.get(column) {
            Some(expression) => {
                let counts = self.counts.entry(column.to_owned()).or_default();
                expression.texts_of(batch, selected, self.context, counts)
            }
            None => Arc::new(StringArray::new_null(batch.num_rows())),
        }
    }

    fn check_study(&self, batch: &RecordBatch, verdict: &mut Verdict) {
        let Some(study) = &self.block.study else { return };
        let column = column_of(batch, study);
        for (row, text) in column.as_string::<i32>().iter().enumerate() {
            if text != Some(self.stamp.study.as_str()) {
                let found = text.unwrap_or("nothing");
                verdict.refuse(row, "study_id", found, || "the row belongs to another study".to_owned());
            }
        }
    }

    fn check_study_days(&mut self, days: &StudyDays, batch: &RecordBatch) {
        let submitted = column_of(batch, &days.day);
        let dates = column_of(batch, &days.date);
        let references = days.reference.texts(batch, self.context, &mut Counts::default());
        let check = self.study_days.entry(days.day.clone()).or_default();
        let columns = submitted
            .as_string::<i32>()
            .iter()
            .zip(dates.as_string::<i32>())
            .zip(references.as_string::<i32>());
        for ((submitted, date), reference) in columns {
            let Some(submitted) = submitted.and_then(|text| text.parse::<f64>().ok()) else { continue };
            check.submitted += 1;
            let day = |text: Option<&str>| text.and_then(PartialDate::parse).and_then(|date| date.day());
            let computed = day(date).zip(day(reference)).map(|(date, reference)| study_day(date, reference));
            check.equal +=
                u64::from(computed.is_some_and(|computed| (f64::from(computed) - submitted).abs() < 0.5));
        }
    }

    /// The source's own ids; a row without one has a hash of its natural key.
    fn record_ids(&mut self, batch: &RecordBatch, business: &[ArrayRef]) -> StringArray {
        let own = self.block.record_id.as_ref().map(|expression| {
            let counts = self.counts.entry("record_id".to_owned()).or_default();
            expression.texts(batch, self.context, counts)
        });
        let own = own.as_ref().map(AsArray::as_string::<i32>);
        let keys = self.entity.columns.iter().zip(business).filter(|(column, _)| column.is_key);
        let keys: Vec<(&ArrayRef, ColumnType)> = keys.map(|(column, array)| (array, column.kind)).collect();
        let mut hasher = RowHasher::new(&keys);
        let id = |row| match own.filter(|own| !own.is_null(row)) {
            Some(own) => own.value(row).to_owned(),
            None => Hex::of(&hasher.hash(row)[..16]).as_str().to_owned(),
        };
        StringArray::from_iter_values((0..batch.num_rows()).map(id))
    }

    fn row_ids(&self, record_ids: &StringArray) -> Vec<[u8; 16]> {
        let (study, system) = (self.stamp.study.as_str(), &self.stamp.source_system);
        let row_id = |id: Option<&str>| row_id(study, &self.entity.name, system, id.unwrap_or_default());
        record_ids.iter().map(row_id).collect()
    }

    fn system_columns(
        &self,
        record_ids: &StringArray,
        row_ids: &[[u8; 16]],
        row_hashes: ArrayRef,
    ) -> Vec<ArrayRef> {
        let (stamp, rows) = (self.stamp, row_ids.len());
        let same = |text: &str| repeated(text, rows);
        let instant = |at: DateTime<Utc>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from_value(at.timestamp_micros(), rows).with_timezone("UTC"))
        };
        let first_row = i64::try_from(self.rows_read).unwrap_or(i64::MAX) + 1;
        vec![
            fixed_size(row_ids.iter().copied()),
            same(&stamp.source_system),
            Arc::new(record_ids.clone()),
            same(&stamp.batch.to_string()),
            instant(stamp.extracted_at),
            row_hashes,
            instant(stamp.received_at),
            same("I"),
            same("PASS"),
            same(&self.dataset),
            Arc::new(Int64Array::from_iter_values((first_row..).take(rows))),
        ]
    }
}

fn row_hashes(entity: &Entity, business: &[ArrayRef]) -> ArrayRef {
    let kinds = entity.columns.iter().map(|column| column.kind);
    let mut hasher = RowHasher::new(&business.iter().zip(kinds).collect::<Vec<_>>());
    let rows = business.first().map_or(0, Array::len);
    fixed_size((0..rows).map(|row| hasher.hash(row)))
}

fn fixed_size<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> ArrayRef {
    let mut bytes: Vec<u8> = Vec::new();
    values.for_each(|value| bytes.extend_from_slice(&value));
    let width = i32::try_from(N).unwrap_or(i32::MAX);
    Arc::new(FixedSizeBinaryArray::new(width, bytes.into(), None))
}

/// Which rows of a batch are read and fit, and the first reason for each that does not.
#[derive(Debug)]
pub(crate) struct Verdict {
    selected: Vec<bool>,
    reasons: BTreeMap<usize, Misfit>,
}

impl Verdict {
    const fn new(selected: Vec<bool>) -> Self {
        Self { selected, reasons: BTreeMap::new() }
    }

    pub(crate) fn refuse(&mut self, row: usize, column: &str, text: &str, reason: impl FnOnce() -> String) {
        if self.selected[row] {
            self.reasons.entry(row).or_insert_with(|| Misfit {
                row: row as u64 + 1,
                column: column.to_owned(),
                source_column: String::new(),
                reason: reason(),
                value: text.chars().take(40).collect(),
                row_id: [0; 16],
                record: None,
            });
        }
    }

    fn is_clean(&self) -> bool {
        self.reasons.is_empty() && self.selected.iter().all(|selected| *selected)
    }

    fn fits(&self) -> BooleanArray {
        self.selected
            .iter()
            .enumerate()
            .map(|(row, selected)| Some(*selected && !self.reasons.contains_key(&row)))
            .collect()
    }
}
