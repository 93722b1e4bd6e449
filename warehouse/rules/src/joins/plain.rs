//! A join on keys that both datasets have, as that of `DM` on `USUBJID`.

use std::rc::Rc;

use super::{Joining, Lookup, row_number};
use crate::frame::{Column, Frame, Halt, NO_ROW, of_unit};
use crate::pool::Sym;
use crate::rule::Match;
use crate::study::{Unit, own_prefix};

/// Each record with each of its partners, in the order of the records. A column that both have is called by its
/// name here, and by its name and the other dataset's (`EPOCH.SE`) there; one that the rule calls by the
/// other dataset's name (`SE.EPOCH`) has that name alone.
pub(super) fn join<'s>(
    frame: &Frame<'s>,
    matching: &Match,
    other: &'s Unit,
    joining: &mut Joining<'_, 's>,
) -> Result<Frame<'s>, Halt> {
    let there = of_unit(joining.study, &other.members);
    let here_prefix = joining.unit.prefix().unwrap_or_default().to_owned();
    let there_prefix = own_prefix(other.domain.as_deref().unwrap_or(&other.name));
    let mut keys = (Vec::new(), Vec::new());
    for (here, beyond) in &matching.keys {
        keys.0.push(frame.need(&here.replace("--", &here_prefix))?);
        keys.1.push(there.need(&beyond.replace("--", there_prefix))?);
    }
    let mut lookup = Lookup::new(keys.1.len());
    for row in 0..there.rows {
        lookup.insert(keys.1.iter().map(|column| column.cell(row)), row);
    }
    let (mut left, mut right) = (Vec::with_capacity(frame.rows), Vec::with_capacity(frame.rows));
    for row in 0..frame.rows {
        let partners = lookup.find(keys.0.iter().map(|column| column.cell(row)));
        let number = row_number(row);
        joining.budget.spend(1)?;
        joining.budget.spend_rows(partners.len())?;
        for partner in partners {
            left.push(number);
            right.push(*partner);
        }
        if partners.is_empty() && matching.left {
            left.push(number);
            right.push(NO_ROW);
        }
    }
    let (left, right): (Rc<[u32]>, Rc<[u32]>) = (left.into(), right.into());
    let mut result = frame.at(&left);
    for (name, column) in there.columns() {
        let column = match column {
            Column::Slice(cells) => Column::Picked(cells, right.clone()),
            column => Column::Owned(
                right
                    .iter()
                    .map(|row| match *row {
                        NO_ROW => Sym::EMPTY,
                        row => column.cell(row as usize),
                    })
                    .collect(),
            ),
        };
        let qualified = format!("{}.{name}", matching.name);
        if joining.names.contains(&qualified) {
            result.set(&qualified, column);
        } else if result.get(name).is_none() {
            result.set(name, column);
        } else {
            result.set(&format!("{name}.{}", matching.name), column);
        }
    }
    Ok(result)
}
