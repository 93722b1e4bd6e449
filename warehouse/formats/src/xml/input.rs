//! The bytes of an XML file as checked UTF-8, handed out within a budget.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, WINDOWS_1252};

/// What is read from the file at once.
const CHUNK: usize = 1 << 16;
/// The XML declaration stands within so many bytes.
const HEAD: usize = 256;

/// A file whose texts are decoded strictly. It stops when one token of the parser outgrows its budget, so that
/// a file cannot make the parser collect more than that.
pub(super) struct Input {
    file: BufReader<File>,
    decoder: Decoder,
    encoding: &'static Encoding,
    decoded: String,
    position: usize,
    ended: bool,
    /// Bytes of decoded text taken so far.
    consumed: u64,
    /// Lines ended so far.
    lines: u64,
    budget: usize,
    left: usize,
}

impl Input {
    pub(super) fn open(path: &Path, budget: usize) -> io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
        let encoding = sniff(&head)?;
        Ok(Self {
            file: BufReader::with_capacity(CHUNK, File::open(path)?),
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            decoded: String::with_capacity(CHUNK * 3),
            position: 0,
            ended: false,
            consumed: 0,
            lines: 0,
            budget,
            left: budget,
        })
    }

    /// The encoding by its name in lower case.
    pub(super) fn encoding(&self) -> &'static str {
        if self.encoding == UTF_8 {
            "utf-8"
        } else if self.encoding == WINDOWS_1252 {
            "windows-1252"
        } else {
            self.encoding.name()
        }
    }

    pub(super) const fn line(&self) -> u64 {
        self.lines + 1
    }

    pub(super) const fn byte(&self) -> u64 {
        self.consumed
    }

    /// A token has ended: the next one may have the whole budget.
    pub(super) const fn renew(&mut self) {
        self.left = self.budget;
    }

    fn refill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.position = 0;
        while self.decoded.is_empty() && !self.ended {
            let bytes = self.file.fill_buf()?;
            let last = bytes.is_empty();
            let (result, read) =
                self.decoder.decode_to_string_without_replacement(bytes, &mut self.decoded, last);
            self.file.consume(read);
            match result {
                DecoderResult::Malformed(..) => {
                    // What stood before the fault is counted, so that the message names its line.
                    self.lines += line_ends(self.decoded.as_bytes());
                    self.consumed += self.decoded.len() as u64;
                    return Err(invalid(format!("a text is not {}", self.encoding.name())));
                }
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(invalid(format!("a tag or a text is larger than {} bytes", self.budget)));
        }
        if self.position == self.decoded.len() && !self.ended {
            self.refill()?;
        }
        let end = self.decoded.len().min(self.position.saturating_add(self.left));
        Ok(&self.decoded.as_bytes()[self.position..end])
    }

    fn consume(&mut self, amount: usize) {
        let end = self.decoded.len().min(self.position + amount);
        self.lines += line_ends(&self.decoded.as_bytes()[self.position..end]);
        self.consumed += (end - self.position) as u64;
        self.left = self.left.saturating_sub(end - self.position);
        self.position = end;
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(buffer)?;
        self.consume(taken);
        Ok(taken)
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Rule R-18, as far as XML leaves it open: a byte order mark, else the declared encoding, else UTF-8.
fn sniff(head: &[u8]) -> io::Result<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(encoding);
    }
    let text = String::from_utf8_lossy(head);
    let Some(declaration) = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()) else {
        return Ok(UTF_8);
    };
    let Some((_, rest)) = declaration.split_once("encoding") else { return Ok(UTF_8) };
    let label: String = rest
        .trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '=' | '"' | '\''))
        .chars()
        .take_while(|letter| !matches!(letter, '"' | '\''))
        .collect();
    match Encoding::for_label(label.as_bytes()) {
        // Text that is readable as ASCII so far cannot be UTF-16.
        Some(encoding) if encoding.is_ascii_compatible() => Ok(encoding),
        Some(_) => Ok(UTF_8),
        None => Err(invalid(format!("it declares the encoding `{label}`, which is not known"))),
    }
}

/// Whether a file may be XML, in any of the encodings that [`Input`] reads.
pub(super) fn is_xml(head: &[u8]) -> bool {
    let (text, _) = Encoding::for_bom(head).map_or_else(
        || UTF_8.decode_without_bom_handling(head),
        |(encoding, _)| encoding.decode_with_bom_removal(head),
    );
    text.trim_start().starts_with('<')
}
