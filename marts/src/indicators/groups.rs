//! The sums of every indicator, group by group, at every level.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use warehouse::engine::Engine;

use crate::{Error, Result};

/// The whole study, which is compared with nothing.
pub(super) const STUDY: &str = "study";
/// A site.
pub(super) const SITE: &str = "site";
/// What subjects are grouped by and groups are compared at. A group that its source does not name is none.
pub(super) const LEVELS: [&str; 5] = [SITE, "country", "region", "cro", "monitor"];

/// The group of every site at every level, and the sums.
pub(crate) const SUMS: &str = "WITH groups AS (
         SELECT site_sk, 'site' AS level, site_id AS name FROM dim_site
         UNION ALL SELECT site_sk, 'country', country FROM dim_site
         UNION ALL SELECT site_sk, 'region', region FROM dim_site
         UNION ALL SELECT site_sk, 'cro', cro FROM dim_site
         UNION ALL SELECT site_sk, 'monitor', monitor_pseudonym FROM dim_site
         UNION ALL SELECT site_sk, 'study', study_id FROM dim_site
     ),
     sums AS (
         SELECT indicator_id, site_sk, sum(numerator) AS numerator, sum(denominator) AS denominator
         FROM mart_indicator_input GROUP BY indicator_id, site_sk
     )
     SELECT i.indicator_id, g.level, g.name, sum(i.numerator) AS numerator, sum(i.denominator) AS denominator
     FROM sums i JOIN groups g ON g.site_sk = i.site_sk
     WHERE g.name IS NOT NULL
     GROUP BY i.indicator_id, g.level, g.name
     HAVING sum(i.denominator) > 0
     ORDER BY i.indicator_id, g.level, g.name";

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

/// By indicator and level.
pub(super) fn groups(engine: &Engine, mart: &str) -> Result<BTreeMap<(String, String), Groups>> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let batches = engine.query("sum the indicators by group", SUMS).map_err(failed)?;
    let mut groups: BTreeMap<(String, String), Groups> = BTreeMap::new();
    for batch in &batches {
        let text = |position: usize, row| batch.column(position).as_string::<i32>().value(row).to_owned();
        let number = |position: usize, row| batch.column(position).as_primitive::<Float64Type>().value(row);
        for row in 0..batch.num_rows() {
            let group = groups.entry((text(0, row), text(1, row))).or_default();
            group.push(text(2, row), number(3, row), number(4, row));
        }
    }
    Ok(groups)
}
