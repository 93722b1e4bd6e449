//! Values in lists, and lists in lists.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashSet;

use super::text::part_of;
use super::{Comparand, Literal, Mask, comparand, item, rows, values};
use crate::frame::{Column, Halt, Table};
use crate::pool::{Sort, Sym};
use crate::rule::{Operand, Part, Share, Spread};

/// The value is one of the list's: that of its row, or the one list of the rule; or one of a column's values.
pub(super) fn is_in(
    table: &Table<'_>,
    column: &Column<'_>,
    operand: &Operand,
    spread: Spread,
) -> Result<Mask, Halt> {
    let folded = |sym: Sym| table.scratch.text_of(sym).to_lowercase();
    match comparand(table, operand) {
        Comparand::Column(Column::List(list)) if spread == Spread::FoldedCase => {
            let known: HashSet<String> = list.items.iter().map(|sym| folded(*sym)).collect();
            Ok(values(table, column, |sym| known.contains(&folded(sym))))
        }
        Comparand::Column(lists) if lists.holds_lists() => {
            spend_lists(table, &[lists, column])?;
            Ok(rows(table, |row| {
                let has = |list: &crate::frame::List, sym| match spread {
                    Spread::FoldedCase => list.items.iter().any(|item| folded(*item) == folded(sym)),
                    _ => list.contains(sym),
                };
                lists.list(row).is_some_and(|list| match column.list(row) {
                    Some(items) => items.items.iter().any(|sym| has(list, *sym)),
                    None => has(list, column.cell(row)),
                })
            }))
        }
        Comparand::Column(other) => {
            let known: FxHashSet<Sym> = (0..table.frame.rows).map(|row| other.cell(row)).collect();
            Ok(values(table, column, |sym| known.contains(&sym)))
        }
        Comparand::Literal(Literal::List(items)) => {
            let stated = Stated::new(table, items, spread);
            Ok(values(table, column, |sym| stated.has(table, sym)))
        }
        Comparand::Literal(_) => Err(no_list(operand)),
    }
}

/// The items of a list in a rule, ready to be looked up.
struct Stated {
    texts: FxHashSet<Sym>,
    /// The bits of the numbers.
    numbers: HashSet<u64>,
    /// The texts in lower case, where case is folded.
    folded: HashSet<String>,
}

impl Stated {
    fn new(table: &Table<'_>, items: &[Operand], spread: Spread) -> Self {
        let mut stated =
            Self { texts: FxHashSet::default(), numbers: HashSet::new(), folded: HashSet::new() };
        for stated_item in items {
            match item(stated_item) {
                Literal::Text(text) if spread == Spread::FoldedCase => {
                    stated.folded.insert(text.to_lowercase());
                }
                Literal::Text(text) => stated.texts.extend(table.scratch.find_text(text)),
                Literal::Number(number) => {
                    stated.numbers.insert((number + 0.0).to_bits());
                }
                Literal::Flag(flag) => {
                    stated.numbers.insert(f64::from(u8::from(flag)).to_bits());
                }
                Literal::List(_) => {}
            }
        }
        stated
    }

    fn has(&self, table: &Table<'_>, sym: Sym) -> bool {
        if table.scratch.sort_of(sym) != Sort::Text {
            let number = table.scratch.number_of(sym);
            return number.is_some_and(|number| self.numbers.contains(&(number + 0.0).to_bits()));
        }
        self.texts.contains(&sym)
            || (!self.folded.is_empty() && self.folded.contains(&table.scratch.text_of(sym).to_lowercase()))
    }
}

/// Pays for walking the lists of every row.
fn spend_lists(table: &Table<'_>, columns: &[&Column<'_>]) -> Result<(), Halt> {
    columns.iter().try_for_each(|column| table.budget.spend(column.listed(table.frame.rows)))
}

/// The first or last characters are an item of the list.
pub(super) fn part_in(
    table: &Table<'_>,
    column: &Column<'_>,
    part: Part,
    operand: &Operand,
) -> Result<Mask, Halt> {
    let part = |sym: Sym| part_of(table.scratch.text_of(sym), part);
    match comparand(table, operand) {
        Comparand::Column(Column::List(list)) => {
            let known: HashSet<&str> = list.items.iter().map(|sym| table.scratch.text_of(*sym)).collect();
            Ok(values(table, column, |sym| known.contains(part(sym))))
        }
        Comparand::Column(lists) if lists.holds_lists() => Ok(rows(table, |row| {
            let part = table.scratch.find_text(part(column.cell(row)));
            lists.list(row).zip(part).is_some_and(|(list, part)| list.contains(part))
        })),
        Comparand::Column(other) => {
            let known: FxHashSet<Sym> = (0..table.frame.rows).map(|row| other.cell(row)).collect();
            let find = |sym| table.scratch.find_text(part(sym));
            Ok(values(table, column, |sym| find(sym).is_some_and(|part| known.contains(&part))))
        }
        Comparand::Literal(Literal::List(items)) => Ok(values(table, column, |sym| {
            items.iter().any(|stated| matches!(item(stated), Literal::Text(text) if text == part(sym)))
        })),
        Comparand::Literal(_) => Err(no_list(operand)),
    }
}

