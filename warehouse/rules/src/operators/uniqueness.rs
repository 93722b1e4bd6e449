//! Combinations of values over the rows of a dataset.

use std::collections::HashMap;

use regex::Regex;
use rustc_hash::FxHashMap;

use super::{Mask, rows};
use crate::frame::{Column, Grouping, Halt, Table};
use crate::pool::Sym;

/// The combination of the target and the other columns comes once. Columns that are not there are left out, and
/// a null is a value. With a pattern, texts of a column that it matches count by what it matches.
pub(super) fn unique_set(
    table: &Table<'_>,
    target: &str,
    with: &[String],
    regex: Option<&Regex>,
) -> Result<Mask, Halt> {
    let mut names = vec![table.resolve(target)];
    for name in with {
        // An operation may have made a list of column names.
        match table.find(name).and_then(|column| column.list(0)) {
            Some(list) => names.extend(list.items.iter().map(|sym| table.scratch.text_of(*sym).to_owned())),
            None => names.push(table.resolve(name)),
        }
    }
    let mut columns: Vec<&Column<'_>> = names.iter().filter_map(|name| table.frame.get(name)).collect();
    if columns.is_empty() {
        return Err(Halt::Absent(target.to_owned()));
    }
    let reduced: Vec<Column<'_>> = match regex {
        Some(regex) => columns.iter().map(|column| reduce(table, column, regex)).collect(),
        None => Vec::new(),
    };
    if regex.is_some() {
        columns = reduced.iter().collect();
    }
    table.budget.spend(columns.len() * table.frame.rows)?;
    let grouping = Grouping::by(&columns, table.frame.rows);
    Ok(rows(table, |row| grouping.groups[grouping.of_row[row] as usize].len() == 1))
}

/// Each text as the part of it that a pattern matches, in a column whose first text the pattern matches.
fn reduce<'s>(table: &Table<'s>, column: &Column<'s>, regex: &Regex) -> Column<'s> {
    let cells = || (0..table.frame.rows).map(|row| column.cell(row));
    let first = cells().find(|sym| !sym.is_empty());
    if !first.is_some_and(|sym| regex.is_match(table.scratch.text_of(sym))) {
        return column.clone();
    }
    // The parts need numbers of their own only to be told apart.
    let mut parts: HashMap<&str, Sym> = HashMap::new();
    let reduced = cells().map(|sym| {
        let text = table.scratch.text_of(sym);
        let part = regex.find(text).map_or(text, |found| found.as_str());
        if sym.is_empty() { sym } else { *parts.entry(part).or_insert(sym) }
    });
    Column::Owned(reduced.collect())
}

/// Each populated value of the target has one value of the others, and each populated value of the others one of
/// the target. A null beside a value counts as a second value.
pub(super) fn one_to_one(table: &Table<'_>, column: &Column<'_>, with: &[String]) -> Result<Mask, Halt> {
    let others = with.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let rows_in_all = table.frame.rows;
    table.budget.spend(others.len().saturating_mul(rows_in_all))?;
    let here = Grouping::by(&[column], rows_in_all);
    let there = Grouping::by(&others, rows_in_all);
    let null_here = |row: u32| column.cell(row as usize).is_empty();
    let null_there = |row: u32| others.iter().any(|other| other.cell(row as usize).is_empty());
    // A group whose rows do not agree on the other side's group has several values there. All values with a null
    // are one: the null.
    let broken = |grouping: &Grouping, other: &Grouping, null: &dyn Fn(u32) -> bool| -> Vec<bool> {
        let value = |row: u32| (!null(row)).then(|| other.of_row[row as usize]);
        grouping.groups.iter().map(|rows| rows.iter().any(|row| value(*row) != value(rows[0]))).collect()
    };
    let broken_here = broken(&here, &there, &null_there);
    let broken_there = broken(&there, &here, &null_here);
    Ok((0..u32::try_from(rows_in_all).unwrap_or(u32::MAX))
        .map(|row| {
            let violates = (broken_here[here.of_row[row as usize] as usize] && !null_here(row))
                || (broken_there[there.of_row[row as usize] as usize] && !null_there(row));
            !violates
        })
        .collect())
}

/// The value is not the most frequent one among the rows with the same values of the other columns; where several
/// are most frequent, all rows are. A null is a value, and columns that are not there are left out.
pub(super) fn inconsistent(table: &Table<'_>, column: &Column<'_>, by: &[String]) -> Result<Mask, Halt> {
    let others = table.present(by);
    table.budget.spend(others.len().saturating_mul(table.frame.rows))?;
    let mut mask = vec![false; table.frame.rows];
    for rows in Grouping::by(&others, table.frame.rows).groups {
        let mut counts: FxHashMap<Sym, usize> = FxHashMap::default();
        for row in &rows {
            *counts.entry(column.cell(*row as usize)).or_default() += 1;
        }
        if counts.len() < 2 {
            continue;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        let alone = counts.values().filter(|count| **count == most).count() == 1;
        for row in &rows {
            mask[*row as usize] = !alone || counts[&column.cell(*row as usize)] != most;
        }
    }
    Ok(mask)
}

pub(super) fn different_values(table: &Table<'_>, column: &Column<'_>) -> Mask {
    let different = (1..table.frame.rows).any(|row| column.cell(row) != column.cell(0));
    vec![different; table.frame.rows]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Budget, Frame, Origin};
    use crate::pool::{Pool, Scratch};

    #[test]
    fn the_minority_is_inconsistent_and_a_tie_is_all() {
        let mut pool = Pool::new();
        let [a, b, x, y] = ["a", "b", "x", "y"].map(|text| pool.text(text).unwrap());
        let mut frame = Frame::new(vec![Origin { dataset: 0, record: 0 }; 5]);
        frame.set("TEST", Column::Owned([a, a, a, b, b].into()));
        frame.set("UNIT", Column::Owned([x, x, y, x, y].into()));
        let table = Table { frame, scratch: Scratch::over(&pool), prefix: None, budget: Budget::new(1_000) };
        let column = table.column("UNIT").unwrap();
        let mask = inconsistent(&table, column, &["TEST".to_owned(), "ABSENT".to_owned()]).unwrap();
        assert_eq!(mask, [false, false, true, true, true]);
    }
}
