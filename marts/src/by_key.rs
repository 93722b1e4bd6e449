//! What stands at a key of the star.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

/// Keys are numbers without any pattern, and their own hash but for the mixing of the highest bits.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }
}

/// What stands at a key.
pub(crate) type ByKey = HashMap<i64, usize, BuildHasherDefault<KeyHasher>>;

/// Keys by number, in the order in which they were first seen. The last one is at hand: rows of one subject stand together.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    numbers: ByKey,
    keys: Vec<i64>,
    last: Option<(i64, usize)>,
}

impl Numbers {
    pub(crate) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys, each at the place of its number.
    pub(crate) fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The number of a key, which may be new.
    pub(crate) fn number(&mut self, key: i64) -> usize {
        match self.last {
            Some((last, number)) if last == key => number,
            _ => {
                let next = self.keys.len();
                let number = *self.numbers.entry(key).or_insert(next);
                if number == next {
                    self.keys.push(key);
                }
                self.last = Some((key, number));
                number
            }
        }
    }

    /// The number of one that was seen.
    pub(crate) fn known(&self, key: i64) -> usize {
        self.numbers.get(&key).copied().unwrap_or_default()
    }

    /// Their numbers in the order of their keys.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.keys.len()).collect();
        numbers.sort_unstable_by_key(|number| self.keys[*number]);
        numbers
    }
}

/// The values of a column of keys.
pub(crate) fn keys_of(batch: &RecordBatch, column: usize) -> &[i64] {
    batch.column(column).as_primitive::<Int64Type>().values()
}
