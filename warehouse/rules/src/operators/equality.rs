//! Equality and size.

use std::collections::HashMap;

use super::{Comparand, Literal, Mask, comparand, rows, values};
use crate::frame::{Column, Halt, Table};
use crate::pool::Sym;
use crate::rule::{Operand, Order, Spread};

/// Both populated and equal.
pub(super) fn equal(
    table: &Table<'_>,
    column: &Column<'_>,
    operand: &Operand,
    spread: Spread,
) -> Result<Mask, Halt> {
    against(table, column, operand, |one, other| match (one, other) {
        (Side::Null, _) | (_, Side::Null) => false,
        _ => same(table, one, other, spread),
    })
}

/// One of them populated, and not equal.
pub(super) fn differs(
    table: &Table<'_>,
    column: &Column<'_>,
    operand: &Operand,
    spread: Spread,
) -> Result<Mask, Halt> {
    against(table, column, operand, |one, other| match (one, other) {
        (Side::Null, Side::Null) => false,
        (Side::Null, _) | (_, Side::Null) => true,
        _ => !same(table, one, other, spread),
    })
}

/// Numbers by their size; false where one side is no number.
pub(super) fn compares(table: &Table<'_>, column: &Column<'_>, order: Order, operand: &Operand) -> Mask {
    let compare = |one: Option<f64>, other: Option<f64>| {
        one.zip(other)
            .and_then(|(one, other)| one.partial_cmp(&other))
            .is_some_and(|found| order.holds(found))
    };
    let number = |sym| table.scratch.number_of(sym);
    match comparand(table, operand) {
        Comparand::Column(other) => {
            rows(table, |row| compare(number(column.cell(row)), number(other.cell(row))))
        }
        Comparand::Literal(literal) => values(table, column, |sym| compare(number(sym), literal.number())),
    }
}

/// One side of a comparison.
#[derive(Clone, Copy)]
enum Side<'t> {
    Null,
    Cell(Sym),
    Stated(Literal<'t>),
}

fn side<'t>(sym: Sym) -> Side<'t> {
    if sym.is_empty() { Side::Null } else { Side::Cell(sym) }
}

fn against<'t>(
    table: &'t Table<'_>,
    column: &Column<'_>,
    operand: &'t Operand,
    holds: impl Fn(Side<'t>, Side<'t>) -> bool,
) -> Result<Mask, Halt> {
    if let Operand::Reference(name) = operand {
        let names = table.column(name)?;
        // A name is looked up once; a column that is not there is null in every row.
        let mut known: HashMap<Sym, Option<&Column<'_>>> = HashMap::new();
        return Ok(rows(table, |row| {
            let name = names.cell(row);
            let named = known.entry(name).or_insert_with(|| table.find(table.scratch.text_of(name)));
            holds(side(column.cell(row)), side(named.map_or(Sym::EMPTY, |named| named.cell(row))))
        }));
    }
    Ok(match comparand(table, operand) {
        Comparand::Column(other) => rows(table, |row| holds(side(column.cell(row)), side(other.cell(row)))),
        Comparand::Literal(Literal::Text("")) => values(table, column, |sym| holds(side(sym), Side::Null)),
        Comparand::Literal(literal) => values(table, column, |sym| holds(side(sym), Side::Stated(literal))),
    })
}

fn same(table: &Table<'_>, one: Side<'_>, other: Side<'_>, spread: Spread) -> bool {
    if spread == Spread::Exact {
        return match (one, other) {
            (Side::Cell(one), Side::Cell(other)) => table.scratch.same(one, other),
            (Side::Cell(sym), Side::Stated(literal)) => literal.is(table, sym),
            _ => false,
        };
    }
    let fold = |side| match spread {
        Spread::FoldedCase => written(table, side).to_lowercase(),
        _ => plain(table, side),
    };
    fold(one) == fold(other)
}

fn written(table: &Table<'_>, side: Side<'_>) -> String {
    match side {
        Side::Cell(sym) => table.scratch.text_of(sym).to_owned(),
        Side::Stated(Literal::Text(text)) => text.to_owned(),
        Side::Stated(Literal::Number(number)) => number.to_string(),
        Side::Stated(Literal::Flag(flag)) => flag.to_string(),
        Side::Null | Side::Stated(Literal::List(_)) => String::new(),
    }
}

/// A number without a needless point, so that `200.00` and `200` are one; a text without blanks around it.
fn plain(table: &Table<'_>, side: Side<'_>) -> String {
    let number = match side {
        Side::Cell(sym) => table.scratch.number_of(sym),
        Side::Stated(literal) => literal.number(),
        Side::Null => None,
    };
    number.map_or_else(|| written(table, side).trim().to_owned(), |number| number.to_string())
}
