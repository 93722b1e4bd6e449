//! What a site's flags add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, Int32Array, RecordBatch};
use arrow::datatypes::Int8Type;
use measures::{Weights, risk_score};
use warehouse::engine::Engine;

use crate::columns::{Column, some_numbers, table, texts};
use crate::{Definitions, Error, Result};

const FLAGS: &str =
    "SELECT site_id, indicator_id, flag FROM mart_kri WHERE flag IS NOT NULL ORDER BY site_id, indicator_id";

/// `mart_site_risk`: the risk score of every site and its counts of red and amber flags.
///
/// # Errors
/// [`Error::Build`] when the flags cannot be read.
pub fn by_site(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: "mart_site_risk".to_owned(), source };
    let mut weights: BTreeMap<&str, Weights> = BTreeMap::new();
    for definition in definitions.shown() {
        if let Some(of) = definition.risk_weights()? {
            weights.insert(&definition.id, of);
        }
    }
    let mut flags: BTreeMap<String, Vec<(String, i8)>> = BTreeMap::new();
    for rows in engine.query("read the flags", FLAGS).map_err(failed)? {
        let (sites, indicators) = (rows.column(0).as_string::<i32>(), rows.column(1).as_string::<i32>());
        let values = rows.column(2).as_primitive::<Int8Type>();
        for row in 0..rows.num_rows() {
            let site = flags.entry(sites.value(row).to_owned()).or_default();
            site.push((indicators.value(row).to_owned(), values.value(row)));
        }
    }
    // An indicator that flagged no site at all is not part of the most a site could reach.
    let present: BTreeSet<&str> = flags.values().flatten().map(|(id, _)| id.as_str()).collect();
    let largest: Vec<f64> = present.iter().filter_map(|id| weights.get(id)).map(Weights::largest).collect();
    let mut scores = Vec::with_capacity(flags.len());
    for site in flags.values() {
        let of_site: Vec<f64> = site
            .iter()
            .filter_map(|(id, flag)| weights.get(id.as_str()).and_then(|weights| weights.of(*flag)))
            .collect();
        let risk = risk_score(&of_site, &largest).map_err(|source| Error::Measure {
            mart: "mart_site_risk".to_owned(),
            indicator: "all".to_owned(),
            source,
        })?;
        scores.push(risk.map(|risk| risk.score));
    }
    let count = |red: i8| -> Int32Array {
        let of_site = |site: &Vec<(String, i8)>| site.iter().filter(|(_, flag)| flag.abs() == red).count();
        flags.values().map(|site| i32::try_from(of_site(site)).ok()).collect()
    };
    let sites: Vec<&String> = flags.keys().collect();
    let columns: Vec<Column> = vec![
        texts("site_id", &sites, |site| site),
        some_numbers("risk_score", &scores, |score| *score),
        ("n_red", false, Arc::new(count(2))),
        ("n_amber", false, Arc::new(count(1))),
    ];
    table("mart_site_risk", columns)
}
