//! The datasets that a rule joins to the one in scope. Every join goes through a hash of its keys.

mod parent;
mod plain;
mod related;
mod supplemental;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::RuleError;
use crate::frame::{Budget, Column, Frame, Halt, KeyIndex, NO_ROW};
use crate::pool::{Scratch, Sort, Sym};
use crate::rule::{Match, Rule};
use crate::study::{Study, Unit};

/// What every join reads.
pub(crate) struct Joining<'j, 's> {
    pub(crate) study: &'s Study,
    pub(crate) unit: &'s Unit,
    pub(crate) scratch: &'j mut Scratch<'s>,
    pub(crate) budget: &'j Budget,
    /// The columns that the rule names, with the domain in place of `--`.
    pub(crate) names: BTreeSet<String>,
}

/// The frame with everything joined that the rule asks for. A dataset that the study lacks is left out; the
/// condition that needs its columns will say so.
pub(crate) fn joined<'s>(
    mut frame: Frame<'s>,
    rule: &Rule,
    joining: &mut Joining<'_, 's>,
) -> Result<Frame<'s>, Halt> {
    for matching in &rule.matches {
        frame = join(frame, matching, joining)?;
    }
    Ok(frame)
}

fn join<'s>(frame: Frame<'s>, matching: &Match, joining: &mut Joining<'_, 's>) -> Result<Frame<'s>, Halt> {
    let (study, unit) = (joining.study, joining.unit);
    if matching.child {
        let meant = if unit.is_supplemental() {
            matching.name == "SUPP--" || matching.name == unit.name
        } else {
            unit.is_called(&matching.name)
        };
        return if meant { parent::join(frame, matching, joining) } else { Ok(frame) };
    }
    if unit.is_called(&matching.name) {
        return Ok(frame);
    }
    if matching.name == "RELREC" {
        return related::join(frame, matching, joining);
    }
    let wanted = |other: &&Unit| match (matching.name.as_str(), &other.parent) {
        ("SUPP--", Some(parent)) => Some(parent) == unit.domain.as_ref(),
        (name, _) => other.is_called(name),
    };
    let Some(other) = study.units.iter().find(wanted) else { return Ok(frame) };
    if other.is_supplemental() {
        return supplemental::join(frame, other, joining);
    }
    plain::join(&frame, matching, other, joining)
}

/// The columns that a rule names in its check and its output.
pub(crate) fn named_columns(rule: &Rule, prefix: Option<&str>) -> BTreeSet<String> {
    let output = rule.output.iter().map(String::as_str);
    let names = output.chain(rule.check.leaves().into_iter().flat_map(|leaf| leaf.names()));
    let resolve = |name: &str| match (prefix, name.strip_prefix("--")) {
        (Some(prefix), Some(rest)) => format!("{prefix}{rest}"),
        _ => name.to_owned(),
    };
    names.map(resolve).collect()
}

/// The rows of a frame by the values of some columns.
struct Lookup {
    index: KeyIndex,
    rows: Vec<Vec<u32>>,
}

impl Lookup {
    fn new(columns: usize) -> Self {
        Self { index: KeyIndex::new(columns), rows: Vec::new() }
    }

    fn insert(&mut self, key: impl IntoIterator<Item = Sym>, row: usize) {
        let id = self.index.insert(key) as usize;
        if id == self.rows.len() {
            self.rows.push(Vec::new());
        }
        self.rows[id].push(row_number(row));
    }

    fn find(&self, key: impl IntoIterator<Item = Sym>) -> &[u32] {
        self.index.find(key).map_or(&[], |id| &self.rows[id as usize])
    }
}

/// Records by keys and by the column that an `IDVAR` names. Each column that is named is indexed once.
struct Records<'f, 's> {
    frame: &'f Frame<'s>,
    keys: Vec<&'f Column<'s>>,
    by_name: BTreeMap<Sym, Option<Indexed>>,
}

struct Indexed {
    lookup: Lookup,
    /// Whether the named column is one of numbers.
    numeric: bool,
}

impl<'f, 's> Records<'f, 's> {
    fn new(frame: &'f Frame<'s>, keys: Vec<&'f Column<'s>>) -> Self {
        Self { frame, keys, by_name: BTreeMap::new() }
    }

    /// The records with these keys whose column `idvar` holds `idvarval`: by the keys alone where `idvar` is null,
    /// none where there is no column of that name.
    fn find(
        &mut self,
        keys: &[Sym],
        idvar: Sym,
        idvarval: Sym,
        joining: &mut Joining<'_, 's>,
    ) -> Result<&[u32], Halt> {
        let indexed = match self.by_name.entry(idvar) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(index(self.frame, &self.keys, idvar, joining)?),
        };
        let Some(indexed) = indexed else { return Ok(&[]) };
        let value = match idvar {
            Sym::EMPTY => Sym::EMPTY,
            _ => as_cell(joining.scratch, idvarval, indexed.numeric)?,
        };
        let found = indexed.lookup.find(keys.iter().copied().chain([value]));
        joining.budget.spend(1 + found.len())?;
        Ok(found)
    }
}

fn index(
    frame: &Frame<'_>,
    keys: &[&Column<'_>],
    idvar: Sym,
    joining: &Joining<'_, '_>,
) -> Result<Option<Indexed>, Halt> {
    let column = frame.get(joining.scratch.text_of(idvar));
    if column.is_none() && !idvar.is_empty() {
        return Ok(None);
    }
    joining.budget.spend(frame.rows)?;
    let mut indexed = Indexed { lookup: Lookup::new(keys.len() + 1), numeric: false };
    for row in 0..frame.rows {
        let value = column.map_or(Sym::EMPTY, |column| column.cell(row));
        indexed.numeric |= joining.scratch.sort_of(value) == Sort::Float;
        indexed.lookup.insert(keys.iter().map(|key| key.cell(row)).chain([value]), row);
    }
    Ok(Some(indexed))
}

/// The value of `IDVARVAL`, which is text, as the column that `IDVAR` names holds it.
fn as_cell(scratch: &mut Scratch<'_>, value: Sym, numeric: bool) -> Result<Sym, RuleError> {
    if numeric {
        return scratch.number_of(value).map_or(Ok(value), |number| scratch.float(number));
    }
    let text = scratch.text_of(value);
    let trimmed = text.trim();
    if trimmed.len() == text.len() {
        return Ok(value);
    }
    let trimmed = trimmed.to_owned();
    scratch.text(&trimmed)
}

/// A row as the frames number them: with 32 bits, the last number being none.
fn row_number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(NO_ROW)
}
