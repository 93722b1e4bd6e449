//! The messages of an Arrow file, held against the file before a reader believes them.
//!
//! Source: Apache Arrow, "Arrow Columnar Format", serialization and interprocess communication.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use arrow::ipc::{Block, Message, MessageHeader, RecordBatch, root_as_footer, root_as_message};

use crate::dataset::Format;
use crate::limits::{MAX_METADATA_BYTES, MAX_RECORD_BATCH_BYTES};

const CONTINUATION: [u8; 4] = [0xff; 4];
/// Where the first message of a file with a footer begins.
const FIRST_MESSAGE: u64 = 8;
/// The footer's length and the mark behind it.
const TAIL: usize = 10;

/// Why a file is not read.
pub(super) enum Refusal {
    /// The system's word.
    Io(io::Error),
    /// What is wrong.
    Reason(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Reason("it was cut short; send it again".into());
        }
        Self::Io(error)
    }
}

fn refused<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Reason(reason.into()))
}

/// Counts the rows that the messages promise.
pub(super) fn check(path: &Path, format: Format) -> Result<u64, Refusal> {
    let mut file = BufReader::new(File::open(path)?);
    let length = file.get_ref().metadata()?.len();
    if format == Format::ArrowFile {
        return check_footer(&mut file, length);
    }
    let (mut at, mut rows) = (0, 0);
    loop {
        file.seek(SeekFrom::Start(at))?;
        match message(&mut file, at, length)? {
            Some((next, count)) => {
                at = next;
                rows = add(rows, count)?;
            }
            None if file.stream_position()? == length => return Ok(rows),
            None => return refused("something stands behind its end"),
        }
    }
}

fn check_footer(file: &mut BufReader<File>, length: u64) -> Result<u64, Refusal> {
    if length < FIRST_MESSAGE + TAIL as u64 {
        return refused("it was cut short: it has no footer");
    }
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::Start(length - TAIL as u64))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, mark @ ..] = tail;
    if mark != *super::MAGIC {
        return refused("it does not end with the bytes ARROW1: it was cut short");
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    if size > length - TAIL as u64 - FIRST_MESSAGE || size > MAX_METADATA_BYTES as u64 {
        return refused(format!("its footer of {size} bytes is larger than the file, or above the limit"));
    }
    let mut footer = vec![0; usize::try_from(size).unwrap_or(0)];
    file.seek(SeekFrom::Start(length - TAIL as u64 - size))?;
    file.read_exact(&mut footer)?;
    let Ok(footer) = root_as_footer(&footer) else { return refused("its footer is damaged") };
    if footer.schema().is_none() {
        return refused("its footer has no schema");
    }
    let blocks = footer.dictionaries().into_iter().flatten().map(|block| (block, false));
    let blocks = blocks.chain(footer.recordBatches().into_iter().flatten().map(|block| (block, true)));
    let mut rows = 0;
    for (block, has_rows) in blocks {
        let count = check_block(file, block, length)?;
        rows = if has_rows { add(rows, count)? } else { rows };
    }
    Ok(rows)
}

/// A message that the footer points at is where and as long as it says.
fn check_block(file: &mut BufReader<File>, block: &Block, length: u64) -> Result<u64, Refusal> {
    let place = (
        u64::try_from(block.offset()),
        u64::try_from(block.bodyLength()),
        u64::try_from(block.metaDataLength()),
    );
    let (Ok(at), Ok(body), Ok(head)) = place else { return refused("its footer points to a negative place") };
    if at > length || body > length || head > length || at + head + body > length || head < 8 {
        return refused(format!("its footer points behind its end, to byte {at}"));
    }
    file.seek(SeekFrom::Start(at))?;
    match message(file, at, length)? {
        Some((end, rows)) if end == at + head + body => Ok(rows),
        _ => refused(format!("at byte {at} no message stands as its footer says")),
    }
}

/// Where the message at `at` ends and how many rows it promises; `None` for the mark of the end.
fn message(file: &mut BufReader<File>, at: u64, length: u64) -> Result<Option<(u64, u64)>, Refusal> {
    let mut word = [0; 4];
    file.read_exact(&mut word)?;
    let mut head = at + 4;
    if word == CONTINUATION {
        file.read_exact(&mut word)?;
        head += 4;
    }
    let size = u64::from(u32::from_le_bytes(word));
    if size == 0 {
        return Ok(None);
    }
    if size > MAX_METADATA_BYTES as u64 || head + size > length {
        return refused(format!(
            "the message at byte {at} promises {size} bytes of description, it was cut short"
        ));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    let Ok(message) = root_as_message(&bytes) else {
        return refused(format!("the message at byte {at} is damaged"));
    };
    let body = u64::try_from(message.bodyLength()).unwrap_or(u64::MAX);
    if body > MAX_RECORD_BATCH_BYTES {
        return refused(format!(
            "the record batch at byte {at} has {body} bytes, the limit is {MAX_RECORD_BATCH_BYTES}; write smaller ones"
        ));
    }
    if head + size + body > length {
        return refused(format!("the record batch at byte {at} was cut short"));
    }
    let rows = check_body(file, &message, head + size, body)?;
    Ok(Some((head + size + body, rows)))
}

fn check_body(
    file: &mut BufReader<File>,
    message: &Message<'_>,
    at: u64,
    length: u64,
) -> Result<u64, Refusal> {
    match message.header_type() {
        MessageHeader::RecordBatch => {
            let Some(batch) = message.header_as_record_batch() else {
                return refused("a message has no header");
            };
            check_batch(file, &batch, at, length)
        }
        MessageHeader::DictionaryBatch => {
            let batch = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
            let Some(batch) = batch else { return refused("a dictionary has no values") };
            check_batch(file, &batch, at, length).map(|_| 0)
        }
        _ => Ok(0),
    }
}

/// Every buffer lies inside the body, and what is compressed stays within the limit.
fn check_batch(
    file: &mut BufReader<File>,
    batch: &RecordBatch<'_>,
    at: u64,
    length: u64,
) -> Result<u64, Refusal> {
    let mut unpacked = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (Ok(offset), Ok(size)) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length())) else {
            return refused("a buffer has a negative place");
        };
        if offset > length || size > length - offset {
            return refused(format!("a buffer of the record batch at byte {at} lies outside it"));
        }
        if batch.compression().is_some() && size > 0 {
            if size < 8 {
                return refused(format!("a buffer of the record batch at byte {at} has no length"));
            }
            let mut word = [0; 8];
            file.seek(SeekFrom::Start(at + offset))?;
            file.read_exact(&mut word)?;
            // Minus one says that this buffer is not compressed.
            unpacked = unpacked.saturating_add(u64::try_from(i64::from_le_bytes(word)).unwrap_or(0));
        }
    }
    if unpacked > MAX_RECORD_BATCH_BYTES {
        return refused(format!(
            "the record batch at byte {at} becomes {unpacked} bytes, the limit is {MAX_RECORD_BATCH_BYTES}; write smaller ones"
        ));
    }
    u64::try_from(batch.length()).or_else(|_| refused("a record batch promises no count of rows"))
}

fn add(rows: u64, more: u64) -> Result<u64, Refusal> {
    rows.checked_add(more).map_or_else(|| refused("it promises too many rows"), Ok)
}
