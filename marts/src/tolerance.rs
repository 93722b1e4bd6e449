//! Tolerance limits of a study: definitions are data, the methods are `measures::tolerance`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::tolerance::posterior::Prior;
use measures::tolerance::predictive::Forecast;
use measures::tolerance::{Levels, Method, Rule, Snapshot, Verdict};
use measures::{Kind, MeasureError};
use serde::Deserialize;
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Error, Result};

/// The definitions, as shipped. They are part of what the mart is computed from.
pub(crate) const PARAMETERS: &str = include_str!("tolerance/limits.toml");
/// What is counted for each limit.
pub const COUNTS: &str = include_str!("tolerance/counts.sql");

const MART: &str = "mart_tolerance_limit";

/// Jeffreys' prior of a share: little was known beforehand.
const PRIOR: Prior = Prior { a: 0.5, b: 0.5 };
/// The secondary limit and the limit of a method, on its own scale.
const DEVIATIONS: (f64, f64) = (2.0, 3.0);
const LOWER_COUNTS: (f64, f64) = (0.975, 0.998_65);
const PROBABILITIES: (f64, f64) = (0.5, 0.8);

/// One limit as `limits.toml` defines it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDefinition {
    /// `qtl_ineligible`.
    pub id: String,
    /// As it stands in a heading.
    pub title: String,
    /// What is counted.
    pub events: String,
    /// Of what.
    pub units: String,
    /// The share that is expected.
    pub expected: f64,
    /// The share that is tolerated: the limit.
    pub tolerated: f64,
    /// Below so many units no verdict is given.
    pub least_units: f64,
}

/// Every limit, in the order of the file.
///
/// # Errors
/// [`Error::Definition`] when the shipped file is not well formed, which a test rules out.
pub fn definitions() -> Result<&'static [LimitDefinition]> {
    #[derive(Deserialize)]
    struct Limits {
        limit: Vec<LimitDefinition>,
    }
    static LIMITS: LazyLock<Result<Vec<LimitDefinition>, String>> = LazyLock::new(|| {
        toml::from_str::<Limits>(PARAMETERS).map(|limits| limits.limit).map_err(|error| error.to_string())
    });
    let wrong = |reason: &String| Error::Definition { mart: MART.to_owned(), reason: reason.clone() };
    LIMITS.as_deref().map_err(wrong)
}

impl LimitDefinition {
    /// The methods by which the limit is read, each with its name. What the study will come to is known only when the
    /// number of units is planned.
    fn methods(&self, planned_units: Option<f64>) -> Result<Vec<(&'static str, Method)>, MeasureError> {
        let Self { expected, tolerated, .. } = *self;
        let levels = |(secondary, limit)| Levels::new(secondary, limit);
        let mut methods = vec![
            ("fixed", Method::Fixed { levels: levels(((expected + tolerated) / 2.0, tolerated))? }),
            ("deviations", Method::Deviations { expected, levels: levels(DEVIATIONS)? }),
            ("exact", Method::Exact { expected, levels: levels(LOWER_COUNTS)? }),
            ("posterior", Method::Posterior { prior: PRIOR, tolerated, levels: levels(PROBABILITIES)? }),
        ];
        if let Some(planned_units) = planned_units {
            let forecast = Forecast { prior: PRIOR, tolerated, planned_units };
            methods.push(("predictive", Method::Predictive { forecast, levels: levels(PROBABILITIES)? }));
        }
        Ok(methods)
    }
}

#[derive(Debug)]
struct Row {
    method: &'static str,
    counted: Snapshot,
    definition: &'static LimitDefinition,
    statistic: Option<f64>,
    levels: [Option<f64>; 2],
    verdict: &'static str,
}

