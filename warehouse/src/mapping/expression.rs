//! How a canon column's text is made from a source row. Deliberately few forms: what needs more belongs
//! into a rule of the model, not into a mapping.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use serde::Deserialize;

use super::Lookup;
use crate::contract::{Column, ColumnType};
use crate::{Error, Result};
use formats::{ColumnKind, Dataset};

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
    /// A column, looked up, translated or converted, in that order.
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

/// See [`Expression::Occurrence`].
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

/// See [`Expression::Template`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    template: String,
}

/// See [`Expression::From`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    from: String,
    lookup: Option<String>,
    give: Option<String>,
    map: Option<BTreeMap<String, String>>,
    #[serde(rename = "as")]
    convert: Option<Convert>,
}

/// A change of form that keeps the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// `Y`, `Yes`, `true`, `1` become `true`; `N` … `false`; anything else (`U`, `NA`) is null.
    YesNo,
    /// In upper case.
    Upper,
    /// The digits and points of a name: `VISIT 2` becomes `2`.
    Digits,
    /// `true` when there is no value, else `false`.
    IsMissing,
    /// `true` when there is a value, else `false`.
    IsPresent,
    /// An ISO 8601 duration of days or weeks, in days.
    DurationDays,
    /// The text if it is a number, else null: for findings that hold numbers and words.
    Number,
}

/// The values of a [`Lookup`], by key and asked-for column.
#[derive(Debug, Default)]
pub struct LookupTable {
    /// Key to the values of the columns that can be given, in the lookup's order.
    pub rows: HashMap<String, Vec<Option<String>>>,
}

/// What expressions need besides the row: lookups by name, and counts that run over the whole dataset.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// The mapping's lookups and their values.
    pub lookups: BTreeMap<&'a str, (&'a Lookup, LookupTable)>,
}

/// Counts of [`Expression::Occurrence`], one table for each place in which the expression stands. Most keys
/// occur once, so a set of short fingerprints holds all of them and only what repeats is counted: twenty
/// million rows take a few hundred MiB. Two keys with one fingerprint (odds about 1e-5 for so many) would be
/// told apart by their number alone, which keeps them distinct.
#[derive(Debug, Default)]
pub struct Counts {
    seen: HashSet<u64, BuildHasherDefault<Fingerprint>>,
    repeated: HashMap<u64, u64>,
}

