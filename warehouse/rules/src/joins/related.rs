//! The records that `RELREC` relates to those of the dataset in scope.

use std::collections::BTreeMap;

use super::{Joining, Lookup, as_cell, shared};
use crate::frame::{Column, Frame, Halt, of_unit};
use crate::pool::{Sort, Sym};
use crate::rule::Match;
use crate::study::{Unit, own_prefix};

/// One row of `RELREC`: records of one domain, by the value of one variable, for one subject or for all.
#[derive(Clone, Copy)]
struct Side {
    domain: Sym,
    subject: Sym,
    idvar: Sym,
    idvarval: Sym,
}

/// A record here, a related dataset, and a record there.
struct Related {
    here: u32,
    dataset: usize,
    there: u32,
}

/// Each record with each record related to it. The columns of the related ones are those that the rule names as
/// `RELREC.**TERM` or, with a wildcard, `RELREC.FAOBJ`, the mark standing for the related domain.
pub(super) fn join<'s>(
    frame: Frame<'s>,
    matching: &Match,
    joining: &mut Joining<'_, 's>,
) -> Result<Frame<'s>, Halt> {
    let study = joining.study;
    let Some(relrec) = study.units.iter().find(|unit| unit.name == "RELREC") else { return Ok(frame) };
    let relations = of_unit(study, &relrec.members);
    let pairs = pairs(&relations, joining)?;
    let mut others: Vec<(&Unit, Frame<'s>)> = Vec::new();
    let mut related = Vec::new();
    let mut lookups = Lookups::default();
    for (here, there) in pairs {
        let domain = joining.scratch.text_of(there.domain).to_owned();
        let place = match others.iter().position(|(unit, _)| unit.domain.as_deref() == Some(&domain)) {
            Some(place) => place,
            None => {
                let named = |unit: &&Unit| unit.domain.as_deref() == Some(&domain);
                let Some(unit) = study.units.iter().find(named) else { continue };
                others.push((unit, of_unit(study, &unit.members)));
                others.len() - 1
            }
        };
        meet(&frame, &others[place].1, place, [here, there], &mut lookups, &mut related, joining)?;
    }
    let rows = shared(related.iter().map(|related| related.here).collect());
    let mut result = frame.at(&rows);
    for name in joining.names.clone() {
        let Some(variable) = name.strip_prefix("RELREC.") else { continue };
        let columns: Vec<Option<&Column<'_>>> = others
            .iter()
            .map(|(unit, frame)| {
                let prefix = own_prefix(unit.domain.as_deref().unwrap_or(&unit.name));
                let own = variable.strip_prefix(&matching.wildcard).map(|rest| format!("{prefix}{rest}"));
                frame.get(own.as_deref().unwrap_or(variable))
            })
            .collect();
        if columns.iter().any(Option::is_some) {
            let cell = |related: &Related| {
                columns[related.dataset].map_or(Sym::EMPTY, |column| column.cell(related.there as usize))
            };
            result.set(&name, Column::Owned(related.iter().map(cell).collect()));
        }
    }
    Ok(result)
}

/// The rows of `RELREC` for the domain in scope, each with each row for another domain of the same relationship.
fn pairs(relations: &Frame<'_>, joining: &Joining<'_, '_>) -> Result<Vec<(Side, Side)>, Halt> {
    let [rdomain, subject, idvar, idvarval, relid] =
        ["RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"].map(|name| relations.need(name));
    let (rdomain, subject, idvar, idvarval, relid) = (rdomain?, subject?, idvar?, idvarval?, relid?);
    let side = |row: usize| Side {
        domain: rdomain.cell(row),
        subject: subject.cell(row),
        idvar: idvar.cell(row),
        idvarval: idvarval.cell(row),
    };
    let domain = joining.unit.domain.as_deref().and_then(|domain| joining.scratch.find_text(domain));
    let mut lookup = Lookup::new(2);
    for row in (0..relations.rows).filter(|row| Some(rdomain.cell(*row)) != domain) {
        lookup.insert([subject.cell(row), relid.cell(row)], u32::try_from(row).unwrap_or(u32::MAX));
    }
    let mut pairs = Vec::new();
    for row in (0..relations.rows).filter(|row| Some(rdomain.cell(*row)) == domain) {
        let partners = lookup.find([subject.cell(row), relid.cell(row)]);
        joining.budget.spend(1 + partners.len())?;
        pairs.extend(partners.iter().map(|partner| (side(row), side(*partner as usize))));
    }
    Ok(pairs)
}

