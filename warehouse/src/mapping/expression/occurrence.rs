//! A number that counts the rows which are equal in some columns.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use serde::Deserialize;

use super::{Counts, column_of};

/// `{ occurrence = ["A", "B"], plus = 1, hashed = true }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// The columns that are compared; empty is all of them.
    occurrence: Vec<String>,
    /// Added to the count, which starts at 0.
    #[serde(default)]
    plus: u64,
    /// Whether a hash of the compared columns stands before the count, which makes an id of it.
    #[serde(default)]
    hashed: bool,
}

impl Occurrence {
    pub(super) fn for_each_column(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.occurrence.iter_mut().for_each(change);
    }

    pub(super) fn texts(&self, batch: &RecordBatch, counts: &mut Counts) -> ArrayRef {
        let columns: Vec<ArrayRef> = if self.occurrence.is_empty() {
            batch.columns().to_vec()
        } else {
            self.occurrence.iter().map(|column| column_of(batch, column)).collect()
        };
        let columns: Vec<&StringArray> = columns.iter().map(AsArray::as_string::<i32>).collect();
        let mut builder = StringBuilder::with_capacity(batch.num_rows(), batch.num_rows() * 8);
        let mut row_bytes = Vec::new();
        for row in 0..batch.num_rows() {
            row_bytes.clear();
            for column in &columns {
                let text = if column.is_null(row) { "" } else { column.value(row) };
                append_compared(&mut row_bytes, text);
            }
            let hash = blake3::hash(&row_bytes);
            let number = counts.seen.next(&hash) + self.plus;
            if self.hashed {
                append_hex(&mut builder, &hash.as_bytes()[..12]);
                // Writing to memory does not fail.
                let _ = write!(builder, "-{number}");
                builder.append_value("");
            } else {
                builder.append_value(number.to_string());
            }
        }
        Arc::new(builder.finish())
    }
}

/// The rows of [`Occurrence`]. Most keys occur once, so a set of short fingerprints holds all of them
/// and only what repeats is counted: twenty million rows take a few hundred MiB. Two keys with one fingerprint
/// (odds about 1e-5 for so many) would be told apart by their number alone, which keeps them distinct.
#[derive(Debug, Default)]
pub(super) struct Seen {
    once: HashSet<u64, BuildHasherDefault<Fingerprint>>,
    repeated: HashMap<u64, u64>,
}

impl Seen {
    /// How often the key occurred before; this time counts from now on.
    fn next(&mut self, key: &blake3::Hash) -> u64 {
        let mut start = [0; 8];
        start.copy_from_slice(&key.as_bytes()[..8]);
        let fingerprint = u64::from_be_bytes(start);
        if self.once.insert(fingerprint) {
            return 0;
        }
        let count = self.repeated.entry(fingerprint).or_insert(0);
        *count += 1;
        *count
    }
}

/// A fingerprint is a hash already.
#[derive(Debug, Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

fn append_hex(builder: &mut StringBuilder, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            let _ = builder.write_char(char::from(DIGITS[usize::from(half)]));
        }
    }
}

/// Numbers are compared to four digits, as visit numbers are: 9.3 also comes as 9.299999999999999.
fn append_compared(bytes: &mut Vec<u8>, text: &str) {
    if let Some(zeros) = missing_zeros(text) {
        bytes.extend_from_slice(&(text.len() + zeros).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&b"0000"[..zeros]);
        return;
    }
    let number = text.contains('.').then(|| text.parse::<f64>().ok()).flatten();
    let rounded = number.map(|number| format!("{number:.4}"));
    let text = rounded.as_deref().unwrap_or(text);
    bytes.extend_from_slice(&text.len().to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The zeros by which a plain short decimal has four digits after its point; `None` of any other text.
fn missing_zeros(text: &str) -> Option<usize> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'));
    (plain && whole.len() <= 11 && fraction.len() <= 4).then(|| 4 - fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_of_comparing_a_number_is_the_long_way() {
        for text in ["9.3", "0.1", "20.1234", "12345678901.5", "100.0"] {
            let zeros = missing_zeros(text).expect("it is a plain decimal");
            let long = format!("{:.4}", text.parse::<f64>().expect("it is a number"));
            assert_eq!(format!("{text}{}", &"0000"[..zeros]), long);
        }
        for text in ["9", "09.3", ".5", "5.", "-1.5", "1.23456", "1e5.2", "123456789012.5", "a.b", ""] {
            assert_eq!(missing_zeros(text), None, "{text}");
        }
    }
}
