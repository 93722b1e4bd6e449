//! The small numbers of sites, scheduled visits and variables.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use warehouse::Result;
use warehouse::engine::Engine;

use crate::by_key::ByKey;

const KEYS: &str = include_str!("keys.sql");

/// The durable keys of sites, scheduled visits or variables in their order, and the place of each version's among them.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) keys: Vec<i64>,
    versions: ByKey,
}

impl Places {
    pub(super) fn of(rows: &[(i64, i64)]) -> Self {
        let mut keys: Vec<i64> = rows.iter().map(|(_, key)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        let place = |key| keys.binary_search(&key).unwrap_or_default();
        let versions = rows.iter().map(|(version, key)| (*version, place(*key))).collect();
        Self { keys, versions }
    }

    pub(super) fn at(&self, version: i64) -> Option<usize> {
        self.versions.get(&version).copied()
    }

    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The places that were looked for last: there are few, and rows that follow each other often have the same.
#[derive(Debug)]
pub(super) struct Last<'a> {
    places: &'a Places,
    found: [Option<(i64, Option<usize>)>; 256],
}

impl<'a> Last<'a> {
    pub(super) const fn of(places: &'a Places) -> Self {
        Self { places, found: [None; 256] }
    }

    pub(super) fn at(&mut self, version: i64) -> Option<usize> {
        // Keys are hashes: any of their bytes will do.
        let found = &mut self.found[usize::from(version.to_le_bytes()[0])];
        match found {
            Some((last, place)) if *last == version => *place,
            _ => {
                let place = self.places.at(version);
                *found = Some((version, place));
                place
            }
        }
    }
}

/// What visits and findings point to.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) sites: Places,
    pub(super) visits: Places,
    pub(super) tests: Places,
}

impl Keys {
    pub(super) fn read(engine: &Engine) -> Result<Self> {
        let mut rows: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for batch in engine.query("read the keys of what is due", KEYS)? {
            let [versions, keys] = [1, 2].map(|place| batch.column(place).as_primitive::<Int64Type>());
            for (row, what) in batch.column(0).as_string::<i32>().iter().flatten().enumerate() {
                rows.entry(what.to_owned()).or_default().push((versions.value(row), keys.value(row)));
            }
        }
        let mut of = |what| Places::of(&rows.remove(what).unwrap_or_default());
        Ok(Self { sites: of("site"), visits: of("visit"), tests: of("test") })
    }

    pub(super) const fn pairs(&self) -> usize {
        self.tests.len() * self.visits.len()
    }

    /// The place of a variable at a visit.
    pub(super) const fn pair(&self, test: usize, visit: usize) -> usize {
        test * self.visits.len() + visit
    }
}
