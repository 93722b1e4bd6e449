//! The values that a rule derives before its check: each operation adds one column to the table.

mod dates;
mod lists;

use std::rc::Rc;

use crate::frame::{Column, Frame, Halt, KeyIndex, List, Table, dataset_metadata, of_unit};
use crate::pool::Sym;
use crate::rule::{Operation, Operator};
use crate::study::{Study, Unit, own_prefix};

/// What every operation reads besides the table.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'s> {
    pub(crate) study: &'s Study,
    pub(crate) unit: &'s Unit,
}

/// Adds the column of one operation.
pub(crate) fn derive<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<(), Halt> {
    table.budget.spend(table.frame.rows)?;
    let column = match operation.operator {
        Operator::Distinct => lists::distinct(operation, setting, table)?,
        Operator::RecordCount => record_count(operation, setting, table)?,
        Operator::StudyDay => dates::study_day(operation, setting, table)?,
        Operator::MinDate => dates::extreme(operation, setting, table, dates::Extreme::Earliest)?,
        Operator::MaxDate => dates::extreme(operation, setting, table, dates::Extreme::Latest)?,
        Operator::DomainLabel => {
            let label = setting.study.datasets[setting.unit.members[0]].header.label.clone();
            Column::Constant(table.scratch.text(&label)?)
        }
        Operator::StudyDomains => lists::study_domains(setting, table)?,
        Operator::DatasetNames => lists::dataset_names(setting, table)?,
        Operator::ColumnOrder => lists::column_order(setting, table)?,
        Operator::Metadata => metadata(operation, setting, table)?,
        Operator::VariableExists => {
            let name = table.resolve(operation.name.as_deref().unwrap_or_default());
            let mut datasets = setting.unit.members.iter().map(|place| &setting.study.datasets[*place]);
            Column::Constant(table.scratch.flag(datasets.any(|dataset| dataset.places.contains_key(&name)))?)
        }
        Operator::VariableCount => variable_count(operation, setting, table)?,
    };
    table.frame.set(&operation.id, column);
    Ok(())
}

/// The records that an operation reads: those of the domain that it names, or the table's own rows.
fn source<'s>(operation: &Operation, setting: Setting<'s>) -> Result<Option<Frame<'s>>, Halt> {
    let Some(domain) = &operation.domain else { return Ok(None) };
    let own = setting.unit.is_called(domain) || (domain == "SUPP--" && setting.unit.is_supplemental());
    if own {
        return Ok(Some(of_unit(setting.study, &setting.unit.members)));
    }
    match setting.study.units.iter().find(|unit| unit.is_called(domain)) {
        Some(unit) => Ok(Some(of_unit(setting.study, &unit.members))),
        None => Err(Halt::Inapplicable(format!("the study has no dataset `{domain}`"))),
    }
}

/// A column name of an operation's source, with the domain of the source in place of `--`.
fn beyond(operation: &Operation, name: &str, table: &Table<'_>) -> String {
    match (&operation.domain, name.strip_prefix("--")) {
        (Some(domain), Some(rest)) if domain != "SUPP--" => format!("{}{rest}", own_prefix(domain)),
        _ => table.resolve(name),
    }
}

/// The rows of a frame that pass an operation's filter.
fn filtered(operation: &Operation, frame: &Frame<'_>, table: &Table<'_>) -> Result<Vec<u32>, Halt> {
    let columns = operation
        .filter
        .iter()
        .map(|(name, value)| Ok((frame.need(&beyond(operation, name, table))?, value.as_str())))
        .collect::<Result<Vec<_>, Halt>>()?;
    let passes = |row: usize| {
        columns.iter().all(|(column, value)| {
            let text = table.scratch.text_of(column.cell(row));
            match value.strip_suffix('&') {
                Some(start) => text.starts_with(start),
                None => text == *value,
            }
        })
    };
    table.budget.spend(frame.rows)?;
    Ok((0..u32::try_from(frame.rows).unwrap_or(u32::MAX)).filter(|row| passes(*row as usize)).collect())
}

/// The number of records, or of those with the row's values of the grouping columns.
fn record_count<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<Column<'s>, Halt> {
    if operation.regex.is_some() {
        return Err(Halt::Unable("operation `record_count` with `regex`".to_owned()));
    }
    let source = source(operation, setting)?;
    let frame = source.as_ref().unwrap_or(&table.frame);
    let kept = filtered(operation, frame, table)?;
    if operation.group.is_empty() {
        return Ok(Column::Constant(table.scratch.integer(integer(kept.len()))?));
    }
    let grouped = Grouped::new(operation, frame, table, kept)?;
    let counts: Vec<usize> = grouped.of_table.iter().map(|rows| rows.len()).collect();
    let cells = counts.into_iter().map(|count| table.scratch.integer(integer(count)));
    Ok(Column::Owned(cells.collect::<Result<Vec<_>, _>>()?.into()))
}

/// The rows of an operation's source that belong to each row of the table.
struct Grouped {
    of_table: Vec<Rc<[u32]>>,
}

impl Grouped {
    fn new(
        operation: &Operation,
        source: &Frame<'_>,
        table: &Table<'_>,
        kept: Vec<u32>,
    ) -> Result<Self, Halt> {
        let names = &operation.group;
        let there = names.iter().map(|name| source.need(&beyond(operation, name, table)));
        let there = there.collect::<Result<Vec<_>, _>>()?;
        let here = names.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
        let mut index = KeyIndex::new(names.len());
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in kept {
            let id = index.insert(there.iter().map(|column| column.cell(row as usize))) as usize;
            if id == groups.len() {
                groups.push(Vec::new());
            }
            groups[id].push(row);
        }
        let groups: Vec<Rc<[u32]>> = groups.into_iter().map(Rc::from).collect();
        let none: Rc<[u32]> = Rc::from(Vec::new());
        let group_of = |row: usize| {
            let found = index.find(here.iter().map(|column| column.cell(row)));
            found.map_or_else(|| none.clone(), |id| groups[id as usize].clone())
        };
        Ok(Self { of_table: (0..table.frame.rows).map(group_of).collect() })
    }
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What is known of the dataset that each row comes from.
fn metadata<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<Column<'s>, Halt> {
    let name = operation.name.as_deref().unwrap_or_default();
    let known = dataset_metadata(setting.study, &setting.unit.members, &mut table.scratch)?;
    let column = known.get(name).ok_or_else(|| Halt::Unable(format!("metadata `{name}`")))?;
    let cell = |place: u32| {
        let member = setting.unit.members.iter().position(|member| *member == place as usize);
        member.map_or(Sym::EMPTY, |member| column.cell(member))
    };
    Ok(Column::Owned(table.frame.origins.iter().map(|origin| cell(origin.dataset)).collect()))
}

/// How many datasets have the variable, each under its own prefix.
fn variable_count<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<Column<'s>, Halt> {
    let name = operation.name.as_deref().unwrap_or_default();
    let has = |unit: &&Unit| {
        let variable = match (&unit.domain, name.strip_prefix("--")) {
            (Some(domain), Some(rest)) => format!("{}{rest}", own_prefix(domain)),
            _ => name.to_owned(),
        };
        unit.members.iter().any(|place| setting.study.datasets[*place].places.contains_key(&variable))
    };
    let count = setting.study.units.iter().filter(has).count();
    Ok(Column::Constant(table.scratch.integer(integer(count))?))
}

fn list(items: impl IntoIterator<Item = Sym>) -> Rc<List> {
    Rc::new(List::distinct(items))
}
