//! A stream of JSON, cut into its members and elements.
//!
//! Only one piece is held at a time, and its size is bounded. Cutting looks at brackets and quotes alone; each
//! piece is then parsed by `serde_json`, which is strict.

use std::io::{self, Read};

use memchr::memchr2;

use crate::{Error, Result};

/// Bytes asked of the file at once.
const CHUNK: usize = 1 << 18;

/// JSON that is read piece by piece.
pub(crate) struct Pieces {
    input: Box<dyn Read>,
    file: String,
    format: &'static str,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the file before the buffer.
    before: u64,
}

impl Pieces {
    pub(crate) fn new(input: Box<dyn Read>, file: &str, format: &'static str) -> Self {
        Self { input, file: file.to_owned(), format, buffer: Vec::new(), start: 0, end: 0, before: 0 }
    }

    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::damaged(&self.file, self.format, reason)
    }

    /// The next byte that is not white space, which stays; `None` at the end of the file.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.skip_space()?.0)
    }

    /// As [`Self::peek`], and whether a line ended before it.
    pub(crate) fn skip_space(&mut self) -> Result<(Option<u8>, bool)> {
        let mut line_ended = false;
        loop {
            while self.start < self.end {
                match self.buffer[self.start] {
                    b'\n' => line_ended = true,
                    b' ' | b'\t' | b'\r' => {}
                    byte => return Ok((Some(byte), line_ended)),
                }
                self.start += 1;
            }
            if !self.fill(usize::MAX)? {
                return Ok((None, line_ended));
            }
        }
    }

    /// Takes the next byte that is not white space if it is `wanted`.
    pub(crate) fn take(&mut self, wanted: u8) -> Result<bool> {
        let found = self.peek()? == Some(wanted);
        self.start += usize::from(found);
        Ok(found)
    }

    /// Takes `wanted`, which has to come next.
    pub(crate) fn expect(&mut self, wanted: u8) -> Result<()> {
        if self.take(wanted)? {
            return Ok(());
        }
        let at = self.position();
        let wanted = char::from(wanted);
        Err(match self.peek()? {
            None => self.damaged(format!("it was cut short at byte {at}, where `{wanted}` is expected")),
            Some(found) => {
                let found = char::from(found).escape_default();
                self.damaged(format!("`{found}` stands at byte {at}, where `{wanted}` is expected"))
            }
        })
    }

    /// Where the next byte stands in the unwrapped file.
    pub(crate) const fn position(&self) -> u64 {
        self.before + self.start as u64
    }

    /// Drops a byte order mark.
    pub(crate) fn skip_byte_order_mark(&mut self) -> Result<()> {
        while self.end - self.start < 3 && self.fill(usize::MAX)? {}
        if self.buffer[self.start..self.end].starts_with(b"\xef\xbb\xbf") {
            self.start += 3;
        }
        Ok(())
    }

    /// The next value as it stands in the file, of at most `limit` bytes.
    pub(crate) fn value(&mut self, limit: usize) -> Result<&[u8]> {
        let at = self.position();
        if self.peek()?.is_none() {
            return Err(self.damaged(format!("it was cut short at byte {at}, where a value is expected")));
        }
        let mut cut = Cut::default();
        while !cut.advance(&self.buffer[self.start..self.end]) {
            if self.fill(limit)? {
                continue;
            }
            if cut.is_scalar() {
                break;
            }
            let at = self.before + self.end as u64;
            return Err(self.damaged(format!("it was cut short at byte {at}, inside a value")));
        }
        if cut.length == 0 {
            return Err(self.damaged(format!("at byte {} no value stands", self.position())));
        }
        let start = self.start;
        self.start += cut.length;
        Ok(&self.buffer[start..start + cut.length])
    }

    /// Reads on; `false` at the end of the file. What is not yet taken may have at most `limit` bytes.
    fn fill(&mut self, limit: usize) -> Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.before += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if self.end > limit {
            let at = self.before;
            return Err(self.damaged(format!(
                "the value at byte {at} has more than {limit} bytes, which is the limit; split it"
            )));
        }
        if self.buffer.len() < self.end + CHUNK {
            // Doubling keeps the copying of a long value linear.
            self.buffer.resize((self.end + CHUNK).max(self.buffer.len() * 2), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
    }

    /// A decoder's refusal is the file's fault; anything else is the system's.
    fn unreadable(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.damaged("its compressed stream was cut short; send it again")
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                self.damaged(error.to_string())
            }
            _ => Error::Io { step: "read", file: self.file.clone(), source: error },
        }
    }
}

/// How far a value is known to reach.
#[derive(Default)]
struct Cut {
    length: usize,
    depth: u32,
    in_text: bool,
}

impl Cut {
    /// Looks at more of a value; `true` when its end was found.
    fn advance(&mut self, window: &[u8]) -> bool {
        while self.length < window.len() {
            if self.in_text {
                let Some(found) = memchr2(b'"', b'\\', &window[self.length..]) else {
                    self.length = window.len();
                    return false;
                };
                let at = self.length + found;
                if window[at] == b'\\' {
                    if at + 1 == window.len() {
                        // What is escaped is not here yet.
                        self.length = at;
                        return false;
                    }
                    self.length = at + 2;
                    continue;
                }
                self.length = at + 1;
                self.in_text = false;
                if self.depth == 0 {
                    return true;
                }
                continue;
            }
            match window[self.length] {
                b'"' => self.in_text = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth == 0 => return true,
                b']' | b'}' if self.depth == 1 => {
                    self.length += 1;
                    return true;
                }
                b']' | b'}' => self.depth -= 1,
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => return true,
                _ => {}
            }
            self.length += 1;
        }
        false
    }

    /// Whether the end of the file may end it: a number, `true`, `false` or `null`.
    const fn is_scalar(&self) -> bool {
        self.depth == 0 && !self.in_text
    }
}
