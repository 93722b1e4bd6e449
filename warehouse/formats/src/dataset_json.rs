//! Dataset-JSON 1.1 in its three wrappings: one JSON document, NDJSON, and either of them compressed.
//!
//! Source: CDISC, "Dataset-JSON v1.1". A document is read as a stream: rows may come before what describes them,
//! so the check first surveys the members, then reads every row under the columns that it found.

mod cell;
mod metadata;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;
use memchr::memmem;
use serde::de::DeserializeSeed;

use crate::dataset::{Dataset, Format, Wrapping};
use crate::error::file_name;
use crate::inflate;
use crate::json_pieces::Pieces;
use crate::limits::{MAX_METADATA_BYTES, MAX_ROW_BYTES};
use crate::source::Source;
use crate::text::{Rows, schema};
use crate::{Error, Result};
use cell::{CellType, RowSeed};
use metadata::Members;

const FORMAT: &str = "Dataset-JSON";
const ROWS: &str = "rows";
/// What is looked at to tell Dataset-JSON from other JSON.
const HEAD_BYTES: u64 = 1 << 16;

/// Reads the whole file: the members that the standard requires, and every row under its columns.
pub(crate) fn check(path: &Path, wrapping: Wrapping) -> Result<Dataset> {
    let mut pieces = open_pieces(path, wrapping)?;
    let survey = survey(&mut pieces)?;
    let format = match (wrapping, survey.layout) {
        (Wrapping::Plain, Layout::Document) => Format::DatasetJson,
        (Wrapping::Plain, Layout::Lines) => Format::DatasetNdjson,
        (wrapping, _) => Format::Dsjc(wrapping),
    };
    let dataset = metadata::dataset(&file_name(path), &survey.members, format)?;
    if dataset.rows != Some(survey.rows) {
        let (promised, found) = (dataset.rows.unwrap_or_default(), survey.rows);
        return Err(pieces.damaged(format!("its `records` promises {promised} rows, it holds {found}")));
    }
    let mut source = DatasetJsonSource::open(path, &dataset)?;
    while source.next_batch()?.is_some() {}
    Ok(dataset)
}

/// Whether one of the members that the standard requires stands near the beginning. A file that cannot be opened
/// does: whoever takes it in then says why.
pub(crate) fn begins_as_data(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    let members = ["\"datasetJSONVersion\"", "\"datasetJSONCreationDateTime\"", "\"itemGroupOID\""];
    read.is_err() || members.iter().any(|member| memmem::find(&head, member.as_bytes()).is_some())
}

/// The rows of a Dataset-JSON file that was checked.
pub(crate) struct DatasetJsonSource {
    dataset: Dataset,
    pieces: Pieces,
    layout: Layout,
    types: Vec<CellType>,
    rows: Rows,
    row: u64,
    is_done: bool,
}

impl DatasetJsonSource {
    pub(crate) fn open(path: &Path, dataset: &Dataset) -> Result<Self> {
        let wrapping = match dataset.format {
            Format::Dsjc(wrapping) => wrapping,
            _ => Wrapping::Plain,
        };
        let mut pieces = open_pieces(path, wrapping)?;
        let layout = find_rows(&mut pieces)?;
        Ok(Self {
            types: dataset.columns.iter().map(|column| CellType::of(&column.type_name)).collect(),
            rows: Rows::new(&schema(&dataset.columns)),
            dataset: dataset.clone(),
            pieces,
            layout,
            row: 0,
            is_done: false,
        })
    }

    /// Adds the next row; `false` when there is none.
    fn add_row(&mut self) -> Result<bool> {
        let Some(text) = next_row(&mut self.pieces, self.layout, self.row)? else { return Ok(false) };
        self.row += 1;
        let bytes = text.len();
        let mut parser = serde_json::Deserializer::from_slice(text);
        let seed =
            RowSeed { columns: &self.dataset.columns, types: &self.types, cells: &mut self.rows.columns };
        let parsed = seed.deserialize(&mut parser).and_then(|()| parser.end());
        parsed.map_err(|error| {
            let reason = format!("row {}: {}", self.row, without_place(&error));
            Error::damaged(&self.dataset.file, FORMAT, reason)
        })?;
        self.rows.add(1, bytes);
        Ok(true)
    }
}

