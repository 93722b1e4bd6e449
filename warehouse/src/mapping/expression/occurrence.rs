//! A number that counts the rows which are equal in some columns.

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
            let mut key = [0; 16];
            key.copy_from_slice(&hash.as_bytes()[..16]);
            let count = counts.seen.entry(key).or_insert(0);
            let number = *count + self.plus;
            *count += 1;
            if self.hashed {
                builder.append_value(format!("{}-{number}", &hash.to_hex()[..24]));
            } else {
                builder.append_value(number.to_string());
            }
        }
        Arc::new(builder.finish())
    }
}

/// Numbers are compared to four digits, as visit numbers are: 9.3 also comes as 9.299999999999999.
fn append_compared(bytes: &mut Vec<u8>, text: &str) {
    let number = text.contains('.').then(|| text.parse::<f64>().ok()).flatten();
    let rounded = number.map(|number| format!("{number:.4}"));
    let text = rounded.as_deref().unwrap_or(text);
    bytes.extend_from_slice(&text.len().to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}
