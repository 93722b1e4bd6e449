//! The two tables of a snapshot that hold what the checks found: their rows in memory, and the way to and
//! from Parquet. No verdict stands in them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use kernel::{Read, StudyScope};

use super::{CHECK_TABLE, FINDING_TABLE};
use crate::snapshot::Manifest;
use crate::storage::Storage;
use crate::{Error, Result, TableScan};

/// Whether a check could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Of at least one row.
    Evaluated,
    /// Of no row: it is neither passed nor failed.
    NotApplicable,
}

impl Status {
    /// Its name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluated => "evaluated",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// One row of `quality_check`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckRow {
    /// The check.
    pub check_id: String,
    /// The version of its meaning.
    pub version: u32,
    /// `conformance`, `completeness` or `plausibility`.
    pub category: String,
    /// The finer kind.
    pub subcategory: String,
    /// `error`, `warn` or `info`.
    pub severity: String,
    /// The entity; `*` when it looks at several.
    pub entity: String,
    /// The column that violations are shown at.
    pub column: String,
    /// What holds when nothing is violated.
    pub description: String,
    /// What to do about a violation.
    pub remedy: String,
    /// Rows it was asked of.
    pub denominator: u64,
    /// Rows that violate it.
    pub violations: u64,
    /// How many of these stand in `quality_finding`.
    pub findings: u64,
    /// Who checked: `cairn`, or the engine whose findings were added.
    pub source: String,
    /// A hash over everything it was computed from.
    pub inputs: String,
}

impl CheckRow {
    /// Whether it could be asked.
    #[must_use]
    pub const fn status(&self) -> Status {
        if self.denominator == 0 { Status::NotApplicable } else { Status::Evaluated }
    }

    /// Violations over the denominator; 0 when it was asked of no row.
    #[must_use]
    pub fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more than 53 bits")]
        let share = self.violations as f64 / self.denominator.max(1) as f64;
        share
    }
}

/// One row of `quality_finding`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// The entity or dataset of the row.
    pub entity: String,
    /// Its subject.
    pub subject_id: Option<String>,
    /// Its site.
    pub site_id: Option<String>,
    /// The canon row, in hexadecimal.
    pub row_id: Option<String>,
    /// The delivery it came with.
    pub batch_id: Option<String>,
    /// The file it stands in, where that is known.
    pub source_file: Option<String>,
    /// Its row in that file, counted from 1.
    pub source_row: Option<u64>,
    /// The column.
    pub column: String,
    /// The value that violates the check, as text.
    pub value: Option<String>,
    /// What is wrong with it, in words.
    pub message: String,
}

pub(super) const FINDING_COLUMNS: [(&str, DataType); 12] = [
    ("check_id", DataType::Utf8),
    ("nth", DataType::Int64),
    ("entity", DataType::Utf8),
    ("subject_id", DataType::Utf8),
    ("site_id", DataType::Utf8),
    ("row_id", DataType::Utf8),
    ("batch_id", DataType::Utf8),
    ("source_file", DataType::Utf8),
    ("source_row", DataType::Int64),
    ("column_name", DataType::Utf8),
    ("value", DataType::Utf8),
    ("message", DataType::Utf8),
];

const CHECK_COLUMNS: [(&str, DataType); 15] = [
    ("check_id", DataType::Utf8),
    ("version", DataType::Int64),
    ("category", DataType::Utf8),
    ("subcategory", DataType::Utf8),
    ("severity", DataType::Utf8),
    ("entity", DataType::Utf8),
    ("column_name", DataType::Utf8),
    ("description", DataType::Utf8),
    ("remedy", DataType::Utf8),
    ("denominator", DataType::Int64),
    ("violations", DataType::Int64),
    ("findings", DataType::Int64),
    ("status", DataType::Utf8),
    ("source", DataType::Utf8),
    ("inputs", DataType::Utf8),
];

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The checks as one batch.
pub(super) fn check_batch(rows: &[CheckRow]) -> Result<RecordBatch> {
    let text = |pick: fn(&CheckRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(pick)))
    };
    let number = |pick: fn(&CheckRow) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| signed(pick(row)))))
    };
    let columns = vec![
        text(|row| &row.check_id),
        number(|row| u64::from(row.version)),
        text(|row| &row.category),
        text(|row| &row.subcategory),
        text(|row| &row.severity),
        text(|row| &row.entity),
        text(|row| &row.column),
        text(|row| &row.description),
        text(|row| &row.remedy),
        number(|row| row.denominator),
        number(|row| row.violations),
        number(|row| row.findings),
        text(|row| row.status().name()),
        text(|row| &row.source),
        text(|row| &row.inputs),
    ];
    RecordBatch::try_new(schema(&CHECK_COLUMNS), columns).map_err(Error::arrow("write the quality checks"))
}

