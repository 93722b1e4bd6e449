//! Delimited text as RFC 4180 has it: commas, double quotes where they are needed, CR LF behind each line.

use std::fs::File;
use std::io::{BufWriter, Write};

use arrow::array::{Array, StringArray};

use super::{Place, Sink, text_at};
use crate::Result;
use crate::dataset::Dataset;

pub(super) struct CsvSink {
    out: BufWriter<File>,
    place: Place,
    line: Vec<u8>,
}

impl CsvSink {
    pub(super) fn begin(file: File, place: Place, dataset: &Dataset) -> Result<Self> {
        let mut sink = Self { out: BufWriter::with_capacity(1 << 18, file), place, line: Vec::new() };
        let names = dataset.columns.iter().map(|column| column.name.as_str());
        sink.add_line(names);
        sink.flush_line()?;
        Ok(sink)
    }

    fn add_line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        let start = self.line.len();
        for (number, cell) in cells.enumerate() {
            if number > 0 {
                self.line.push(b',');
            }
            self.add_cell(cell);
        }
        // A line without a byte would be passed over: an only cell that is empty is quoted.
        if self.line.len() == start {
            self.line.extend_from_slice(b"\"\"");
        }
        self.line.extend_from_slice(b"\r\n");
    }

    fn add_cell(&mut self, cell: &str) {
        if !cell.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
            self.line.extend_from_slice(cell.as_bytes());
            return;
        }
        self.line.push(b'"');
        for byte in cell.bytes() {
            if byte == b'"' {
                self.line.push(b'"');
            }
            self.line.push(byte);
        }
        self.line.push(b'"');
    }

    fn flush_line(&mut self) -> Result<()> {
        self.out.write_all(&self.line).map_err(|source| self.place.io(source))?;
        self.line.clear();
        Ok(())
    }
}

impl Sink for CsvSink {
    fn write(&mut self, columns: &[&StringArray], _: u64) -> Result<()> {
        for row in 0..columns.first().copied().map_or(0, Array::len) {
            self.add_line(columns.iter().map(|column| text_at(column, row)));
            self.flush_line()?;
        }
        Ok(())
    }

    fn close(self: Box<Self>, _: u64) -> Result<()> {
        let file = self.out.into_inner().map_err(|error| self.place.io(error.into_error()))?;
        file.sync_all().map_err(|source| self.place.io(source))
    }
}
