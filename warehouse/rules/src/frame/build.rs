//! The tables that rules begin with, before joins and operations.

use std::rc::Rc;

use super::{Column, Frame, Origin};
use crate::RuleError;
use crate::pool::{Scratch, Sym};
use crate::study::{Study, Unit};

/// Row numbers are 32 bits wide; a dataset has fewer records by far.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX - 1)
}

/// One row for each record; the parts of a split dataset follow each other.
pub(crate) fn of_unit<'s>(study: &'s Study, members: &[usize]) -> Frame<'s> {
    let origins = members.iter().flat_map(|place| {
        let records = study.datasets[*place].records;
        (0..records).map(|record| Origin { dataset: number(*place), record: number(record) })
    });
    let mut frame = Frame::new(origins.collect());
    if let [only] = members {
        let dataset = &study.datasets[*only];
        for (variable, column) in dataset.header.variables.iter().zip(&dataset.columns) {
            frame.set(&variable.name, Column::Slice(column));
        }
        return frame;
    }
    for name in members.iter().flat_map(|place| &study.datasets[*place].header.variables) {
        if frame.get(&name.name).is_some() {
            continue;
        }
        let mut cells = Vec::with_capacity(frame.rows);
        for place in members {
            let dataset = &study.datasets[*place];
            match dataset.column(&name.name) {
                Some(column) => cells.extend_from_slice(column),
                None => cells.resize(cells.len() + dataset.records, Sym::EMPTY),
            }
        }
        frame.set(&name.name, Column::Owned(cells.into()));
    }
    frame
}

/// One row for each variable of the datasets.
pub(crate) fn variable_metadata<'s>(
    study: &'s Study,
    members: &[usize],
    scratch: &mut Scratch<'s>,
) -> Result<Frame<'s>, RuleError> {
    let mut origins = Vec::new();
    let mut columns: [Vec<Sym>; 5] = Default::default();
    for place in members {
        for (order, variable) in study.datasets[*place].header.variables.iter().enumerate() {
            origins.push(Origin { dataset: number(*place), record: number(order) });
            columns[0].push(scratch.text(&variable.name)?);
            columns[1].push(scratch.text(&variable.label)?);
            columns[2].push(match variable.length {
                Some(length) => scratch.integer(i64::from(length))?,
                None => Sym::EMPTY,
            });
            columns[3].push(scratch.text(variable.kind.word())?);
            columns[4].push(scratch.integer(i64::from(number(order)) + 1)?);
        }
    }
    let names =
        ["variable_name", "variable_label", "variable_size", "variable_data_type", "variable_order_number"];
    Ok(with_columns(origins, names.into_iter().zip(columns)))
}

/// One row for each dataset.
pub(crate) fn dataset_metadata<'s>(
    study: &'s Study,
    members: &[usize],
    scratch: &mut Scratch<'s>,
) -> Result<Frame<'s>, RuleError> {
    let mut columns: [Vec<Sym>; 4] = Default::default();
    for place in members {
        let header = &study.datasets[*place].header;
        columns[0].push(scratch.text(&header.name)?);
        columns[1].push(scratch.text(&header.label)?);
        columns[2].push(scratch.text(&header.file_name)?);
        columns[3].push(match header.size_bytes.and_then(|size| i64::try_from(size).ok()) {
            Some(size) => scratch.integer(size)?,
            None => Sym::EMPTY,
        });
    }
    let origins = members.iter().map(|place| Origin { dataset: number(*place), record: 0 }).collect();
    let names = ["dataset_name", "dataset_label", "dataset_location", "dataset_size"];
    Ok(with_columns(origins, names.into_iter().zip(columns)))
}

/// One row, with a column for each dataset and domain of the study, which holds its file.
pub(crate) fn domain_presence<'s>(
    study: &'s Study,
    unit: &Unit,
    scratch: &mut Scratch<'s>,
) -> Result<Frame<'s>, RuleError> {
    let mut frame = Frame::new(vec![Origin { dataset: number(unit.members[0]), record: 0 }]);
    for unit in &study.units {
        for place in &unit.members {
            let header = &study.datasets[*place].header;
            let file = scratch.text(&header.file_name)?;
            for name in [Some(&header.name), unit.domain.as_ref()].into_iter().flatten() {
                if frame.get(name).is_none() {
                    frame.set(name, Column::Constant(file));
                }
            }
        }
    }
    Ok(frame)
}

fn with_columns<'s, 'n>(
    origins: Vec<Origin>,
    columns: impl Iterator<Item = (&'n str, Vec<Sym>)>,
) -> Frame<'s> {
    let mut frame = Frame::new(origins);
    for (name, cells) in columns {
        frame.set(name, Column::Owned(Rc::from(cells)));
    }
    frame
}
