//! The records that `RELREC` relates to those of the dataset in scope.

use std::rc::Rc;

use super::{Joining, Lookup, Records, row_number};
use crate::frame::{Column, Frame, Halt, of_unit};
use crate::pool::Sym;
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

/// A record here, a related dataset by its place, and a record there.
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
    let Some(relrec) = study.units.iter().find(|unit| unit.is_called("RELREC")) else { return Ok(frame) };
    let pairs = pairs(&of_unit(study, &relrec.members), joining)?;
    let others: Vec<(&Unit, Frame<'s>)> = study
        .units
        .iter()
        .filter(|unit| {
            let domain = unit.domain.as_deref().and_then(|domain| joining.scratch.find_text(domain));
            pairs.iter().any(|(_, there)| Some(there.domain) == domain)
        })
        .map(|unit| (unit, of_unit(study, &unit.members)))
        .collect();
    let related = related(&frame, &others, &pairs, joining)?;
    let rows: Rc<[u32]> = related.iter().map(|related| related.here).collect();
    let mut result = frame.at(&rows);
    for name in &joining.names {
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
            result.set(name, Column::Owned(related.iter().map(cell).collect()));
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
        lookup.insert([subject.cell(row), relid.cell(row)], row);
    }
    let mut pairs = Vec::new();
    for row in (0..relations.rows).filter(|row| Some(rdomain.cell(*row)) == domain) {
        let partners = lookup.find([subject.cell(row), relid.cell(row)]);
        joining.budget.spend(1 + partners.len())?;
        pairs.extend(partners.iter().map(|partner| (side(row), side(*partner as usize))));
    }
    Ok(pairs)
}

/// The records of a frame, by subject and by the variable alone.
struct Indexes<'f, 's> {
    of_subject: Records<'f, 's>,
    of_all: Records<'f, 's>,
}

impl<'f, 's> Indexes<'f, 's> {
    fn new(frame: &'f Frame<'s>, subjects: &'f Column<'s>) -> Self {
        Self { of_subject: Records::new(frame, vec![subjects]), of_all: Records::new(frame, Vec::new()) }
    }

    /// The records of a side that states a value.
    fn stated(&mut self, side: Side, joining: &mut Joining<'_, 's>) -> Result<&[u32], Halt> {
        if side.subject.is_empty() {
            return self.of_all.find(&[], side.idvar, side.idvarval, joining);
        }
        self.of_subject.find(&[side.subject], side.idvar, side.idvarval, joining)
    }
}

/// The records that the relationships relate, of one subject each: those with the values that a relationship
/// states, or, where it states none, those that have the same value on both sides.
fn related<'s>(
    frame: &Frame<'s>,
    others: &[(&Unit, Frame<'s>)],
    pairs: &[(Side, Side)],
    joining: &mut Joining<'_, 's>,
) -> Result<Vec<Related>, Halt> {
    let subjects = frame.need("USUBJID")?;
    let mut here_index = Indexes::new(frame, subjects);
    let mut related = Vec::new();
    for (place, (unit, other)) in others.iter().enumerate() {
        let Some(subjects_there) = other.get("USUBJID") else { continue };
        let mut there_index = Indexes::new(other, subjects_there);
        for (here, there) in pairs {
            if Some(joining.scratch.text_of(there.domain)) != unit.domain.as_deref() {
                continue;
            }
            if !here.idvarval.is_empty() && !there.idvarval.is_empty() {
                let left = here_index.stated(*here, joining)?;
                let right = there_index.stated(*there, joining)?;
                joining.budget.spend_rows(left.len().saturating_mul(right.len()))?;
                for one in left {
                    let subject = subjects.cell(*one as usize);
                    let own = right.iter().filter(|two| subjects_there.cell(**two as usize) == subject);
                    related.extend(own.map(|two| Related { here: *one, dataset: place, there: *two }));
                }
                continue;
            }
            let Some(values) = frame.get(joining.scratch.text_of(here.idvar)) else { continue };
            let rows: Vec<u32> = match here.subject {
                Sym::EMPTY => (0..row_number(frame.rows)).collect(),
                subject => here_index.of_subject.find(&[subject], Sym::EMPTY, Sym::EMPTY, joining)?.to_vec(),
            };
            for here in rows {
                let (value, subject) = (values.cell(here as usize), subjects.cell(here as usize));
                if value.is_empty() {
                    continue;
                }
                let partners = there_index.of_subject.find(&[subject], there.idvar, value, joining)?;
                joining.budget.spend_rows(partners.len())?;
                related.extend(partners.iter().map(|there| Related { here, dataset: place, there: *there }));
            }
        }
    }
    Ok(related)
}
