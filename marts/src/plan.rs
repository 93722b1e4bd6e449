//! What a build would make, and why. It is told from manifests alone: no table is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kernel::{CODE_VERSION, SnapshotId};
use warehouse::workbench::made_of_hash;
use warehouse::{Manifest, Table, Zone};

use crate::mart::{CHANGED, DEFINITION, INPUT, Mart, PARAMETER, PROGRAM, TESTS};
use crate::selector::{Selection, upstream};
use crate::{Definitions, Result};

/// What a build reads.
#[derive(Debug)]
pub struct Base<'a> {
    /// The snapshot whose tables are read.
    pub current: (SnapshotId, &'a Manifest),
    /// Former results whose marts are taken over where they would come out the same, the likeliest first.
    pub formers: Vec<&'a Manifest>,
    /// The definitions that marts are made by.
    pub definitions: &'a Definitions,
}

/// One mart before a build.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The mart.
    pub mart: &'static Mart,
    /// What is to become of it.
    pub action: Action,
    /// Why it is made, when it is or may be.
    pub reasons: Vec<Reason>,
}

/// What is to become of a mart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Make,
    /// It is made unless what it reads comes out as it was.
    MakeIfChanged,
    /// Nothing that it is computed from changed: it is taken over.
    Share,
    /// It would have to be made, and was not selected.
    LeaveOut,
}

impl Action {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::MakeIfChanged => "make if changed",
            Self::Share => "share",
            Self::LeaveOut => "leave out",
        }
    }
}

/// Why a mart is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for.
    FullRefresh,
    /// No former snapshot has it.
    New,
    /// It was made by another version of the program.
    Program(String),
    /// Its query or function changed.
    Definition,
    /// A text that its function works by changed.
    Parameters,
    /// Somebody changed a definition that it works by, or took a change back.
    Changed(String),
    /// Its tests or columns changed.
    Tests,
    /// A table that it reads has other content.
    Input(String),
    /// It reads a table that it did not read, or no longer reads one.
    Inputs(String),
    /// A table that it reads is not there yet.
    Absent(&'static str),
    /// A mart that it reads is made again, and may come out otherwise.
    Upstream(&'static str),
    /// What it was made of was not kept.
    Unknown,
}

impl Reason {
    /// Whether it lies in the mart itself, not in what it reads.
    #[must_use]
    pub fn is_modification(&self) -> bool {
        matches!(
            self,
            Self::New
                | Self::Program(_)
                | Self::Definition
                | Self::Parameters
                | Self::Changed(_)
                | Self::Tests
                | Self::Inputs(_)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FullRefresh => f.write_str("a full refresh was asked for"),
            Self::New => f.write_str("no former snapshot has it"),
            Self::Program(former) => write!(f, "the program was {former} and is {CODE_VERSION}"),
            Self::Definition => f.write_str("its definition changed"),
            Self::Parameters => f.write_str("its parameters changed"),
            Self::Changed(id) => write!(f, "the definition of `{id}` was changed"),
            Self::Tests => f.write_str("its tests or columns changed"),
            Self::Input(table) => write!(f, "`{table}` has other content"),
            Self::Inputs(table) => write!(f, "whether it reads `{table}` changed"),
            Self::Absent(table) => write!(f, "`{table}` is not made yet"),
            Self::Upstream(mart) => write!(f, "`{mart}` is made again and may come out otherwise"),
            Self::Unknown => f.write_str("what it was made of was not kept"),
        }
    }
}

/// What a build of `selection` would do, mart by mart in building order.
///
/// # Errors
/// [`crate::Error::Selector`] when a selector means nothing.
pub fn plan(
    graph: &'static [Mart],
    base: &Base<'_>,
    selection: &Selection,
    full_refresh: bool,
) -> Result<Vec<Planned>> {
    let mut planned = changes(graph, base);
    let selected = selection.marts(graph, &planned)?;
    let needed: BTreeSet<&str> = selected.union(&upstream(graph, &selected)).copied().collect();
    let mut remade: BTreeSet<&'static str> = BTreeSet::new();
    for step in &mut planned {
        if full_refresh && selected.contains(step.mart.name) {
            step.reasons.insert(0, Reason::FullRefresh);
            step.action = Action::Make;
        }
        // What is left out or refreshed upstream can change what was found without the selection.
        step.reasons.retain(|reason| !matches!(reason, Reason::Upstream(_)));
        let upstream = step.mart.inputs.iter().filter_map(|input| remade.get(input).copied());
        step.reasons.extend(upstream.map(Reason::Upstream));
        step.action = match step.reasons.as_slice() {
            [] => Action::Share,
            reasons if reasons.iter().all(|reason| matches!(reason, Reason::Upstream(_))) => {
                Action::MakeIfChanged
            }
            _ => Action::Make,
        };
        if step.action != Action::Share {
            remade.insert(step.mart.name);
            if !needed.contains(step.mart.name) {
                step.action = Action::LeaveOut;
            }
        }
    }
    Ok(planned)
}

/// What changed since the former results, as if every mart were selected.
fn changes(graph: &'static [Mart], base: &Base<'_>) -> Vec<Planned> {
    let mut contents: BTreeMap<&str, String> = star_contents(base.current.1);
    let mut remade: BTreeSet<&'static str> = BTreeSet::new();
    let mut planned = Vec::with_capacity(graph.len());
    for mart in graph {
        let upstream: Vec<&'static str> =
            mart.inputs.iter().filter_map(|input| remade.get(input).copied()).collect();
        let (known, mut reasons) = match mart.made_of(base.definitions, |table| contents.get(table).cloned())
        {
            Ok(pieces) => match find_known(mart, &pieces, &base.formers) {
                Some(known) => (Some(known), Vec::new()),
                None => (None, why(mart, &pieces, &base.formers)),
            },
            // A mart that is made again has no content yet; the rest can be compared.
            Err(absent) => {
                let mut reasons = why_besides(mart, &contents, base);
                if upstream.is_empty() {
                    reasons.push(Reason::Absent(absent));
                }
                (None, reasons)
            }
        };
        reasons.extend(upstream.into_iter().map(Reason::Upstream));
        match known {
            Some(table) if reasons.is_empty() => drop(contents.insert(mart.name, table.content())),
            _ => drop(remade.insert(mart.name)),
        }
        let action = if reasons.is_empty() { Action::Share } else { Action::Make };
        planned.push(Planned { mart, action, reasons });
    }
    planned
}

/// The content of every table of the star.
pub(crate) fn star_contents(manifest: &Manifest) -> BTreeMap<&str, String> {
    let star = manifest.tables.iter().filter(|(_, table)| table.zone == Zone::Star);
    star.map(|(name, table)| (name.as_str(), table.content())).collect()
}

/// A former table of the mart that was made of the same.
pub(crate) fn find_known<'a>(
    mart: &Mart,
    pieces: &BTreeMap<String, String>,
    formers: &[&'a Manifest],
) -> Option<&'a Table> {
    let inputs = made_of_hash(pieces);
    let mut known = formers.iter().filter_map(|former| former.tables.get(mart.name));
    known.find(|table| table.inputs == inputs)
}

