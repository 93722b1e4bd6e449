//! SAS transport files, version 5: 80-byte cards, 140-byte column descriptions, numbers in IBM's hexadecimal form.
// Source: SAS Institute, "Record layout of a SAS version 5 or 6 data set in SAS transport (XPORT) format", TS-140.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::super::error::SimulateError;
use super::table::{Cell, Column, Kind, TableSink, TableSpec};

const CARD: usize = 80;
const NUMBER_BYTES: u16 = 8;

/// A transport file with one dataset.
pub(super) struct XptFile {
    spec: &'static TableSpec,
    path: PathBuf,
    file: BufWriter<File>,
    row: Vec<u8>,
    bytes: usize,
}

impl XptFile {
    /// Begins the file of a table in a folder. `day` is written as the day of its making.
    pub(super) fn create(
        folder: &Path,
        spec: &'static TableSpec,
        day: NaiveDate,
    ) -> Result<Self, SimulateError> {
        let path = folder.join(format!("{}.xpt", spec.name.to_lowercase()));
        let created = File::create(&path);
        let file = created.map_err(|source| SimulateError::Write { path: path.clone(), source })?;
        let mut begun = Self { spec, path, file: BufWriter::new(file), row: Vec::new(), bytes: 0 };
        begun.write(&header(spec, day))?;
        begun.bytes = 0;
        Ok(begun)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SimulateError> {
        self.bytes += bytes.len();
        let written = self.file.write_all(bytes);
        written.map_err(|source| SimulateError::Write { path: self.path.clone(), source })
    }
}

impl TableSink for XptFile {
    fn push(&mut self, row: &[Cell<'_>]) -> Result<(), SimulateError> {
        let mut bytes = std::mem::take(&mut self.row);
        bytes.clear();
        for (column, cell) in self.spec.columns.iter().zip(row) {
            match (column.kind, cell) {
                (Kind::Char(width), Cell::Text(text)) => {
                    self.spec.check_width(column, text)?;
                    pad(&mut bytes, text.as_bytes(), width.into());
                }
                (Kind::Char(width), _) => pad(&mut bytes, b"", width.into()),
                (_, Cell::Number(number)) => bytes.extend(ibm(*number)),
                _ => bytes.extend(MISSING),
            }
        }
        let written = self.write(&bytes);
        self.row = bytes;
        written
    }

    fn finish(mut self: Box<Self>) -> Result<(), SimulateError> {
        let rest = self.bytes.next_multiple_of(CARD) - self.bytes;
        self.write(&vec![b' '; rest])?;
        let flushed = self.file.flush();
        flushed.map_err(|source| SimulateError::Write { path: self.path.clone(), source })
    }
}

fn header(spec: &TableSpec, day: NaiveDate) -> Vec<u8> {
    let stamp = day.format("%d%b%y:00:00:00").to_string().to_uppercase();
    let card = |text: String| {
        let mut card = Vec::with_capacity(CARD);
        pad(&mut card, text.as_bytes(), CARD);
        card
    };
    let head =
        |name: &str, rest: &str| card(format!("HEADER RECORD*******{name:<8}HEADER RECORD!!!!!!!{rest}"));
    let zeros = "000000000000000000000000000000";
    let columns = format!("000000{:04}00000000000000000000", spec.columns.len());
    let mut bytes = head("LIBRARY ", zeros);
    bytes.extend(card(format!("{:<8}{:<8}{:<8}{:<8}{:<32}{stamp}", "SAS", "SAS", "SASLIB", "9.4", "Cairn")));
    bytes.extend(card(stamp.clone()));
    bytes.extend(head("MEMBER  ", "000000000000000001600000000140"));
    bytes.extend(head("DSCRPTR ", zeros));
    bytes.extend(card(format!(
        "{:<8}{:<8}{:<8}{:<8}{:<32}{stamp}",
        "SAS", spec.name, "SASDATA", "9.4", "Cairn"
    )));
    bytes.extend(card(format!("{stamp}{:16}{:<40}{:8}", "", spec.label, "")));
    bytes.extend(head("NAMESTR ", &columns));
    let mut position = 0;
    let mut descriptions = Vec::new();
    for (number, column) in (1_u16..).zip(spec.columns) {
        descriptions.extend(description(column, number, position));
        position += u32::from(width(column));
    }
    let length = descriptions.len().next_multiple_of(CARD);
    pad(&mut bytes, &descriptions, length);
    bytes.extend(head("OBS     ", zeros));
    bytes
}

fn width(column: &Column) -> u16 {
    match column.kind {
        Kind::Char(width) => width,
        Kind::Integer | Kind::Float => NUMBER_BYTES,
    }
}

/// The 140 bytes that describe a column: type, length, number, name, label, formats, place in the row.
fn description(column: &Column, number: u16, position: u32) -> Vec<u8> {
    const REST: usize = 52;
    let kind: u16 = if matches!(column.kind, Kind::Char(_)) { 2 } else { 1 };
    let mut bytes = Vec::with_capacity(140);
    for field in [kind, 0, width(column), number] {
        bytes.extend(field.to_be_bytes());
    }
    pad(&mut bytes, column.name.as_bytes(), 8);
    pad(&mut bytes, column.label.as_bytes(), 40);
    // No output format: its name, length, decimals, justification and two bytes of fill.
    pad(&mut bytes, b"", 8);
    bytes.extend([0; 8]);
    // No input format: its name, length and decimals.
    pad(&mut bytes, b"", 8);
    bytes.extend([0; 4]);
    bytes.extend(position.to_be_bytes());
    bytes.extend([0; REST]);
    bytes
}

/// Adds bytes, filled up with blanks.
fn pad(to: &mut Vec<u8>, bytes: &[u8], width: usize) {
    let kept = bytes.len().min(width);
    to.extend(&bytes[..kept]);
    to.resize(to.len() + width - kept, b' ');
}

/// A missing number: a full stop and zeros.
const MISSING: [u8; 8] = [b'.', 0, 0, 0, 0, 0, 0, 0];

/// A number in IBM's form: sign, exponent of 16 plus 64, and 56 bits of fraction. Every double between 16^-64 and
/// 16^63 has one exactly; what has none is missing.
fn ibm(number: f64) -> [u8; 8] {
    const FRACTION_BITS: u32 = 52;
    const BIAS: i32 = 1023;
    if number == 0.0 {
        return [0; 8];
    }
    if !number.is_normal() {
        return MISSING;
    }
    let bits = number.to_bits();
    let exponent = i32::try_from(bits >> FRACTION_BITS & 0x7ff).unwrap_or(0) - BIAS + 1;
    let fraction = (bits & ((1 << FRACTION_BITS) - 1)) | 1 << FRACTION_BITS;
    // The power of 16 that leaves a fraction below 1, and the bits by which the fraction is then smaller.
    let sixteens = (exponent + 3).div_euclid(4);
    let shift = 4 * sixteens - exponent;
    match u64::try_from(sixteens + 64) {
        Ok(characteristic) if characteristic < 128 => {
            ((bits >> 63 << 63) | characteristic << 56 | (fraction << 3) >> shift).to_be_bytes()
        }
        _ => MISSING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ibm(number: f64, bytes: [u8; 8]) {
        assert_eq!(ibm(number), bytes, "{number}");
    }

    #[test]
    fn numbers_are_ibms() {
        // Source: worked by hand; -118.625 is the example of the IBM hexadecimal floating-point article.
        check_ibm(0.0, [0; 8]);
        check_ibm(1.0, [0x41, 0x10, 0, 0, 0, 0, 0, 0]);
        check_ibm(-118.625, [0xC2, 0x76, 0xA0, 0, 0, 0, 0, 0]);
        check_ibm(0.1, [0x40, 0x19, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]);
        check_ibm(f64::NAN, MISSING);
    }

    #[test]
    fn a_header_is_whole_cards_and_a_description_140_bytes() {
        static COLUMNS: [Column; 2] = [
            Column { name: "ID", label: "Identifier", kind: Kind::Char(12) },
            Column { name: "AGE", label: "Age", kind: Kind::Integer },
        ];
        static SPEC: TableSpec = TableSpec { name: "DM", label: "Demographics", columns: &COLUMNS };
        let day = NaiveDate::from_ymd_opt(2026, 3, 31).expect("the day exists");
        assert_eq!(description(&COLUMNS[0], 1, 0).len(), 140);
        // Eight cards, two descriptions in four cards, and one card before the rows.
        assert_eq!(header(&SPEC, day).len(), 80 * (8 + 4 + 1));
    }
}
