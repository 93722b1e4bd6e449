//! Operations on dates.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{Grouped, Setting, beyond, filtered, source};
use crate::date::{self, Moment};
use crate::frame::{Column, Frame, Halt, Table, of_unit};
use crate::pool::{Scratch, Sym};
use crate::rule::Operation;

/// The study day of a column's dates, from the subject's `RFSTDTC` in `DM`; null where one of both is no complete
/// date.
pub(super) fn study_day<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
) -> Result<Column<'s>, Halt> {
    let no_dm = || Halt::Inapplicable("the study has no dataset `DM`".to_owned());
    let demographics = setting.study.units.iter().find(|unit| unit.is_called("DM")).ok_or_else(no_dm)?;
    let demographics = of_unit(setting.study, &demographics.members);
    let (subjects, starts) = (demographics.need("USUBJID")?, demographics.need("RFSTDTC")?);
    // The days of each distinct date, since the same dates come again and again.
    let mut known: FxHashMap<Sym, Option<i64>> = FxHashMap::default();
    let mut day = |scratch: &Scratch<'_>, sym: Sym| {
        *known.entry(sym).or_insert_with(|| date::complete_days(scratch.text_of(sym)))
    };
    let starts: FxHashMap<Sym, Option<i64>> = (0..demographics.rows)
        .map(|row| (subjects.cell(row), day(&table.scratch, starts.cell(row))))
        .collect();
    let dates = table.column(operation.name.as_deref().unwrap_or_default())?;
    let subjects = table.frame.need("USUBJID")?;
    let mut days = Vec::with_capacity(table.frame.rows);
    for row in 0..table.frame.rows {
        let start = starts.get(&subjects.cell(row)).copied().flatten();
        let date = start.and_then(|_| day(&table.scratch, dates.cell(row)));
        days.push(date.zip(start).map(|(date, start)| date::study_day(date, start)));
    }
    let cells = days.into_iter().map(|day| match day {
        Some(day) => table.scratch.integer(day),
        None => Ok(Sym::EMPTY),
    });
    Ok(Column::Owned(cells.collect::<Result<Vec<_>, _>>()?.into()))
}

/// Which end of a group of dates is asked for.
#[derive(Clone, Copy)]
pub(super) enum Extreme {
    Earliest,
    Latest,
}

/// The earliest or latest date of a column; of the records with the row's values of the grouping columns, if there
/// are such. A text that is no date, or one with unknown parts before known ones, makes the operation fail, since its
/// place among the dates is not known.
pub(super) fn extreme<'s>(
    operation: &Operation,
    setting: Setting<'s>,
    table: &mut Table<'s>,
    extreme: Extreme,
) -> Result<Column<'s>, Halt> {
    let source = source(operation, setting)?;
    let frame = source.as_ref().unwrap_or(&table.frame);
    let name = beyond(operation, operation.name.as_deref().unwrap_or_default(), table);
    let kept = filtered(operation, frame, table)?;
    let moments = moments(frame, &name, table)?;
    let best = |rows: &[u32]| -> Sym {
        let mut dates = rows.iter().filter_map(|row| moments[*row as usize]);
        let Some(mut best) = dates.next() else { return Sym::EMPTY };
        for date in dates {
            let better = match extreme {
                Extreme::Earliest => Ordering::Less,
                Extreme::Latest => Ordering::Greater,
            };
            if date.1.compare(best.1) == better {
                best = date;
            }
        }
        best.0
    };
    if operation.group.is_empty() {
        return Ok(Column::Constant(best(&kept)));
    }
    let grouped = Grouped::new(operation, frame, table, kept)?;
    let mut known: HashMap<*const u32, Sym> = HashMap::new();
    let cells = grouped.of_table.iter().map(|rows: &Rc<[u32]>| {
        if rows.is_empty() { Sym::EMPTY } else { *known.entry(rows.as_ptr()).or_insert_with(|| best(rows)) }
    });
    Ok(Column::Owned(cells.collect()))
}

/// The dates of a column with their moments; none for a null.
fn moments(frame: &Frame<'_>, name: &str, table: &Table<'_>) -> Result<Vec<Option<(Sym, Moment)>>, Halt> {
    let column = frame.need(name)?;
    let mut moments = Vec::with_capacity(frame.rows);
    for row in 0..frame.rows {
        let sym = column.cell(row);
        let text = table.scratch.text_of(sym);
        let moment = Moment::parse(text);
        if moment.is_none() && !sym.is_empty() {
            let fault = if date::is_valid(text) {
                "has unknown parts, so that its place among the other dates is not known"
            } else {
                "is not an ISO 8601 date; correct the record"
            };
            return Err(Halt::Unable(format!("`{text}` in `{name}` {fault}")));
        }
        moments.push(moment.map(|moment| (sym, moment)));
    }
    Ok(moments)
}