/// The findings of one check as one batch.
pub(super) fn finding_batch(check_id: &str, findings: &[Finding]) -> Result<RecordBatch> {
    let text = |pick: fn(&Finding) -> Option<&str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(findings.iter().map(pick)))
    };
    let same = std::iter::repeat_n(check_id, findings.len());
    let nth = (1..).take(findings.len());
    let columns = vec![
        Arc::new(StringArray::from_iter_values(same)) as ArrayRef,
        Arc::new(Int64Array::from_iter_values(nth)),
        text(|finding| Some(&finding.entity)),
        text(|finding| finding.subject_id.as_deref()),
        text(|finding| finding.site_id.as_deref()),
        text(|finding| finding.row_id.as_deref()),
        text(|finding| finding.batch_id.as_deref()),
        text(|finding| finding.source_file.as_deref()),
        Arc::new(Int64Array::from_iter(findings.iter().map(|finding| finding.source_row.map(signed)))),
        text(|finding| Some(&finding.column)),
        text(|finding| finding.value.as_deref()),
        text(|finding| Some(&finding.message)),
    ];
    RecordBatch::try_new(finding_schema(), columns).map_err(Error::arrow("write the quality findings"))
}

pub(super) fn finding_schema() -> SchemaRef {
    schema(&FINDING_COLUMNS)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The checks of a snapshot, in the order of their ids; none when it was built before there were any.
///
/// # Errors
/// As [`TableScan::open`] and its iterator.
pub fn read_checks(
    storage: &Storage,
    scope: &StudyScope<Read>,
    manifest: &Manifest,
) -> Result<Vec<CheckRow>> {
    if !manifest.tables.contains_key(CHECK_TABLE) {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for batch in TableScan::open(storage, scope, manifest, CHECK_TABLE, 1024)? {
        rows.extend(checks_of(&batch?)?);
    }
    Ok(rows)
}

/// The findings of one check from the `offset`th on, at most `limit`.
///
/// # Errors
/// As [`TableScan::open`] and its iterator.
pub fn read_findings(
    storage: &Storage,
    scope: &StudyScope<Read>,
    (manifest, check_id): (&Manifest, &str),
    (offset, limit): (u64, u64),
) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let wanted = (offset + 1)..=offset.saturating_add(limit);
    for batch in TableScan::open(storage, scope, manifest, FINDING_TABLE, 8192)? {
        let batch = batch?;
        let columns = Columns(&batch);
        let (ids, nth) = (columns.texts("check_id")?, columns.numbers("nth")?);
        for row in 0..batch.num_rows() {
            if ids.value(row) == check_id && wanted.contains(&unsigned(nth.value(row))) {
                found.push(finding_of(&columns, row)?);
            }
        }
    }
    Ok(found)
}

pub(super) fn checks_of(batch: &RecordBatch) -> Result<Vec<CheckRow>> {
    let columns = Columns(batch);
    let row = |row: usize| {
        let text = |name: &str| columns.texts(name).map(|column| column.value(row).to_owned());
        let number = |name: &str| columns.numbers(name).map(|column| unsigned(column.value(row)));
        Ok(CheckRow {
            check_id: text("check_id")?,
            version: u32::try_from(number("version")?).unwrap_or(u32::MAX),
            category: text("category")?,
            subcategory: text("subcategory")?,
            severity: text("severity")?,
            entity: text("entity")?,
            column: text("column_name")?,
            description: text("description")?,
            remedy: text("remedy")?,
            denominator: number("denominator")?,
            violations: number("violations")?,
            findings: number("findings")?,
            source: text("source")?,
            inputs: text("inputs")?,
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

fn finding_of(columns: &Columns<'_>, row: usize) -> Result<Finding> {
    let text = |name: &str| -> Result<Option<String>> {
        let column = columns.texts(name)?;
        Ok((!column.is_null(row)).then(|| column.value(row).to_owned()))
    };
    let source_row = columns.numbers("source_row")?;
    Ok(Finding {
        entity: text("entity")?.unwrap_or_default(),
        subject_id: text("subject_id")?,
        site_id: text("site_id")?,
        row_id: text("row_id")?,
        batch_id: text("batch_id")?,
        source_file: text("source_file")?,
        source_row: (!source_row.is_null(row)).then(|| unsigned(source_row.value(row))),
        column: text("column_name")?.unwrap_or_default(),
        value: text("value")?,
        message: text("message")?.unwrap_or_default(),
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Columns by name, of the types that the tables have.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn texts(&self, name: &str) -> Result<&StringArray> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or_else(|| missing(name))
    }

    fn numbers(&self, name: &str) -> Result<&Int64Array> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.ok_or_else(|| missing(name))
    }
}

fn missing(column: &str) -> Error {
    Error::Corrupt { key: CHECK_TABLE.to_owned(), reason: format!("it has no column `{column}`") }
}