/// `mart_tolerance_limit`: every limit that the study's sources can answer, by every method.
///
/// # Errors
/// [`Error::Measure`] with the limit whose counts cannot be judged.
pub fn by_method(engine: &Engine) -> Result<RecordBatch> {
    let counts = counts(engine)?;
    let mut rows = Vec::new();
    for definition in definitions()? {
        if let Some((counted, planned)) = counts.get(&definition.id) {
            rows.extend(judged(definition, *counted, *planned).map_err(|source| Error::Measure {
                mart: MART.to_owned(),
                indicator: definition.id.clone(),
                source,
            })?);
        }
    }
    into_batch(&rows)
}

type Counts = BTreeMap<String, (Snapshot, Option<f64>)>;

fn counts(engine: &Engine) -> Result<Counts> {
    let failed = |source| Error::Build { mart: MART.to_owned(), source };
    let mut counts = Counts::new();
    for batch in engine.query("count for the tolerance limits", COUNTS).map_err(failed)? {
        let number = |position: usize, row| batch.column(position).as_primitive::<Float64Type>().value(row);
        for row in 0..batch.num_rows() {
            let snapshot = Snapshot { events: number(1, row), units: number(2, row) };
            // A plan that is exceeded says nothing of how the study will end.
            let planned = (!batch.column(3).is_null(row)).then(|| number(3, row));
            let planned = planned.filter(|planned| *planned >= snapshot.units);
            counts.insert(batch.column(0).as_string::<i32>().value(row).to_owned(), (snapshot, planned));
        }
    }
    Ok(counts)
}

fn judged(
    definition: &'static LimitDefinition,
    counted: Snapshot,
    planned_units: Option<f64>,
) -> Result<Vec<Row>, MeasureError> {
    let mut rows = Vec::new();
    for (name, method) in definition.methods(planned_units)? {
        let rule = Rule::new(Kind::Binary, method, definition.least_units)?;
        for reading in rule.readings(&[counted])? {
            rows.push(Row {
                method: name,
                counted,
                definition,
                statistic: reading.statistic,
                levels: [reading.secondary, reading.limit],
                verdict: match reading.verdict {
                    Verdict::TooFew => "too_few",
                    Verdict::Within => "within",
                    Verdict::Secondary => "secondary",
                    Verdict::Breach => "breach",
                },
            });
        }
    }
    Ok(rows)
}

fn into_batch(rows: &[Row]) -> Result<RecordBatch> {
    let columns = vec![
        texts("limit_id", rows, |row| &row.definition.id),
        texts("method", rows, |row| row.method),
        texts("title", rows, |row| &row.definition.title),
        numbers("events", rows, |row| row.counted.events),
        numbers("units", rows, |row| row.counted.units),
        numbers("share", rows, |row| row.counted.events / row.counted.units),
        numbers("expected", rows, |row| row.definition.expected),
        numbers("tolerated", rows, |row| row.definition.tolerated),
        some_numbers("statistic", rows, |row| row.statistic),
        some_numbers("secondary_limit", rows, |row| row.levels[0]),
        some_numbers("limit", rows, |row| row.levels[1]),
        texts("verdict", rows, |row| row.verdict),
    ];
    table(MART, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_usable_by_every_method() {
        let definitions = definitions().expect("the file is well formed");
        assert_eq!(definitions.len(), 8);
        for definition in definitions {
            assert!(definition.expected < definition.tolerated, "{}", definition.id);
            let counted = Snapshot { events: 3.0, units: 100.0 };
            let rows = judged(definition, counted, Some(200.0)).expect("every method reads it");
            assert_eq!(rows.len(), 5);
        }
    }

    #[test]
    fn few_units_have_no_verdict_and_many_events_are_a_breach() {
        let definition = &definitions().expect("the file is well formed")[1];
        let verdicts = |events, units| -> Vec<&str> {
            let rows = judged(definition, Snapshot { events, units }, None).expect("it is read");
            rows.iter().map(|row| row.verdict).collect()
        };
        assert_eq!(verdicts(5.0, 19.0), ["too_few"; 4]);
        assert_eq!(verdicts(0.0, 100.0), ["within"; 4]);
        assert_eq!(verdicts(30.0, 100.0), ["breach"; 4]);
    }
}
