//! As much of Thrift's compact protocol as it takes to look at a Parquet file before its reader does.
//!
//! Source: Apache Thrift, "Thrift Compact protocol encoding". The reader takes memory for as many elements as a list
//! promises; here every list is held against the bytes that are left.

/// Structures inside structures. Parquet's own nest six deep.
const MAX_DEPTH: u32 = 32;

/// What stands at the start of some bytes is not Thrift.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotThrift {
    /// It goes on behind the end of the bytes.
    CutShort,
    /// It cannot be.
    Wrong,
}

type Read<T> = Result<T, NotThrift>;

/// Bytes that are read from the front.
pub(super) struct Compact<'a> {
    rest: &'a [u8],
}

/// A field's number and type.
struct Field {
    id: i16,
    kind: u8,
}

impl<'a> Compact<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Passes over a structure, handing out its own fields that are 32-bit numbers.
    pub(super) fn structure(&mut self, mut number: impl FnMut(i16, i64)) -> Read<()> {
        let mut last = 0;
        while let Some(field) = self.field(last)? {
            last = field.id;
            if field.kind == 5 {
                number(field.id, self.zigzag()?);
            } else {
                self.skip(field.kind, 0)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, last: i16) -> Read<Option<Field>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let step = i16::from(head >> 4);
        let id = if step == 0 {
            i16::try_from(self.zigzag()?).map_err(|_| NotThrift::Wrong)?
        } else {
            last.checked_add(step).ok_or(NotThrift::Wrong)?
        };
        Ok(Some(Field { id, kind: head & 0x0f }))
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Read<()> {
        match kind {
            // As a field, true and false are their own type.
            1 | 2 => Ok(()),
            3 => self.byte().map(|_| ()),
            4..=6 => self.varint().map(|_| ()),
            7 => self.bytes(8),
            8 => {
                let length = self.varint()?;
                self.bytes(length)
            }
            9 | 10 => self.skip_list(depth),
            12 if depth < MAX_DEPTH => {
                let mut last = 0;
                while let Some(field) = self.field(last)? {
                    last = field.id;
                    self.skip(field.kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(NotThrift::Wrong),
        }
    }

    fn skip_list(&mut self, depth: u32) -> Read<()> {
        let head = self.byte()?;
        let (short, kind) = (head >> 4, head & 0x0f);
        let count = if short == 15 { self.varint()? } else { u64::from(short) };
        if depth >= MAX_DEPTH {
            return Err(NotThrift::Wrong);
        }
        // Each element takes at least a byte.
        if count > self.rest.len() as u64 {
            return Err(NotThrift::CutShort);
        }
        for _ in 0..count {
            // As an element, a truth value is a byte.
            self.skip(if matches!(kind, 1 | 2) { 3 } else { kind }, depth + 1)?;
        }
        Ok(())
    }

    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(NotThrift::CutShort)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, count: u64) -> Read<()> {
        let count = usize::try_from(count).map_err(|_| NotThrift::Wrong)?;
        self.rest = self.rest.get(count..).ok_or(NotThrift::CutShort)?;
        Ok(())
    }

    fn varint(&mut self) -> Read<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(NotThrift::Wrong)
    }

    fn zigzag(&mut self) -> Read<i64> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_passed_over_up_to_the_end() {
        // Field 1 is the number 3, field 2 the number -1, field 4 a list of two bytes, field 5 true.
        let bytes = [0x15, 0x06, 0x15, 0x01, 0x29, 0x23, 7, 8, 0x11, 0x00, 0xff];
        let mut numbers = Vec::new();
        let mut compact = Compact::new(&bytes);
        compact.structure(|id, number| numbers.push((id, number))).expect("it is Thrift");
        assert_eq!(numbers, [(1, 3), (2, -1)]);
        assert_eq!(compact.left(), 1);
    }

    #[test]
    fn a_list_that_promises_more_than_there_is_is_refused() {
        // Field 1 is a list of 2^31 - 1 structures.
        let bytes = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0];
        assert_eq!(Compact::new(&bytes).structure(|_, _| {}), Err(NotThrift::CutShort));
    }
}
