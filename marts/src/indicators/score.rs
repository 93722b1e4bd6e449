//! Every site by each indicator's own method, which is what dashboards show first.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use warehouse::engine::Engine;

use super::by_method::{Row, judged, reported};
use super::groups::{SITE, Sites, groups};
use super::reporting::Courses;
use super::{IN_FRAME, NORMAL_APPROXIMATION};
use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Result};

const MART: &str = "mart_kri";

#[derive(Debug)]
struct Scored {
    indicator: String,
    method: &'static str,
    overall: f64,
    row: Row,
}

/// `mart_kri`: scores and flags of every indicator and site.
///
/// # Errors
/// [`crate::Error::Measure`] with the indicator whose sums cannot be scored.
pub fn by_site(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let sites = Sites::read(engine, MART)?;
    let groups = groups(engine, MART, &sites)?;
    let courses = Courses::read(engine, MART, &sites)?;
    let mut rows: Vec<Scored> = Vec::new();
    for definition in definitions.shown() {
        let method = definition.methods().first().copied().unwrap_or(NORMAL_APPROXIMATION);
        let found = if method == IN_FRAME {
            reported(SITE, definition, &courses)?
        } else if let Some(group) = groups.get(&(definition.id.clone(), SITE.to_owned())) {
            judged((SITE, method), definition, group)?
        } else {
            continue;
        };
        let sum = |of: fn(&Row) -> f64| found.iter().map(of).sum::<f64>();
        let overall = sum(|row| row.numerator) / sum(|row| row.denominator);
        let scored = |row| Scored { indicator: definition.id.clone(), method, overall, row };
        rows.extend(found.into_iter().map(scored));
    }
    into_batch(&rows)
}

fn into_batch(rows: &[Scored]) -> Result<RecordBatch> {
    let flags = rows.iter().map(|scored| scored.row.flag).collect::<Int8Array>();
    let columns = vec![
        texts("indicator_id", rows, |scored| &scored.indicator),
        texts("site_id", rows, |scored| &scored.row.group),
        texts("method", rows, |scored| scored.method),
        numbers("numerator", rows, |scored| scored.row.numerator),
        numbers("denominator", rows, |scored| scored.row.denominator),
        numbers("metric", rows, |scored| scored.row.numerator / scored.row.denominator),
        numbers("overall_metric", rows, |scored| scored.overall),
        some_numbers("factor", rows, |scored| scored.row.factor),
        some_numbers("score", rows, |scored| scored.row.score),
        ("flag", true, Arc::new(flags) as ArrayRef),
    ];
    table(MART, columns)
}
