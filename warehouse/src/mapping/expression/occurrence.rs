//! A number that counts the rows which are equal in some columns.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use serde::Deserialize;

use super::{Counts, column_of};
use crate::row_hash::{Hex, put_length};

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

    /// Whether its texts are ids that no two rows of a dataset share: equal rows are told apart by their number.
    pub(super) const fn is_id(&self) -> bool {
        self.hashed
    }

    pub(super) fn texts(&self, batch: &RecordBatch, counts: &mut Counts) -> ArrayRef {
        let columns: Vec<ArrayRef> = if self.occurrence.is_empty() {
            batch.columns().to_vec()
        } else {
            self.occurrence.iter().map(|column| column_of(batch, column)).collect()
        };
        let columns: Vec<&StringArray> = columns.iter().map(AsArray::as_string::<i32>).collect();
        let hashes = hashes(&columns, batch.num_rows());
        // Counting by itself lets the processor wait for several places of the large set at once.
        let numbers: Vec<u64> = hashes.iter().map(|hash| counts.seen.next(hash) + self.plus).collect();
        let mut builder = StringBuilder::with_capacity(batch.num_rows(), batch.num_rows() * 8);
        for (hash, number) in hashes.iter().zip(numbers) {
            if self.hashed {
                // Writing to memory does not fail.
                let _ = write!(builder, "{}-{number}", Hex::of(&hash.as_bytes()[..12]).as_str());
                builder.append_value("");
            } else {
                builder.append_value(number.to_string());
            }
        }
        Arc::new(builder.finish())
    }
}

fn hashes(columns: &[&StringArray], rows: usize) -> Vec<blake3::Hash> {
    let mut bytes = Vec::new();
    let hash = |row| {
        bytes.clear();
        for column in columns {
            let text = if column.is_null(row) { "" } else { column.value(row) };
            append_compared(&mut bytes, text);
        }
        blake3::hash(&bytes)
    };
    (0..rows).map(hash).collect()
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

/// Numbers are compared to four digits, as visit numbers are: 9.3 also comes as 9.299999999999999.
fn append_compared(bytes: &mut Vec<u8>, text: &str) {
    let Some(point) = text.bytes().position(|byte| byte == b'.') else {
        put_length(bytes, text.len());
        bytes.extend_from_slice(text.as_bytes());
        return;
    };
    if let Some(zeros) = missing_zeros(text, point) {
        put_length(bytes, text.len() + zeros);
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&b"0000"[..zeros]);
        return;
    }
    let rounded = text.parse::<f64>().ok().map(|number| format!("{number:.4}"));
    let text = rounded.as_deref().unwrap_or(text);
    put_length(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// The zeros by which a plain short decimal has four digits after its point; `None` of any other text.
fn missing_zeros(text: &str, point: usize) -> Option<usize> {
    let (whole, fraction) = (&text.as_bytes()[..point], &text.as_bytes()[point + 1..]);
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let plain = digits(whole) && digits(fraction) && (whole == b"0" || whole[0] != b'0');
    (plain && whole.len() <= 11 && fraction.len() <= 4).then(|| 4 - fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_of_comparing_a_number_is_the_long_way() {
        let zeros_of = |text: &str| missing_zeros(text, text.find('.').expect("it has a point"));
        for text in ["9.3", "0.1", "20.1234", "12345678901.5", "100.0"] {
            let zeros = zeros_of(text).expect("it is a plain decimal");
            let long = format!("{:.4}", text.parse::<f64>().expect("it is a number"));
            assert_eq!(format!("{text}{}", &"0000"[..zeros]), long);
        }
        for text in ["09.3", ".5", "5.", "-1.5", "1.23456", "1e5.2", "123456789012.5", "a.b", "1.2.3"] {
            assert_eq!(zeros_of(text), None, "{text}");
        }
    }
}
