//! Supplemental qualifiers as columns of the records that they belong to.

use std::collections::BTreeMap;

use super::{Joining, Records};
use crate::frame::{Column, Frame, Halt, of_unit};
use crate::pool::Sym;
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
    let mut records = Records::new(&frame, vec![frame.need("USUBJID")?]);
    let mut columns: BTreeMap<String, Vec<Sym>> = BTreeMap::new();
    for row in 0..there.rows {
        let name = joining.scratch.text_of(qnam.cell(row)).to_owned();
        if !joining.names.contains(&name) || frame.get(&name).is_some() {
            continue;
        }
        let owners = records.find(&[subject.cell(row)], idvar.cell(row), idvarval.cell(row), joining)?;
        let cells = columns.entry(name).or_insert_with(|| vec![Sym::EMPTY; frame.rows]);
        for owner in owners {
            cells[*owner as usize] = qval.cell(row);
        }
    }
    for (name, cells) in columns {
        frame.set(&name, Column::Owned(cells.into()));
    }
    Ok(frame)
}
