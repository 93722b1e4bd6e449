//! Delimited text (RFC 4180), cut into records and cells without copying them.
//!
//! A line ends at LF, CR LF or CR; empty lines are passed over. A quoted cell may hold delimiters, line ends and
//! doubled quotes. What the standard does not know, a text before or behind a quoted cell, is refused.

use std::io::{self, Read};

use memchr::memchr;

use super::dialect::Dialect;
use crate::limits::{MAX_CELL_BYTES, MAX_ROW_BYTES};

/// Bytes asked of the file at once.
const CHUNK: usize = 1 << 20;

/// Why a record cannot be had.
#[derive(Debug)]
pub(super) enum Broken {
    /// The system's or a decoder's word.
    Io(io::Error),
    /// What is wrong with the record.
    Record(String),
}

/// A cell's place in its window, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
    has_doubled_quotes: bool,
}

/// The records of a file, one after the other.
pub(super) struct Records<R> {
    input: R,
    dialect: Dialect,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    /// Bytes of the text before the buffer.
    before: u64,
    /// Where the window began in which the current record was found.
    window: usize,
    /// The current record's place in the buffer.
    record: (usize, usize),
    spans: Vec<Span>,
    unquoted: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, dialect: Dialect) -> Self {
        let (buffer, spans, unquoted) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            input,
            dialect,
            buffer,
            start: 0,
            end: 0,
            is_at_end: false,
            before: 0,
            window: 0,
            record: (0, 0),
            spans,
            unquoted,
        }
    }

    /// Goes to the next record; `false` when there is none.
    pub(super) fn advance(&mut self) -> Result<bool, Broken> {
        loop {
            let window = &self.buffer[self.start..self.end];
            match cut(window, self.dialect, self.is_at_end, &mut self.spans).map_err(Broken::Record)? {
                Cut::Record { begin, end, next } => {
                    self.window = self.start;
                    self.record = (self.start + begin, self.start + end);
                    self.start += next;
                    if end - begin > MAX_CELL_BYTES {
                        self.check_cells()?;
                    }
                    return Ok(true);
                }
                Cut::Nothing => return Ok(false),
                Cut::Incomplete => self.fill()?,
            }
        }
    }

    /// The record's bytes as they stand in the file, without its line end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.record.0..self.record.1]
    }

    /// Where the record begins, in bytes of the text.
    pub(super) const fn position(&self) -> u64 {
        self.before + self.record.0 as u64
    }

    pub(super) const fn cells(&self) -> usize {
        self.spans.len()
    }

    /// Hands out each cell of the record with its number from 0.
    #[inline]
    pub(super) fn for_each(&mut self, mut take: impl FnMut(usize, &[u8])) {
        let window = &self.buffer[self.window..self.record.1];
        for (number, span) in self.spans.iter().enumerate() {
            let cell = &window[span.start..span.end];
            if span.has_doubled_quotes {
                self.unquoted.clear();
                undouble(cell, self.dialect.quote, &mut self.unquoted);
                take(number, &self.unquoted);
            } else {
                take(number, cell);
            }
        }
    }

    fn check_cells(&self) -> Result<(), Broken> {
        let too_long = self.spans.iter().position(|span| span.end - span.start > MAX_CELL_BYTES);
        too_long.map_or(Ok(()), |number| {
            let number = number + 1;
            Err(Broken::Record(format!(
                "cell {number} has more than {MAX_CELL_BYTES} bytes, which is the limit"
            )))
        })
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.before += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if self.end > MAX_ROW_BYTES {
            return Err(Broken::Record(format!(
                "it has more than {MAX_ROW_BYTES} bytes, which is the limit; a quote may be left open"
            )));
        }
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize((self.end + CHUNK).max(self.buffer.len() * 2), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    return Ok(());
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Io(error)),
            }
        }
    }
}

/// What stands at the start of a window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A record, behind empty lines, and where the next begins. Its spans count from the window's start.
    Record { begin: usize, end: usize, next: usize },
    /// More bytes are needed.
    Incomplete,
    /// The end of the file.
    Nothing,
}

/// Finds the cells of the first record of `window`, which ends with the file if `is_at_end`.
pub(super) fn cut(
    window: &[u8],
    dialect: Dialect,
    is_at_end: bool,
    spans: &mut Vec<Span>,
) -> Result<Cut, String> {
    let begin = window.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(window.len());
    if begin == window.len() {
        return Ok(if is_at_end { Cut::Nothing } else { Cut::Incomplete });
    }
    spans.clear();
    let specials = Specials::new(dialect.delimiter);
    let mut at = begin;
    loop {
        // A cell begins at `at`.
        let is_quoted = window.get(at) == Some(&dialect.quote);
        let end = if is_quoted {
            let Some((span, end)) = quoted(window, at, dialect.quote) else {
                return unfinished(is_at_end, spans.len() + 1);
            };
            spans.push(span);
            end
        } else {
            let end = specials.find(window, at);
            spans.push(Span { start: at, end, has_doubled_quotes: false });
            end
        };
        let Some(byte) = window.get(end) else {
            if !is_at_end {
                return Ok(Cut::Incomplete);
            }
            return Ok(Cut::Record { begin, end, next: end });
        };
        match *byte {
            byte if byte == dialect.delimiter => at = end + 1,
            b'\n' => return Ok(Cut::Record { begin, end, next: end + 1 }),
            b'\r' if end + 1 == window.len() && !is_at_end => return Ok(Cut::Incomplete),
            b'\r' => {
                let next = end + 1 + usize::from(window.get(end + 1) == Some(&b'\n'));
                return Ok(Cut::Record { begin, end, next });
            }
            _ => {
                let number = spans.len();
                return Err(format!(
                    "cell {number} has text behind its closing quote; double the quotes inside it"
                ));
            }
        }
    }
}

fn unfinished(is_at_end: bool, number: usize) -> Result<Cut, String> {
    if is_at_end { Err(format!("the quote of cell {number} is not closed")) } else { Ok(Cut::Incomplete) }
}

/// A quoted cell and where it ends; `None` while its closing quote is not in the window.
fn quoted(window: &[u8], at: usize, quote: u8) -> Option<(Span, usize)> {
    let start = at + 1;
    let mut end = start;
    let mut has_doubled_quotes = false;
    loop {
        end += memchr(quote, window.get(end..)?)?;
        if window.get(end + 1) != Some(&quote) {
            return Some((Span { start, end, has_doubled_quotes }, end + 1));
        }
        has_doubled_quotes = true;
        end += 2;
    }
}

fn undouble(cell: &[u8], quote: u8, out: &mut Vec<u8>) {
    let mut rest = cell;
    while let Some(at) = memchr(quote, rest) {
        out.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Finds the delimiter or a line end, eight bytes at a time.
struct Specials {
    delimiter: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl Specials {
    const fn new(delimiter: u8) -> Self {
        Self { delimiter: ONES * delimiter as u64 }
    }

    /// The first place from `at` on, or the window's end.
    #[inline]
    fn find(&self, window: &[u8], mut at: usize) -> usize {
        while let Some(chunk) = window[at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            // The lowest mark of each is exact; marks above it may be false.
            let found = zero_bytes(word ^ self.delimiter)
                | zero_bytes(word ^ (ONES * b'\n' as u64))
                | zero_bytes(word ^ (ONES * b'\r' as u64));
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        let delimiter = self.delimiter.to_le_bytes()[0];
        let rest = &window[at..];
        let found = rest.iter().position(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
        at + found.unwrap_or(rest.len())
    }
}

/// Marks the bytes that are zero.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}
