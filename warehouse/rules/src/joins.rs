//! The datasets that a rule joins to the one in scope. Every join goes through a hash of its keys.

mod parent;
mod plain;
mod related;
mod supplemental;

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::RuleError;
use crate::frame::{Budget, Frame, Halt, KeyIndex};
use crate::pool::{Scratch, Sym};
use crate::rule::{Match, Operand, Rule, Test};
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
            unit.domain.as_deref() == Some(&matching.name) || unit.name == matching.name
        };
        return if meant { parent::join(frame, matching, joining) } else { Ok(frame) };
    }
    if matching.name == unit.name {
        return Ok(frame);
    }
    if matching.name == "RELREC" {
        return related::join(frame, matching, joining);
    }
    let wanted = |other: &&Unit| match (matching.name.as_str(), &other.parent) {
        ("SUPP--", Some(parent)) => Some(parent) == unit.domain.as_ref(),
        (name, _) => other.domain.as_deref() == Some(name) || other.name == name,
    };
    let Some(other) = study.units.iter().find(wanted) else { return Ok(frame) };
    if other.is_supplemental() {
        return supplemental::join(frame, other, joining);
    }
    plain::join(frame, matching, other, joining)
}

/// The columns that a rule names in its check and its output.
pub(crate) fn named_columns(rule: &Rule, prefix: Option<&str>) -> BTreeSet<String> {
    let mut names: Vec<&str> = rule.output.iter().map(String::as_str).collect();
    for leaf in rule.check.leaves() {
        names.push(&leaf.target);
        let operand = match &leaf.test {
            Test::Equal(operand, _)
            | Test::Differs(operand, _)
            | Test::Compares(_, operand)
            | Test::CompareDates(_, operand)
            | Test::Contains(operand, _)
            | Test::In(operand, _)
            | Test::PartEqual(_, operand)
            | Test::EqualsPart(_, operand)
            | Test::Length(_, operand) => operand,
            Test::Inconsistent(with) | Test::UniqueSet(with, _) | Test::OneToOne(with) => {
                names.extend(with.iter().map(String::as_str));
                continue;
            }
            _ => continue,
        };
        if let Operand::Name(name) = operand {
            names.push(name);
        }
    }
    let resolve = |name: &str| match (prefix, name.strip_prefix("--")) {
        (Some(prefix), Some(rest)) => format!("{prefix}{rest}"),
        _ => name.to_owned(),
    };
    names.into_iter().map(resolve).collect()
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

    fn insert(&mut self, key: impl IntoIterator<Item = Sym>, row: u32) {
        let id = self.index.insert(key) as usize;
        if id == self.rows.len() {
            self.rows.push(Vec::new());
        }
        self.rows[id].push(row);
    }

    fn find(&self, key: impl IntoIterator<Item = Sym>) -> &[u32] {
        self.index.find(key).map_or(&[], |id| &self.rows[id as usize])
    }
}

/// The value of `IDVARVAL`, which is text, as the column that `IDVAR` names holds it.
fn as_cell(scratch: &mut Scratch<'_>, value: Sym, numeric: bool) -> Result<Sym, RuleError> {
    if !numeric {
        let text = scratch.text_of(value).trim().to_owned();
        return scratch.text(&text);
    }
    match scratch.number_of(value) {
        Some(number) => scratch.float(number),
        None => Ok(value),
    }
}

fn shared(rows: Vec<u32>) -> Rc<[u32]> {
    Rc::from(rows)
}
