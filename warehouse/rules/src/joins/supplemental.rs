//! Supplemental qualifiers as columns of the records that they belong to.

use std::collections::BTreeMap;

use super::{Joining, Lookup, as_cell};
use crate::frame::{Column, Frame, Halt, of_unit};
use crate::pool::{Sort, Sym};
use crate::study::Unit;

/// The frame with a column for each `QNAM` that the rule names, null where a record has no such qualifier.
pub(super) fn join<'s>(
    mut frame: Frame<'s>,
    other: &'s Unit,
    joining: &mut Joining<'_, 's>,
) -> Result<Frame<'s>, Halt> {
    let there = of_unit(joining.study, &other.members);
    let [qnam, qval, idvar, idvarval, subject] =
        ["QNAM", "QVAL", "IDVAR", "IDVARVAL", "USUBJID"].map(|name| there.need(name));
    let (qnam, qval, idvar, idvarval, subject) = (qnam?, qval?, idvar?, idvarval?, subject?);
    let mut columns: BTreeMap<String, Vec<Sym>> = BTreeMap::new();
    let mut lookups: BTreeMap<Sym, Option<(Lookup, bool)>> = BTreeMap::new();
    for row in 0..there.rows {
        let name = joining.scratch.text_of(qnam.cell(row));
        if !joining.names.contains(name) || frame.get(name).is_some() {
            continue;
        }
        let cells = columns.entry(name.to_owned()).or_insert_with(|| vec![Sym::EMPTY; frame.rows]);
        let by = idvar.cell(row);
        if !lookups.contains_key(&by) {
            let lookup = lookup_of(&frame, joining.scratch.text_of(by), joining)?;
            lookups.insert(by, lookup);
        }
        let Some(Some((lookup, numeric))) = lookups.get(&by) else { continue };
        let subject = subject.cell(row);
        let partners = if by.is_empty() {
            lookup.find([subject])
        } else {
            let value = as_cell(joining.scratch, idvarval.cell(row), *numeric)?;
            lookup.find([subject, value])
        };
        joining.budget.spend(1 + partners.len())?;
        for partner in partners {
            cells[*partner as usize] = qval.cell(row);
        }
    }
    for (name, cells) in columns {
        frame.set(&name, Column::Owned(cells.into()));
    }
    Ok(frame)
}

/// The records by subject and the column that `IDVAR` names, and whether that column is one of numbers; by subject
/// alone where it names none; `None` where it names one that is not there.
fn lookup_of(
    frame: &Frame<'_>,
    name: &str,
    joining: &Joining<'_, '_>,
) -> Result<Option<(Lookup, bool)>, Halt> {
    let subject = frame.need("USUBJID")?;
    let column = frame.get(name);
    if column.is_none() && !name.is_empty() {
        return Ok(None);
    }
    joining.budget.spend(frame.rows)?;
    let mut lookup = Lookup::new(if column.is_some() { 2 } else { 1 });
    let mut numeric = false;
    for row in 0..frame.rows {
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        match column {
            Some(column) => {
                numeric |= joining.scratch.sort_of(column.cell(row)) == Sort::Float;
                lookup.insert([subject.cell(row), column.cell(row)], number);
            }
            None => lookup.insert([subject.cell(row)], number),
        }
    }
    Ok(Some((lookup, numeric)))
}
