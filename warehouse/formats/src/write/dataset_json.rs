//! Dataset-JSON 1.1 in its three wrappings.
//!
//! A document and NDJSON state their count of rows in front. Room is left for it, and it is filled in at the end;
//! a compressed file has to be told before.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use arrow::array::{Array, StringArray};
use chrono::SecondsFormat;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Map, Value, json};

use super::{Place, Sink, Target};
use crate::Result;
use crate::dataset::{Column, ColumnKind, Dataset};

/// Digits of the largest count.
const COUNT_ROOM: usize = 20;

/// What a column's cells become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Text,
    Whole,
    Number,
    Boolean,
}

pub(super) struct DatasetJsonSink<W> {
    out: W,
    place: Place,
    names: Vec<String>,
    written: Vec<Written>,
    /// Whether rows are elements of one array, and not lines.
    is_document: bool,
    line: Vec<u8>,
    /// Where the count of rows goes, if it is not known yet.
    count_at: u64,
}

/// Writes everything in front of the rows.
pub(super) fn begin(file: File, place: Place, dataset: &Dataset, target: Target) -> Result<Box<dyn Sink>> {
    let rows = if target == Target::Dsjc {
        let missing = || place.unwritable("its count of rows stands in front: set `rows`");
        Some(dataset.rows.ok_or_else(missing)?)
    } else {
        None
    };
    let (mut head, count_at) = head(&place, dataset, rows)?;
    let is_document = target == Target::DatasetJson;
    head.extend_from_slice(if is_document { b",\"rows\":[" } else { b"}\n" });
    let names = dataset.columns.iter().map(|column| column.name.clone()).collect();
    let written = dataset.columns.iter().map(|column| written(data_type(column))).collect();
    let sink = DatasetJsonSink { out: (), place, names, written, is_document, line: head, count_at };
    let out = BufWriter::with_capacity(1 << 18, file);
    Ok(if target == Target::Dsjc {
        Box::new(sink.with(ZlibEncoder::new(out, Compression::default()))?)
    } else {
        Box::new(sink.with(out)?)
    })
}

