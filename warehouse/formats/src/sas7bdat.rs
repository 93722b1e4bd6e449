//! Native SAS datasets.
//!
//! The format is not published; the reader library is held against ReadStat by its makers. It reads by pushing rows
//! at a visitor, so it runs in a thread of its own that hands over whole batches, one ahead.

mod envelope;
mod temporal;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow::array::RecordBatch;
use sas7bdat::{
    CellValue, IoBackendPreference, LogicalType, MojibakePolicy, OpenOptions, OrderingMode, Parallelism,
    RowView, StringDecodeOptions, TemporalDecodeOptions, TrimMode, Utf8ValidationMode,
};

use crate::dataset::{Column, ColumnKind, Dataset, Format, check_columns};
use crate::error::file_name;
use crate::guard::guarded;
use crate::source::{Source, stem};
use crate::text::{Rows, TextColumn, schema};
use crate::{Error, Result};
use temporal::iso_8601;

const FORMAT: &str = "SAS7BDAT";
/// How a file begins.
pub(crate) const MAGIC: [u8; 32] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc2, 0xea, 0x81, 0x60, 0xb3, 0x14, 0x11, 0xcf, 0xbd, 0x92, 0x08, 0,
    0x09, 0xc7, 0x31, 0x8c, 0x18, 0x1f, 0x10, 0x11,
];

type Batches = Receiver<Result<RecordBatch>>;

/// Holds the file against its header, then reads every row.
pub(crate) fn check(path: &Path) -> Result<Dataset> {
    let file = file_name(path);
    envelope::check(path)?;
    let dataset = guarded(&file, FORMAT, || described(path))?;
    check_columns(&file, FORMAT, &dataset.columns)?;
    let mut source = Sas7bdatSource::open(path, &dataset)?;
    while source.next_batch()?.is_some() {}
    Ok(dataset)
}

fn open(path: &Path) -> Result<sas7bdat::Dataset> {
    // A file that is mapped into memory and cut meanwhile would end the process.
    let options = OpenOptions::builder().io_backend(IoBackendPreference::Buffered).build();
    sas7bdat::Dataset::open_with(path, options).map_err(|error| {
        // The library's words hold the path.
        let reason = error.to_string().replace(&*path.to_string_lossy(), &file_name(path));
        Error::damaged(&file_name(path), FORMAT, reason)
    })
}

fn described(path: &Path) -> Result<Dataset> {
    let opened = open(path)?;
    let metadata = opened.metadata();
    let name = metadata.table_name.as_deref().unwrap_or_default().trim().to_ascii_uppercase();
    Ok(Dataset {
        file: file_name(path),
        name: if name.is_empty() { stem(path) } else { name },
        label: metadata.file_label.as_deref().unwrap_or_default().trim().to_owned(),
        format: Format::Sas7bdat,
        encoding: encoding_of(metadata.encoding.as_deref()),
        // Its header has a local time without a zone.
        created_at: None,
        columns: opened.columns().iter().map(column).collect(),
        rows: Some(metadata.row_count.saturating_sub(metadata.deleted_row_count)),
    })
}

/// The declared encoding by the name that this crate uses; bytes that are not in it are refused.
fn encoding_of(declared: Option<&str>) -> &'static str {
    let declared = declared.unwrap_or("windows-1252");
    encoding_rs::Encoding::for_label(declared.as_bytes()).map_or("declared by SAS", |encoding| {
        if encoding == encoding_rs::UTF_8 {
            "utf-8"
        } else if encoding == encoding_rs::WINDOWS_1252 {
            "windows-1252"
        } else {
            encoding.name()
        }
    })
}

fn column(meta: &sas7bdat::ColumnMeta) -> Column {
    let kind = match meta.logical_type {
        LogicalType::Integer | LogicalType::Float => ColumnKind::Number,
        LogicalType::String => ColumnKind::Text,
        LogicalType::Date | LogicalType::DateTime | LogicalType::Time => ColumnKind::Time,
        LogicalType::Bytes => ColumnKind::Other,
    };
    let type_name = match kind {
        ColumnKind::Text => "character".to_owned(),
        _ => meta.format_spec().map_or_else(|| "numeric".to_owned(), |format| format!("numeric {format}")),
    };
    Column {
        label: meta.label.as_deref().unwrap_or_default().trim().to_owned(),
        length: Some(meta.physical_width),
        ..Column::new(meta.name.trim(), kind, type_name)
    }
}

/// The rows of a native SAS dataset that was checked.
pub(crate) struct Sas7bdatSource {
    dataset: Dataset,
    batches: Option<Batches>,
    scan: Option<JoinHandle<()>>,
    row: u64,
}

