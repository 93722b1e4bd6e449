//! Batches of text columns: what every reader makes.
//!
//! A column is collected as bytes and checked as UTF-8 once for each batch, not once for each cell.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, NullBufferBuilder, RecordBatch, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::dataset::Column;
use crate::source::BATCH_ROWS;
use crate::{Error, Result};

/// Bytes of text after which a batch ends, however few its rows: what bounds the memory of wide rows.
pub(crate) const BATCH_BYTES: usize = 64 << 20;

/// The schema of a dataset's batches: every column nullable text.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

/// Rows that are being collected.
pub(crate) struct Rows {
    schema: SchemaRef,
    pub(crate) columns: Vec<TextColumn>,
    count: usize,
    bytes: usize,
}

impl Rows {
    pub(crate) fn new(schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|_| TextColumn::default()).collect();
        Self { schema: schema.clone(), columns, count: 0, bytes: 0 }
    }

    /// Says that every column has `count` more cells, whose texts have about `bytes` bytes.
    #[inline]
    pub(crate) fn add(&mut self, count: usize, bytes: usize) {
        self.count += count;
        self.bytes += bytes;
    }

    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.count >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// How many rows of at most `row_bytes` still fit.
    pub(crate) fn room(&self, row_bytes: usize) -> usize {
        let by_bytes = (BATCH_BYTES.saturating_sub(self.bytes) / row_bytes.max(1)).max(1);
        if self.is_full() { 0 } else { by_bytes.min(BATCH_ROWS - self.count) }
    }

    /// The batch, `None` if no row was added; what follows goes into the next.
    pub(crate) fn finish(&mut self, step: &'static str) -> Result<Option<RecordBatch>> {
        if self.count == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| column.finish(step).map(|texts| Arc::new(texts) as ArrayRef))
            .collect::<Result<_>>()?;
        (self.count, self.bytes) = (0, 0);
        RecordBatch::try_new(self.schema.clone(), columns).map(Some).map_err(Error::arrow(step))
    }
}

/// The cells of one column.
pub(crate) struct TextColumn {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self::with_room(0, 0)
    }
}

impl TextColumn {
    fn with_room(bytes: usize, cells: usize) -> Self {
        let mut offsets = Vec::with_capacity(cells + 1);
        offsets.push(0);
        Self { bytes: Vec::with_capacity(bytes), offsets, nulls: NullBufferBuilder::new(cells) }
    }

    /// A cell in UTF-8. Empty text is null on entry.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8]) {
        if text.is_empty() {
            self.push_null();
        } else {
            self.bytes.extend_from_slice(text);
            self.end_cell();
        }
    }

    #[inline]
    pub(crate) fn push_null(&mut self) {
        let end = *self.offsets.last().unwrap_or(&0);
        self.offsets.push(end);
        self.nulls.append_null();
    }

    /// A number in its shortest exact form; a number that is none is null.
    #[inline]
    pub(crate) fn push_number(&mut self, number: f64) {
        if number.is_nan() {
            self.push_null();
        } else {
            write_number(&mut self.bytes, number);
            self.end_cell();
        }
    }

    /// Anything that is displayed as text that is not empty.
    pub(crate) fn push_display(&mut self, value: impl std::fmt::Display) {
        // Writing into memory cannot fail.
        let _ = write!(self.bytes, "{value}");
        self.end_cell();
    }

    #[inline]
    fn end_cell(&mut self) {
        let end =
            i32::try_from(self.bytes.len()).expect("a batch ends after 64 MiB, a cell has at most 16 MiB");
        self.offsets.push(end);
        self.nulls.append_non_null();
    }

    pub(crate) fn finish(&mut self, step: &'static str) -> Result<StringArray> {
        let next = Self::with_room(self.bytes.len(), self.offsets.len());
        let mut done = std::mem::replace(self, next);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(done.offsets));
        StringArray::try_new(offsets, Buffer::from_vec(done.bytes), done.nulls.finish())
            .map_err(Error::arrow(step))
    }
}

/// Powers of ten that a floating point number holds exactly.
const TENS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// Up to here every decimal with 15 digits is one floating point number and back.
const FIFTEEN_DIGITS: f64 = 1e15;

/// A number in its shortest exact form: `3.1`, and `3` without a point; zero has no sign.
pub(crate) fn write_number(out: &mut Vec<u8>, number: f64) {
    let size = number.abs();
    if size < FIFTEEN_DIGITS {
        for (decimals, ten) in TENS.iter().enumerate() {
            let digits = (size * ten).round();
            if digits >= FIFTEEN_DIGITS {
                break;
            }
            // A quotient of two exact numbers is rounded once: if it is the number, these digits are it,
            // and no shorter digits are, since fewer decimals were tried before.
            if digits / ten == size {
                write_decimal(out, number < 0.0, digits, decimals);
                return;
            }
        }
    }
    // Writing into memory cannot fail.
    let _ = write!(out, "{number}");
}

/// Digits of which the last `decimals` stand behind the point.
fn write_decimal(out: &mut Vec<u8>, is_negative: bool, digits: f64, decimals: usize) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 10^15"
    )]
    let mut rest = digits as u64;
    let mut text = [0; 24];
    let mut start = text.len();
    let mut written = 0;
    while rest > 0 || written <= decimals {
        if written == decimals && decimals > 0 {
            start -= 1;
            text[start] = b'.';
        }
        start -= 1;
        text[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        written += 1;
    }
    if is_negative {
        start -= 1;
        text[start] = b'-';
    }
    out.extend_from_slice(&text[start..]);
}

/// Empty text is null on entry.
pub(crate) fn empty_to_null(texts: ArrayRef) -> ArrayRef {
    let strings = texts.as_string::<i32>();
    if (0..strings.len()).all(|row| strings.is_null(row) || !strings.value(row).is_empty()) {
        return texts;
    }
    let cleaned: StringArray = strings.iter().map(|text| text.filter(|text| !text.is_empty())).collect();
    Arc::new(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: f64) -> String {
        let mut out = Vec::new();
        write_number(&mut out, number);
        String::from_utf8(out).expect("digits are text")
    }

    #[test]
    fn a_number_is_written_in_its_shortest_exact_form() {
        let known = [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (3.1, "3.1"),
            (-0.05, "-0.05"),
            (201.0, "201"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000"),
            (0.000_001, "0.000001"),
            (123_456_789.012_345, "123456789.012345"),
            (-7.25, "-7.25"),
            (100.0, "100"),
        ];
        for (number, written) in known {
            assert_eq!(text(number), written);
        }
    }

    #[test]
    fn numbers_of_every_size_are_written_as_the_standard_library_writes_them() {
        let mut state: u64 = 7;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        for _ in 0..200_000 {
            let bits = f64::from_bits(next());
            let hundredths = f64::from(u32::try_from(next() >> 40).unwrap_or(0)) / 100.0;
            let millionths = f64::from(u32::try_from(next() >> 32).unwrap_or(0)) / 1e6;
            for number in [bits, hundredths, -millionths] {
                if number != 0.0 && !number.is_nan() {
                    assert_eq!(text(number), number.to_string());
                }
            }
        }
    }

    #[test]
    fn an_empty_cell_is_null() {
        let mut column = TextColumn::default();
        column.push(b"a");
        column.push(b"");
        column.push_number(f64::NAN);
        column.push_number(2.5);
        let texts = column.finish("test").expect("it is UTF-8");
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("a"), None, None, Some("2.5")]);
    }
}
