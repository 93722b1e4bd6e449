//! What is counted of each subject's rows of a fact, as an expression of a query and as a function of rows. A count is
//! stated once and answered either way: by an engine that plans a query, or here where the rows are few and planning would
//! cost more than counting.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int8Type, Int32Type, Int64Type};
use arrow::error::ArrowError;

/// What holds of a row; of what is not known nothing holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    Always,
    Yes(&'static str),
    No(&'static str),
    Told(&'static str),
    Untold(&'static str),
    Equals(&'static str, i32),
    Above(&'static str, i32),
    AtLeast(&'static str, i32),
    /// Both ends are within.
    Between(&'static str, i32, i32),
    /// The day is later than so many days before the cut-off.
    Since(&'static str, i32),
    /// The day is earlier than so many days before the cut-off.
    Before(&'static str, i32),
    Among(&'static str, &'static [&'static str]),
    NotAmong(&'static str, &'static [&'static str]),
    /// The text is like one of some patterns of capital letters, whatever its own case; `%` stands for anything.
    Like(&'static str, &'static [&'static str]),
    All(&'static [Holds]),
    Either(&'static [Holds]),
}

/// What is counted of a subject's rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    /// How many rows it holds of.
    Rows(Holds),
    /// 1 where it holds of any row, else 0.
    Any(Holds),
    Sum(&'static str),
    /// The sum of a column over the rows that it holds of, where a row adds so much at most.
    Capped(Holds, &'static str, i32),
    /// The earliest day of the rows that it holds of.
    Earliest(Holds, &'static str),
}

/// The column that days are compared with.
pub(super) const CUT_OFF: &str = "cut_off_date";

/// Rows of a fact.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) len: usize,
    pub(super) columns: HashMap<&'static str, ArrayRef>,
    /// Days since 1970, or NaN.
    pub(super) cut_off: f64,
}

/// What each row adds to a count.
#[derive(Debug)]
pub(super) enum Added {
    One(BooleanBuffer),
    Value(Vec<f64>),
}

impl Holds {
    /// As the condition of a query, over the columns of the fact and `cut_off_date`.
    pub(super) fn sql(self) -> String {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ");
        let joined = |parts: &[Self], by: &str| {
            let parts: Vec<String> = parts.iter().map(|part| part.sql()).collect();
            format!("({})", parts.join(by))
        };
        match self {
            Self::Always => "true".to_owned(),
            Self::Yes(column) => column.to_owned(),
            Self::No(column) => format!("NOT {column}"),
            Self::Told(column) => format!("{column} IS NOT NULL"),
            Self::Untold(column) => format!("{column} IS NULL"),
            Self::Equals(column, number) => format!("{column} = {number}"),
            Self::Above(column, number) => format!("{column} > {number}"),
            Self::AtLeast(column, number) => format!("{column} >= {number}"),
            Self::Between(column, least, most) => format!("{column} BETWEEN {least} AND {most}"),
            Self::Since(column, days) => format!("{column} > {CUT_OFF} - {days}"),
            Self::Before(column, days) => format!("{column} < {CUT_OFF} - {days}"),
            Self::Among(column, among) => format!("{column} IN ({})", texts(among)),
            Self::NotAmong(column, among) => format!("{column} NOT IN ({})", texts(among)),
            Self::Like(column, patterns) => {
                let each: Vec<String> =
                    patterns.iter().map(|pattern| format!("{column} ILIKE '{pattern}'")).collect();
                format!("({})", each.join(" OR "))
            }
            Self::All(parts) => joined(parts, " AND "),
            Self::Either(parts) => joined(parts, " OR "),
        }
    }

    fn add_columns(self, columns: &mut BTreeSet<&'static str>) {
        match self {
            Self::Always => {}
            Self::All(parts) | Self::Either(parts) => parts.iter().for_each(|part| part.add_columns(columns)),
            Self::Since(column, _) | Self::Before(column, _) => columns.extend([column, CUT_OFF]),
            Self::Yes(column)
            | Self::No(column)
            | Self::Told(column)
            | Self::Untold(column)
            | Self::Equals(column, _)
            | Self::Above(column, _)
            | Self::AtLeast(column, _)
            | Self::Between(column, ..)
            | Self::Among(column, _)
            | Self::NotAmong(column, _)
            | Self::Like(column, _) => drop(columns.insert(column)),
        }
    }

    /// A bit for each row.
    fn of(self, rows: &Batch) -> Result<BooleanBuffer, ArrowError> {
        let all = |parts: &[Self], first, join: fn(&BooleanBuffer, &BooleanBuffer) -> BooleanBuffer| {
            parts.iter().try_fold(first, |bits, part| Ok::<_, ArrowError>(join(&bits, &part.of(rows)?)))
        };
        Ok(match self {
            Self::Always => BooleanBuffer::new_set(rows.len),
            Self::Yes(column) => {
                let truths = rows.truths(column)?;
                and_known(truths.values().clone(), truths.nulls())
            }
            Self::No(column) => {
                let truths = rows.truths(column)?;
                and_known(!truths.values(), truths.nulls())
            }
            Self::Told(column) => and_known(BooleanBuffer::new_set(rows.len), rows.column(column)?.nulls()),
            Self::Untold(column) => !&Self::Told(column).of(rows)?,
            Self::Equals(column, number) => {
                let number = f64::from(number);
                rows.compare(column, |value| value == number)?
            }
            Self::Above(column, number) => rows.compare(column, |value| value > f64::from(number))?,
            Self::AtLeast(column, number) => rows.compare(column, |value| value >= f64::from(number))?,
            Self::Between(column, least, most) => {
                let within = f64::from(least)..=f64::from(most);
                rows.compare(column, |value| within.contains(&value))?
            }
            Self::Since(column, days) => {
                let since = rows.cut_off - f64::from(days);
                rows.compare(column, |day| day > since)?
            }
            Self::Before(column, days) => {
                let before = rows.cut_off - f64::from(days);
                rows.compare(column, |day| day < before)?
            }
            Self::Among(column, among) => rows.texts(column, |text| among.contains(&text))?,
            Self::NotAmong(column, among) => rows.texts(column, |text| !among.contains(&text))?,
            Self::Like(column, patterns) => rows.texts(column, |text| {
                let text = in_small_letters(text);
                patterns.iter().any(|pattern| is_like(&text, pattern))
            })?,
            Self::All(parts) => all(parts, BooleanBuffer::new_set(rows.len), |a, b| a & b)?,
            Self::Either(parts) => all(parts, BooleanBuffer::new_unset(rows.len), |a, b| a | b)?,
        })
    }
}

impl Count {
    /// As what a query selects by subject.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Rows(Holds::Always) => "count(*)".to_owned(),
            Self::Rows(holds) => format!("sum(CASE WHEN {} THEN 1 ELSE 0 END)", holds.sql()),
            Self::Any(holds) => format!("max(CASE WHEN {} THEN 1 ELSE 0 END)", holds.sql()),
            Self::Sum(column) => format!("sum({column})"),
            Self::Capped(holds, column, most) => format!(
                "sum(CASE WHEN NOT COALESCE({}, false) THEN 0 WHEN {column} > {most} THEN {most} ELSE {column} END)",
                holds.sql()
            ),
            Self::Earliest(holds, column) => format!("min(CASE WHEN {} THEN {column} END)", holds.sql()),
        }
    }

    /// Adds the names of what it reads.
    pub(super) fn add_columns(self, columns: &mut BTreeSet<&'static str>) {
        match self {
            Self::Rows(holds) | Self::Any(holds) => holds.add_columns(columns),
            Self::Sum(column) => drop(columns.insert(column)),
            Self::Capped(holds, column, _) | Self::Earliest(holds, column) => {
                holds.add_columns(columns);
                columns.insert(column);
            }
        }
    }

    /// What each row adds.
    ///
    /// # Errors
    /// When the rows lack a column, or have it of another kind.
    pub(super) fn of(self, rows: &Batch) -> Result<Added, ArrowError> {
        let where_it_holds = |holds: Holds, column, otherwise: f64, value: &dyn Fn(f64) -> f64| {
            let (bits, numbers) = (holds.of(rows)?, rows.numbers(column)?);
            let mut values = vec![otherwise; rows.len];
            bits.set_indices().for_each(|row| values[row] = value(numbers[row]));
            Ok(Added::Value(values))
        };
        match self {
            Self::Rows(holds) | Self::Any(holds) => Ok(Added::One(holds.of(rows)?)),
            Self::Sum(column) => {
                Ok(Added::Value(rows.numbers(column)?.iter().map(|number| or_nothing(*number)).collect()))
            }
            Self::Capped(holds, column, most) => {
                where_it_holds(holds, column, 0.0, &|number| or_nothing(number).min(f64::from(most)))
            }
            Self::Earliest(holds, column) => where_it_holds(holds, column, f64::NAN, &|day| day),
        }
    }

    /// Adds some rows to what was counted of those before: `counted` is NaN before the first row.
    pub(super) fn add(self, counted: &mut f64, added: &Added, rows: &Range<usize>) {
        let before = or_nothing(*counted);
        *counted = match (self, added) {
            (Self::Any(_), Added::One(bits)) if before > 0.0 || ones(bits, rows) > 0.0 => 1.0,
            (Self::Any(_), Added::One(_)) => 0.0,
            (_, Added::One(bits)) => before + ones(bits, rows),
            // The least of a number and NaN is the number.
            (Self::Earliest(..), Added::Value(values)) => {
                values[rows.clone()].iter().copied().fold(*counted, f64::min)
            }
            (_, Added::Value(values)) => before + values[rows.clone()].iter().sum::<f64>(),
        };
    }
}

impl Batch {
    fn column(&self, name: &str) -> Result<&ArrayRef, ArrowError> {
        self.columns.get(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, ArrowError> {
        numbers_of(self.column(name)?)
    }

    fn compare(&self, name: &str, holds: impl Fn(f64) -> bool) -> Result<BooleanBuffer, ArrowError> {
        let column = self.column(name)?;
        let bits = match column.data_type() {
            DataType::Int8 => bits::<Int8Type>(column, |number| holds(f64::from(number))),
            DataType::Int32 => bits::<Int32Type>(column, |number| holds(f64::from(number))),
            DataType::Date32 => bits::<Date32Type>(column, |day| holds(f64::from(day))),
            DataType::Int64 => bits::<Int64Type>(column, |number| holds(number as f64)),
            _ => bits::<Float64Type>(&cast(column, &DataType::Float64)?, holds),
        };
        Ok(and_known(bits, column.nulls()))
    }

    /// Asks each text of the dictionary, not each row.
    fn texts(&self, name: &str, holds: impl Fn(&str) -> bool) -> Result<BooleanBuffer, ArrowError> {
        let texts = self.column(name)?.as_dictionary_opt::<Int32Type>();
        let dictionary = texts.and_then(|texts| texts.values().as_string_opt::<i32>());
        let (Some(texts), Some(dictionary)) = (texts, dictionary) else {
            return Err(of_another_kind(name, "texts"));
        };
        let which: Vec<bool> = dictionary.iter().map(|text| text.is_some_and(&holds)).collect();
        let bits = match which.iter().filter(|holds| **holds).count() {
            0 => return Ok(BooleanBuffer::new_unset(self.len)),
            all if all == which.len() => BooleanBuffer::new_set(self.len),
            _ => {
                let keys = texts.keys().values();
                let holds = |key: i32| usize::try_from(key).is_ok_and(|key| which.get(key) == Some(&true));
                BooleanBuffer::collect_bool(self.len, |row| holds(keys[row]))
            }
        };
        Ok(and_known(bits, texts.nulls()))
    }

    fn truths(&self, name: &str) -> Result<&BooleanArray, ArrowError> {
        self.column(name)?.as_boolean_opt().ok_or_else(|| of_another_kind(name, "truths"))
    }
}

fn of_another_kind(column: &str, kind: &str) -> ArrowError {
    ArrowError::SchemaError(format!("the column {column} has no {kind}"))
}

/// A text as the engine compares it whatever its case, as far as the letters of ASCII go: two others have one of them as
/// their small letter.
fn in_small_letters(text: &str) -> String {
    let small = |letter| match letter {
        'İ' => 'i',
        '\u{212a}' => 'k',
        _ => letter.to_ascii_lowercase(),
    };
    text.chars().map(small).collect()
}

/// Whether a text in small letters is like a pattern of ASCII, in which `%` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let (first, others) = pattern.split_once('%').unwrap_or((&pattern, ""));
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    if !pattern.contains('%') {
        return rest.is_empty();
    }
    let (between, last) = others.rsplit_once('%').unwrap_or(("", others));
    for part in between.split('%') {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A column as numbers, days since 1970 where it has days, and NaN for what is not known.
///
/// # Errors
/// When the column is neither numbers nor days.
pub(super) fn numbers_of(column: &ArrayRef) -> Result<Vec<f64>, ArrowError> {
    let mut numbers = match column.data_type() {
        DataType::Int32 => each_of::<Int32Type>(column, f64::from),
        DataType::Date32 => each_of::<Date32Type>(column, f64::from),
        DataType::Int64 => each_of::<Int64Type>(column, |number| number as f64),
        _ => each_of::<Float64Type>(&cast(column, &DataType::Float64)?, |number| number),
    };
    if let Some(known) = column.nulls() {
        (!known.inner()).set_indices().for_each(|row| numbers[row] = f64::NAN);
    }
    Ok(numbers)
}

fn bits<T: ArrowPrimitiveType>(column: &ArrayRef, holds: impl Fn(T::Native) -> bool) -> BooleanBuffer {
    let values = column.as_primitive::<T>().values();
    BooleanBuffer::collect_bool(values.len(), |row| holds(values[row]))
}

fn each_of<T: ArrowPrimitiveType>(column: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    column.as_primitive::<T>().values().iter().map(|value| number(*value)).collect()
}

fn and_known(bits: BooleanBuffer, nulls: Option<&NullBuffer>) -> BooleanBuffer {
    match nulls {
        Some(nulls) => &bits & nulls.inner(),
        None => bits,
    }
}

/// What is not known adds nothing.
pub(super) fn or_nothing(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

fn ones(bits: &BooleanBuffer, rows: &Range<usize>) -> f64 {
    bits.slice(rows.start, rows.len()).count_set_bits() as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use warehouse::engine::{Engine, Limits};

    use super::*;

    // The engine says what it means to be like a pattern.
    #[test]
    fn a_text_is_like_a_pattern_where_the_engine_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(&[], folder.path(), &Limits::default()).expect("the engine starts");
        let texts = [
            "",
            "CONSENT",
            "No Consent signed",
            "con\nsent",
            "informed consent\nmissing",
            "conſent",
            "INCLUSİON",
            "inclusıon",
            "\u{212a}ONSENT",
            "withdrawal by subject",
            "WITHDRAWN; SUBJECT",
            "SUBJECT WITHDREW",
            "LOST TO FOLLOW-UP",
            "was lost to follow-up",
            "Straße CONSENT",
            "consen",
            "aab",
            "ab",
        ];
        let patterns = [
            "%CONSENT%",
            "%WITHDR%SUBJECT%",
            "LOST TO FOLLOW%",
            "%INCLUSION%",
            "%KONSENT%",
            "CONSENT",
            "%AB",
            "A%AB",
            "%",
            "",
        ];
        let (mut alike, mut others) = (0, 0);
        for text in texts {
            for pattern in patterns {
                let query = format!("SELECT CASE WHEN '{text}' ILIKE '{pattern}' THEN 1 ELSE 0 END");
                let theirs = engine.count("ask", &query).expect("it is answered") == 1;
                assert_eq!(is_like(&in_small_letters(text), pattern), theirs, "{text:?} and {pattern:?}");
                *if theirs { &mut alike } else { &mut others } += 1;
            }
        }
        assert!(alike > 20 && others > 100, "{alike} are, {others} are not");
    }

    #[test]
    fn a_column_of_another_kind_is_told_by_its_name() {
        let columns = HashMap::from([("n", Arc::new(arrow::array::Int32Array::from(vec![1])) as ArrayRef)]);
        let batch = Batch { len: 1, columns, cut_off: f64::NAN };
        for (holds, column) in [
            (Holds::Yes("n"), "n"),
            (Holds::No("n"), "n"),
            (Holds::Among("n", &["1"]), "n"),
            (Holds::Told("m"), "m"),
        ] {
            let refused = holds.of(&batch).expect_err("it is of another kind, or not there").to_string();
            assert!(refused.contains(&format!("column {column}")), "{refused}");
        }
    }
}
