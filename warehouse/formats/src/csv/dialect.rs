//! How a delimited file is written: its encoding as far as a mark tells, its delimiter and its quote.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

use super::records::{Cut, Span, cut};
use crate::{Error, Result};

/// In this order: the first of those that fit equally well is taken.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What is looked at.
const HEAD_BYTES: u64 = 1 << 18;
const HEAD_RECORDS: usize = 256;

/// The bytes that structure a delimited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
}

/// The text of a file as bytes that are meant to be UTF-8, and the encoding if a byte order mark told it.
pub(super) fn open_text(path: &Path) -> Result<(Box<dyn Read>, Option<&'static str>)> {
    let failed = |source| Error::io("read", path, source);
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let mut mark = Vec::new();
    file.by_ref().take(3).read_to_end(&mut mark).map_err(failed)?;
    if mark == [0xef, 0xbb, 0xbf] {
        return Ok((Box::new(file), Some("utf-8")));
    }
    let utf16 = match mark.get(..2) {
        Some([0xff, 0xfe]) => Some((UTF_16LE, "utf-16le")),
        Some([0xfe, 0xff]) => Some((UTF_16BE, "utf-16be")),
        _ => None,
    };
    let Some((encoding, name)) = utf16 else {
        return Ok((Box::new(io::Cursor::new(mark).chain(file)), None));
    };
    let text = io::Cursor::new(mark.split_off(2)).chain(file);
    Ok((Box::new(Utf16::new(text, encoding)), Some(name)))
}

/// Finds out the delimiter and the quote by which the first rows agree best with the header.
pub(super) fn detect(path: &Path) -> Result<Dialect> {
    let mut head = Vec::new();
    let (text, _) = open_text(path)?;
    // What cannot be decoded is reported with its place by the check.
    let read = text.take(HEAD_BYTES).read_to_end(&mut head);
    if let Err(source) = read
        && source.kind() != io::ErrorKind::InvalidData
    {
        return Err(Error::io("read", path, source));
    }
    let is_whole = (head.len() as u64) < HEAD_BYTES;
    let quote = quote_of(&head);
    let candidates = DELIMITERS.map(|delimiter| Dialect { delimiter, quote });
    let mut best = (agreement(&head, candidates[0], is_whole), candidates[0]);
    for candidate in &candidates[1..] {
        let agreement = agreement(&head, *candidate, is_whole);
        if agreement > best.0 {
            best = (agreement, *candidate);
        }
    }
    Ok(best.1)
}

/// How many of a thousand records have as many cells as the header, and how many cells that is. A delimiter that
/// the header lacks agrees with nothing.
fn agreement(head: &[u8], dialect: Dialect, is_whole: bool) -> (usize, usize) {
    let mut spans: Vec<Span> = Vec::new();
    let (mut at, mut width, mut records, mut agreeing) = (0, 0, 0_usize, 0_usize);
    while records < HEAD_RECORDS {
        match cut(&head[at..], dialect, is_whole, &mut spans) {
            Ok(Cut::Record { next, .. }) => {
                if records == 0 {
                    width = spans.len();
                }
                agreeing += usize::from(spans.len() == width);
                records += 1;
                at += next;
            }
            Ok(Cut::Incomplete | Cut::Nothing) => break,
            Err(_) => {
                records += 1;
                break;
            }
        }
    }
    if width < 2 { (0, 0) } else { (agreeing * 1000 / records.max(1), width) }
}

/// The quote is `"`, unless cells begin and end with `'` and none with `"`.
fn quote_of(head: &[u8]) -> u8 {
    let quoted = |quote: u8| {
        let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| b",;\t|\r\n".contains(byte));
        let opens = |at: &usize| head[*at] == quote && is_edge(at.checked_sub(1).and_then(|at| head.get(at)));
        let closes = |at: &usize| head[*at] == quote && *at > 0 && is_edge(head.get(at + 1));
        (0..head.len()).filter(opens).count().min((0..head.len()).filter(closes).count())
    };
    if quoted(b'"') == 0 && quoted(b'\'') > 1 && head.first() == Some(&b'\'') { b'\'' } else { b'"' }
}

/// UTF-16 as UTF-8, strictly.
struct Utf16<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// What of `text` is not yet handed out.
    pending: (usize, usize),
    before: u64,
    is_at_end: bool,
}

impl<R: Read> Utf16<R> {
    fn new(input: R, encoding: &'static encoding_rs::Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; 1 << 16],
            // A unit of two bytes becomes three at most, and a few may be pending.
            text: vec![0; (1 << 17) + 64],
            pending: (0, 0),
            before: 2,
            is_at_end: false,
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.pending.0 == self.pending.1 && !self.is_at_end {
            let length = self.input.read(&mut self.raw)?;
            self.is_at_end = length == 0;
            let raw = &self.raw[..length];
            let (result, _, written) =
                self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, self.is_at_end);
            if result != DecoderResult::InputEmpty {
                let (from, to) = (self.before, self.before + length as u64);
                let reason = format!(
                    "between bytes {from} and {to} it is not the UTF-16 that its first bytes promise"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            self.before += length as u64;
            self.pending = (0, written);
        }
        let pending = &self.text[self.pending.0..self.pending.1];
        let count = pending.len().min(out.len());
        out[..count].copy_from_slice(&pending[..count]);
        self.pending.0 += count;
        Ok(count)
    }
}

/// The line of the file, from 1, in which a byte of its text stands. For messages: it reads up to there.
pub(super) fn line_at(path: &Path, byte: u64) -> Option<usize> {
    let (text, _) = open_text(path).ok()?;
    let mut text = text.take(byte);
    let mut chunk = vec![0; 1 << 16];
    let mut line = 1;
    loop {
        let read = text.read(&mut chunk).ok()?;
        if read == 0 {
            return Some(line);
        }
        line += chunk[..read].iter().filter(|byte| **byte == b'\n').count();
    }
}
