//! The operators: what a condition says of each row of a table.
//!
//! A null never equals anything, not even another null; the operators that say so in the negative (`not_equal_to`)
//! hold where one side alone is null.

mod dates;
mod equality;
mod membership;
mod sequence;
mod text;
mod uniqueness;

use rustc_hash::FxHashMap;

use crate::frame::{Column, Halt, Table};
use crate::pool::{Sort, Sym};
use crate::rule::{Check, Leaf, Operand, Test};

/// The rows for which something holds.
pub(crate) type Mask = Vec<bool>;

/// The rows for which a check holds.
///
/// A condition on a column that is not there makes the whole check inapplicable, except within `any`, which goes on
/// with its other conditions.
pub(crate) fn judge(check: &Check, table: &Table<'_>) -> Result<Mask, Halt> {
    match check {
        Check::All(checks) => {
            let mut all = vec![true; table.frame.rows];
            for check in checks {
                combine(&mut all, &judge(check, table)?, |one, other| one && other);
            }
            Ok(all)
        }
        Check::Any(checks) => any(checks, table),
        Check::Not(check) => Ok(negate(judge(check, table)?)),
        Check::Leaf(leaf) => {
            table.budget.spend(table.frame.rows)?;
            holds(leaf, table)
        }
    }
}

fn any(checks: &[Check], table: &Table<'_>) -> Result<Mask, Halt> {
    let mut any = vec![false; table.frame.rows];
    let mut absent = Vec::new();
    for check in checks {
        match judge(check, table) {
            Ok(mask) => combine(&mut any, &mask, |one, other| one || other),
            Err(Halt::Absent(column)) => absent.push(column),
            Err(halt) => return Err(halt),
        }
    }
    if absent.len() == checks.len() {
        absent.dedup();
        return Err(Halt::Absent(absent.join("`, `")));
    }
    Ok(any)
}

fn combine(mask: &mut Mask, other: &Mask, with: fn(bool, bool) -> bool) {
    for (one, other) in mask.iter_mut().zip(other) {
        *one = with(*one, *other);
    }
}

fn negate(mut mask: Mask) -> Mask {
    mask.iter_mut().for_each(|holds| *holds = !*holds);
    mask
}

fn holds(leaf: &Leaf, table: &Table<'_>) -> Result<Mask, Halt> {
    let Leaf { target, test, negated } = leaf;
    let mask = match test {
        Test::Exists => vec![table.find(target).is_some(); table.frame.rows],
        Test::Matches(part, regex) => {
            return text::matches(table, table.column(target)?, *part, regex, *negated);
        }
        Test::UniqueSet(with, regex) => uniqueness::unique_set(table, target, with, regex.as_ref())?,
        Test::Length(order, operand) => {
            return text::length(table, table.column(target)?, *order, operand, *negated);
        }
        Test::EnumerationGap => sequence::enumeration_gap(table, target),
        _ => on_column(test, table.column(target)?, table)?,
    };
    Ok(if *negated { negate(mask) } else { mask })
}

