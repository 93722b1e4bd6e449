//! Delimited text with a header line. Delimiter and encoding are found out and recorded.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use csv::{ByteRecord, ReaderBuilder};

use crate::dataset::{Column, ColumnKind, Dataset, Format};
use crate::error::file_name;
use crate::source::{BATCH_ROWS, Source, stem};
use crate::text::{Rows, append_text, schema};
use crate::{Error, Result};

const FORMAT: &str = "CSV";
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads the header, and every line to see that it has the header's columns.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    let delimiter = delimiter(path)?;
    let (rows, is_utf8) = measure(path, delimiter)?;
    let mut reader = start(path, delimiter)?;
    let header = reader.byte_headers().map_err(|error| damaged(path, error.to_string()))?.clone();
    Ok(Dataset {
        file: file_name(path),
        name: stem(path),
        label: String::new(),
        format: Format::Csv { delimiter },
        encoding: if is_utf8 { "utf-8" } else { "windows-1252" },
        created_at: None,
        columns: columns(path, &header)?,
        rows: Some(rows),
    })
}

/// The rows of a delimited file that was checked.
pub(crate) struct CsvSource {
    dataset: Dataset,
    reader: csv::Reader<BufReader<File>>,
    schema: SchemaRef,
    is_utf8: bool,
}

impl CsvSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset, delimiter: u8) -> Result<Self> {
        Ok(Self {
            schema: schema(&dataset.columns),
            is_utf8: dataset.encoding == "utf-8",
            dataset: dataset.clone(),
            reader: start(path, delimiter)?,
        })
    }
}

impl Source for CsvSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut batch = Rows::new(&self.schema);
        let mut record = ByteRecord::new();
        let mut rows = 0;
        while rows < BATCH_ROWS {
            let more = self.reader.read_byte_record(&mut record);
            if !more.map_err(|error| Error::damaged(&self.dataset.file, FORMAT, error.to_string()))? {
                break;
            }
            for (cell, builder) in record.iter().zip(&mut batch.columns) {
                append_text(builder, &decode(cell, self.is_utf8));
            }
            rows += 1;
        }
        if rows == 0 { Ok(None) } else { batch.finish().map(Some) }
    }
}

fn damaged(path: &Path, reason: impl Into<String>) -> Error {
    Error::damaged(&file_name(path), FORMAT, reason)
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
    while reader.read_byte_record(&mut record).map_err(|error| damaged(path, error.to_string()))? {
        if record.as_slice().contains(&0) {
            return Err(damaged(path, format!("row {}: it holds a zero byte", rows + 1)));
        }
        is_utf8 = is_utf8 && std::str::from_utf8(record.as_slice()).is_ok();
        rows += 1;
    }
    Ok((rows, is_utf8))
}

fn columns(path: &Path, header: &ByteRecord) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::with_capacity(header.len());
    for name in header {
        let name = name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name);
        let name = String::from_utf8_lossy(name).trim().to_owned();
        if name.is_empty() {
            return Err(damaged(path, format!("column {} has no name", columns.len() + 1)));
        }
        if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            return Err(damaged(path, format!("column `{name}` occurs twice")));
        }
        columns.push(Column::new(name, ColumnKind::Text, "text"));
    }
    Ok(columns)
}