/// The members in front of the rows, without the closing bracket, and where the count of rows goes.
fn head(place: &Place, dataset: &Dataset, rows: Option<u64>) -> Result<(Vec<u8>, u64)> {
    let created =
        dataset.created_at.ok_or_else(|| place.unwritable("it states when it was made: set `created_at`"))?;
    let mut text = format!(
        "{{\"datasetJSONCreationDateTime\":{},\"datasetJSONVersion\":\"1.1.0\",\"itemGroupOID\":{},\"records\":",
        json!(created.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        json!(format!("IG.{}", dataset.name)),
    );
    let count_at = text.len() as u64;
    match rows {
        Some(rows) => text.push_str(&rows.to_string()),
        None => text.push_str(&" ".repeat(COUNT_ROOM)),
    }
    let columns: Vec<Value> = dataset.columns.iter().map(|column| described(&dataset.name, column)).collect();
    text.push_str(&format!(
        ",\"name\":{},\"label\":{},\"columns\":{}",
        json!(dataset.name),
        json!(dataset.label),
        Value::Array(columns)
    ));
    Ok((text.into_bytes(), count_at))
}

fn described(dataset: &str, column: &Column) -> Value {
    let mut members = Map::new();
    let oid = column.oid.clone().unwrap_or_else(|| format!("IT.{dataset}.{}", column.name));
    members.insert("itemOID".into(), json!(oid));
    members.insert("name".into(), json!(column.name));
    members.insert("label".into(), json!(column.label));
    members.insert("dataType".into(), json!(data_type(column)));
    if data_type(column) == "decimal" {
        members.insert("targetDataType".into(), json!("decimal"));
    }
    if let Some(length) = column.length.filter(|_| column.kind == ColumnKind::Text) {
        members.insert("length".into(), json!(length));
    }
    if let Some(place) = column.key_sequence {
        members.insert("keySequence".into(), json!(place));
    }
    Value::Object(members)
}

/// The column's type in the words of the standard: its own if it has one, else the widest of its kind.
fn data_type(column: &Column) -> &str {
    let own = column.type_name.as_str();
    match column.kind {
        ColumnKind::Number if matches!(own, "integer" | "decimal" | "float" | "double") => own,
        ColumnKind::Number => "double",
        ColumnKind::Bool => "boolean",
        ColumnKind::Time if matches!(own, "date" | "datetime" | "time") => own,
        ColumnKind::Time => "datetime",
        ColumnKind::Text if own == "URI" => own,
        ColumnKind::Text | ColumnKind::Other => "string",
    }
}

fn written(data_type: &str) -> Written {
    match data_type {
        "integer" => Written::Whole,
        "float" | "double" => Written::Number,
        "boolean" => Written::Boolean,
        _ => Written::Text,
    }
}

impl DatasetJsonSink<()> {
    fn with<W: Write>(self, out: W) -> Result<DatasetJsonSink<W>> {
        let Self { place, names, written, is_document, line, count_at, .. } = self;
        let mut sink = DatasetJsonSink { out, place, names, written, is_document, line, count_at };
        sink.flush_line()?;
        Ok(sink)
    }
}

impl<W: Write> DatasetJsonSink<W> {
    fn flush_line(&mut self) -> Result<()> {
        self.out.write_all(&self.line).map_err(|source| self.place.io(source))?;
        self.line.clear();
        Ok(())
    }

    fn add_cell(&mut self, column: usize, text: &str, row: u64) -> Result<()> {
        let is_written = match self.written[column] {
            Written::Text => serde_json::to_writer(&mut self.line, text).is_ok(),
            Written::Whole if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() => {
                self.add_number(text)
            }
            Written::Number if is_finite(text) => self.add_number(text),
            Written::Boolean if matches!(text, "true" | "false") => self.add_number(text),
            _ => false,
        };
        if is_written {
            return Ok(());
        }
        let name = &self.names[column];
        let wanted = match self.written[column] {
            Written::Whole => "a whole number of 64 bits",
            Written::Number => "a number",
            Written::Boolean => "`true` or `false`",
            Written::Text => "a text",
        };
        Err(self.place.unwritable(format!("row {row}, column `{name}`: `{text}` is not {wanted}")))
    }

    /// A number as it stands, if JSON writes it so; else in its shortest form.
    fn add_number(&mut self, text: &str) -> bool {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            self.line.extend_from_slice(text.as_bytes());
            return true;
        }
        text.parse().is_ok_and(|number: f64| {
            crate::text::write_number(&mut self.line, number);
            true
        })
    }

    fn add_rows(&mut self, columns: &[&StringArray], before: u64) -> Result<()> {
        let count = columns.first().copied().map_or(0, Array::len);
        for (row, number) in (0..count).zip(before + 1..) {
            if self.is_document && number > 1 {
                self.line.push(b',');
            }
            self.line.push(b'[');
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    self.line.push(b',');
                }
                if column.is_null(row) {
                    self.line.extend_from_slice(b"null");
                } else {
                    self.add_cell(place, column.value(row), number)?;
                }
            }
            self.line.push(b']');
            if !self.is_document {
                self.line.push(b'\n');
            }
            self.flush_line()?;
        }
        Ok(())
    }
}

fn is_finite(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

impl Sink for DatasetJsonSink<BufWriter<File>> {
    fn write(&mut self, columns: &[&StringArray], row: u64) -> Result<()> {
        self.add_rows(columns, row)
    }

    fn close(mut self: Box<Self>, rows: u64) -> Result<()> {
        if self.is_document {
            self.line.extend_from_slice(b"]}");
            self.flush_line()?;
        }
        let Self { out, place, count_at, .. } = *self;
        let end = || -> io::Result<()> {
            let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(count_at))?;
            file.write_all(format!("{rows:>COUNT_ROOM$}").as_bytes())?;
            file.sync_all()
        };
        end().map_err(|source| place.io(source))
    }
}

impl Sink for DatasetJsonSink<ZlibEncoder<BufWriter<File>>> {
    fn write(&mut self, columns: &[&StringArray], row: u64) -> Result<()> {
        self.add_rows(columns, row)
    }

    fn close(self: Box<Self>, _: u64) -> Result<()> {
        let Self { out, place, .. } = *self;
        let end = || out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all();
        end().map_err(|source| place.io(source))
    }
}
