//! The order of rows within groups.

use std::cmp::Ordering;

use super::{Mask, rows};
use crate::date::Moment;
use crate::frame::{Column, Grouping, Halt, Table};
use crate::pool::{Sort, Sym};
use crate::rule::{Occurrence, Position, SortKey};

/// The groups of an occurrence, each in its order. Rows that are equal there keep the order of the dataset.
fn groups(table: &Table<'_>, occurrence: &Occurrence) -> Result<Vec<Vec<u32>>, Halt> {
    let within = occurrence.within.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let ordering = occurrence.ordering.as_ref().map(|name| table.column(name)).transpose()?;
    table.budget.spend(within.len().saturating_mul(table.frame.rows))?;
    let mut groups = Grouping::by(&within, table.frame.rows).groups;
    if let Some(column) = ordering {
        table.budget.spend(table.frame.rows)?;
        for rows in &mut groups {
            rows.sort_by(|one, other| order(table, column.cell(*one as usize), column.cell(*other as usize)));
        }
    }
    Ok(groups)
}

/// Numbers by size, texts by characters, nulls last.
fn order(table: &Table<'_>, one: Sym, other: Sym) -> Ordering {
    let numbers =
        |sym| (table.scratch.sort_of(sym) != Sort::Text).then(|| table.scratch.number_of(sym)).flatten();
    one.is_empty().cmp(&other.is_empty()).then_with(|| match (numbers(one), numbers(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => table.scratch.text_of(one).cmp(table.scratch.text_of(other)),
    })
}

/// The target equals the other column of the next row of its group. The last row has no next one and is let be.
pub(super) fn has_next(
    table: &Table<'_>,
    column: &Column<'_>,
    other: &Column<'_>,
    occurrence: &Occurrence,
) -> Result<Mask, Halt> {
    let mut mask = vec![true; table.frame.rows];
    for rows in groups(table, occurrence)? {
        for pair in rows.windows(2) {
            let (this, next) = (column.cell(pair[0] as usize), other.cell(pair[1] as usize));
            mask[pair[0] as usize] = !this.is_empty() && table.scratch.same(this, next);
        }
    }
    Ok(mask)
}

/// The value comes on more than one row of its group.
pub(super) fn on_multiple_rows(
    table: &Table<'_>,
    column: &Column<'_>,
    occurrence: &Occurrence,
) -> Result<Mask, Halt> {
    let mut by = occurrence.within.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    by.push(column);
    let grouping = Grouping::by(&by, table.frame.rows);
    Ok(rows(table, |row| grouping.groups[grouping.of_row[row] as usize].len() > 1))
}

/// The value is null, and the row is not the last of its group.
pub(super) fn empty_except_last(
    table: &Table<'_>,
    column: &Column<'_>,
    occurrence: &Occurrence,
) -> Result<Mask, Halt> {
    let mut mask = vec![false; table.frame.rows];
    for rows in groups(table, occurrence)? {
        for row in rows.iter().rev().skip(1) {
            mask[*row as usize] = column.cell(*row as usize).is_empty();
        }
    }
    Ok(mask)
}

/// The target ascends when the rows of a group are ordered by the keys, each for itself; rows where one of the two
/// is null are let be. Both rows of a descent violate that; and of two dates in a row of which the less precise one
/// contains the other, that one, since their order is not known.
pub(super) fn sorted_by(
    table: &Table<'_>,
    column: &Column<'_>,
    keys: &[SortKey],
    occurrence: &Occurrence,
) -> Result<Mask, Halt> {
    let mut mask = vec![true; table.frame.rows];
    for key in keys {
        let by = table.column(&key.name)?;
        let ordered = Occurrence { ordering: Some(key.name.clone()), ..occurrence.clone() };
        for mut rows in groups(table, &ordered)? {
            let null = |row: &u32| by.cell(*row as usize).is_empty() || column.cell(*row as usize).is_empty();
            rows.retain(|row| !null(row));
            if key.descending {
                rows.reverse();
            }
            for pair in rows.windows(2) {
                let [one, next] = [pair[0] as usize, pair[1] as usize];
                if order(table, column.cell(one), column.cell(next)).is_gt() {
                    mask[one] = false;
                    mask[next] = false;
                }
                match vague(table, by.cell(one), by.cell(next)) {
                    Some(Vague::First) => mask[one] = false,
                    Some(Vague::Second) => mask[next] = false,
                    None => {}
                }
            }
        }
    }
    Ok(mask)
}

enum Vague {
    First,
    Second,
}

/// Which of two dates contains the other one, if it says less.
fn vague(table: &Table<'_>, one: Sym, other: Sym) -> Option<Vague> {
    let (one, other) = (table.scratch.text_of(one), table.scratch.text_of(other));
    let (first, second) = (Moment::parse(one)?, Moment::parse(other)?);
    if first.precision < second.precision && other.starts_with(one) {
        Some(Vague::First)
    } else if second.precision < first.precision && one.starts_with(other) {
        Some(Vague::Second)
    } else {
        None
    }
}

/// The value stands where it would if the column were sorted.
pub(super) fn ordered_by(table: &Table<'_>, column: &Column<'_>, position: Position) -> Mask {
    let mut sorted: Vec<Sym> = (0..table.frame.rows).map(|row| column.cell(row)).collect();
    sorted.sort_by(|one, other| match position {
        Position::Ascending => order(table, *one, *other),
        Position::Descending => order(table, *other, *one),
    });
    rows(table, |row| column.cell(row) == sorted[row])
}

/// A variable of an enumeration (`TSVAL`, `TSVAL1`, `TSVAL2`) is populated while the one before it is not.
pub(super) fn enumeration_gap(table: &Table<'_>, target: &str) -> Mask {
    let target = table.resolve(target);
    let mut columns: Vec<(usize, &str, &Column<'_>)> = table
        .frame
        .columns()
        .filter_map(|(name, column)| {
            let rest = name.strip_prefix(&target)?;
            rest.bytes().all(|byte| byte.is_ascii_digit()).then_some((name.len(), name, column))
        })
        .collect();
    columns.sort_by_key(|(length, name, _)| (*length, *name));
    rows(table, |row| {
        columns.windows(2).any(|pair| pair[0].2.cell(row).is_empty() && !pair[1].2.cell(row).is_empty())
    })
}
