//! The parent record of a child record: of a supplemental qualifier, a comment or a relationship, the record that
//! `RDOMAIN`, `USUBJID`, `IDVAR` and `IDVARVAL` point to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Joining, Records, row_number};
use crate::frame::{Column, Frame, Halt, of_unit};
use crate::pool::Sym;
use crate::rule::Match;
use crate::study::Unit;

/// The frame with the columns of the parents that the child does not have itself, null where no parent is found.
/// Besides the columns that the rule names, those are the ones that some record's `IDVAR` names.
pub(super) fn join<'s>(
    mut frame: Frame<'s>,
    matching: &Match,
    joining: &mut Joining<'_, 's>,
) -> Result<Frame<'s>, Halt> {
    let domains = parent_domains(&frame, joining)?;
    let mut wanted: BTreeSet<String> = joining.names.clone();
    if let Some(idvar) = frame.get("IDVAR") {
        let names: BTreeSet<Sym> = (0..frame.rows).map(|row| idvar.cell(row)).collect();
        wanted.extend(names.into_iter().map(|sym| joining.scratch.text_of(sym).to_owned()));
    }
    wanted.retain(|name| frame.get(name).is_none());
    let mut columns: BTreeMap<&str, Vec<Sym>> = BTreeMap::new();
    for (unit, children) in domains {
        let there = of_unit(joining.study, &unit.members);
        let found = parents(&frame, &there, matching, &children, joining)?;
        for name in &wanted {
            let Some(column) = there.get(name) else { continue };
            joining.budget.spend(found.len())?;
            let cells = columns.entry(name).or_insert_with(|| vec![Sym::EMPTY; frame.rows]);
            for (child, parent) in &found {
                cells[*child as usize] = column.cell(*parent as usize);
            }
        }
    }
    for (name, cells) in columns {
        frame.set(name, Column::Owned(cells.into()));
    }
    Ok(frame)
}

/// The datasets of the parents, each with the rows of its children.
fn parent_domains<'s>(
    frame: &Frame<'_>,
    joining: &Joining<'_, 's>,
) -> Result<Vec<(&'s Unit, Vec<u32>)>, Halt> {
    let rdomain = frame.need("RDOMAIN")?;
    let mut by_domain: BTreeMap<Sym, Vec<u32>> = BTreeMap::new();
    for row in 0..frame.rows {
        by_domain.entry(rdomain.cell(row)).or_default().push(row_number(row));
    }
    let unit_of =
        |domain: &str| joining.study.units.iter().find(|unit| unit.domain.as_deref() == Some(domain));
    let found = by_domain
        .into_iter()
        .filter_map(|(domain, rows)| unit_of(joining.scratch.text_of(domain)).map(|unit| (unit, rows)));
    Ok(found.collect())
}

/// For each child that has a parent, both rows. A child without `IDVAR` belongs to the first record with its keys.
fn parents<'s>(
    frame: &Frame<'s>,
    there: &Frame<'s>,
    matching: &Match,
    children: &[u32],
    joining: &mut Joining<'_, 's>,
) -> Result<Vec<(u32, u32)>, Halt> {
    let keys = matching.keys.iter().filter(|(name, _)| name != "IDVAR" && name != "IDVARVAL");
    let keys = keys.filter_map(|(here, beyond)| frame.get(here).zip(there.get(beyond)));
    let (here, beyond): (Vec<_>, Vec<_>) = keys.unzip();
    let mut records = Records::new(there, beyond);
    let cell = |name: &str, row: usize| frame.get(name).map_or(Sym::EMPTY, |column| column.cell(row));
    let mut found = Vec::new();
    for child in children {
        let row = *child as usize;
        let key: Vec<Sym> = here.iter().map(|column| column.cell(row)).collect();
        let parents = records.find(&key, cell("IDVAR", row), cell("IDVARVAL", row), joining)?;
        found.extend(parents.first().map(|parent| (*child, *parent)));
    }
    Ok(found)
}
