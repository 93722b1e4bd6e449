//! Compressed files as streams, none of which may grow without bound.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::dataset::Wrapping;
use crate::limits::{INFLATION_ALLOWANCE, MAX_INFLATION};
use crate::{Error, Result};

/// How a file is wrapped, by its first bytes: gzip, zlib with a valid check of its header, or not at all.
pub(crate) fn wrapping(head: &[u8]) -> Wrapping {
    match head {
        [0x1f, 0x8b, ..] => Wrapping::Gzip,
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 => Wrapping::Zlib,
        _ => Wrapping::Plain,
    }
}

/// What a file holds, unwrapped while it is read.
pub(crate) fn open(path: &Path, wrapping: Wrapping) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let length = file.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    let taken = Rc::new(Cell::new(0));
    let input = BufReader::with_capacity(1 << 16, Counted { inner: file, taken: taken.clone() });
    Ok(match wrapping {
        Wrapping::Plain => Box::new(input),
        Wrapping::Gzip => Box::new(Bounded { inner: MultiGzDecoder::new(input), taken, given: 0 }),
        Wrapping::Zlib => {
            let inner = WholeZlib { inner: ZlibDecoder::new(input), length };
            Box::new(Bounded { inner, taken, given: 0 })
        }
    })
}

/// Counts what is taken from a file.
struct Counted {
    inner: File,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

/// A zlib stream behind whose end nothing may stand.
struct WholeZlib<R> {
    inner: ZlibDecoder<R>,
    length: u64,
}

impl<R: io::BufRead> Read for WholeZlib<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.inner.total_in() != self.length {
            let (end, length) = (self.inner.total_in(), self.length);
            return Err(invalid(format!("its compressed stream ends at byte {end} of {length}")));
        }
        Ok(read)
    }
}

/// Refuses what grows beyond measure.
struct Bounded<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        let (taken, given) = (self.taken.get(), self.given);
        if given > INFLATION_ALLOWANCE && given > taken.saturating_mul(MAX_INFLATION) {
            return Err(invalid(format!(
                "its first {taken} bytes become more than {given}, above {MAX_INFLATION} for each; send it uncompressed"
            )));
        }
        Ok(read)
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
