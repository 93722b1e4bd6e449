//! Operations that make lists.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Grouped, Setting, beyond, filtered, list, source};
use crate::frame::{Column, Halt, List, Table};
use crate::pool::Sym;
use crate::rule::Operation;

/// The values of a column, once each; of the records with the row's values of the grouping columns, if there are
/// such. With `value_is_reference`, those values that are columns of the dataset that `RDOMAIN` names.
pub(super) fn distinct<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<Column<'s>, Halt> {
    let source = source(operation, setting)?;
    let frame = source.as_ref().unwrap_or(&table.frame);
    let name = beyond(operation, operation.name.as_deref().unwrap_or_default(), table);
    let column = frame.need(&name)?;
    let mut kept = filtered(operation, frame, table)?;
    if operation.by_reference {
        let domains = frame.need("RDOMAIN")?;
        let mut known: HashMap<(Sym, Sym), bool> = HashMap::new();
        kept.retain(|row| {
            let (domain, name) = (domains.cell(*row as usize), column.cell(*row as usize));
            *known.entry((domain, name)).or_insert_with(|| {
                let (domain, name) = (table.scratch.text_of(domain), table.scratch.text_of(name));
                let mut datasets = setting.study.datasets.iter();
                datasets.any(|dataset| dataset.header.name == domain && dataset.places.contains_key(name))
            })
        });
    }
    if operation.group.is_empty() {
        return Ok(Column::List(list(kept.iter().map(|row| column.cell(*row as usize)))));
    }
    let grouped = Grouped::new(operation, frame, table, kept)?;
    // Rows of one group share their list.
    let mut known: HashMap<*const u32, Rc<List>> = HashMap::new();
    let lists = grouped.of_table.iter().map(|rows| {
        (!rows.is_empty()).then(|| {
            let made = known.entry(rows.as_ptr());
            made.or_insert_with(|| list(rows.iter().map(|row| column.cell(*row as usize)))).clone()
        })
    });
    Ok(Column::Lists(lists.collect()))
}

/// The domains of the study's datasets.
pub(super) fn study_domains<'s>(setting: Setting<'s>, table: &mut Table<'s>) -> Result<Column<'s>, Halt> {
    let domains = setting.study.units.iter().map(|unit| unit.domain.as_deref().unwrap_or_default());
    let items = domains.map(|domain| table.scratch.text(domain)).collect::<Result<Vec<_>, _>>()?;
    Ok(Column::List(list(items)))
}

/// The names of the study's datasets.
pub(super) fn dataset_names<'s>(setting: Setting<'s>, table: &mut Table<'s>) -> Result<Column<'s>, Halt> {
    let items = setting.study.dataset_names().map(|name| table.scratch.text(name));
    Ok(Column::List(list(items.collect::<Result<Vec<_>, _>>()?)))
}

/// The variables of the dataset, in their order.
pub(super) fn column_order<'s>(setting: Setting<'s>, table: &mut Table<'s>) -> Result<Column<'s>, Halt> {
    let datasets = setting.unit.members.iter().map(|place| &setting.study.datasets[*place]);
    let names = datasets.flat_map(|dataset| &dataset.header.variables);
    let items = names.map(|variable| table.scratch.text(&variable.name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Column::List(list(items)))
}
