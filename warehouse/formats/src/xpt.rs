//! SAS transport files, versions 5 and 8, with any number of datasets.
//!
//! Source: SAS Institute, "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (TS-140) and its
//! successor for version 8. Headers are read by `sas_xport`; rows by [`record`], since they are most of the work.
//! Nothing in the format says where a dataset ends: the file is measured against its headers before the first row
//! is used, so that a truncated one does not lose rows silently.

mod header;
mod record;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow::array::RecordBatch;

use crate::dataset::{Dataset, Format, check_columns};
use crate::error::file_name;
use crate::guard::guarded;
use crate::source::Source;
use crate::text::{Rows, schema};
use crate::{Error, Result};
use header::Header;
use record::Layout;

const FORMAT: &str = "SAS XPT";
/// The unit of length of a transport file.
const CARD: u64 = 80;
/// The library header and its two cards of dates.
const LIBRARY: u64 = 3 * CARD;
/// Bytes of rows that are looked at together: they stay in cache while each column is taken from them.
const BLOCK: usize = 1 << 17;

/// Measures a transport file against its own headers and looks at every text of it.
pub(crate) fn check(path: &Path) -> Result<Vec<Dataset>> {
    let length = path.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    let refused = |reason: String| Err(Error::damaged(&file_name(path), FORMAT, reason));
    if length % CARD != 0 {
        return refused(format!(
            "it has {length} bytes, which is not a multiple of {CARD}: it was cut short"
        ));
    }
    let members = header::members(path)?;
    if members.first() != Some(&LIBRARY) {
        return refused("it holds no dataset behind its library header".into());
    }
    let ends = members.iter().skip(1).copied().chain([length]);
    members.iter().zip(ends).map(|(at, end)| check_member(path, *at, end)).collect()
}

fn check_member(path: &Path, at: u64, end: u64) -> Result<Dataset> {
    let file = file_name(path);
    let header = guarded(&file, FORMAT, || Header::read(path, at))?;
    check_columns(&file, FORMAT, &header.columns)?;
    let layout = Layout::of(&header).map_err(|reason| Error::damaged(&file, FORMAT, reason))?;
    let rows = measure(path, &header, &layout, end)?;
    let mut blocks = Blocks::open(path, &header, &layout, rows)?;
    let mut is_utf8 = true;
    while is_utf8 && blocks.advance(usize::MAX)? > 0 {
        is_utf8 = layout.is_utf8(blocks.bytes());
    }
    Ok(Dataset {
        name: header.name.to_ascii_uppercase(),
        label: header.label,
        format: if header.is_v5 { Format::XptV5 { at } } else { Format::XptV8 { at } },
        // Rule R-18: strict UTF-8 first; Windows-1252 only for a dataset that is not, and then it is recorded.
        encoding: if is_utf8 { "utf-8" } else { "windows-1252" },
        // Its header has a local time without a zone.
        created_at: None,
        columns: header.columns,
        rows: Some(rows),
        file,
    })
}

/// Counts the rows up to `end`. A last card is filled with blanks, which may look like rows.
fn measure(path: &Path, header: &Header, layout: &Layout, end: u64) -> Result<u64> {
    let refused = |reason: String| Err(Error::damaged(&file_name(path), FORMAT, reason));
    let record = layout.length() as u64;
    let bytes = end.saturating_sub(header.rows_at);
    let (whole, rest) = (bytes / record, bytes % record);
    // Of the last card and the last row, whatever reaches further back.
    let tail_length = bytes.min(CARD + rest);
    let mut tail = Vec::new();
    File::open(path)
        .and_then(|mut file| {
            file.seek(SeekFrom::Start(end - tail_length))?;
            file.take(tail_length).read_to_end(&mut tail)
        })
        .map_err(|source| Error::io("read", path, source))?;
    let blanks = tail.iter().rev().take_while(|byte| **byte == b' ').count() as u64;
    if rest >= CARD || blanks < rest {
        return refused(format!(
            "after row {whole} stand {rest} bytes that are not a whole row of {record}: it was cut short, or its record length is wrong"
        ));
    }
    let filling = blanks.min(CARD - 1);
    let blank_rows = if filling < rest { 0 } else { ((filling - rest) / record).min(whole) };
    let least = whole - blank_rows;
    match header.promised {
        None => Ok(least),
        Some(promised) if (least..=whole).contains(&promised) => Ok(promised),
        Some(promised) => refused(format!("its header promises {promised} rows, it holds {least}")),
    }
}

/// The rows of a transport file that was measured.
pub(crate) struct XptSource {
    dataset: Dataset,
    layout: Layout,
    blocks: Blocks,
    rows: Rows,
    is_utf8: bool,
}

impl XptSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset, at: u64) -> Result<Self> {
        let header = Header::read(path, at)?;
        let layout = Layout::of(&header).map_err(|reason| Error::damaged(&dataset.file, FORMAT, reason))?;
        if header.columns.len() != dataset.columns.len() {
            return Err(Error::damaged(&dataset.file, FORMAT, "its columns changed since the check"));
        }
        Ok(Self {
            blocks: Blocks::open(path, &header, &layout, dataset.rows.unwrap_or_default())?,
            rows: Rows::new(&schema(&dataset.columns)),
            is_utf8: dataset.encoding == "utf-8",
            dataset: dataset.clone(),
            layout,
        })
    }
}

impl Source for XptSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while !self.rows.is_full() {
            let count = self.blocks.advance(self.rows.room(self.layout.length()))?;
            if count == 0 {
                break;
            }
            let block = self.blocks.bytes();
            self.layout.take(block, &mut self.rows.columns, self.is_utf8);
            self.rows.add(count, block.len());
        }
        self.rows.finish("read SAS XPT rows")
    }
}

/// The rows of a dataset, some at a time.
struct Blocks {
    file: File,
    name: String,
    record: usize,
    rows_left: u64,
    row: u64,
    buffer: Vec<u8>,
    length: usize,
}

impl Blocks {
    fn open(path: &Path, header: &Header, layout: &Layout, rows: u64) -> Result<Self> {
        let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
        file.seek(SeekFrom::Start(header.rows_at)).map_err(|source| Error::io("read", path, source))?;
        let record = layout.length();
        let buffer = vec![0; (BLOCK / record).max(1) * record];
        Ok(Self { file, name: file_name(path), record, rows_left: rows, row: 0, buffer, length: 0 })
    }

    /// Reads on by at most `most` rows and says by how many.
    fn advance(&mut self, most: usize) -> Result<usize> {
        let fitting = (self.buffer.len() / self.record).min(most);
        let count = usize::try_from(self.rows_left).unwrap_or(usize::MAX).min(fitting);
        self.length = count * self.record;
        self.file.read_exact(&mut self.buffer[..self.length]).map_err(|source| {
            let reason = format!("behind row {} it cannot be read: {source}", self.row);
            Error::damaged(&self.name, FORMAT, reason)
        })?;
        self.rows_left -= count as u64;
        self.row += count as u64;
        Ok(count)
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}
