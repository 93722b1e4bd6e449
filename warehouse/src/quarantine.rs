//! Rows that deliveries set aside, and what became of them since. Nothing is marked anywhere: a row is resolved by the
//! first later delivery that brought the same file for the same entity without setting the same record aside: it fitted,
//! or its sender withdrew it.
//!
//! A record is known by the source's own id or its natural key; where neither could be made out, by its place and
//! its value, so that an untouched row in the same place is still open.

use std::collections::BTreeSet;
use std::fs::File;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Utc};
use kernel::{BatchId, Read, StudyScope};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::ingest::Receipt;
use crate::storage::{Storage, TenantFiles};
use crate::{Error, Result};

/// One row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedRow {
    /// The delivery that set it aside.
    pub batch: BatchId,
    /// When that was.
    pub received_at: DateTime<Utc>,
    /// The file it stands in.
    pub file: String,
    /// The entity it was to become a row of.
    pub entity: String,
    /// Its row in the file, counted from 1.
    pub row: u64,
    /// The canon column that did not fit.
    pub column: String,
    /// The sender's column that feeds it; empty when none does.
    pub source_column: String,
    /// Why, in words.
    pub reason: String,
    /// The start of the text that did not fit.
    pub value: String,
    /// The source's id of the record, where it could be made out.
    pub record: Option<String>,
    /// What became of it.
    pub state: State,
}

/// What became of a row that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing since.
    Open,
    /// A later delivery set the same record aside again, and lists it.
    Repeated {
        /// That delivery.
        by: BatchId,
    },
    /// A later delivery brought its file, and the row fitted or was gone.
    Resolved {
        /// That delivery.
        by: BatchId,
    },
}

impl State {
    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Repeated { .. } => "repeated",
            Self::Resolved { .. } => "resolved",
        }
    }

    /// The delivery that decided it.
    #[must_use]
    pub const fn by(self) -> Option<BatchId> {
        match self {
            Self::Open => None,
            Self::Repeated { by } | Self::Resolved { by } => Some(by),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Of this delivery alone.
    pub batch: Option<BatchId>,
    /// Open ones alone.
    pub only_open: bool,
}

type Identity = (String, String, String);

/// The rows that the deliveries of `receipts` set aside, oldest delivery first, in file order. At most 1 % of each
/// dataset is ever set aside, and that much is held in memory.
///
/// # Errors
/// [`Error::Corrupt`] or [`Error::Parquet`] when a quarantine file cannot be read.
pub fn list(
    storage: &Storage,
    scope: &StudyScope<Read>,
    receipts: &[Receipt],
    wanted: Wanted,
) -> Result<Vec<QuarantinedRow>> {
    let files = storage.study(scope);
    let mut receipts: Vec<&Receipt> = receipts.iter().collect();
    receipts.sort_by_key(|receipt| (receipt.received_at, receipt.batch));
    let mut found: Vec<QuarantinedRow> = Vec::new();
    for receipt in receipts {
        let rows = read(&files, receipt)?;
        let still: BTreeSet<Identity> = rows.iter().map(identity).collect();
        for row in found.iter_mut().filter(|row| row.state == State::Open) {
            let came_again = receipt.files.iter().any(|file| file.file == row.file);
            let was_read = receipt.entities.contains_key(&row.entity);
            if !came_again || !was_read {
                continue;
            }
            let by = receipt.batch;
            row.state =
                if still.contains(&identity(row)) { State::Repeated { by } } else { State::Resolved { by } };
        }
        found.extend(rows);
    }
    found.retain(|row| {
        wanted.batch.is_none_or(|batch| row.batch == batch) && (!wanted.only_open || row.state == State::Open)
    });
    Ok(found)
}

fn identity(row: &QuarantinedRow) -> Identity {
    let record = match &row.record {
        Some(record) => record.clone(),
        None => format!("row {} {} {}", row.row, row.column, row.value),
    };
    (row.file.clone(), row.entity.clone(), record)
}

fn read(files: &TenantFiles, receipt: &Receipt) -> Result<Vec<QuarantinedRow>> {
    let Some(file) = &receipt.set_aside else { return Ok(Vec::new()) };
    let path = files.path(&file.key)?;
    let reader = File::open(&path).map_err(|source| Error::io("open", &path, source))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(reader).and_then(ParquetRecordBatchReaderBuilder::build);
    let mut rows = Vec::new();
    for batch in reader.map_err(Error::parquet("read", &path))? {
        let batch = batch.map_err(Error::arrow("read the quarantine"))?;
        rows.extend(rows_of(&batch, receipt, &file.key)?);
    }
    Ok(rows)
}

fn rows_of(batch: &RecordBatch, receipt: &Receipt, key: &str) -> Result<Vec<QuarantinedRow>> {
    let missing =
        |name: &str| Error::Corrupt { key: key.to_owned(), reason: format!("it has no column `{name}`") };
    let texts = |name: &str| -> Result<&StringArray> {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or_else(|| missing(name))
    };
    let names = ["file", "entity", "column", "source_column", "reason", "value", "record"];
    let [file, entity, column, source_column, reason, value, record] = names.map(texts);
    let (file, entity, column, source_column) = (file?, entity?, column?, source_column?);
    let (reason, value, record) = (reason?, value?, record?);
    let numbers =
        batch.column_by_name("source_row").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let numbers = numbers.ok_or_else(|| missing("source_row"))?;
    let row = |row: usize| QuarantinedRow {
        batch: receipt.batch,
        received_at: receipt.received_at,
        file: file.value(row).to_owned(),
        entity: entity.value(row).to_owned(),
        row: u64::try_from(numbers.value(row)).unwrap_or(0),
        column: column.value(row).to_owned(),
        source_column: source_column.value(row).to_owned(),
        reason: reason.value(row).to_owned(),
        value: value.value(row).to_owned(),
        record: (!record.is_null(row)).then(|| record.value(row).to_owned()),
        state: State::Open,
    };
    Ok((0..batch.num_rows()).map(row).collect())
}
