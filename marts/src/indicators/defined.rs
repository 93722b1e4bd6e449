//! The definitions that made the numbers of a snapshot, as a table of that snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use warehouse::engine::Engine;

use super::{IndicatorDefinition, Model};
use crate::columns::{numbers, some_numbers, table, texts};
use crate::tolerance::LimitDefinition;
use crate::{Definitions, Error, Result};

const MART: &str = "mart_definition";

const ANSWERED: &str = "SELECT DISTINCT indicator_id FROM mart_indicator_input WHERE denominator > 0
     UNION ALL SELECT 'n_ae' FROM mart_reporting HAVING sum(n_ae) > 0
     UNION ALL SELECT 'n_sae' FROM mart_reporting HAVING sum(n_sae) > 0
     UNION ALL SELECT 'n_pd' FROM mart_reporting HAVING sum(n_pd) > 0";

#[derive(Debug, Default)]
struct Row<'a> {
    id: &'a str,
    kind: &'static str,
    code: &'a str,
    domain: &'static str,
    title: &'a str,
    numerator: &'a str,
    denominator: &'a str,
    method: &'static str,
    thresholds: String,
    flags: String,
    weights: String,
    accrual_on: &'static str,
    accrual_least: f64,
    shares: [Option<f64>; 3],
    needs: &'a str,
    version: &'a str,
    shown: bool,
    answered: bool,
}

/// `mart_definition`: every indicator and limit as this build defined it.
///
/// # Errors
/// [`Error::Build`] when it cannot be read which of them the sources answer.
pub fn table_of_definitions(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: MART.to_owned(), source };
    let mut answered: BTreeSet<String> = BTreeSet::new();
    for batch in engine.query("see what is answered", ANSWERED).map_err(failed)? {
        let ids = batch.column(0).as_string::<i32>();
        answered.extend(ids.iter().flatten().map(str::to_owned));
    }
    let mut rows: Vec<Row<'_>> =
        definitions.indicators().iter().map(|definition| indicator(definition, &answered)).collect();
    rows.extend(definitions.limits().iter().map(|definition| limit(definition, &answered)));
    into_batch(&rows)
}

fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn indicator<'a>(definition: &'a IndicatorDefinition, answered: &BTreeSet<String>) -> Row<'a> {
    let known_as = match definition.model {
        Model::Reporting => definition.events.as_deref().unwrap_or_default(),
        _ => &definition.id,
    };
    Row {
        id: &definition.id,
        kind: "indicator",
        code: &definition.code,
        domain: definition.domain.name(),
        title: &definition.title,
        numerator: &definition.numerator_rule,
        denominator: &definition.denominator_rule,
        method: definition.methods().first().copied().unwrap_or_default(),
        thresholds: list(&definition.thresholds),
        flags: list(&definition.flags),
        weights: list(&definition.weights),
        accrual_on: definition.accrual.on.name(),
        accrual_least: definition.accrual.least,
        shares: [None; 3],
        needs: &definition.needs,
        version: &definition.version,
        shown: definition.shown,
        answered: answered.contains(known_as),
    }
}

fn limit<'a>(definition: &'a LimitDefinition, answered: &BTreeSet<String>) -> Row<'a> {
    Row {
        id: &definition.id,
        kind: "limit",
        code: &definition.code,
        domain: "study",
        title: &definition.title,
        numerator: &definition.events,
        denominator: &definition.units,
        method: "fixed",
        accrual_on: "denominator",
        accrual_least: definition.least_units,
        shares: [Some(definition.expected), Some(definition.secondary()), Some(definition.tolerated)],
        needs: &definition.needs,
        version: &definition.version,
        shown: definition.shown,
        answered: definition.indicator.as_ref().is_some_and(|id| answered.contains(id)),
        ..Row::default()
    }
}

fn into_batch(rows: &[Row<'_>]) -> Result<RecordBatch> {
    let truths = |of: fn(&Row<'_>) -> bool| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<BooleanArray>())
    };
    let columns = vec![
        texts("definition_id", rows, |row| row.id),
        texts("kind", rows, |row| row.kind),
        texts("code", rows, |row| row.code),
        texts("domain", rows, |row| row.domain),
        texts("title", rows, |row| row.title),
        texts("numerator", rows, |row| row.numerator),
        texts("denominator", rows, |row| row.denominator),
        texts("method", rows, |row| row.method),
        texts("thresholds", rows, |row| &row.thresholds),
        texts("flags", rows, |row| &row.flags),
        texts("weights", rows, |row| &row.weights),
        texts("accrual_on", rows, |row| row.accrual_on),
        numbers("accrual_least", rows, |row| row.accrual_least),
        some_numbers("expected", rows, |row| row.shares[0]),
        some_numbers("secondary", rows, |row| row.shares[1]),
        some_numbers("tolerated", rows, |row| row.shares[2]),
        texts("needs", rows, |row| row.needs),
        texts("version", rows, |row| row.version),
        ("is_shown", false, truths(|row| row.shown)),
        ("is_answered", false, truths(|row| row.answered)),
    ];
    table(MART, columns)
}
