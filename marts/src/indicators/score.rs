//! Scores, flags and limits of every indicator at site level.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::{Bound, GroupScore, Judged, bounds, normal_approximation};
use warehouse::engine::Engine;

use super::{IndicatorDefinition, NORMAL_APPROXIMATION, definitions};
use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Error, Result};

const SITE: &str = "site";

/// What subjects are grouped by. A group that its source does not name is none.
pub(super) const LEVELS: [&str; 3] = [SITE, "country", "region"];

const SUMS: &str = "WITH groups AS (
         SELECT site_sk, 'site' AS level, site_id AS name FROM dim_site
         UNION ALL SELECT site_sk, 'country', country FROM dim_site
         UNION ALL SELECT site_sk, 'region', region FROM dim_site
     )
     SELECT i.indicator_id, g.level, g.name, sum(i.numerator) AS numerator, sum(i.denominator) AS denominator
     FROM mart_indicator_input i JOIN groups g ON g.site_sk = i.site_sk
     WHERE g.name IS NOT NULL
     GROUP BY i.indicator_id, g.level, g.name
     HAVING sum(i.denominator) > 0
     ORDER BY i.indicator_id, g.level, g.name";

/// The sums of one indicator, group by group.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) names: Vec<String>,
    pub(super) numerators: Vec<f64>,
    pub(super) denominators: Vec<f64>,
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
            group.names.push(text(2, row));
            group.numerators.push(number(3, row));
            group.denominators.push(number(4, row));
        }
    }
    Ok(groups)
}

/// `mart_kri`: scores and flags of every indicator and site.
///
/// # Errors
/// [`Error::Measure`] with the indicator whose sums cannot be scored.
pub fn by_site(engine: &Engine) -> Result<RecordBatch> {
    let mut rows = Vec::new();
    let groups = groups(engine, "mart_kri")?;
    for definition in definitions()? {
        if let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) {
            rows.extend(scored(definition, group)?);
        }
    }
    into_batch(&rows)
}

#[derive(Debug)]
struct Row {
    indicator: String,
    site: String,
    numerator: f64,
    denominator: f64,
    metric: f64,
    overall: f64,
    factor: f64,
    judged: Judged,
}

fn scored(definition: &IndicatorDefinition, group: &Groups) -> Result<Vec<Row>> {
    let refused = |source| definition.refused("mart_kri", source);
    let fit =
        normal_approximation(&group.numerators, &group.denominators, definition.kind()).map_err(refused)?;
    let rule = definition.flag_rule()?;
    let row = |(place, scored): (usize, &GroupScore)| {
        let (numerator, denominator) = (group.numerators[place], group.denominators[place]);
        Row {
            indicator: definition.id.clone(),
            site: group.names[place].clone(),
            numerator,
            denominator,
            metric: scored.metric,
            overall: fit.overall,
            factor: fit.factor,
            judged: rule.judge(numerator, denominator, scored.score),
        }
    };
    Ok(fit.groups.iter().enumerate().map(row).collect())
}

fn into_batch(rows: &[Row]) -> Result<RecordBatch> {
    let flags = rows.iter().map(|row| row.judged.flag).collect::<Int8Array>();
    let columns = vec![
        texts("indicator_id", rows, |row| &row.indicator),
        texts("site_id", rows, |row| &row.site),
        texts("method", rows, |_| NORMAL_APPROXIMATION),
        numbers("numerator", rows, |row| row.numerator),
        numbers("denominator", rows, |row| row.denominator),
        numbers("metric", rows, |row| row.metric),
        numbers("overall_metric", rows, |row| row.overall),
        numbers("factor", rows, |row| row.factor),
        some_numbers("score", rows, |row| row.judged.score),
        ("flag", true, Arc::new(flags) as ArrayRef),
    ];
    table("mart_kri", columns)
}

/// `mart_kri_bounds`: the limits of every indicator over the denominator.
///
/// # Errors
/// [`Error::Measure`] with the indicator whose limits cannot be computed.
pub fn bounds_by_indicator(engine: &Engine) -> Result<RecordBatch> {
    let groups = groups(engine, "mart_kri_bounds")?;
    let mut rows: Vec<(&str, Bound)> = Vec::new();
    for definition in definitions()? {
        let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) else { continue };
        let refused = |source| definition.refused("mart_kri_bounds", source);
        let fit = normal_approximation(&group.numerators, &group.denominators, definition.kind())
            .map_err(refused)?;
        let limits = bounds(&fit, &group.denominators, &definition.thresholds).map_err(refused)?;
        rows.extend(limits.into_iter().map(|bound| (definition.id.as_str(), bound)));
    }
    let columns = vec![
        texts("indicator_id", &rows, |row| row.0),
        numbers("threshold", &rows, |row| row.1.threshold),
        numbers("denominator", &rows, |row| row.1.denominator),
        numbers("numerator", &rows, |row| row.1.numerator),
        numbers("metric", &rows, |row| row.1.metric),
    ];
    table("mart_kri_bounds", columns)
}
