//! How a canon column's text is made from a source row. Deliberately few forms: what needs more belongs
//! into a rule of the model, not into a mapping.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use serde::Deserialize;

use super::Lookup;
use crate::contract::{Column, ColumnType};
use crate::{Error, Result};
use formats::{ColumnKind, Dataset};

mod arithmetic;
mod convert;
mod from;
mod occurrence;
mod template;

pub use arithmetic::Arithmetic;
pub use convert::Convert;
pub use from::From;
pub use occurrence::Occurrence;
pub use template::Template;

/// One way to make a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Expression {
    /// `"COLUMN"`: the column as it is; null when the file does not have it.
    Column(String),
    /// The first of several that is not null.
    First(First),
    /// The same text for every row.
    Constant(Constant),
    /// A number that counts the rows which are equal in some columns.
    Occurrence(Occurrence),
    /// Text with columns in braces; null when one of them is.
    Template(Template),
    /// What two others give, calculated.
    Arithmetic(Arithmetic),
    /// What another gives, looked up, translated or converted, in that order.
    From(From),
}

/// See [`Expression::First`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    first: Vec<Expression>,
}

/// See [`Expression::Constant`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    #[serde(rename = "const")]
    text: String,
}

/// The values of a [`Lookup`], by key and asked-for name.
#[derive(Debug, Default)]
pub struct LookupTable {
    /// Key to the values that can be given, in the order of the lookup's names.
    pub rows: HashMap<String, Vec<Option<String>>>,
}

/// What expressions need besides the row: lookups by name.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// The mapping's lookups and their values.
    pub lookups: BTreeMap<&'a str, (&'a Lookup, LookupTable)>,
}

/// What the expressions of one canon column remember from row to row of a dataset.
#[derive(Debug, Default)]
pub struct Counts {
    /// How often the rows of [`Expression::Occurrence`] were seen.
    seen: occurrence::Seen,
    /// What `count_as` counted, by its name.
    pub tallies: BTreeMap<String, Tally>,
}

/// How many rows had a value for which there is no translation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows whose value has none.
    pub rows: u64,
    /// Rows with a value.
    pub of: u64,
}

/// Rows of a batch, of which only some are asked for: what is counted is counted of those.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    batch: &'a RecordBatch,
    rows: &'a [bool],
}

impl Expression {
    /// Whether lookups exist and stand before those that use them.
    pub(super) fn check(&self, lookups: &[Lookup]) -> std::result::Result<(), String> {
        match self {
            Self::First(first) => first.first.iter().try_for_each(|expression| expression.check(lookups)),
            Self::From(from) => from.check(lookups),
            Self::Arithmetic(arithmetic) => {
                arithmetic.parts()?.iter().try_for_each(|part| part.check(lookups))
            }
            Self::Column(_) | Self::Constant(_) | Self::Occurrence(_) | Self::Template(_) => Ok(()),
        }
    }

    /// A column without which this expression can only be null.
    pub(super) fn unfed(&self, has: &dyn Fn(&str) -> bool) -> Option<&str> {
        match self {
            Self::Column(column) => (!has(column)).then_some(column),
            Self::From(from) => from.unfed(has),
            Self::First(first) => {
                let mut absent = first.first.iter().map(|expression| expression.unfed(has));
                absent.clone().all(|column| column.is_some()).then(|| absent.next().flatten()).flatten()
            }
            Self::Constant(_) | Self::Occurrence(_) => None,
            Self::Template(template) => template.columns().find(|column| !has(column)),
            Self::Arithmetic(arithmetic) => arithmetic.operands().find_map(|part| part.unfed(has)),
        }
    }

    /// Whether no two rows of a dataset get one text from it.
    pub(super) const fn is_unique(&self) -> bool {
        matches!(self, Self::Occurrence(occurrence) if occurrence.is_id())
    }

