//! SAS transport files, versions 5 and 8.
//!
//! The reader library takes a partial last record for the end of the data. A truncated file would then
//! lose rows silently, so the file is measured against its own header before the first row is used.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use encoding_rs::{UTF_8, WINDOWS_1252};
use sas_xport::sas::SasVariableType;
use sas_xport::sas::xport::{
    XportDataset, XportDatasetVersion, XportError, XportErrorKind, XportReader, XportValue, XportVariable,
};

use crate::dataset::{Column, ColumnKind, Dataset, Format};
use crate::error::file_name;
use crate::source::{BATCH_ROWS, Source};
use crate::text::{Rows, append_number, append_text, schema};
use crate::{Error, Result};

const FORMAT: &str = "SAS XPT";
/// The unit of length of a transport file.
const CARD: u64 = 80;

type Reader = XportDataset<Counted<BufReader<File>>>;

/// Measures a transport file against its own header and decodes every text of it once.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    // Rule R-18: strict UTF-8 first; Windows-1252 only for a file that is not, and then it is recorded.
    let (rows, encoding) = match measure(path, Decoding::Strict) {
        Err(Unreadable::Encoding) => {
            let rows = measure(path, Decoding::WithFallback).map_err(|error| error.into_error(path))?;
            (rows, "windows-1252")
        }
        rows => (rows.map_err(|error| error.into_error(path))?, "utf-8"),
    };
    let (reader, _) = start(path, Decoding::of(encoding)).map_err(|error| error.into_error(path))?;
    let header = reader.schema();
    let is_v5 = header.xport_dataset_version() == XportDatasetVersion::V5;
    Ok(Dataset {
        file: file_name(path),
        name: header.dataset_name().trim().to_ascii_uppercase(),
        label: header.dataset_label().trim().to_owned(),
        format: if is_v5 { Format::XptV5 } else { Format::XptV8 },
        encoding,
        // Its header has a local time without a zone.
        created_at: None,
        columns: header.variables().iter().map(column).collect(),
        rows: Some(rows),
    })
}

fn column(variable: &XportVariable) -> Column {
    let (kind, type_name) = match variable.value_type() {
        SasVariableType::Numeric => (ColumnKind::Number, "numeric"),
        SasVariableType::Character => (ColumnKind::Text, "character"),
    };
    Column {
        label: variable.long_label().trim().to_owned(),
        length: Some(u32::from(variable.value_length())),
        ..Column::new(variable.full_name().trim(), kind, type_name)
    }
}

/// The rows of a transport file that was measured.
pub(crate) struct XptSource {
    dataset: Dataset,
    reader: Reader,
    schema: SchemaRef,
    row: u64,
}

impl XptSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let decoding = Decoding::of(dataset.encoding);
        let (reader, _) = start(path, decoding).map_err(|error| error.into_error(path))?;
        Ok(Self { dataset: dataset.clone(), reader, schema: schema(&dataset.columns), row: 0 })
    }

    fn fill(&mut self, rows: &mut Rows) -> Result<usize> {
        for count in 0..BATCH_ROWS {
            let at = self.row + 1;
            let failed =
                |error: XportError| Error::damaged(&self.dataset.file, FORMAT, format!("row {at}: {error}"));
            let Some(record) = self.reader.next_lazy_record().map_err(failed)? else { return Ok(count) };
            for (value, builder) in record.iter().zip(rows.columns.iter_mut()) {
                match value.map_err(failed)? {
                    XportValue::Character(text) => append_text(builder, &text),
                    XportValue::Number(number) if number.is_nan() => builder.append_null(),
                    XportValue::Number(number) => append_number(builder, number),
                }
            }
            self.row += 1;
        }
        Ok(BATCH_ROWS)
    }
}

impl Source for XptSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = Rows::new(&self.schema);
        if self.fill(&mut rows)? == 0 {
            return Ok(None);
        }
        rows.finish().map(Some)
    }
}

#[derive(Clone, Copy)]
enum Decoding {
    Strict,
    WithFallback,
}

