//! A writer of SAS transport files, version 5, small enough to be damaged on purpose.
//!
//! Source: SAS Institute, "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (TS-140).

/// A variable: its name, and how many bytes a text takes; a number takes 8.
pub(super) enum Variable {
    Text(&'static str, u16),
    Number(&'static str),
}

pub(super) enum Cell {
    Text(&'static str),
    /// A whole number from 1 to 255.
    Number(u8),
}

const CARD: usize = 80;
const NAMESTR: usize = 140;
/// Where the length of a variable stands in its description.
const LENGTH: usize = 4;
const DATE: &str = "05JAN25:00:00:00";

/// The bytes of a dataset, every length as it should be.
pub(super) fn xpt(dataset: &str, variables: &[Variable], rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    card(&mut bytes, "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000");
    card(&mut bytes, &format!("SAS     SAS     SASLIB  9.4     X64_10PR{:24}{DATE}", ""));
    card(&mut bytes, DATE);
    card(&mut bytes, "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000140");
    card(&mut bytes, "HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!000000000000000000000000000000");
    card(&mut bytes, &format!("SAS     {dataset:8}SASDATA 9.4     X64_10PR{:24}{DATE}", ""));
    card(&mut bytes, DATE);
    let count = variables.len();
    card(
        &mut bytes,
        &format!("HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000{count:04}00000000000000000000"),
    );
    let mut position: u16 = 0;
    for (number, variable) in (1..).zip(variables) {
        describe(&mut bytes, variable, number, position);
        position += variable.length();
    }
    fill(&mut bytes);
    card(&mut bytes, "HEADER RECORD*******OBS     HEADER RECORD!!!!!!!000000000000000000000000000000");
    for row in rows {
        for (variable, cell) in variables.iter().zip(row) {
            write(&mut bytes, variable, cell);
        }
    }
    fill(&mut bytes);
    bytes
}

/// Where the length of a variable stands in a file, counted from 0.
pub(super) fn place_of_length(variable: usize) -> usize {
    8 * CARD + variable * NAMESTR + LENGTH
}

/// Where the first row begins.
pub(super) fn first_row(variables: usize) -> usize {
    9 * CARD + (variables * NAMESTR).next_multiple_of(CARD)
}

impl Variable {
    const fn length(&self) -> u16 {
        match self {
            Self::Text(_, length) => *length,
            Self::Number(_) => 8,
        }
    }
}

fn describe(bytes: &mut Vec<u8>, variable: &Variable, number: u16, position: u16) {
    let (kind, name): (u16, _) = match variable {
        Variable::Number(name) => (1, name),
        Variable::Text(name, _) => (2, name),
    };
    let start = bytes.len();
    for part in [kind, 0, variable.length(), number] {
        bytes.extend(part.to_be_bytes());
    }
    bytes.extend(format!("{name:8}{name:40}{:8}", "").bytes());
    bytes.extend([0; 8]);
    bytes.extend([b' '; 8]);
    bytes.extend([0; 4]);
    bytes.extend(u32::from(position).to_be_bytes());
    bytes.resize(start + NAMESTR, 0);
}

fn write(bytes: &mut Vec<u8>, variable: &Variable, cell: &Cell) {
    let end = bytes.len() + usize::from(variable.length());
    match cell {
        Cell::Text(text) => bytes.extend(text.bytes()),
        // IBM's floating point: an exponent of 16 and a fraction whose first half-byte is not zero.
        Cell::Number(number @ 0..16) => bytes.extend([0x41, number << 4, 0, 0, 0, 0, 0, 0]),
        Cell::Number(number) => bytes.extend([0x42, *number, 0, 0, 0, 0, 0, 0]),
    }
    bytes.resize(end, b' ');
}

fn card(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.bytes());
    fill(bytes);
}

fn fill(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(CARD), b' ');
}