impl Source for DatasetJsonSource {
    fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while !self.is_done && !self.rows.is_full() {
            self.is_done = !self.add_row()?;
        }
        self.rows.finish("read Dataset-JSON rows")
    }
}

/// Where the rows stand: in a member of the only object, or each in a line behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Document,
    Lines,
}

struct Survey {
    members: Members,
    layout: Layout,
    rows: u64,
}

fn open_pieces(path: &Path, wrapping: Wrapping) -> Result<Pieces> {
    let mut pieces = Pieces::new(inflate::open(path, wrapping)?, &file_name(path), FORMAT);
    pieces.skip_byte_order_mark()?;
    Ok(pieces)
}

/// Collects the members of the only, or first, object, and counts the rows.
fn survey(pieces: &mut Pieces) -> Result<Survey> {
    let mut members = Members::default();
    let mut document_rows = None;
    let mut more = begin_object(pieces)?;
    while more {
        let name = member_name(pieces)?;
        if name == ROWS {
            if document_rows.is_some() {
                return Err(pieces.damaged("the member `rows` occurs twice"));
            }
            pieces.expect(b'[')?;
            document_rows = Some(count_rows(pieces, Layout::Document)?);
        } else {
            let value = pieces.value(MAX_METADATA_BYTES)?;
            if let Err(reason) = members.add(&name, value) {
                return Err(pieces.damaged(reason));
            }
        }
        more = next_member(pieces)?;
    }
    if let Some(rows) = document_rows {
        if pieces.peek()?.is_some() {
            let at = pieces.position();
            return Err(pieces.damaged(format!("something stands behind its end, at byte {at}")));
        }
        return Ok(Survey { members, layout: Layout::Document, rows });
    }
    let rows = count_rows(pieces, Layout::Lines)?;
    Ok(Survey { members, layout: Layout::Lines, rows })
}

/// Goes to the first row.
fn find_rows(pieces: &mut Pieces) -> Result<Layout> {
    let mut more = begin_object(pieces)?;
    while more {
        if member_name(pieces)? == ROWS {
            pieces.expect(b'[')?;
            return Ok(Layout::Document);
        }
        pieces.value(MAX_METADATA_BYTES)?;
        more = next_member(pieces)?;
    }
    Ok(Layout::Lines)
}

fn begin_object(pieces: &mut Pieces) -> Result<bool> {
    pieces.expect(b'{')?;
    Ok(!pieces.take(b'}')?)
}

fn member_name(pieces: &mut Pieces) -> Result<String> {
    let at = pieces.peek()?.map(|_| pieces.position());
    let name = serde_json::from_slice(pieces.value(MAX_METADATA_BYTES)?);
    let name = name.map_err(|error| {
        let place = at.unwrap_or_default();
        pieces.damaged(format!("at byte {place} the name of a member is expected: {}", without_place(&error)))
    })?;
    pieces.expect(b':')?;
    Ok(name)
}

fn next_member(pieces: &mut Pieces) -> Result<bool> {
    if pieces.take(b',')? {
        return Ok(true);
    }
    pieces.expect(b'}').map(|()| false)
}

fn count_rows(pieces: &mut Pieces, layout: Layout) -> Result<u64> {
    let mut rows = 0;
    while next_row(pieces, layout, rows)?.is_some() {
        rows += 1;
    }
    Ok(rows)
}

/// The next row as it stands in the file, behind `before` others.
fn next_row(pieces: &mut Pieces, layout: Layout, before: u64) -> Result<Option<&[u8]>> {
    let row = before + 1;
    match layout {
        Layout::Document => {
            if pieces.take(b']')? {
                return Ok(None);
            }
            if before > 0 {
                pieces.expect(b',')?;
            }
        }
        Layout::Lines => match pieces.skip_space()? {
            (None, _) => return Ok(None),
            (Some(_), false) => {
                return Err(pieces.damaged(format!("row {row} does not begin on a line of its own")));
            }
            _ => {}
        },
    }
    if pieces.peek()?.is_some_and(|byte| byte != b'[') {
        let at = pieces.position();
        return Err(pieces.damaged(format!("row {row}, at byte {at}, is not an array")));
    }
    pieces.value(MAX_ROW_BYTES).map(Some)
}

/// The parser's place counts from the start of a piece, which helps nobody.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