impl Decoding {
    fn of(encoding: &str) -> Self {
        if encoding == "utf-8" { Self::Strict } else { Self::WithFallback }
    }
}

enum Unreadable {
    Encoding,
    Reason(String),
    System(io::Error),
}

impl Unreadable {
    fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Encoding => {
                Error::damaged(&file_name(path), FORMAT, "a text is neither UTF-8 nor Windows-1252")
            }
            Self::Reason(reason) => Error::damaged(&file_name(path), FORMAT, reason),
            Self::System(source) => Error::io("read", path, source),
        }
    }
}

impl From<XportError> for Unreadable {
    fn from(error: XportError) -> Self {
        if *error.kind() == XportErrorKind::Encoding {
            Self::Encoding
        } else {
            Self::Reason(error.to_string())
        }
    }
}

fn start(path: &Path, decoding: Decoding) -> std::result::Result<(Reader, Rc<Cell<u64>>), Unreadable> {
    let file = File::open(path).map_err(Unreadable::System)?;
    let consumed = Rc::new(Cell::new(0));
    let input = Counted { inner: BufReader::with_capacity(1 << 18, file), consumed: consumed.clone() };
    let mut options = XportReader::options();
    options.encoding(UTF_8);
    if matches!(decoding, Decoding::WithFallback) {
        options.add_fallback_encoding(WINDOWS_1252);
    }
    let reader = options.from_reader(input)?;
    let dataset = reader.next_dataset()?;
    let dataset = dataset.ok_or_else(|| Unreadable::Reason("it holds no dataset".into()))?;
    Ok((dataset, consumed))
}

/// Reads the whole file once: every text decodes, and its length is what its header promises.
fn measure(path: &Path, decoding: Decoding) -> std::result::Result<u64, Unreadable> {
    let length = path.metadata().map_err(Unreadable::System)?.len();
    let reason = |text: String| Err(Unreadable::Reason(text));
    if length % CARD != 0 {
        return reason(format!("it has {length} bytes, which is not a multiple of {CARD}: it was cut short"));
    }
    let (mut dataset, consumed) = start(path, decoding)?;
    let header = consumed.get();
    let record = record_length(&dataset)?;
    let mut rows = 0;
    while let Some(values) = dataset.next_lazy_record()? {
        for value in values.iter() {
            value?;
        }
        rows += 1;
    }
    if let Some(promised) = dataset.schema().record_count().filter(|promised| *promised != rows) {
        return reason(format!("its header promises {promised} rows, it holds {rows}"));
    }
    if dataset.next_dataset()?.is_some() {
        return reason("it holds more than one dataset; send one file for each".into());
    }
    let rest = length.saturating_sub(header + rows * record);
    if rest >= CARD && rest >= record || !is_blank(path, rest).map_err(Unreadable::System)? {
        return reason(format!(
            "after row {rows} stand {rest} bytes that are not a whole row of {record}: it was cut short, or its record length is wrong"
        ));
    }
    Ok(rows)
}

/// The length of a row, which the positions and lengths of the variables must add up to.
fn record_length(dataset: &Reader) -> std::result::Result<u64, Unreadable> {
    let mut end = 0;
    for variable in dataset.schema().variables() {
        let (name, position) = (variable.full_name(), u64::from(variable.position()));
        if position != end {
            return Err(Unreadable::Reason(format!(
                "variable `{name}` starts at byte {position} of a row, byte {end} is expected: its record length is wrong"
            )));
        }
        end += u64::from(variable.value_length());
    }
    if end == 0 {
        return Err(Unreadable::Reason("it has no variables".into()));
    }
    Ok(end)
}

fn is_blank(path: &Path, rest: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-i64::try_from(rest).unwrap_or(i64::MAX)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail.iter().all(|byte| *byte == b' '))
}

/// Counts what is taken from a reader, which tells where the rows begin.
struct Counted<R> {
    inner: R,
    consumed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.consumed.set(self.consumed.get() + read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.consumed.set(self.consumed.get() + amount as u64);
        self.inner.consume(amount);
    }
}