/// The records of a frame (of a related one, by its place) by the column that an `IDVAR` names, with or without the
/// subject, and whether that column is one of numbers.
type Lookups = BTreeMap<(Option<usize>, Sym, Subject), Option<(Lookup, bool)>>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Stated,
    Any,
}

/// Adds the records that one relationship relates: those with the values that it states, or, where it states none,
/// those that have the same value on both sides.
fn meet(
    frame: &Frame<'_>,
    other: &Frame<'_>,
    place: usize,
    [here, there]: [Side; 2],
    lookups: &mut Lookups,
    related: &mut Vec<Related>,
    joining: &mut Joining<'_, '_>,
) -> Result<(), Halt> {
    let stated = !here.idvarval.is_empty() && !there.idvarval.is_empty();
    if stated {
        let left = at_value(frame, None, here, lookups, joining)?;
        let right = at_value(other, Some(place), there, lookups, joining)?;
        joining.budget.spend(1 + left.len() * right.len())?;
        let (Some(subjects), Some(beyond)) = (frame.get("USUBJID"), other.get("USUBJID")) else {
            return Ok(());
        };
        for one in &left {
            let subject = subjects.cell(*one as usize);
            let own = right.iter().filter(|two| beyond.cell(**two as usize) == subject);
            related.extend(own.map(|two| Related { here: *one, dataset: place, there: *two }));
        }
        return Ok(());
    }
    let name = joining.scratch.text_of(here.idvar).to_owned();
    let (Some(column), Some(subject)) = (frame.get(&name), frame.get("USUBJID")) else { return Ok(()) };
    let key = (Some(place), there.idvar, Subject::Stated);
    prepare(other, key, lookups, joining)?;
    let Some(Some((lookup, _))) = lookups.get(&key) else { return Ok(()) };
    for row in 0..frame.rows {
        let value = column.cell(row);
        if value.is_empty() || !(here.subject.is_empty() || here.subject == subject.cell(row)) {
            continue;
        }
        let partners = lookup.find([subject.cell(row), value]);
        joining.budget.spend(1 + partners.len())?;
        let here = u32::try_from(row).unwrap_or(u32::MAX);
        related.extend(partners.iter().map(|there| Related { here, dataset: place, there: *there }));
    }
    Ok(())
}

/// The records of one side that states a value.
fn at_value(
    frame: &Frame<'_>,
    place: Option<usize>,
    side: Side,
    lookups: &mut Lookups,
    joining: &mut Joining<'_, '_>,
) -> Result<Vec<u32>, Halt> {
    let key = (place, side.idvar, if side.subject.is_empty() { Subject::Any } else { Subject::Stated });
    prepare(frame, key, lookups, joining)?;
    let Some(Some((lookup, numeric))) = lookups.get(&key) else { return Ok(Vec::new()) };
    let value = as_cell(joining.scratch, side.idvarval, *numeric)?;
    Ok(lookup.find([side.subject, value]).to_vec())
}

fn prepare(
    frame: &Frame<'_>,
    key: (Option<usize>, Sym, Subject),
    lookups: &mut Lookups,
    joining: &Joining<'_, '_>,
) -> Result<(), Halt> {
    if lookups.contains_key(&key) {
        return Ok(());
    }
    let (_, idvar, by) = key;
    let columns = frame.get("USUBJID").zip(frame.get(joining.scratch.text_of(idvar)));
    let mut made = None;
    if let Some((subject, column)) = columns {
        joining.budget.spend(frame.rows)?;
        let mut lookup = Lookup::new(2);
        let mut numeric = false;
        for row in 0..frame.rows {
            numeric |= joining.scratch.sort_of(column.cell(row)) == Sort::Float;
            let subject = if by == Subject::Stated { subject.cell(row) } else { Sym::EMPTY };
            lookup.insert([subject, column.cell(row)], u32::try_from(row).unwrap_or(u32::MAX));
        }
        made = Some((lookup, numeric));
    }
    lookups.insert(key, made);
    Ok(())
}
