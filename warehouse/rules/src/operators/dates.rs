//! Dates and durations.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::{Comparand, Literal, Mask, comparand, rows, values};
use crate::date::{self, Moment};
use crate::frame::{Column, Table};
use crate::pool::Sym;
use crate::rule::{Operand, Order};

pub(super) fn valid(table: &Table<'_>, column: &Column<'_>) -> Mask {
    values(table, column, |sym| date::is_valid(table.scratch.text_of(sym)))
}

pub(super) fn duration(table: &Table<'_>, column: &Column<'_>, negative: bool) -> Mask {
    values(table, column, |sym| date::is_duration(table.scratch.text_of(sym), negative))
}

pub(super) fn complete(table: &Table<'_>, column: &Column<'_>) -> Mask {
    values(table, column, |sym| date::is_complete(table.scratch.text_of(sym)))
}

/// Two dates, the incomplete ones by the beginning of what they leave open; false where one side is none.
pub(super) fn compares(table: &Table<'_>, column: &Column<'_>, order: Order, operand: &Operand) -> Mask {
    let known: RefCell<FxHashMap<Sym, Option<Moment>>> = RefCell::default();
    let moment = |sym: Sym| {
        *known.borrow_mut().entry(sym).or_insert_with(|| Moment::parse(table.scratch.text_of(sym)))
    };
    let holds = |one: Option<Moment>, other: Option<Moment>| {
        one.zip(other).is_some_and(|(one, other)| order.holds(one.compare(other)))
    };
    match comparand(table, operand) {
        Comparand::Column(other) => {
            rows(table, |row| holds(moment(column.cell(row)), moment(other.cell(row))))
        }
        Comparand::Literal(literal) => {
            let stated = if let Literal::Text(text) = literal { Moment::parse(text) } else { None };
            values(table, column, |sym| holds(moment(sym), stated))
        }
    }
}