    /// The source columns that it reads, in the order in which it names them.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        self.clone().for_each_column(&mut |column| {
            if column != "--" && !found.contains(column) {
                found.push(column.clone());
            }
        });
        found
    }

    /// The expressions inside that look something up in `lookup`.
    pub(crate) fn keys_for<'a>(&'a self, lookup: &str, found: &mut Vec<&'a Self>) {
        match self {
            Self::First(first) => first.first.iter().for_each(|part| part.keys_for(lookup, found)),
            Self::Arithmetic(arithmetic) => {
                arithmetic.operands().for_each(|part| part.keys_for(lookup, found));
            }
            Self::From(from) => from.keys_for(lookup, found),
            Self::Column(_) | Self::Constant(_) | Self::Occurrence(_) | Self::Template(_) => {}
        }
    }

    /// Hands out every column name, for looking at or for replacing.
    pub(super) fn for_each_column(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Column(column) => change(column),
            Self::First(first) => first.first.iter_mut().for_each(|part| part.for_each_column(change)),
            // The one constant that follows the dataset's name.
            Self::Constant(constant) if constant.text == "--" => change(&mut constant.text),
            Self::Constant(_) => {}
            Self::Occurrence(occurrence) => occurrence.for_each_column(change),
            Self::Template(template) => template.for_each_column(change),
            Self::Arithmetic(arithmetic) => arithmetic.for_each_column(change),
            Self::From(from) => from.for_each_column(change),
        }
    }

    /// Refuses a source column that cannot hold one value of the wanted kind.
    pub(super) fn check_types(&self, dataset: &Dataset, target: &Column) -> Result<()> {
        let (column, plain) = match self {
            Self::Column(column) => (column, true),
            Self::From(from) => match from.column() {
                Some(column) => (column, from.is_plain()),
                None => return Ok(()),
            },
            Self::First(first) => {
                return first.first.iter().try_for_each(|expression| expression.check_types(dataset, target));
            }
            Self::Constant(_) | Self::Occurrence(_) | Self::Template(_) | Self::Arithmetic(_) => {
                return Ok(());
            }
        };
        let Some(source) = dataset.position(column).map(|position| &dataset.columns[position]) else {
            return Ok(());
        };
        let fits = match (source.kind, target.kind) {
            (ColumnKind::Other, _) => false,
            (ColumnKind::Bool | ColumnKind::Time, kind) if plain && is_number(kind) => false,
            (ColumnKind::Number | ColumnKind::Bool, ColumnType::Date | ColumnType::Timestamp) if plain => {
                false
            }
            (ColumnKind::Number | ColumnKind::Bool, ColumnType::Text) if plain => !target.is_partial_date(),
            _ => true,
        };
        if fits {
            return Ok(());
        }
        Err(Error::WrongType {
            file: dataset.file.clone(),
            dataset: dataset.name.clone(),
            column: source.name.clone(),
            found: source.type_name.clone(),
            wanted: format!("{} for `{}`", target.kind.arrow(), target.name),
        })
    }

    /// The texts of one batch. `counts` belongs to this expression's place and lives as long as the dataset.
    pub(crate) fn texts(&self, batch: &RecordBatch, context: &Context<'_>, counts: &mut Counts) -> ArrayRef {
        self.texts_of(batch, &vec![true; batch.num_rows()], context, counts)
    }

    /// As [`Expression::texts`]; of the rows that are not asked for nothing is counted.
    pub(crate) fn texts_of(
        &self,
        batch: &RecordBatch,
        rows: &[bool],
        context: &Context<'_>,
        counts: &mut Counts,
    ) -> ArrayRef {
        self.texts_asked(Asked { batch, rows }, context, counts)
    }

    fn texts_asked(&self, asked: Asked<'_>, context: &Context<'_>, counts: &mut Counts) -> ArrayRef {
        let batch = asked.batch;
        match self {
            Self::Column(column) => column_of(batch, column),
            Self::Constant(constant) => repeated(&constant.text, batch.num_rows()),
            Self::From(from) => from.texts(asked, context, counts),
            Self::Occurrence(occurrence) => occurrence.texts(batch, counts),
            Self::Template(template) => template.texts(batch),
            Self::Arithmetic(arithmetic) => arithmetic.texts(asked, context, counts),
            Self::First(first) => first.texts(asked, context, counts),
        }
    }
}

impl First {
    /// Later expressions are asked only for the rows that the earlier ones leave null.
    fn texts(&self, asked: Asked<'_>, context: &Context<'_>, counts: &mut Counts) -> ArrayRef {
        let mut found: ArrayRef = Arc::new(StringArray::new_null(asked.batch.num_rows()));
        for expression in &self.first {
            let open: Vec<bool> =
                asked.rows.iter().enumerate().map(|(row, asked)| *asked && found.is_null(row)).collect();
            let next = expression.texts_asked(Asked { rows: &open, ..asked }, context, counts);
            found = if found.null_count() == found.len() { next } else { coalesce(&found, &next) };
            if found.null_count() == 0 {
                break;
            }
        }
        found
    }
}

const fn is_number(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::Int8
            | ColumnType::Int32
            | ColumnType::Int64
            | ColumnType::Float64
            | ColumnType::VisitNumber
    )
}

/// The same text in every row.
pub(crate) fn repeated(text: &str, rows: usize) -> ArrayRef {
    let offsets = OffsetBuffer::from_repeated_length(text.len(), rows);
    Arc::new(StringArray::new(offsets, Buffer::from(text.repeat(rows).into_bytes()), None))
}

/// A column by name, whatever its case; nulls when the file does not have it.
pub(crate) fn column_of(batch: &RecordBatch, name: &str) -> ArrayRef {
    let schema = batch.schema_ref();
    let position = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name));
    position.map_or_else(
        || Arc::new(StringArray::new_null(batch.num_rows())) as ArrayRef,
        |position| batch.column(position).clone(),
    )
}

fn coalesce(first: &ArrayRef, second: &ArrayRef) -> ArrayRef {
    let texts: StringArray = first
        .as_string::<i32>()
        .iter()
        .zip(second.as_string::<i32>())
        .map(|(first, second)| first.or(second))
        .collect();
    Arc::new(texts)
}

#[cfg(test)]
mod tests;
