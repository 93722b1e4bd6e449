//! Delimited text with a header line. Delimiter, quote and encoding are found out and recorded.

mod dialect;
mod records;

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use arrow::array::RecordBatch;
use encoding_rs::WINDOWS_1252;
use memchr::memchr;

use crate::dataset::{Column, ColumnKind, Dataset, Format, check_columns};
use crate::error::file_name;
use crate::source::{Source, stem};
use crate::text::{Rows, schema};
use crate::{Error, Result};
use dialect::{Dialect, detect, line_at, open_text};
use records::{Broken, Records};

const FORMAT: &str = "CSV";
const UTF_8: &str = "utf-8";

/// Finds out how the file is written, and reads every record to see that it has the header's cells.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    let file = file_name(path);
    let dialect = detect(path)?;
    let (text, marked) = open_text(path)?;
    let mut records = Records::new(text, dialect);
    if !records.advance().map_err(|broken| refused(&file, "the header", broken))? {
        return Err(Error::damaged(&file, FORMAT, "it has no header line"));
    }
    let mut header: Vec<Vec<u8>> = Vec::with_capacity(records.cells());
    records.for_each(|_, cell| header.push(cell.to_vec()));
    let mut is_utf8 = simdutf8::basic::from_utf8(records.bytes()).is_ok();
    let names =
        |is_utf8| header.iter().map(|name| decode(name, is_utf8).trim().to_owned()).collect::<Vec<_>>();
    let columns = |is_utf8| -> Vec<Column> {
        names(is_utf8).into_iter().map(|name| Column::new(name, ColumnKind::Text, "text")).collect()
    };
    check_columns(&file, FORMAT, &columns(is_utf8))?;
    let mut rows = 0;
    while records.advance().map_err(|broken| refused(&file, &format!("row {}", rows + 1), broken))? {
        rows += 1;
        if records.cells() != header.len() || memchr(0, records.bytes()).is_some() {
            let line = line_at(path, records.position()).unwrap_or_default();
            let place = format!("row {rows} (line: {line})");
            return Err(Error::damaged(&file, FORMAT, what_is_wrong(&mut records, &place, &names(is_utf8))));
        }
        is_utf8 = is_utf8 && simdutf8::basic::from_utf8(records.bytes()).is_ok();
    }
    if !is_utf8 && marked.is_some() {
        return Err(Error::damaged(
            &file,
            FORMAT,
            "its first bytes promise UTF-8, which it is not throughout",
        ));
    }
    Ok(Dataset {
        file,
        name: stem(path),
        label: String::new(),
        format: Format::Csv { delimiter: dialect.delimiter, quote: dialect.quote },
        encoding: marked.unwrap_or(if is_utf8 { UTF_8 } else { "windows-1252" }),
        created_at: None,
        columns: columns(is_utf8),
        rows: Some(rows),
    })
}

/// The rows of a delimited file that was checked.
pub(crate) struct CsvSource {
    dataset: Dataset,
    records: Records<Box<dyn Read>>,
    rows: Rows,
    row: u64,
    is_utf8: bool,
}

impl CsvSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset, delimiter: u8, quote: u8) -> Result<Self> {
        let (text, _) = open_text(path)?;
        let mut records = Records::new(text, Dialect { delimiter, quote });
        records.advance().map_err(|broken| refused(&dataset.file, "the header", broken))?;
        Ok(Self {
            rows: Rows::new(&schema(&dataset.columns)),
            is_utf8: dataset.encoding != "windows-1252",
            dataset: dataset.clone(),
            records,
            row: 0,
        })
    }
}

impl Source for CsvSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Self { dataset, records, rows, row, is_utf8 } = self;
        while !rows.is_full() {
            let more = records.advance();
            if !more.map_err(|broken| refused(&dataset.file, &format!("row {}", *row + 1), broken))? {
                break;
            }
            *row += 1;
            if records.cells() != rows.columns.len() {
                return Err(Error::damaged(
                    &dataset.file,
                    FORMAT,
                    format!("row {row} changed since the check"),
                ));
            }
            let bytes = records.bytes().len();
            if *is_utf8 {
                records.for_each(|number, cell| rows.columns[number].push(cell));
            } else {
                records.for_each(|number, cell| rows.columns[number].push(decode(cell, false).as_bytes()));
            }
            rows.add(1, bytes);
        }
        rows.finish("read CSV rows")
    }
}

/// Rule R-18: strict UTF-8, else Windows-1252, which has a character for every byte.
fn decode(cell: &[u8], is_utf8: bool) -> Cow<'_, str> {
    if is_utf8 { String::from_utf8_lossy(cell) } else { WINDOWS_1252.decode_without_bom_handling(cell).0 }
}

fn refused(file: &str, place: &str, broken: Broken) -> Error {
    match broken {
        Broken::Record(reason) => Error::damaged(file, FORMAT, format!("{place}: {reason}")),
        Broken::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            Error::damaged(file, FORMAT, format!("{place}: {source}"))
        }
        Broken::Io(source) => Error::Io { step: "read", file: file.to_owned(), source },
    }
}

/// Names the row and the column of a record that does not fit its header.
fn what_is_wrong(records: &mut Records<Box<dyn Read>>, place: &str, names: &[String]) -> String {
    let (cells, wanted) = (records.cells(), names.len());
    if cells < wanted {
        let missing = &names[cells];
        return format!(
            "{place}: it has {cells} cells, the header has {wanted}: column `{missing}` has none"
        );
    }
    if cells > wanted {
        return format!(
            "{place}: it has {cells} cells, the header has {wanted}: quote what holds a delimiter"
        );
    }
    let mut wrong = format!("{place}: it holds a zero byte");
    records.for_each(|number, cell| {
        if memchr(0, cell).is_some() {
            wrong = format!("{place}, column `{}`: it holds a zero byte", names[number]);
        }
    });
    wrong
}
