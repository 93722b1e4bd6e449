//! The characters of texts.

use regex::Regex;

use super::{Comparand, Literal, Mask, comparand, item, rows, values};
use crate::frame::{Column, Halt, Table};
use crate::pool::{Sort, Sym};
use crate::rule::{Affix, Operand, Order, Part};

/// Populated, and the text or its part matches; with `negated`, populated and it does not.
pub(super) fn matches(
    table: &Table<'_>,
    column: &Column<'_>,
    part: Option<Part>,
    regex: &Regex,
    negated: bool,
) -> Result<Mask, Halt> {
    Ok(values(table, column, |sym| {
        let text = shown(table, sym);
        let text = part.map_or(text.as_str(), |part| part_of(&text, part));
        !sym.is_empty() && regex.is_match(text) != negated
    }))
}

pub(super) fn part_equal(table: &Table<'_>, column: &Column<'_>, part: Part, operand: &Operand) -> Mask {
    // `DOMAIN` on a table without such a column, as for metadata, is the domain in scope.
    let domain = table.prefix.as_deref().unwrap_or_default();
    match comparand(table, operand) {
        Comparand::Column(other) => rows(table, |row| {
            let text = table.scratch.text_of(column.cell(row));
            part_of(text, part) == table.scratch.text_of(other.cell(row))
        }),
        Comparand::Literal(Literal::Text(stated)) => {
            let stated = if stated == "DOMAIN" { domain } else { stated };
            values(table, column, |sym| part_of(table.scratch.text_of(sym), part) == stated)
        }
        Comparand::Literal(_) => vec![false; table.frame.rows],
    }
}

/// The text equals what the pattern finds in the other text: its first group, or all of it.
pub(super) fn equals_part(
    table: &Table<'_>,
    column: &Column<'_>,
    regex: &Regex,
    operand: &Operand,
) -> Result<Mask, Halt> {
    let found = |text: &str| {
        let groups = regex.captures(text)?;
        groups.get(1).or_else(|| groups.get(0)).map(|part| part.as_str().to_owned())
    };
    let equals = |sym: Sym, part: Option<&str>| {
        !sym.is_empty() && part.is_some_and(|part| part == table.scratch.text_of(sym))
    };
    match comparand(table, operand) {
        Comparand::Column(other) => Ok(rows(table, |row| {
            let part = found(table.scratch.text_of(other.cell(row)));
            equals(column.cell(row), part.as_deref())
        })),
        Comparand::Literal(Literal::Text(text)) => {
            let part = found(text);
            Ok(values(table, column, |sym| equals(sym, part.as_deref())))
        }
        Comparand::Literal(_) => Err(Halt::Unable("a string part of something that is no text".to_owned())),
    }
}

pub(super) fn affix(table: &Table<'_>, column: &Column<'_>, affix: Affix, operand: &Operand) -> Mask {
    let has = |sym: Sym, with: &str| {
        let text = table.scratch.text_of(sym);
        !sym.is_empty()
            && !with.is_empty()
            && match affix {
                Affix::Start => text.starts_with(with),
                Affix::End => text.ends_with(with),
            }
    };
    match comparand(table, operand) {
        Comparand::Column(other) => {
            rows(table, |row| has(column.cell(row), table.scratch.text_of(other.cell(row))))
        }
        Comparand::Literal(Literal::Text(text)) => values(table, column, |sym| has(sym, text)),
        Comparand::Literal(Literal::List(items)) => values(table, column, |sym| {
            items.iter().any(|stated| matches!(item(stated), Literal::Text(text) if has(sym, text)))
        }),
        Comparand::Literal(_) => vec![false; table.frame.rows],
    }
}

/// The number of characters against a number, or against that of another column's text. A null has no length.
pub(super) fn length(
    table: &Table<'_>,
    column: &Column<'_>,
    order: Order,
    operand: &Operand,
    negated: bool,
) -> Result<Mask, Halt> {
    let characters = |sym: Sym| table.scratch.text_of(sym).chars().count();
    let holds =
        |sym: Sym, length: usize| !sym.is_empty() && order.holds(characters(sym).cmp(&length)) != negated;
    match comparand(table, operand) {
        Comparand::Column(other) => Ok(rows(table, |row| {
            let sym = other.cell(row);
            let length = match (table.scratch.sort_of(sym), table.scratch.number_of(sym)) {
                (Sort::Text, _) | (_, None) => characters(sym),
                (_, Some(number)) => whole(number).unwrap_or(usize::MAX),
            };
            holds(column.cell(row), length)
        })),
        Comparand::Literal(literal) => {
            let length = literal.number().and_then(whole);
            let length = length.ok_or_else(|| Halt::Unable("a length is no whole number".to_owned()))?;
            Ok(values(table, column, |sym| holds(sym, length)))
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number within the bounds of a length"
)]
fn whole(number: f64) -> Option<usize> {
    (number.fract() == 0.0 && (0.0..1e9).contains(&number)).then_some(number as usize)
}

/// A value as patterns see it: a whole number without a point.
fn shown(table: &Table<'_>, sym: Sym) -> String {
    match (table.scratch.sort_of(sym), table.scratch.number_of(sym)) {
        (Sort::Float, Some(number)) => number.to_string(),
        _ => table.scratch.text_of(sym).to_owned(),
    }
}

/// The first or the last characters; all of them where there are fewer.
pub(super) fn part_of(text: &str, part: Part) -> &str {
    match part {
        Part::Prefix(length) => text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end]),
        Part::Suffix(length) => {
            text.char_indices().rev().nth(length - 1).map_or(text, |(start, _)| &text[start..])
        }
    }
}
