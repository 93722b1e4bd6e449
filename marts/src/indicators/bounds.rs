//! Funnels: the limits of an indicator over the denominator.

use arrow::array::RecordBatch;
use measures::{Against, Bound, bounds, exact_bounds, leave_one_out_bounds, normal_approximation};
use warehouse::engine::Engine;

use super::groups::{Groups, SITE, Sites, groups};
use super::{EXACT, IndicatorDefinition, LEAVE_ONE_OUT, NORMAL_APPROXIMATION};
use crate::columns::{numbers, table, texts};
use crate::{Definitions, Result};

const MART: &str = "mart_kri_bounds";

/// `mart_kri_bounds`: the limits of every indicator by the normal approximation at site level.
///
/// # Errors
/// [`crate::Error::Measure`] with the indicator whose limits cannot be computed.
pub fn bounds_by_indicator(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let groups = groups(engine, MART, &Sites::read(engine, MART)?)?;
    let mut rows: Vec<(&str, Bound)> = Vec::new();
    for definition in definitions.shown().filter(|definition| definition.identity.is_none()) {
        let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) else { continue };
        let limits = bounds_of(definition, group, NORMAL_APPROXIMATION)?;
        rows.extend(limits.into_iter().map(|bound| (definition.id.as_str(), bound)));
    }
    let columns = vec![
        texts("indicator_id", &rows, |row| row.0),
        numbers("threshold", &rows, |row| row.1.threshold),
        numbers("denominator", &rows, |row| row.1.denominator),
        numbers("numerator", &rows, |row| row.1.numerator),
        numbers("metric", &rows, |row| row.1.metric),
    ];
    table(MART, columns)
}

/// The limits of one indicator among the groups of any level by any method; none for methods without any.
///
/// # Errors
/// [`crate::Error::Measure`] when they cannot be computed.
pub fn bounds_of(definition: &IndicatorDefinition, groups: &Groups, method: &str) -> Result<Vec<Bound>> {
    let refused = |source| definition.refused(MART, source);
    let rule = definition.rule_for(method)?;
    let (numerators, denominators, kind) = (&groups.numerators, &groups.denominators, definition.kind());
    match method {
        NORMAL_APPROXIMATION => {
            let fit = normal_approximation(numerators, denominators, kind).map_err(refused)?;
            bounds(&fit, denominators, rule.thresholds()).map_err(refused)
        }
        LEAVE_ONE_OUT => {
            leave_one_out_bounds(numerators, denominators, kind, rule.thresholds()).map_err(refused)
        }
        EXACT => {
            exact_bounds(numerators, denominators, kind, Against::Rest, rule.thresholds()).map_err(refused)
        }
        _ => Ok(Vec::new()),
    }
}
