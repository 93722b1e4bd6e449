//! What is known of a dataset before its first row is read.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::limits::{CELLS_ALLOWANCE, MAX_CELLS_PER_BYTE, MAX_COLUMNS};
use crate::{Error, Result};

/// What a column can hold, as far as its format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, or a format that has only text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// A day or an instant.
    Time,
    /// Something that is not one value: a list, a structure, bytes.
    Other,
}

/// One column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its label; empty where the format has none.
    pub label: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Its type in the words of the format.
    pub type_name: String,
    /// Its length in bytes or characters, where the format declares one.
    pub length: Option<u32>,
    /// Its identifier in the study's metadata (`itemOID`), where the format has one.
    pub oid: Option<String>,
    /// Its place in the dataset's key, from 1, where the format says so.
    pub key_sequence: Option<u32>,
}

impl Column {
    /// A column of which no more than name and kind is known.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ColumnKind, type_name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: String::new(),
            kind,
            type_name: type_name.into(),
            length: None,
            oid: None,
            key_sequence: None,
        }
    }
}

/// The form of a file, with what its reader must know to read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SAS transport, version 5.
    XptV5 {
        /// Where the dataset's own header begins, in bytes.
        at: u64,
    },
    /// SAS transport, version 8: long names, long texts.
    XptV8 {
        /// Where the dataset's own header begins, in bytes.
        at: u64,
    },
    /// A native SAS dataset.
    Sas7bdat,
    /// Dataset-JSON 1.1, one JSON document.
    DatasetJson,
    /// Dataset-JSON 1.1, one line for each row.
    DatasetNdjson,
    /// Dataset-JSON 1.1, compressed.
    Dsjc(
        /// How it is wrapped.
        Wrapping,
    ),
    /// Parquet.
    Parquet,
    /// Arrow IPC with a footer.
    ArrowFile,
    /// Arrow IPC as a stream.
    ArrowStream,
    /// Delimited text.
    Csv {
        /// The byte between two cells.
        delimiter: u8,
        /// The byte around a cell that holds the delimiter or a line end.
        quote: u8,
    },
    /// ODM-XML, 1.3 or 2.0. One file holds several datasets.
    Odm {
        /// Whether the file tells transactions, so that a later row may replace an earlier one.
        is_transactional: bool,
        /// Whether its data points refer to audit records that stand elsewhere in the file.
        has_references: bool,
    },
}

/// How the bytes of a compressed file are wrapped. The standard says zlib; its published examples are gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// RFC 1950.
    Zlib,
    /// RFC 1952.
    Gzip,
    /// Not compressed, whatever the name promises.
    Plain,
}

impl Format {
    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XptV5 { .. } => "SAS XPT v5",
            Self::XptV8 { .. } => "SAS XPT v8",
            Self::Sas7bdat => "SAS7BDAT",
            Self::DatasetJson => "Dataset-JSON",
            Self::DatasetNdjson => "Dataset-JSON (NDJSON)",
            Self::Dsjc(_) => "Dataset-JSON (DSJC)",
            Self::Parquet => "Parquet",
            Self::ArrowFile => "Arrow IPC file",
            Self::ArrowStream => "Arrow IPC stream",
            Self::Csv { .. } => "CSV",
            Self::Odm { .. } => "ODM-XML",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of a dataset whose file was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The file, as delivered.
    pub file: String,
    /// The dataset's name, in upper case: from the file's header where it has one, else the file's name.
    pub name: String,
    /// The dataset's label; empty where the format has none.
    pub label: String,
    /// The form of the file.
    pub format: Format,
    /// The encoding that the texts were read with (rule R-18).
    pub encoding: &'static str,
    /// When the sender made the dataset, where the format says so and leaves no doubt about the zone.
    pub created_at: Option<DateTime<Utc>>,
    /// Its columns in file order.
    pub columns: Vec<Column>,
    /// Its rows, where the format says or the check counted them.
    pub rows: Option<u64>,
}

impl Dataset {
    /// The position of a column, whatever the case of its name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Refuses a dataset without columns, with too many, or with one that has no name or another's name.
pub(crate) fn check_columns(file: &str, format: &'static str, columns: &[Column]) -> Result<()> {
    let refused = |reason: String| Err(Error::damaged(file, format, reason));
    if columns.is_empty() {
        return refused("it has no columns".into());
    }
    if columns.len() > MAX_COLUMNS {
        return refused(format!("it has {} columns, the limit is {MAX_COLUMNS}", columns.len()));
    }
    let mut names = BTreeSet::new();
    for (column, number) in columns.iter().zip(1..) {
        if column.name.is_empty() {
            return refused(format!("column {number} has no name"));
        }
        if !names.insert(column.name.to_ascii_uppercase()) {
            return refused(format!("column `{}` occurs twice", column.name));
        }
    }
    Ok(())
}

/// Refuses a dataset of so many rows that reading them would take time without bound: a few bytes may promise any
/// number of empty cells. `bytes` is the length of the file.
pub(crate) fn check_cells(
    file: &str,
    format: &'static str,
    rows: u64,
    columns: &[Column],
    bytes: u64,
) -> Result<()> {
    let cells = rows.saturating_mul(columns.len() as u64);
    if cells <= CELLS_ALLOWANCE.max(bytes.saturating_mul(MAX_CELLS_PER_BYTE)) {
        return Ok(());
    }
    Err(Error::damaged(
        file,
        format,
        format!("its {bytes} bytes promise {rows} rows, above {MAX_CELLS_PER_BYTE} cells for each byte"),
    ))
}
