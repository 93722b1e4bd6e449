//! Delimited text with a header line. Delimiter and encoding are found out and recorded.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use csv::{ByteRecord, ReaderBuilder};

use super::xpt::text_schema;
use super::{BATCH_ROWS, Dataset, Source, SourceColumn, SourceType, damaged, stem};
use crate::{Error, Result};

const FORMAT: &str = "CSV";
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A delimited file whose header was read and whose lines were all found to have the header's columns.
pub(super) struct CsvSource {
    path: PathBuf,
    dataset: Dataset,
    reader: csv::Reader<BufReader<File>>,
    schema: SchemaRef,
    is_utf8: bool,
}

impl CsvSource {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let delimiter = delimiter(path)?;
        let (rows, is_utf8) = measure(path, delimiter)?;
        let mut reader = start(path, delimiter)?;
        let header = reader.byte_headers().map_err(|error| damaged(path, FORMAT, error.to_string()))?.clone();
        let columns = columns(path, &header)?;
        let dataset = Dataset {
            file: crate::error::file_name(path),
            name: stem(path),
            format: FORMAT,
            encoding: if is_utf8 { "utf-8" } else { "windows-1252" },
            columns,
            rows: Some(rows),
        };
        Ok(Self { path: path.to_owned(), schema: text_schema(&dataset.columns), dataset, reader, is_utf8 })
    }
}

impl Source for CsvSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut builders: Vec<StringBuilder> =
            self.dataset.columns.iter().map(|_| StringBuilder::new()).collect();
        let mut record = ByteRecord::new();
        let mut rows = 0;
        while rows < BATCH_ROWS {
            let more = self.reader.read_byte_record(&mut record);
            if !more.map_err(|error| damaged(&self.path, FORMAT, error.to_string()))? {
                break;
            }
            for (cell, builder) in record.iter().zip(&mut builders) {
                if cell.is_empty() {
                    builder.append_null();
                } else {
                    builder.append_value(decode(cell, self.is_utf8));
                }
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> =
            builders.into_iter().map(|mut builder| Arc::new(builder.finish()) as _).collect();
        RecordBatch::try_new(self.schema.clone(), columns).map(Some).map_err(Error::arrow("read CSV rows"))
    }
}

/// Rule R-18: strict UTF-8, else Windows-1252, which has a character for every byte.
fn decode(cell: &[u8], is_utf8: bool) -> std::borrow::Cow<'_, str> {
    if is_utf8 {
        String::from_utf8_lossy(cell)
    } else {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(cell).0
    }
}

fn start(path: &Path, delimiter: u8) -> Result<csv::Reader<BufReader<File>>> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    Ok(ReaderBuilder::new().delimiter(delimiter).from_reader(BufReader::with_capacity(1 << 18, file)))
}

/// The delimiter that occurs most often in the first line.
fn delimiter(path: &Path) -> Result<u8> {
    let mut head = vec![0; 1 << 16];
    let read = File::open(path)
        .and_then(|mut file| file.read(&mut head))
        .map_err(|source| Error::io("read", path, source))?;
    let line = head[..read].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    Ok(DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b','))
}

/// Counts the rows, and refuses a line whose cells are not as many as the header's.
fn measure(path: &Path, delimiter: u8) -> Result<(u64, bool)> {
    let mut reader = start(path, delimiter)?;
    let mut record = ByteRecord::new();
    let (mut rows, mut is_utf8) = (0, true);
    while reader.read_byte_record(&mut record).map_err(|error| damaged(path, FORMAT, error.to_string()))? {
        if record.as_slice().contains(&0) {
            return Err(damaged(path, FORMAT, format!("row {}: it holds a zero byte", rows + 1)));
        }
        is_utf8 = is_utf8 && std::str::from_utf8(record.as_slice()).is_ok();
        rows += 1;
    }
    Ok((rows, is_utf8))
}

fn columns(path: &Path, header: &ByteRecord) -> Result<Vec<SourceColumn>> {
    let mut columns: Vec<SourceColumn> = Vec::with_capacity(header.len());
    for name in header {
        let name = name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name);
        let name = String::from_utf8_lossy(name).trim().to_owned();
        if name.is_empty() {
            return Err(damaged(path, FORMAT, format!("column {} has no name", columns.len() + 1)));
        }
        if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            return Err(damaged(path, FORMAT, format!("column `{name}` occurs twice")));
        }
        columns.push(SourceColumn { name, kind: SourceType::Text, type_name: "text".into() });
    }
    Ok(columns)
}
