//! CDISC Dataset-JSON 1.1: one JSON object with the columns and the rows of a dataset.
// Source: CDISC, "Dataset-JSON v1.1 specification", attributes of the top level and of `columns`.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::super::error::SimulateError;
use super::table::{Cell, Column, Kind, TableSink, TableSpec};

/// A Dataset-JSON file.
pub(super) struct DatasetJsonFile {
    spec: &'static TableSpec,
    path: PathBuf,
    file: BufWriter<File>,
    rows: u64,
    /// Where the number of rows is written in the end.
    rows_at: u64,
}

/// Digits that the number of rows may have; what it does not need are blanks, which JSON allows.
const ROWS_WIDTH: usize = 12;

impl DatasetJsonFile {
    /// Begins the file of a table in a folder. `day` is written as the day of its making.
    pub(super) fn create(
        folder: &Path,
        spec: &'static TableSpec,
        study: &str,
        day: NaiveDate,
    ) -> Result<Self, SimulateError> {
        let path = folder.join(format!("{}.json", spec.name.to_lowercase()));
        let created = File::create(&path);
        let file = created.map_err(|source| SimulateError::Write { path: path.clone(), source })?;
        let before = head(spec, study, day);
        let rows_at = before.len() as u64;
        let columns: Vec<Value> = spec.columns.iter().map(|column| describe(spec, column)).collect();
        let mut begun = Self { spec, path, file: BufWriter::new(file), rows: 0, rows_at };
        begun.write(&before)?;
        begun.write(&format!("{:>ROWS_WIDTH$},\"columns\":{},\"rows\":[", 0, Value::Array(columns)))?;
        Ok(begun)
    }

    fn write(&mut self, text: &str) -> Result<(), SimulateError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| SimulateError::Write { path: self.path.clone(), source })
    }
}

impl TableSink for DatasetJsonFile {
    fn push(&mut self, row: &[Cell<'_>]) -> Result<(), SimulateError> {
        let mut text = String::from(if self.rows == 0 { "\n[" } else { ",\n[" });
        for (place, (column, cell)) in self.spec.columns.iter().zip(row).enumerate() {
            if place > 0 {
                text.push(',');
            }
            match (column.kind, cell) {
                (Kind::Char(_), Cell::Text(value)) => {
                    self.spec.check_width(column, value)?;
                    text.push_str(&Value::from(value.as_ref()).to_string());
                }
                (Kind::Char(_), _) => text.push_str("\"\""),
                (Kind::Integer, Cell::Number(number)) => text.push_str(&format!("{number:.0}")),
                (Kind::Float, Cell::Number(number)) => text.push_str(&Value::from(*number).to_string()),
                _ => text.push_str("null"),
            }
        }
        text.push(']');
        self.rows += 1;
        self.write(&text)
    }

    fn finish(mut self: Box<Self>) -> Result<(), SimulateError> {
        self.write("\n]}\n")?;
        let rows = format!("{:>ROWS_WIDTH$}", self.rows);
        let mut patch = || {
            self.file.seek(SeekFrom::Start(self.rows_at))?;
            self.file.write_all(rows.as_bytes())?;
            self.file.flush()
        };
        patch().map_err(|source| SimulateError::Write { path: self.path.clone(), source })
    }
}

/// The text up to the number of rows.
fn head(spec: &TableSpec, study: &str, day: NaiveDate) -> String {
    let stamp = format!("{day}T00:00:00");
    let metadata = json!({
        "datasetJSONCreationDateTime": stamp,
        "datasetJSONVersion": "1.1.0",
        "dbLastModifiedDateTime": stamp,
        "fileOID": format!("cairn.simulated.{study}.{}", spec.name),
        "itemGroupOID": format!("IG.{}", spec.name),
        "label": spec.label,
        "name": spec.name,
        "originator": "Cairn simulator",
        "sourceSystem": { "name": "Cairn simulator", "version": env!("CARGO_PKG_VERSION") },
        "studyOID": study,
    });
    let text = metadata.to_string();
    format!("{},\"records\":", text.trim_end_matches('}'))
}

fn describe(spec: &TableSpec, column: &Column) -> Value {
    let (kind, length) = match column.kind {
        Kind::Char(width) => ("string", Some(width)),
        Kind::Integer => ("integer", None),
        Kind::Float => ("double", None),
    };
    let mut described = json!({
        "itemOID": format!("IT.{}.{}", spec.name, column.name),
        "name": column.name,
        "label": column.label,
        "dataType": kind,
    });
    if let (Some(length), Some(object)) = (length, described.as_object_mut()) {
        object.insert("length".to_owned(), length.into());
    }
    described
}
