//! The identity of a row and of its content (rule R-16).

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};

use crate::contract::ColumnType;

/// A typed view of one column, so that the type is found once per batch and not once per cell.
enum Cells<'a> {
    Text(&'a arrow::array::StringArray),
    Int8(&'a arrow::array::Int8Array),
    Int32(&'a arrow::array::Int32Array),
    Int64(&'a arrow::array::Int64Array),
    Float64(&'a arrow::array::Float64Array),
    Bool(&'a arrow::array::BooleanArray),
    Date(&'a arrow::array::Date32Array),
    Timestamp(&'a arrow::array::TimestampMicrosecondArray),
    Decimal(&'a arrow::array::Decimal128Array),
    List(&'a arrow::array::ListArray),
}

/// Hashes rows over their columns in contract order: `tag, length, bytes` for each, where a null is tag 0
/// alone, so that no two rows of different content have the same bytes.
pub struct RowHasher<'a> {
    columns: Vec<Cells<'a>>,
    buffer: Vec<u8>,
}

impl<'a> RowHasher<'a> {
    /// A hasher over `columns`, each of the type named beside it.
    #[must_use]
    pub fn new(columns: &[(&'a ArrayRef, ColumnType)]) -> Self {
        let columns = columns.iter().map(|(array, kind)| cells(array, *kind)).collect();
        Self { columns, buffer: Vec::with_capacity(256) }
    }

    /// BLAKE3-256 of one row.
    pub fn hash(&mut self, row: usize) -> [u8; 32] {
        self.buffer.clear();
        for column in &self.columns {
            append(&mut self.buffer, column, row);
        }
        *blake3::hash(&self.buffer).as_bytes()
    }
}

fn cells(array: &ArrayRef, kind: ColumnType) -> Cells<'_> {
    match kind {
        ColumnType::Text => Cells::Text(array.as_string()),
        ColumnType::Int8 => Cells::Int8(array.as_primitive::<Int8Type>()),
        ColumnType::Int32 => Cells::Int32(array.as_primitive::<Int32Type>()),
        ColumnType::Int64 => Cells::Int64(array.as_primitive::<Int64Type>()),
        ColumnType::Float64 => Cells::Float64(array.as_primitive::<Float64Type>()),
        ColumnType::Bool => Cells::Bool(array.as_boolean()),
        ColumnType::Date => Cells::Date(array.as_primitive::<Date32Type>()),
        ColumnType::Timestamp => Cells::Timestamp(array.as_primitive::<TimestampMicrosecondType>()),
        ColumnType::VisitNumber => Cells::Decimal(array.as_primitive::<Decimal128Type>()),
        ColumnType::TextList => Cells::List(array.as_list()),
    }
}

fn append(buffer: &mut Vec<u8>, column: &Cells<'_>, row: usize) {
    let array: &dyn Array = match column {
        Cells::Text(array) => *array,
        Cells::Int8(array) => *array,
        Cells::Int32(array) => *array,
        Cells::Int64(array) => *array,
        Cells::Float64(array) => *array,
        Cells::Bool(array) => *array,
        Cells::Date(array) => *array,
        Cells::Timestamp(array) => *array,
        Cells::Decimal(array) => *array,
        Cells::List(array) => *array,
    };
    if array.is_null(row) {
        buffer.push(0);
        return;
    }
    match column {
        Cells::Text(array) => put(buffer, 1, array.value(row).as_bytes()),
        Cells::Int8(array) => put(buffer, 2, &i64::from(array.value(row)).to_be_bytes()),
        Cells::Int32(array) => put(buffer, 2, &i64::from(array.value(row)).to_be_bytes()),
        Cells::Int64(array) => put(buffer, 2, &array.value(row).to_be_bytes()),
        // Adding zero turns -0 into +0: the two compare equal and must hash equal.
        Cells::Float64(array) => put(buffer, 3, &(array.value(row) + 0.0).to_bits().to_be_bytes()),
        Cells::Bool(array) => put(buffer, 4, &[u8::from(array.value(row))]),
        Cells::Date(array) => put(buffer, 5, &array.value(row).to_be_bytes()),
        Cells::Timestamp(array) => put(buffer, 6, &array.value(row).to_be_bytes()),
        Cells::Decimal(array) => put(buffer, 7, &array.value(row).to_be_bytes()),
        Cells::List(array) => {
            let items = array.value(row);
            let items = items.as_string::<i32>();
            buffer.push(8);
            put_length(buffer, items.len());
            for item in items {
                match item {
                    Some(item) => put(buffer, 1, item.as_bytes()),
                    None => buffer.push(0),
                }
            }
        }
    }
}

fn put(buffer: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    buffer.push(tag);
    put_length(buffer, bytes.len());
    buffer.extend_from_slice(bytes);
}

/// Bytes as lower-case hexadecimal digits, without an allocation: ids are made by the million.
pub(crate) struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    /// The digits of the first 32 bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self { digits, length: 2 * bytes.len().min(32) }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or_default()
    }
}

/// A length as LEB128: one byte for most cells, where eight would be half of what is hashed.
pub(crate) fn put_length(buffer: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            return buffer.push(low & 0x7f);
        }
        buffer.push(low | 0x80);
    }
}

/// The durable identity of a row across cuts: BLAKE3-128 over study, entity, source and the source's own
/// record id.
#[must_use]
pub fn row_id(study: &str, entity: &str, source_system: &str, source_record_id: &str) -> [u8; 16] {
    let mut buffer = Vec::with_capacity(96);
    for part in [study, entity, source_system, source_record_id] {
        put(&mut buffer, 1, part.as_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(&buffer).as_bytes()[..16]);
    id
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn hashes(array: &ArrayRef, kind: ColumnType) -> Vec<[u8; 32]> {
        let mut hasher = RowHasher::new(&[(array, kind)]);
        (0..array.len()).map(|row| hasher.hash(row)).collect()
    }

    #[test]
    fn a_null_and_an_empty_text_differ() {
        let rows = hashes(&(Arc::new(StringArray::from(vec![None, Some("")])) as ArrayRef), ColumnType::Text);
        assert_ne!(rows[0], rows[1]);
    }

    #[test]
    fn both_zeros_are_one_value() {
        let rows = hashes(&(Arc::new(Float64Array::from(vec![0.0, -0.0])) as ArrayRef), ColumnType::Float64);
        assert_eq!(rows[0], rows[1]);
    }

    #[test]
    fn digits_are_those_of_the_hash() {
        let hash = blake3::hash(b"cairn");
        assert_eq!(Hex::of(hash.as_bytes()).as_str(), hash.to_hex().as_str());
        assert_eq!(Hex::of(&[0, 0x0f, 0xf0]).as_str(), "000ff0");
    }

    #[test]
    fn a_length_has_seven_bits_in_each_byte() {
        // The two examples of the DWARF standard (7.6), and both ends of one byte.
        for (length, bytes) in
            [(0, vec![0]), (127, vec![0x7f]), (128, vec![0x80, 1]), (624_485, vec![0xe5, 0x8e, 0x26])]
        {
            let mut buffer = Vec::new();
            put_length(&mut buffer, length);
            assert_eq!(buffer, bytes);
        }
    }

    #[test]
    fn cells_do_not_run_into_each_other() {
        let first: ArrayRef = Arc::new(StringArray::from(vec!["ab", "a"]));
        let second: ArrayRef = Arc::new(StringArray::from(vec!["c", "bc"]));
        let mut hasher = RowHasher::new(&[(&first, ColumnType::Text), (&second, ColumnType::Text)]);
        assert_ne!(hasher.hash(0), hasher.hash(1));
    }
}
