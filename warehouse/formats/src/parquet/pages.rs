//! What a Parquet file promises, held against the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::FORMAT;
use super::thrift::{Compact, NotThrift};
use crate::error::file_name;
use crate::limits::{MAX_FOOTER_BYTES, MAX_METADATA_BYTES, MAX_PAGE_BYTES};
use crate::{Error, Result};

/// The footer's length and the mark behind it.
const TAIL: usize = 8;
/// A page's header with its statistics. What is longer is looked at again with more bytes.
const PAGE_HEAD: usize = 1 << 10;

fn damaged(path: &Path, reason: impl Into<String>) -> Error {
    Error::damaged(&file_name(path), FORMAT, reason)
}

/// The footer lies inside the file and promises no more elements than it has bytes.
pub(super) fn check_footer(path: &Path) -> Result<()> {
    let failed = |source| Error::io("read", path, source);
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let length = file.metadata().map_err(failed)?.len();
    if length < 4 + TAIL as u64 {
        return Err(damaged(path, "it was cut short: it has no footer"));
    }
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::Start(length - TAIL as u64))
        .and_then(|_| file.read_exact(&mut tail))
        .map_err(failed)?;
    let [a, b, c, d, mark @ ..] = tail;
    if mark != *b"PAR1" {
        return Err(damaged(path, "it does not end with the bytes PAR1: it was cut short or is encrypted"));
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    if size > length - 4 - TAIL as u64 {
        return Err(damaged(path, format!("its footer of {size} bytes is larger than the file")));
    }
    if size > MAX_FOOTER_BYTES {
        return Err(damaged(path, format!("its footer has {size} bytes, above the limit")));
    }
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(length - TAIL as u64 - size))
        .and_then(|_| file.take(size).read_to_end(&mut footer))
        .map_err(failed)?;
    let walked = Compact::new(&footer).structure(|_, _| {});
    walked.map_err(|_| damaged(path, "its footer is damaged: it is no Thrift structure"))
}

/// Every column's pages lie in the file, one behind the other. Returns the rows that the row groups promise.
pub(super) fn check_pages(path: &Path, metadata: &ParquetMetaData) -> Result<u64> {
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let length = file.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    let mut rows: u64 = 0;
    for (group, number) in metadata.row_groups().iter().zip(1..) {
        let count = u64::try_from(group.num_rows()).ok().and_then(|count| rows.checked_add(count));
        rows = count.ok_or_else(|| damaged(path, format!("row group {number} promises no count of rows")))?;
        for chunk in group.columns() {
            check_chunk(&mut file, length, chunk).map_err(|reason| {
                let column = chunk.column_path().string();
                damaged(path, format!("row group {number}, column `{column}`: {reason}"))
            })?;
        }
    }
    let promised = metadata.file_metadata().num_rows();
    if u64::try_from(promised) != Ok(rows) {
        return Err(damaged(path, format!("its footer promises {promised} rows, its row groups {rows}")));
    }
    Ok(rows)
}

fn check_chunk(file: &mut File, length: u64, chunk: &ColumnChunkMetaData) -> Result<(), String> {
    let first =
        chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()).min(chunk.data_page_offset());
    let (Ok(start), Ok(size)) = (u64::try_from(first), u64::try_from(chunk.compressed_size())) else {
        return Err("its place is negative".into());
    };
    let end = start.checked_add(size).filter(|end| *end <= length);
    let Some(end) = end else {
        return Err(format!("its {size} bytes at {start} lie behind the end of the file"));
    };
    let mut at = start;
    while at < end {
        let (head, unpacked, packed) = page(file, at, end)?;
        if unpacked > MAX_PAGE_BYTES || packed > MAX_PAGE_BYTES {
            let most = unpacked.max(packed);
            return Err(format!("the page at byte {at} has {most} bytes, the limit is {MAX_PAGE_BYTES}"));
        }
        at = at.saturating_add(head).saturating_add(packed);
        if at > end {
            return Err("its last page ends behind its end".into());
        }
    }
    Ok(())
}

/// The length of a page's header, and of the page unpacked and packed.
fn page(file: &mut File, at: u64, end: u64) -> Result<(u64, u64, u64), String> {
    let mut room = PAGE_HEAD;
    loop {
        let mut head = Vec::new();
        let limit = (end - at).min(room as u64);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.take(limit).read_to_end(&mut head))
            .map_err(|error| error.to_string())?;
        let (mut unpacked, mut packed) = (-1, -1);
        let mut compact = Compact::new(&head);
        let walked = compact.structure(|id, number| match id {
            2 => unpacked = number,
            3 => packed = number,
            _ => {}
        });
        match walked {
            Ok(()) => {
                let sizes = u64::try_from(unpacked).ok().zip(u64::try_from(packed).ok());
                let (unpacked, packed) = sizes.ok_or(format!("the page at byte {at} has no size"))?;
                return Ok(((head.len() - compact.left()) as u64, unpacked, packed));
            }
            Err(NotThrift::CutShort) if (room as u64) < end - at && room < MAX_METADATA_BYTES => room *= 8,
            Err(_) => return Err(format!("at byte {at} no page begins")),
        }
    }
}