/// The text has the other text within it, or the list the value.
pub(super) fn contains(
    table: &Table<'_>,
    column: &Column<'_>,
    operand: &Operand,
    spread: Spread,
) -> Result<Mask, Halt> {
    let within = |sym: Sym, part: &str| {
        let text = table.scratch.text_of(sym);
        match spread {
            Spread::FoldedCase => text.to_lowercase().contains(&part.to_lowercase()),
            _ => text.contains(part),
        }
    };
    match comparand(table, operand) {
        Comparand::Column(other) => Ok(rows(table, |row| match column.list(row) {
            Some(list) => list.contains(other.cell(row)),
            None => {
                !other.cell(row).is_empty()
                    && within(column.cell(row), table.scratch.text_of(other.cell(row)))
            }
        })),
        Comparand::Literal(Literal::Text(text)) if column.holds_lists() => {
            let sym = table.scratch.find_text(text);
            Ok(rows(table, |row| column.list(row).zip(sym).is_some_and(|(list, sym)| list.contains(sym))))
        }
        Comparand::Literal(Literal::Text(text)) => Ok(values(table, column, |sym| within(sym, text))),
        Comparand::Literal(literal) => Ok(values(table, column, |sym| literal.is(table, sym))),
    }
}

/// Every item of the other list, or every value of the other column, is in the list, or is a value of the column.
pub(super) fn contains_all(table: &Table<'_>, column: &Column<'_>, operand: &Operand) -> Result<Mask, Halt> {
    let all = 0..table.frame.rows;
    if let Comparand::Column(other) = comparand(table, operand)
        && (column.holds_lists() || other.holds_lists())
    {
        spend_lists(table, &[column, other])?;
        return Ok(rows(table, |row| match (column.list(row), other.list(row)) {
            (Some(list), Some(wanted)) => wanted.items.iter().all(|sym| list.contains(*sym)),
            _ => false,
        }));
    }
    let have: FxHashSet<Sym> = all.clone().map(|row| column.cell(row)).collect();
    let complete = match comparand(table, operand) {
        Comparand::Column(other) => all.map(|row| other.cell(row)).all(|sym| have.contains(&sym)),
        Comparand::Literal(Literal::List(items)) => items.iter().all(|stated| match item(stated) {
            Literal::Text(text) => table.scratch.find_text(text).is_some_and(|sym| have.contains(&sym)),
            _ => false,
        }),
        Comparand::Literal(_) => return Err(no_list(operand)),
    };
    Ok(vec![complete; table.frame.rows])
}

/// How many distinct elements the lists of a row have in common.
pub(super) fn shares(
    table: &Table<'_>,
    column: &Column<'_>,
    share: Share,
    other: &Column<'_>,
) -> Result<Mask, Halt> {
    spend_lists(table, &[column, other])?;
    let elements = |column: &Column<'_>, row| -> HashSet<Sym> {
        match column.list(row) {
            Some(list) => list.items.iter().copied().collect(),
            None => HashSet::from([column.cell(row)]),
        }
    };
    Ok(rows(table, |row| {
        let common = elements(column, row).intersection(&elements(other, row)).count();
        match share {
            Share::AtLeastOne => common > 0,
            Share::ExactlyOne => common == 1,
            Share::None => common == 0,
        }
    }))
}

/// Every item of the list is in the other one, and they stand there in the same order.
pub(super) fn ordered_subset(
    table: &Table<'_>,
    column: &Column<'_>,
    other: &Column<'_>,
) -> Result<Mask, Halt> {
    spend_lists(table, &[column, other])?;
    Ok(rows(table, |row| {
        let (Some(list), Some(order)) = (column.list(row), other.list(row)) else { return false };
        let places: HashMap<Sym, usize> =
            order.items.iter().enumerate().map(|(place, sym)| (*sym, place)).collect();
        let found: Option<Vec<usize>> = list.items.iter().map(|sym| places.get(sym).copied()).collect();
        found.is_some_and(|places| places.is_sorted())
    }))
}

fn no_list(operand: &Operand) -> Halt {
    match operand {
        // An operation's result that is not there; its absence has its own reason.
        Operand::Name(name) => Halt::Absent(name.clone()),
        _ => Halt::Unable("membership in something that is no list".to_owned()),
    }
}
