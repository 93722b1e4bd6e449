//! Rows of a transport file: texts filled with blanks, and numbers in the floating point of the IBM 360.

use encoding_rs::WINDOWS_1252;

use super::header::Header;
use crate::dataset::ColumnKind;
use crate::limits::MAX_ROW_BYTES;
use crate::text::TextColumn;

/// Where the variables stand in a row.
pub(super) struct Layout {
    fields: Vec<Field>,
    length: usize,
    /// Runs of bytes that hold texts alone.
    texts: Vec<(usize, usize)>,
}

struct Field {
    start: usize,
    end: usize,
    is_text: bool,
}

impl Layout {
    /// The variables' positions and lengths have to add up to a row.
    pub(super) fn of(header: &Header) -> Result<Self, String> {
        let mut fields: Vec<Field> = Vec::with_capacity(header.columns.len());
        let mut texts: Vec<(usize, usize)> = Vec::new();
        let mut end = 0;
        for (column, position) in header.columns.iter().zip(&header.positions) {
            let (name, start) = (&column.name, end);
            if *position as usize != start {
                return Err(format!(
                    "variable `{name}` starts at byte {position} of a row, byte {start} is expected: its record length is wrong"
                ));
            }
            let length = column.length.unwrap_or_default() as usize;
            let is_text = column.kind == ColumnKind::Text;
            if !is_text && !(2..=8).contains(&length) {
                return Err(format!("variable `{name}` is a number of {length} bytes, which have 2 to 8"));
            }
            end = start + length;
            fields.push(Field { start, end, is_text });
            match texts.last_mut() {
                Some(last) if is_text && last.1 == start => last.1 = end,
                _ if is_text => texts.push((start, end)),
                _ => {}
            }
        }
        if end == 0 {
            return Err("it has no variables".into());
        }
        if end > MAX_ROW_BYTES {
            return Err(format!("a row has {end} bytes, the limit is {MAX_ROW_BYTES}"));
        }
        Ok(Self { fields, length: end, texts })
    }

    /// Bytes of a row.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Whether every text of some rows is UTF-8.
    pub(super) fn is_utf8(&self, block: &[u8]) -> bool {
        // A run of ASCII is UTF-8 however it is cut into texts.
        let is_plain = |row: &[u8]| self.texts.iter().all(|(start, end)| row[*start..*end].is_ascii());
        let texts = || self.fields.iter().filter(|field| field.is_text);
        block.chunks_exact(self.length).all(|row| {
            is_plain(row) || texts().all(|field| std::str::from_utf8(&row[field.start..field.end]).is_ok())
        })
    }

    /// Takes every column's cells from some rows.
    pub(super) fn take(&self, block: &[u8], columns: &mut [TextColumn], is_utf8: bool) {
        for (field, column) in self.fields.iter().zip(columns) {
            let cells = block.chunks_exact(self.length).map(|row| &row[field.start..field.end]);
            if !field.is_text {
                cells.for_each(|cell| push_number(column, cell));
            } else if is_utf8 {
                cells.for_each(|cell| column.push(without_filling(cell)));
            } else {
                for cell in cells {
                    let (text, _) = WINDOWS_1252.decode_without_bom_handling(without_filling(cell));
                    column.push(text.as_bytes());
                }
            }
        }
    }
}

/// Drops the blanks, or zeros, that fill a text.
#[inline]
fn without_filling(cell: &[u8]) -> &[u8] {
    let mut rest = cell;
    while let Some((front, [b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' '])) = rest.split_last_chunk::<8>() {
        rest = front;
    }
    while let [front @ .., b' ' | 0] = rest {
        rest = front;
    }
    rest
}

#[inline]
fn push_number(column: &mut TextColumn, cell: &[u8]) {
    // A short number lacks the last bytes of its fraction.
    let mut bytes = [0; 8];
    bytes[..cell.len()].copy_from_slice(cell);
    match ibm_number(u64::from_be_bytes(bytes)) {
        Some(number) => column.push_number(number),
        None => column.push_null(),
    }
}

/// A number of the IBM 360: a sign, an exponent of 16 and a fraction of 56 bits. `None` for the 28 codes of a
/// missing value: a point, an underscore or a letter, and nothing behind it.
#[inline]
pub(super) fn ibm_number(bits: u64) -> Option<f64> {
    let fraction = bits & 0x00ff_ffff_ffff_ffff;
    if fraction == 0 {
        let is_missing = matches!(bits.to_be_bytes()[0], b'.' | b'_' | b'A'..=b'Z');
        return if is_missing { None } else { Some(0.0) };
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "what has more than 53 bits was not written by a floating point number of today"
    )]
    let fraction = fraction as f64;
    // 16^(exponent - 64), less the 56 bits of the fraction: between 2^-312 and 2^196, which is exact.
    let exponent = (bits >> 56) & 0x7f;
    let power = f64::from_bits((1023 + 4 * exponent - 256 - 56) << 52);
    let size = fraction * power;
    Some(if bits >> 63 == 0 { size } else { -size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_ibm_360_are_exact() {
        // By hand: 1 is 1/16 * 16^1; -118.625 is the example of the format's usual description.
        let known = [
            (0x4110_0000_0000_0000, Some(1.0)),
            (0xc276_a000_0000_0000, Some(-118.625)),
            (0x0000_0000_0000_0000, Some(0.0)),
            (0x8000_0000_0000_0000, Some(0.0)),
            (0x4019_9999_9999_999a, Some(0.1)),
            (0x7fff_ffff_ffff_fff8, Some((1.0 - 2_f64.powi(-53)) * 2_f64.powi(252))),
            (0x0010_0000_0000_0000, Some(5.397_605_346_934_028e-79)),
            (0x2e00_0000_0000_0000, None),
            (0x5f00_0000_0000_0000, None),
            (0x4100_0000_0000_0000, None),
            (0x5a00_0000_0000_0000, None),
            // A code with something behind it is a number.
            (0x4100_0000_0000_0001, Some(16.0 / 72_057_594_037_927_936.0)),
        ];
        for (bits, number) in known {
            assert_eq!(ibm_number(bits), number, "{bits:x}");
        }
    }

    #[test]
    fn all_28_codes_of_a_missing_value_are_null() {
        let missing = (0..=255_u64).filter(|first| ibm_number(first << 56).is_none()).count();
        assert_eq!(missing, 28);
    }

    #[test]
    fn filling_is_dropped_and_leading_blanks_stay() {
        assert_eq!(without_filling(b"  a b          "), b"  a b");
        assert_eq!(without_filling(b"            "), b"");
        assert_eq!(without_filling(b"x\0\0 "), b"x");
    }
}