impl Sas7bdatSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let (give, batches) = sync_channel(1);
        let (place, described): (PathBuf, Dataset) = (path.to_owned(), dataset.clone());
        let scan = std::thread::Builder::new()
            .name("sas7bdat".into())
            .spawn(move || scan(&place, &described, &give))
            .map_err(|source| Error::io("start reading", path, source))?;
        Ok(Self { dataset: dataset.clone(), batches: Some(batches), scan: Some(scan), row: 0 })
    }
}

impl Drop for Sas7bdatSource {
    fn drop(&mut self) {
        // Without a receiver, the scan ends at its next batch.
        self.batches = None;
        if let Some(scan) = self.scan.take() {
            let _ = scan.join();
        }
    }
}

impl Source for Sas7bdatSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let next = self.batches.as_ref().and_then(|batches| batches.recv().ok());
        if let Some(batch) = next {
            let batch = batch?;
            self.row += batch.num_rows() as u64;
            return Ok(Some(batch));
        }
        let promised = self.dataset.rows.unwrap_or_default();
        if promised == self.row {
            return Ok(None);
        }
        let found = self.row;
        let reason = format!("its header promises {promised} rows, it holds {found}: it was cut short");
        Err(Error::damaged(&self.dataset.file, FORMAT, reason))
    }
}

/// Reads every row and gives its batches; an error is the last thing it gives.
fn scan(path: &Path, dataset: &Dataset, give: &SyncSender<Result<RecordBatch>>) {
    let read = guarded(&dataset.file, FORMAT, || {
        let opened = open(path)?;
        let mut rows = Rows::new(&schema(&dataset.columns));
        let mut row = 0_u64;
        let mut failure = None;
        let texts = StringDecodeOptions::builder()
            .trim_mode(TrimMode::RTrim)
            .utf8_validation(Utf8ValidationMode::Strict)
            .mojibake_fix(MojibakePolicy::Off)
            .build();
        let numbers = TemporalDecodeOptions::builder()
            .decode_dates(false)
            .decode_datetimes(false)
            .decode_times(false)
            .build();
        let kinds: Vec<LogicalType> = opened.columns().iter().map(|column| column.logical_type).collect();
        let visited = opened
            .scan()
            .with_string_options(texts)
            // The library drops parts of seconds; the numbers have them.
            .with_temporal_options(numbers)
            .with_ordering(OrderingMode::Stable)
            .with_parallelism(Parallelism::None)
            .visit_rows(|cells| {
                row += 1;
                take_row(&mut rows, &cells, &kinds);
                if !rows.is_full() {
                    return Ok(ControlFlow::Continue(()));
                }
                match rows.finish("read SAS7BDAT rows") {
                    Ok(batch) => Ok(match batch.map(|batch| give.send(Ok(batch))) {
                        Some(Err(_)) => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }),
                    Err(error) => {
                        failure = Some(error);
                        Ok(ControlFlow::Break(()))
                    }
                }
            });
        if let Some(error) = failure {
            return Err(error);
        }
        visited
            .map_err(|error| Error::damaged(&dataset.file, FORMAT, format!("behind row {row}: {error}")))?;
        rows.finish("read SAS7BDAT rows")
    });
    // Nobody listens any more: nothing is left to do.
    let _ = match read {
        Ok(None) => Ok(()),
        Ok(Some(batch)) => give.send(Ok(batch)),
        Err(error) => give.send(Err(error)),
    };
}

fn take_row(rows: &mut Rows, cells: &RowView<'_>, kinds: &[LogicalType]) {
    let mut bytes = 0;
    for ((cell, column), kind) in cells.iter().zip(&mut rows.columns).zip(kinds) {
        bytes += push(column, cell, *kind);
    }
    rows.add(1, bytes);
}

fn push(column: &mut TextColumn, cell: &CellValue<'_>, kind: LogicalType) -> usize {
    match cell {
        CellValue::Str(text) => {
            column.push(text.as_bytes());
            return text.len();
        }
        CellValue::Int32(number) => push_number(column, f64::from(*number), kind),
        CellValue::Int64(number) => column.push_display(number),
        CellValue::Float64(number) => push_number(column, *number, kind),
        // A missing value, whichever of the 28; and bytes, which are not one value.
        _ => column.push_null(),
    }
    8
}

fn push_number(column: &mut TextColumn, number: f64, kind: LogicalType) {
    // What is past the calendar stays the number that it is.
    match iso_8601(number, kind) {
        Some(text) => column.push(text.as_bytes()),
        None => column.push_number(number),
    }
}