/// Why none of the former tables will do: how the likeliest of them differs.
pub(crate) fn why(mart: &Mart, pieces: &BTreeMap<String, String>, formers: &[&Manifest]) -> Vec<Reason> {
    let Some(table) = formers.iter().find_map(|former| former.tables.get(mart.name)) else {
        return vec![Reason::New];
    };
    if table.made_of.is_empty() {
        return vec![Reason::Unknown];
    }
    differences(pieces, &table.made_of)
}

fn why_besides(mart: &Mart, contents: &BTreeMap<&str, String>, base: &Base<'_>) -> Vec<Reason> {
    let Some(table) = base.formers.iter().find_map(|former| former.tables.get(mart.name)) else {
        return vec![Reason::New];
    };
    if table.made_of.is_empty() {
        return vec![Reason::Unknown];
    }
    let mut pieces = mart.own_pieces(base.definitions);
    for input in mart.inputs {
        let piece = format!("{INPUT}{input}");
        let unknown = || table.made_of.get(&piece).cloned();
        if let Some(content) = contents.get(input).cloned().or_else(unknown) {
            pieces.insert(piece, content);
        }
    }
    differences(&pieces, &table.made_of)
}

fn differences(now: &BTreeMap<String, String>, then: &BTreeMap<String, String>) -> Vec<Reason> {
    let names: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    let mut reasons = Vec::new();
    for name in names {
        let (now, then) = (now.get(name), then.get(name));
        if now == then {
            continue;
        }
        let reason = match name.as_str() {
            PROGRAM => Reason::Program(then.cloned().unwrap_or_default()),
            DEFINITION => Reason::Definition,
            TESTS => Reason::Tests,
            name if name.starts_with(PARAMETER) => Reason::Parameters,
            name if name.starts_with(CHANGED) => {
                Reason::Changed(name.strip_prefix(CHANGED).unwrap_or(name).to_owned())
            }
            name => {
                let table = name.strip_prefix(INPUT).unwrap_or(name).to_owned();
                if now.is_some() && then.is_some() { Reason::Input(table) } else { Reason::Inputs(table) }
            }
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}