impl Counts {
    /// How often the key occurred before; this time counts from now on.
    fn next(&mut self, key: &blake3::Hash) -> u64 {
        let mut start = [0; 8];
        start.copy_from_slice(&key.as_bytes()[..8]);
        let fingerprint = u64::from_be_bytes(start);
        if self.seen.insert(fingerprint) {
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

impl Expression {
    /// Whether lookups exist and conversions are told apart.
    pub(super) fn check(&self, lookups: &[Lookup]) -> std::result::Result<(), String> {
        match self {
            Self::First(first) => first.first.iter().try_for_each(|expression| expression.check(lookups)),
            Self::From(from) => from.check(lookups),
            Self::Column(_) | Self::Constant(_) | Self::Occurrence(_) | Self::Template(_) => Ok(()),
        }
    }

    /// A column without which this expression can only be null.
    pub(super) fn unfed(&self, has: &dyn Fn(&str) -> bool) -> Option<&str> {
        match self {
            Self::Column(column) => (!has(column)).then_some(column),
            Self::From(from) => {
                let answers_absence = matches!(from.convert, Some(Convert::IsMissing | Convert::IsPresent));
                (!has(&from.from) && !answers_absence).then_some(&from.from)
            }
            Self::First(first) => {
                let mut absent = first.first.iter().map(|expression| expression.unfed(has));
                absent.clone().all(|column| column.is_some()).then(|| absent.next().flatten()).flatten()
            }
            Self::Constant(_) | Self::Occurrence(_) => None,
            Self::Template(template) => template.columns().find(|column| !has(column)),
        }
    }

    /// The first source column it reads.
    pub(crate) fn source(&self) -> Option<&str> {
        match self {
            Self::Column(column) => Some(column),
            Self::From(from) => Some(&from.from),
            Self::First(first) => first.first.iter().find_map(Self::source),
            Self::Template(template) => template.columns().next(),
            Self::Constant(_) | Self::Occurrence(_) => None,
        }
    }

    /// Refuses a source column that cannot hold one value of the wanted kind.
    pub(super) fn check_types(&self, dataset: &Dataset, target: &Column) -> Result<()> {
        let (column, plain) = match self {
            Self::Column(column) => (column, true),
            Self::From(from) => {
                (&from.from, from.map.is_none() && from.convert.is_none() && from.lookup.is_none())
            }
            Self::First(first) => {
                return first.first.iter().try_for_each(|expression| expression.check_types(dataset, target));
            }
            Self::Constant(_) | Self::Occurrence(_) | Self::Template(_) => return Ok(()),
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
        match self {
            Self::Column(column) => column_of(batch, column),
            Self::Constant(constant) => {
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&constant.text, batch.num_rows())))
            }
            Self::From(from) => from.texts(batch, context),
            Self::Occurrence(occurrence) => occurrence.texts(batch, counts),
            Self::Template(template) => template.texts(batch),
            Self::First(first) => {
                let mut texts: Option<ArrayRef> = None;
                for expression in &first.first {
                    let next = expression.texts(batch, context, counts);
                    texts = Some(texts.map_or(next.clone(), |texts| coalesce(&texts, &next)));
                    if texts.as_ref().is_some_and(|texts| texts.null_count() == 0) {
                        break;
                    }
                }
                texts.unwrap_or_else(|| Arc::new(StringArray::new_null(batch.num_rows())))
            }
        }
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

impl From {
    fn check(&self, lookups: &[Lookup]) -> std::result::Result<(), String> {
        match (&self.lookup, &self.give) {
            (None, None) => Ok(()),
            (Some(name), Some(give)) => {
                let lookup = lookups.iter().find(|lookup| &lookup.name == name);
                let lookup = lookup.ok_or_else(|| format!("there is no lookup `{name}`"))?;
                let gives = lookup.give.contains(give);
                gives.then_some(()).ok_or_else(|| format!("lookup `{name}` does not give `{give}`"))
            }
            _ => Err("`lookup` and `give` belong together".into()),
        }
    }

    fn texts(&self, batch: &RecordBatch, context: &Context<'_>) -> ArrayRef {
        let column = column_of(batch, &self.from);
        let texts = column.as_string::<i32>();
        let found =
            self.lookup.as_deref().and_then(|name| context.lookups.get(name)).map(|(lookup, table)| {
                let position = lookup
                    .give
                    .iter()
                    .position(|column| Some(column) == self.give.as_ref())
                    .unwrap_or_default();
                (position, table)
            });
        let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        for text in texts {
            let text = match (&self.lookup, found) {
                (None, _) => text,
                (Some(_), Some((position, table))) => text
                    .and_then(|key| table.rows.get(key))
                    .and_then(|row| row.get(position))
                    .and_then(Option::as_deref),
                (Some(_), None) => None,
            };
            let text = match &self.map {
                Some(map) => text.and_then(|text| map.get(text)).map(String::as_str),
                None => text,
            };
            match self.convert {
                None => builder.append_option(text),
                Some(convert) => builder.append_option(convert.apply(text)),
            }
        }
        Arc::new(builder.finish())
    }
}

impl Convert {
    fn apply(self, text: Option<&str>) -> Option<String> {
        match self {
            Self::IsMissing => Some(text.is_none().to_string()),
            Self::IsPresent => Some(text.is_some().to_string()),
            Self::Upper => text.map(str::to_uppercase),
            Self::YesNo => yes_no(text?).map(|answer| answer.to_string()),
            Self::Digits => {
                let digits: String =
                    text?.chars().filter(|letter| letter.is_ascii_digit() || *letter == '.').collect();
                (!digits.is_empty()).then_some(digits)
            }
            Self::Number => {
                text.filter(|text| text.trim().parse::<f64>().is_ok_and(f64::is_finite)).map(str::to_owned)
            }
            Self::DurationDays => {
                let text = text?.strip_prefix('P')?;
                let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
                let days = match unit {
                    "D" => 1,
                    "W" => 7,
                    _ => return None,
                };
                count.parse::<u32>().ok()?.checked_mul(days).map(|days| days.to_string())
            }
        }
    }
}

fn yes_no(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["Y", "YES", "TRUE", "1"]) {
        return Some(true);
    }
    is(&["N", "NO", "FALSE", "0"]).then_some(false)
}

impl Occurrence {
    fn texts(&self, batch: &RecordBatch, counts: &mut Counts) -> ArrayRef {
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
            let number = counts.next(&hash) + self.plus;
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

impl Template {
    /// The columns that stand in braces.
    fn columns(&self) -> impl Iterator<Item = &str> {
        self.template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(column, _)| column))
    }

    fn texts(&self, batch: &RecordBatch) -> ArrayRef {
        let columns: Vec<(&str, ArrayRef)> =
            self.columns().map(|name| (name, column_of(batch, name))).collect();
        let texts: StringArray = (0..batch.num_rows())
            .map(|row| {
                columns.iter().try_fold(self.template.clone(), |text, (name, column)| {
                    let column = column.as_string::<i32>();
                    (!column.is_null(row)).then(|| text.replace(&format!("{{{name}}}"), column.value(row)))
                })
            })
            .collect();
        Arc::new(texts)
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(columns: &[(&str, &[Option<&str>])]) -> RecordBatch {
        let fields: Vec<Field> =
            columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
        let arrays = columns
            .iter()
            .map(|(_, texts)| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef)
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("the columns are of one length")
    }

    #[track_caller]
    fn check_texts(expression: &str, batch: &RecordBatch, expected: &[Option<&str>]) {
        #[derive(Deserialize)]
        struct Line {
            e: Expression,
        }
        let line: Line = toml::from_str(&format!("e = {expression}")).expect("the expression is well formed");
        let texts = line.e.texts(batch, &Context::default(), &mut Counts::default());
        assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), expected, "{expression}");
    }

    #[test]
    fn an_expression_makes_one_text_for_each_row() {
        let rows = batch(&[
            ("A", &[Some("Y"), Some("n"), None, Some("U")]),
            ("B", &[Some("1"), None, Some("1"), Some("1")]),
        ]);
        check_texts("'a'", &rows, &[Some("Y"), Some("n"), None, Some("U")]);
        check_texts("'ABSENT'", &rows, &[None; 4]);
        check_texts("{ from = 'A', as = 'yes_no' }", &rows, &[Some("true"), Some("false"), None, None]);
        check_texts(
            "{ from = 'A', as = 'is_missing' }",
            &rows,
            &[Some("false"), Some("false"), Some("true"), Some("false")],
        );
        check_texts("{ from = 'A', map = { Y = 'y' } }", &rows, &[Some("y"), None, None, None]);
        check_texts(
            "{ first = ['A', 'B', { const = 'c' }] }",
            &rows,
            &[Some("Y"), Some("n"), Some("1"), Some("U")],
        );
        check_texts("{ template = '{B}:{A}' }", &rows, &[Some("1:Y"), None, None, Some("1:U")]);
        check_texts("{ occurrence = ['B'], plus = 1 }", &rows, &[Some("1"), Some("1"), Some("2"), Some("3")]);
    }

    #[test]
    fn digits_and_durations_are_read() {
        let rows = batch(&[("A", &[Some("VISIT 2.1"), Some("Screening"), Some("P2W"), Some("P3D")])]);
        check_texts("{ from = 'A', as = 'digits' }", &rows, &[Some("2.1"), None, Some("2"), Some("3")]);
        check_texts("{ from = 'A', as = 'duration_days' }", &rows, &[None, None, Some("14"), Some("3")]);
    }
}
