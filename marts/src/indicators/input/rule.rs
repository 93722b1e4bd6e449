//! What is counted of each subject's rows of a fact, as an expression of a query and as a function of rows. A count is
//! stated once and answered either way: by an engine that plans a query, or here where the rows are few and planning would
//! cost more than counting.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, ilike};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type};
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
    /// The day is later than so many days before the cut-off.
    Since(&'static str, i32),
    /// The day is earlier than so many days before the cut-off.
    Before(&'static str, i32),
    Among(&'static str, &'static [&'static str]),
    NotAmong(&'static str, &'static [&'static str]),
    /// The text is like one of some patterns, capital letters or not.
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

/// Rows of a fact.
#[derive(Debug)]
pub(super) struct Rows {
    len: usize,
    columns: HashMap<&'static str, ArrayRef>,
    /// The columns of numbers, and of days since 1970; NaN is what is not known.
    numbers: HashMap<&'static str, Vec<f64>>,
    /// Days since 1970, or NaN.
    cut_off: f64,
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
            Self::Since(column, days) => format!("{column} > cut_off_date - {days}"),
            Self::Before(column, days) => format!("{column} < cut_off_date - {days}"),
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
            Self::Yes(column)
            | Self::No(column)
            | Self::Told(column)
            | Self::Untold(column)
            | Self::Equals(column, _)
            | Self::Above(column, _)
            | Self::AtLeast(column, _)
            | Self::Since(column, _)
            | Self::Before(column, _)
            | Self::Among(column, _)
            | Self::NotAmong(column, _)
            | Self::Like(column, _) => drop(columns.insert(column)),
        }
    }

    /// A bit for each row.
    fn of(self, rows: &Rows) -> Result<BooleanBuffer, ArrowError> {
        let all = |parts: &[Self], first, join: fn(&BooleanBuffer, &BooleanBuffer) -> BooleanBuffer| {
            parts.iter().try_fold(first, |bits, part| Ok::<_, ArrowError>(join(&bits, &part.of(rows)?)))
        };
        Ok(match self {
            Self::Always => BooleanBuffer::new_set(rows.len),
            Self::Yes(column) => {
                let truths = rows.column(column)?.as_boolean();
                and_known(truths.values().clone(), truths.nulls())
            }
            Self::No(column) => {
                let truths = rows.column(column)?.as_boolean();
                and_known(!truths.values(), truths.nulls())
            }
            Self::Told(column) => and_known(BooleanBuffer::new_set(rows.len), rows.column(column)?.nulls()),
            Self::Untold(column) => !&Self::Told(column).of(rows)?,
            Self::Equals(column, number) => {
                let number = f64::from(number);
                rows.compare(column, |value| value >= number && value <= number)?
            }
            Self::Above(column, number) => rows.compare(column, |value| value > f64::from(number))?,
            Self::AtLeast(column, number) => rows.compare(column, |value| value >= f64::from(number))?,
            Self::Since(column, days) => {
                let since = rows.cut_off - f64::from(days);
                rows.compare(column, |day| day > since)?
            }
            Self::Before(column, days) => {
                let before = rows.cut_off - f64::from(days);
                rows.compare(column, |day| day < before)?
            }
            Self::Among(column, among) => {
                rows.texts(column, &|texts| Ok(each(texts, |text| among.contains(&text))))?
            }
            Self::NotAmong(column, among) => {
                rows.texts(column, &|texts| Ok(each(texts, |text| !among.contains(&text))))?
            }
            Self::Like(column, patterns) => rows.texts(column, &|texts| {
                let none = BooleanBuffer::new_unset(texts.len());
                patterns.iter().try_fold(none, |like, pattern| {
                    Ok(&like | ilike(&texts, &StringArray::new_scalar(*pattern))?.values())
                })
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
    pub(super) fn of(self, rows: &Rows) -> Result<Added, ArrowError> {
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

    /// Adds some rows to what was counted of those before, which is NaN where there were none.
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

impl Rows {
    /// # Errors
    /// When a column of numbers is no numbers.
    pub(super) fn of(
        len: usize,
        columns: HashMap<&'static str, ArrayRef>,
        cut_off: f64,
    ) -> Result<Self, ArrowError> {
        let mut numbers = HashMap::new();
        for (name, column) in &columns {
            let kind = column.data_type();
            if kind.is_numeric() || *kind == DataType::Date32 {
                numbers.insert(*name, numbers_of(column)?);
            }
        }
        Ok(Self { len, columns, numbers, cut_off })
    }

    fn column(&self, name: &str) -> Result<&ArrayRef, ArrowError> {
        self.columns.get(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
    }

    fn numbers(&self, name: &str) -> Result<&[f64], ArrowError> {
        let numbers = self.numbers.get(name).map(Vec::as_slice);
        numbers
            .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name} of numbers or days")))
    }

    fn compare(&self, column: &str, holds: impl Fn(f64) -> bool) -> Result<BooleanBuffer, ArrowError> {
        let numbers = self.numbers(column)?;
        Ok(BooleanBuffer::collect_bool(self.len, |row| holds(numbers[row])))
    }

    /// Each text is asked once, however often it occurs.
    fn texts(
        &self,
        column: &str,
        holds: &dyn Fn(&StringArray) -> Result<BooleanBuffer, ArrowError>,
    ) -> Result<BooleanBuffer, ArrowError> {
        let texts = self.column(column)?.as_dictionary::<Int32Type>();
        let which = holds(texts.values().as_string::<i32>())?;
        let bits = match which.count_set_bits() {
            0 => return Ok(BooleanBuffer::new_unset(self.len)),
            all if all == which.len() => BooleanBuffer::new_set(self.len),
            _ => {
                let (which, keys): (Vec<bool>, _) = (which.iter().collect(), texts.keys().values());
                let holds = |key: i32| usize::try_from(key).is_ok_and(|key| which.get(key) == Some(&true));
                BooleanBuffer::collect_bool(self.len, |row| holds(keys[row]))
            }
        };
        Ok(and_known(bits, texts.nulls()))
    }
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

fn each_of<T: ArrowPrimitiveType>(column: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    column.as_primitive::<T>().values().iter().map(|value| number(*value)).collect()
}

/// A bit for each text; dictionaries hold no nulls.
fn each(texts: &StringArray, holds: impl Fn(&str) -> bool) -> BooleanBuffer {
    BooleanBuffer::collect_bool(texts.len(), |place| holds(texts.value(place)))
}

fn and_known(bits: BooleanBuffer, nulls: Option<&NullBuffer>) -> BooleanBuffer {
    nulls.map_or(bits.clone(), |nulls| &bits & nulls.inner())
}

fn or_nothing(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

fn ones(bits: &BooleanBuffer, rows: &Range<usize>) -> f64 {
    bits.slice(rows.start, rows.len()).count_set_bits() as f64
}
