//! The sums of every indicator, group by group, at every level.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use warehouse::engine::Engine;

use crate::{Error, Result};

/// The whole study, which is compared with nothing.
pub(super) const STUDY: &str = "study";
/// A site.
pub(super) const SITE: &str = "site";
/// What subjects are grouped by and groups are compared at. A group that its source does not name is none.
pub(super) const LEVELS: [&str; 5] = [SITE, "country", "region", "cro", "monitor"];

/// The sums of every indicator at every site that any subject counts for.
pub(crate) const SUMS: &str =
    "SELECT indicator_id, site_sk, sum(numerator) AS numerator, sum(denominator) AS denominator
     FROM mart_indicator_input GROUP BY indicator_id, site_sk ORDER BY indicator_id, site_sk";
/// The group of every site at every level, in the order of [`LEVELS`], then the study.
pub(crate) const SITES: &str =
    "SELECT site_sk, site_id, country, region, cro, monitor_pseudonym, study_id FROM dim_site";

/// The sums of one indicator, group by group.
#[derive(Debug, Default, Clone)]
pub struct Groups {
    /// The groups, in the order of their names.
    pub names: Vec<String>,
    /// The numerator of each.
    pub numerators: Vec<f64>,
    /// The denominator of each, above zero.
    pub denominators: Vec<f64>,
}

impl Groups {
    /// Adds a group.
    pub fn push(&mut self, name: String, numerator: f64, denominator: f64) {
        self.names.push(name);
        self.numerators.push(numerator);
        self.denominators.push(denominator);
    }
}

/// The group of every site at every level.
#[derive(Debug)]
pub(super) struct Sites(BTreeMap<i64, Vec<Option<String>>>);

impl Sites {
    pub(super) fn read(engine: &Engine, mart: &str) -> Result<Self> {
        let failed = |source| Error::Build { mart: mart.to_owned(), source };
        let mut groups = BTreeMap::new();
        for batch in engine.query("read the sites", SITES).map_err(failed)? {
            let sites = batch.column(0).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let of_level = batch.columns()[1..].iter().map(|column| text(column, row));
                groups.insert(sites.value(row), of_level.collect());
            }
        }
        Ok(Self(groups))
    }

    /// The group that a site is in, if it is in one.
    pub(super) fn group(&self, site: i64, level: &str) -> Option<&str> {
        let place = LEVELS.into_iter().chain([STUDY]).position(|known| known == level)?;
        self.0.get(&site)?.get(place)?.as_deref()
    }
}

/// By indicator and level.
pub(super) fn groups(
    engine: &Engine,
    mart: &str,
    sites: &Sites,
) -> Result<BTreeMap<(String, String), Groups>> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let mut sums: BTreeMap<(String, &str, &str), (f64, f64)> = BTreeMap::new();
    for batch in engine.query("sum the indicators by site", SUMS).map_err(failed)? {
        let at = batch.column(1).as_primitive::<Int64Type>();
        let [numerators, denominators] =
            [2, 3].map(|position| batch.column(position).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let (Some(indicator), Some(site)) = (text(batch.column(0), row), sites.0.get(&at.value(row)))
            else {
                continue;
            };
            for (level, name) in LEVELS.into_iter().chain([STUDY]).zip(site) {
                let Some(name) = name else { continue };
                let sum = sums.entry((indicator.clone(), level, name)).or_default();
                sum.0 += numerators.value(row);
                sum.1 += denominators.value(row);
            }
        }
    }
    let mut groups: BTreeMap<(String, String), Groups> = BTreeMap::new();
    for ((indicator, level, name), (numerator, denominator)) in sums {
        if denominator > 0.0 {
            groups.entry((indicator, level.to_owned())).or_default().push(
                name.to_owned(),
                numerator,
                denominator,
            );
        }
    }
    Ok(groups)
}

fn text(column: &ArrayRef, row: usize) -> Option<String> {
    let texts = column.as_string_opt::<i32>()?;
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}
