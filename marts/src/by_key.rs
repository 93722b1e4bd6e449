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

/// The values of a column of keys.
pub(crate) fn keys_of(batch: &RecordBatch, column: usize) -> &[i64] {
    batch.column(column).as_primitive::<Int64Type>().values()
}