fn on_column(test: &Test, column: &Column<'_>, table: &Table<'_>) -> Result<Mask, Halt> {
    match test {
        Test::Empty => Ok(rows(table, |row| match column.list(row) {
            Some(list) => list.items.is_empty(),
            None => column.cell(row).is_empty(),
        })),
        Test::Equal(operand, spread) => equality::equal(table, column, operand, *spread),
        Test::Differs(operand, spread) => equality::differs(table, column, operand, *spread),
        Test::Compares(order, operand) => Ok(equality::compares(table, column, *order, operand)),
        Test::PartEqual(part, operand) => Ok(text::part_equal(table, column, *part, operand)),
        Test::PartIn(part, operand) => membership::part_in(table, column, *part, operand),
        Test::Contains(operand, spread) => membership::contains(table, column, operand, *spread),
        Test::In(operand, spread) => membership::is_in(table, column, operand, *spread),
        Test::EqualsPart(regex, operand) => text::equals_part(table, column, regex, operand),
        Test::Affix(affix, operand) => Ok(text::affix(table, column, *affix, operand)),
        Test::ContainsAll(operand) => membership::contains_all(table, column, operand),
        Test::Shares(share, other) => membership::shares(table, column, *share, table.column(other)?),
        Test::OrderedSubset(other) => membership::ordered_subset(table, column, table.column(other)?),
        Test::ValidDate => Ok(dates::valid(table, column)),
        Test::ValidDuration { negative } => Ok(dates::duration(table, column, *negative)),
        Test::CompleteDate => Ok(dates::complete(table, column)),
        Test::CompareDates(order, operand) => Ok(dates::compares(table, column, *order, operand)),
        Test::Inconsistent(by) => uniqueness::inconsistent(table, column, by),
        Test::OneToOne(with) => uniqueness::one_to_one(table, column, with),
        Test::DifferentValues => Ok(uniqueness::different_values(table, column)),
        Test::HasNext(other, occurrence) => {
            sequence::has_next(table, column, table.column(other)?, occurrence)
        }
        Test::OnMultipleRows(occurrence) => sequence::on_multiple_rows(table, column, occurrence),
        Test::EmptyExceptLast(occurrence) => sequence::empty_except_last(table, column, occurrence),
        Test::SortedBy(keys, occurrence) => sequence::sorted_by(table, column, keys, occurrence),
        Test::OrderedBy(position) => Ok(sequence::ordered_by(table, column, *position)),
        Test::Exists | Test::Matches(..) | Test::UniqueSet(..) | Test::Length(..) | Test::EnumerationGap => {
            Err(Halt::Unable("an operator without a column was given one".to_owned()))
        }
    }
}

/// A mask from what holds for each row.
fn rows(table: &Table<'_>, holds: impl FnMut(usize) -> bool) -> Mask {
    (0..table.frame.rows).map(holds).collect()
}

/// A mask from what holds for each value, which is asked once for each distinct value.
fn values(table: &Table<'_>, column: &Column<'_>, mut holds: impl FnMut(Sym) -> bool) -> Mask {
    if let Column::Constant(sym) = column {
        return vec![holds(*sym); table.frame.rows];
    }
    let mut known: FxHashMap<Sym, bool> = FxHashMap::default();
    rows(table, |row| {
        let sym = column.cell(row);
        *known.entry(sym).or_insert_with(|| holds(sym))
    })
}

/// What a column is compared with, on one table.
enum Comparand<'t, 's> {
    Column(&'t Column<'s>),
    Literal(Literal<'t>),
}

/// A value that a rule states.
#[derive(Debug, Clone, Copy)]
enum Literal<'t> {
    Text(&'t str),
    Number(f64),
    Flag(bool),
    List(&'t [Operand]),
}

impl Literal<'_> {
    /// Whether a cell holds the value.
    fn is(self, table: &Table<'_>, sym: Sym) -> bool {
        let sort = table.scratch.sort_of(sym);
        match self {
            Literal::Text(text) => sort == Sort::Text && table.scratch.text_of(sym) == text,
            Literal::Number(number) => sort != Sort::Text && table.scratch.number_of(sym) == Some(number),
            Literal::Flag(flag) => {
                sort != Sort::Text && table.scratch.number_of(sym) == Some(f64::from(u8::from(flag)))
            }
            Literal::List(_) => false,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Literal::Number(number) => Some(number),
            Literal::Text(text) => text.trim().parse().ok(),
            Literal::Flag(_) | Literal::List(_) => None,
        }
    }
}

/// An operand on a table: a name is the column of that name, or itself where there is none.
fn comparand<'t, 's>(table: &'t Table<'s>, operand: &'t Operand) -> Comparand<'t, 's> {
    match operand {
        Operand::Name(name) => match table.find(name) {
            Some(column) => Comparand::Column(column),
            None => Comparand::Literal(Literal::Text(name)),
        },
        Operand::Text(text) | Operand::Reference(text) => Comparand::Literal(Literal::Text(text)),
        Operand::Number(number) => Comparand::Literal(Literal::Number(*number)),
        Operand::Flag(flag) => Comparand::Literal(Literal::Flag(*flag)),
        Operand::List(items) => Comparand::Literal(Literal::List(items)),
    }
}

/// One item of a list in a rule.
fn item(operand: &Operand) -> Literal<'_> {
    match operand {
        Operand::Name(text) | Operand::Text(text) | Operand::Reference(text) => Literal::Text(text),
        Operand::Number(number) => Literal::Number(*number),
        Operand::Flag(flag) => Literal::Flag(*flag),
        Operand::List(items) => Literal::List(items),
    }
}
