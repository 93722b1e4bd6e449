//! One row of Dataset-JSON: an array whose values go straight into their columns.

use std::fmt;

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::dataset::Column;
use crate::limits::MAX_CELL_BYTES;
use crate::text::TextColumn;

/// Below this, every whole number is a floating point number and back.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What the values of a column have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellType {
    Text,
    Integer,
    /// A number that travels as text, so that no digit is lost.
    Decimal,
    Float,
    Boolean,
}

impl CellType {
    pub(super) fn of(data_type: &str) -> Self {
        match data_type {
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "float" | "double" => Self::Float,
            "boolean" => Self::Boolean,
            _ => Self::Text,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Decimal => "a number as text",
            Self::Float => "a number",
            Self::Boolean => "true or false",
        }
    }
}

/// A row that is to be parsed into its columns.
pub(super) struct RowSeed<'a> {
    pub(super) columns: &'a [Column],
    pub(super) types: &'a [CellType],
    pub(super) cells: &'a mut [TextColumn],
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} values", self.columns.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let columns = self.columns.iter().zip(self.types).zip(self.cells);
        for (count, ((column, cell_type), cell)) in columns.enumerate() {
            let seed = CellSeed { column: &column.name, cell_type: *cell_type, cell };
            if values.next_element_seed(seed)?.is_none() {
                let wanted = self.columns.len();
                return Err(A::Error::custom(format!(
                    "it has {count} values, its dataset has {wanted} columns"
                )));
            }
        }
        if values.next_element::<IgnoredAny>()?.is_some() {
            let wanted = self.columns.len();
            return Err(A::Error::custom(format!(
                "it has more values than its dataset has columns, {wanted}"
            )));
        }
        Ok(())
    }
}

struct CellSeed<'a> {
    column: &'a str,
    cell_type: CellType,
    cell: &'a mut TextColumn,
}

impl CellSeed<'_> {
    fn refused<E: Error>(&self, found: impl fmt::Display) -> E {
        let (column, wanted) = (self.column, self.cell_type.name());
        E::custom(format!("column `{column}`: {found} stands where {wanted} is expected"))
    }
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in column `{}`", self.cell_type.name(), self.column)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.cell.push_null();
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if self.cell_type != CellType::Boolean {
            return Err(self.refused(value));
        }
        self.cell.push_display(value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        if !matches!(self.cell_type, CellType::Integer | CellType::Float) {
            return Err(self.refused(value));
        }
        self.cell.push_display(value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if !matches!(self.cell_type, CellType::Integer | CellType::Float) {
            return Err(self.refused(value));
        }
        self.cell.push_display(value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // Past that the parser has already rounded: an integer would no longer be what was sent.
        let is_whole = value.fract() == 0.0 && value.abs() < EXACT;
        if self.cell_type == CellType::Float || self.cell_type == CellType::Integer && is_whole {
            self.cell.push_number(value);
            return Ok(());
        }
        Err(self.refused(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.cell_type {
            CellType::Text => {}
            CellType::Decimal if value.is_empty() || is_decimal(value) => {}
            _ => return Err(self.refused("a text")),
        }
        let column = self.column;
        if value.len() > MAX_CELL_BYTES {
            let bytes = value.len();
            return Err(E::custom(format!(
                "column `{column}`: a text of {bytes} bytes is above the limit of {MAX_CELL_BYTES}"
            )));
        }
        if memchr(0, value.as_bytes()).is_some() {
            return Err(E::custom(format!("column `{column}`: it holds a zero byte")));
        }
        self.cell.push(value.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.refused("an array"))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.refused("an object"))
    }
}

/// Digits with at most one point, a sign and an exponent: what a number is as text.
fn is_decimal(text: &str) -> bool {
    let starts = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && text.parse::<f64>().is_ok()
}
