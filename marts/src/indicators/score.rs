//! Scores, flags and limits of every indicator at site level.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Float64Array, Int8Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use measures::{bounds, normal_approximation};
use warehouse::workbench::Workbench;

use super::{IndicatorDefinition, NORMAL_APPROXIMATION, definitions};
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
pub(super) fn groups(bench: &Workbench, mart: &str) -> Result<BTreeMap<(String, String), Groups>> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let batches = bench.engine().query("sum the indicators by group", SUMS).map_err(failed)?;
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
pub fn by_site(bench: &Workbench) -> Result<RecordBatch> {
    let mut rows = Rows::default();
    let groups = groups(bench, "mart_kri")?;
    for definition in definitions()? {
        if let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) {
            rows.score(definition, group)?;
        }
    }
    rows.into_batch()
}

#[derive(Debug, Default)]
struct Rows {
    indicator: Vec<String>,
    site: Vec<String>,
    numbers: [Vec<f64>; 5],
    score: Vec<Option<f64>>,
    flag: Vec<Option<i8>>,
}

impl Rows {
    fn score(&mut self, definition: &IndicatorDefinition, group: &Groups) -> Result<()> {
        let refused = |source| definition.refused("mart_kri", source);
        let fit = normal_approximation(&group.numerators, &group.denominators, definition.kind())
            .map_err(refused)?;
        let rule = definition.flag_rule()?;
        for (row, scored) in fit.groups.iter().enumerate() {
            let (numerator, denominator) = (group.numerators[row], group.denominators[row]);
            let judged = rule.judge(numerator, denominator, scored.score);
            self.indicator.push(definition.id.clone());
            self.site.push(group.names[row].clone());
            let numbers = [numerator, denominator, scored.metric, fit.overall, fit.factor];
            self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
            self.score.push(judged.score);
            self.flag.push(judged.flag);
        }
        Ok(())
    }

    fn into_batch(self) -> Result<RecordBatch> {
        let number = |name: &str, nullable| Field::new(name, DataType::Float64, nullable);
        let schema = Schema::new(vec![
            Field::new("indicator_id", DataType::Utf8, false),
            Field::new("site_id", DataType::Utf8, false),
            Field::new("method", DataType::Utf8, false),
            number("numerator", false),
            number("denominator", false),
            number("metric", false),
            number("overall_metric", false),
            number("factor", false),
            number("score", true),
            Field::new("flag", DataType::Int8, true),
        ]);
        let method =
            StringArray::from_iter_values(std::iter::repeat_n(NORMAL_APPROXIMATION, self.site.len()));
        let mut columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(StringArray::from(self.indicator)),
            Arc::new(StringArray::from(self.site)),
            Arc::new(method),
        ];
        columns.extend(self.numbers.into_iter().map(|numbers| Arc::new(Float64Array::from(numbers)) as _));
        columns.push(Arc::new(Float64Array::from(self.score)));
        columns.push(Arc::new(Int8Array::from(self.flag)));
        batch("mart_kri", schema, columns)
    }
}

/// `mart_kri_bounds`: the limits of every indicator over the denominator.
///
/// # Errors
/// [`Error::Measure`] with the indicator whose limits cannot be computed.
pub fn bounds_by_indicator(bench: &Workbench) -> Result<RecordBatch> {
    let groups = groups(bench, "mart_kri_bounds")?;
    let mut indicators: Vec<String> = Vec::new();
    let mut numbers: [Vec<f64>; 4] = Default::default();
    for definition in definitions()? {
        let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) else { continue };
        let refused = |source| definition.refused("mart_kri_bounds", source);
        let fit = normal_approximation(&group.numerators, &group.denominators, definition.kind())
            .map_err(refused)?;
        for bound in bounds(&fit, &group.denominators, &definition.thresholds).map_err(refused)? {
            indicators.push(definition.id.clone());
            let row = [bound.threshold, bound.denominator, bound.numerator, bound.metric];
            numbers.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
        }
    }
    let fields = ["threshold", "denominator", "numerator", "metric"]
        .map(|name| Field::new(name, DataType::Float64, false));
    let schema = Schema::new(
        std::iter::once(Field::new("indicator_id", DataType::Utf8, false)).chain(fields).collect::<Vec<_>>(),
    );
    let mut columns: Vec<arrow::array::ArrayRef> = vec![Arc::new(StringArray::from(indicators))];
    columns.extend(numbers.into_iter().map(|numbers| Arc::new(Float64Array::from(numbers)) as _));
    batch("mart_kri_bounds", schema, columns)
}

pub(super) fn batch(mart: &str, schema: Schema, columns: Vec<arrow::array::ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(Arc::new(schema), columns)
        .map_err(|error| Error::Definition { mart: mart.to_owned(), reason: error.to_string() })
}
