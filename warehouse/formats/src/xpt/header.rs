//! Where the datasets of a transport file begin, and what their headers say.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use encoding_rs::{UTF_8, WINDOWS_1252};
use memchr::memmem;
use sas_xport::sas::SasVariableType;
use sas_xport::sas::xport::{XportDatasetVersion, XportReader, XportVariable};

use super::{CARD, FORMAT, LIBRARY};
use crate::dataset::{Column, ColumnKind};
use crate::error::file_name;
use crate::{Error, Result};

/// How a dataset begins, in version 5 and in version 8, up to the length of a variable's description.
const MEMBERS: [&[u8]; 2] = [
    b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!00000000000000000160000000",
    b"HEADER RECORD*******MEMBV8  HEADER RECORD!!!!!!!00000000000000000160000000",
];
/// The lengths of a variable's description: 136 on VAX/VMS.
const DESCRIPTIONS: [&[u8]; 2] = [b"140", b"136"];

/// One dataset's header.
pub(super) struct Header {
    pub(super) is_v5: bool,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) columns: Vec<Column>,
    /// Where each variable begins in a row.
    pub(super) positions: Vec<u32>,
    /// Where the first row begins in the file.
    pub(super) rows_at: u64,
    /// The rows that a header of version 8 may promise.
    pub(super) promised: Option<u64>,
}

impl Header {
    pub(super) fn read(path: &Path, at: u64) -> Result<Self> {
        let failed = |source| Error::io("read", path, source);
        check_counts(path, at)?;
        let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
        let mut library = Vec::new();
        file.by_ref().take(LIBRARY).read_to_end(&mut library).map_err(failed)?;
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let taken = Rc::new(Cell::new(0));
        // The library header, then this dataset alone: the reader need not pass over the rows of those before.
        let input = BufReader::new(io::Cursor::new(library).chain(file));
        let mut options = XportReader::options();
        options.encoding(UTF_8).add_fallback_encoding(WINDOWS_1252);
        let refused = |error: sas_xport::sas::xport::XportError| {
            Error::damaged(&file_name(path), FORMAT, format!("the header at byte {at}: {error}"))
        };
        let reader = options.from_reader(Counted { inner: input, taken: taken.clone() }).map_err(refused)?;
        let dataset = reader.next_dataset().map_err(refused)?;
        let dataset =
            dataset.ok_or_else(|| Error::damaged(&file_name(path), FORMAT, "it holds no dataset"))?;
        let schema = dataset.schema();
        Ok(Self {
            is_v5: schema.xport_dataset_version() == XportDatasetVersion::V5,
            name: schema.dataset_name().trim().to_owned(),
            label: schema.dataset_label().trim().to_owned(),
            columns: schema.variables().iter().map(column).collect(),
            positions: schema.variables().iter().map(XportVariable::position).collect(),
            rows_at: at + taken.get() - LIBRARY,
            promised: schema.record_count(),
        })
    }
}

fn column(variable: &XportVariable) -> Column {
    let (kind, type_name) = match variable.value_type() {
        SasVariableType::Numeric => (ColumnKind::Number, "numeric"),
        SasVariableType::Character => (ColumnKind::Text, "character"),
    };
    Column {
        label: variable.full_label().trim().to_owned(),
        length: Some(u32::from(variable.value_length())),
        ..Column::new(variable.full_name().trim(), kind, type_name)
    }
}

/// The reader takes memory for as many variables as a header promises: they have to be in the file.
fn check_counts(path: &Path, at: u64) -> Result<()> {
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let length = file.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.take(5 * CARD).read_to_end(&mut head))
        .map_err(|source| Error::io("read", path, source))?;
    let refused = |reason: &str| Err(Error::damaged(&file_name(path), FORMAT, reason));
    if head.len() < 5 * 80 {
        return refused("it was cut short in a dataset's header");
    }
    if !DESCRIPTIONS.contains(&&head[75..78]) {
        return refused("its variables are described in neither 140 nor 136 bytes");
    }
    let count =
        std::str::from_utf8(&head[320 + 54..320 + 58]).ok().and_then(|count| count.parse::<u64>().ok());
    if count.is_none_or(|count| count * 136 > length.saturating_sub(at + 5 * CARD)) {
        return refused("its header promises more variables than it holds; it was cut short");
    }
    Ok(())
}

/// Where the datasets begin: their headers stand at the start of a card.
pub(super) fn members(path: &Path) -> Result<Vec<u64>> {
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let finder = memmem::Finder::new(b"HEADER RECORD*******MEMB");
    let mut found = Vec::new();
    // Whole cards at a time, so that no header lies across two of them.
    let mut cards = vec![0; 80 << 13];
    let mut before = 0;
    loop {
        let mut length = 0;
        while length < cards.len() {
            let read = file.read(&mut cards[length..]).map_err(|source| Error::io("read", path, source))?;
            if read == 0 {
                break;
            }
            length += read;
        }
        let places = finder.find_iter(&cards[..length]);
        let places = places
            .filter(|at| at % 80 == 0 && MEMBERS.iter().any(|head| cards[*at..length].starts_with(head)));
        found.extend(places.map(|at| before + at as u64));
        if length < cards.len() {
            return Ok(found);
        }
        before += length as u64;
    }
}

/// Counts what is taken from a reader, which tells where the rows begin.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.set(self.taken.get() + amount as u64);
        self.inner.consume(amount);
    }
}
