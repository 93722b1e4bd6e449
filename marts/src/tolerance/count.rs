//! What was counted for each limit: over the course of the study, and by site.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int32Type};
use measures::tolerance::Snapshot;
use warehouse::engine::Engine;

use super::{COUNTS, CountedAs, LimitDefinition};
use crate::{Error, Result};

/// What was counted for one indicator.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Events, units, subjects with an event, subjects; by month and site.
    cells: Vec<(i32, String, [f64; 4])>,
    /// The subjects that the study is to come to.
    planned_subjects: Option<f64>,
}

/// By indicator.
pub(super) fn read(engine: &Engine, mart: &str) -> Result<BTreeMap<String, Counted>> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let mut counted: BTreeMap<String, Counted> = BTreeMap::new();
    for batch in engine.query("count for the tolerance limits", COUNTS).map_err(failed)? {
        let text = |position: usize, row| batch.column(position).as_string::<i32>().value(row).to_owned();
        let number = |position: usize, row| batch.column(position).as_primitive::<Float64Type>().value(row);
        for row in 0..batch.num_rows() {
            let of = counted.entry(text(0, row)).or_default();
            let month = batch.column(2).as_primitive::<Int32Type>().value(row);
            of.cells.push((month, text(1, row), [3, 4, 5, 6].map(|position| number(position, row))));
            of.planned_subjects = (!batch.column(7).is_null(row)).then(|| number(7, row));
        }
    }
    Ok(counted)
}

impl Counted {
    fn of(definition: &LimitDefinition, [events, units, subjects_with, subjects]: [f64; 4]) -> Snapshot {
        match definition.counts {
            CountedAs::Events => Snapshot { events, units },
            CountedAs::Missing => Snapshot { events: units - events, units },
            CountedAs::Subjects => Snapshot { events: subjects_with, units: subjects },
        }
    }

    /// The counts so far at the end of each month in which subjects began; the last is now.
    pub(super) fn course(&self, definition: &LimitDefinition) -> Vec<Snapshot> {
        let mut months: BTreeMap<i32, Snapshot> = BTreeMap::new();
        for (month, _, cell) in &self.cells {
            let found = Self::of(definition, *cell);
            let sum = months.entry(*month).or_insert(Snapshot { events: 0.0, units: 0.0 });
            (sum.events, sum.units) = (sum.events + found.events, sum.units + found.units);
        }
        let mut so_far = Snapshot { events: 0.0, units: 0.0 };
        let add = |month: Snapshot| {
            so_far = Snapshot { events: so_far.events + month.events, units: so_far.units + month.units };
            so_far
        };
        months.into_values().map(add).collect()
    }

    /// The counts of each site that has any, in the order of their names.
    pub(super) fn by_site(&self, definition: &LimitDefinition) -> BTreeMap<&str, Snapshot> {
        let mut sites: BTreeMap<&str, Snapshot> = BTreeMap::new();
        for (_, site, cell) in &self.cells {
            let found = Self::of(definition, *cell);
            let sum = sites.entry(site).or_insert(Snapshot { events: 0.0, units: 0.0 });
            (sum.events, sum.units) = (sum.events + found.events, sum.units + found.units);
        }
        sites.retain(|_, counts| counts.units > 0.0);
        sites
    }

    /// What the units are to come to, where a unit is a subject and the plan is not exceeded: a plan that is exceeded says
    /// nothing of how the study will end.
    pub(super) fn planned_units(&self, definition: &LimitDefinition, now: Snapshot) -> Option<f64> {
        let are_subjects = definition.units == "Enrolled subjects";
        self.planned_subjects.filter(|planned| are_subjects && *planned >= now.units)
    }
}
