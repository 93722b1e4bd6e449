//! Tolerance limits of a study: definitions are data, the methods are `measures::tolerance`.

use std::sync::LazyLock;

use arrow::array::RecordBatch;
use measures::tolerance::control_chart::Chart;
use measures::tolerance::hierarchical::hierarchical;
use measures::tolerance::observed_minus_expected::Course;
use measures::tolerance::posterior::Prior;
use measures::tolerance::predictive::Forecast;
use measures::tolerance::{Levels, Method, Reading, Rule, Snapshot};
use measures::{Kind, MeasureError};
use serde::Deserialize;
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Error, Result};

mod characteristics;
mod count;

pub use characteristics::{Fares, characteristics};
pub use measures::tolerance::Verdict;
pub use measures::tolerance::alarm::{Alarm, Occurrence, Severity};

/// The definitions, as shipped. They are part of what the mart is computed from.
pub(crate) const PARAMETERS: &str = include_str!("tolerance/limits.toml");
/// What is counted for each limit.
pub const COUNTS: &str = include_str!("tolerance/counts.sql");

const MART: &str = "mart_tolerance_limit";
const SITES: &str = "mart_tolerance_site";

/// Jeffreys' prior of a share: little was known beforehand.
const PRIOR: Prior = Prior { a: 0.5, b: 0.5 };
/// The secondary limit and the limit of a method, on its own scale.
const DEVIATIONS: (f64, f64) = (2.0, 3.0);
const LOWER_COUNTS: (f64, f64) = (0.975, 0.998_65);
const PROBABILITIES: (f64, f64) = (0.5, 0.8);
/// Half of a shift of one standard deviation, and the decision intervals that go with it. Source: Montgomery DC,
/// "Introduction to statistical quality control", 7th edition, sections 9.1 and 9.2.
const CUSUM: (Chart, (f64, f64)) = (Chart::Cusum { allowance: 0.5 }, (4.0, 5.0));
const EWMA: (Chart, (f64, f64)) = (Chart::Ewma { weight: 0.2 }, DEVIATIONS);
/// The quantile of the warning limit of observed minus expected events. Source: rbqmR f970c3d.
const WARNING: f64 = 0.99;

/// One limit as `limits.toml` defines it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDefinition {
    /// `qtl_ineligible`.
    pub id: String,
    /// Its place in the catalogue: `Q1`.
    pub code: String,
    /// The indicator whose numbers are counted; none where no source tells of it yet.
    pub indicator: Option<String>,
    /// What of them.
    pub counts: CountedAs,
    /// What a source has to tell, so that it ends "no source tells …".
    pub needs: String,
    /// As it stands in a heading.
    pub title: String,
    /// What is counted.
    pub events: String,
    /// Of what.
    pub units: String,
    /// The share that is expected.
    pub expected: f64,
    /// The share at which an early word is due; halfway to the limit when none is said.
    pub secondary: Option<f64>,
    /// The share that is tolerated: the limit.
    pub tolerated: f64,
    /// Below so many units no verdict is given.
    pub least_units: f64,
    /// Whether it is computed and shown.
    #[serde(default = "crate::indicators::shown")]
    pub shown: bool,
    /// Who changed it last, and how often: `shipped`, `tenant 2`, `study 1`.
    #[serde(default = "crate::indicators::as_shipped")]
    pub version: String,
}

/// What of an indicator's numbers a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedAs {
    /// The numerator of the denominator.
    Events,
    /// What the numerator lacks of the denominator.
    Missing,
    /// Subjects with an event of all subjects.
    Subjects,
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

/// The state of an alarm after these occurrences, in the order of time. An act that the state of its day did not allow
/// changes nothing: nobody could have done it.
#[must_use]
pub fn after(occurrences: impl IntoIterator<Item = Occurrence>) -> Alarm {
    occurrences.into_iter().fold(Alarm::Ok, |alarm, occurrence| alarm.after(occurrence).unwrap_or(alarm))
}

impl LimitDefinition {
    /// The share at which an early word is due.
    #[must_use]
    pub fn secondary(&self) -> f64 {
        self.secondary.unwrap_or_else(|| f64::midpoint(self.expected, self.tolerated))
    }

    /// Why it cannot be used, if it cannot.
    pub(crate) fn check(&self) -> std::result::Result<(), &'static str> {
        let share = |value: f64| value > 0.0 && value < 1.0;
        if !share(self.expected) || !share(self.tolerated) || !share(self.secondary()) {
            return Err("a share lies between 0 and 1, both left out");
        }
        if self.expected >= self.tolerated {
            return Err("what is expected must lie below what is tolerated");
        }
        if !(self.expected..=self.tolerated).contains(&self.secondary()) {
            return Err("the secondary limit must lie between what is expected and what is tolerated");
        }
        if !self.least_units.is_finite() || self.least_units < 0.0 {
            return Err("the least units must be zero or above");
        }
        Ok(())
    }

    /// The methods by which the limit is read, each with its name. What the study will come to is known only when the
    /// number of units is planned.
    fn methods(&self, planned_units: Option<f64>) -> Result<Vec<(&'static str, Method)>, MeasureError> {
        let Self { expected, tolerated, .. } = *self;
        let levels = |(secondary, limit)| Levels::new(secondary, limit);
        let chart = |(chart, limits)| Ok(Method::Chart { expected, chart, levels: levels(limits)? });
        let mut methods = vec![
            ("fixed", Method::Fixed { levels: levels((self.secondary(), tolerated))? }),
            ("deviations", Method::Deviations { expected, levels: levels(DEVIATIONS)? }),
            ("exact", Method::Exact { expected, levels: levels(LOWER_COUNTS)? }),
            ("shewhart", chart((Chart::Shewhart, DEVIATIONS))?),
            ("cusum", chart(CUSUM)?),
            ("ewma", chart(EWMA)?),
            ("posterior", Method::Posterior { prior: PRIOR, tolerated, levels: levels(PROBABILITIES)? }),
        ];
        if let Some(planned_units) = planned_units {
            let course = Course { expected, permitted: tolerated, planned_units, warning: WARNING };
            methods.push(("observed_minus_expected", Method::ObservedMinusExpected(course)));
            let forecast = Forecast { prior: PRIOR, tolerated, planned_units };
            methods.push(("predictive", Method::Predictive { forecast, levels: levels(PROBABILITIES)? }));
        }
        Ok(methods)
    }
}

#[derive(Debug)]
struct Row<'a> {
    method: &'static str,
    counted: Snapshot,
    definition: &'a LimitDefinition,
    statistic: Option<f64>,
    levels: [Option<f64>; 2],
    verdict: &'static str,
}

impl<'a> Row<'a> {
    fn of(
        definition: &'a LimitDefinition,
        method: &'static str,
        counted: Snapshot,
        reading: Reading,
    ) -> Self {
        Self {
            method,
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
        }
    }
}

/// `mart_tolerance_limit`: every limit that the study's sources can answer, by every method.
///
/// # Errors
/// [`Error::Measure`] with the limit whose counts cannot be judged.
pub fn by_method(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let counted = count::read(engine, MART)?;
    let mut rows = Vec::new();
    for definition in definitions.limits().iter().filter(|limit| limit.shown) {
        let Some(of) = definition.indicator.as_ref().and_then(|id| counted.get(id)) else { continue };
        let course = of.course(definition);
        let Some(now) = course.last().filter(|now| now.units > 0.0) else { continue };
        let refused = |source| refused(MART, definition, source);
        let planned = of.planned_units(definition, *now);
        rows.extend(judged(definition, &course, planned).map_err(refused)?);
        let sites: Vec<Snapshot> = of.by_site(definition).into_values().collect();
        rows.push(among_sites(definition, *now, &sites).map_err(refused)?);
    }
    into_batch(&rows)
}

/// `mart_tolerance_site`: what each site adds to each limit.
///
/// # Errors
/// [`Error::Build`] when the counts cannot be read.
pub fn by_site(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let counted = count::read(engine, SITES)?;
    let mut rows: Vec<(&str, &str, Snapshot)> = Vec::new();
    for definition in definitions.limits().iter().filter(|limit| limit.shown) {
        let Some(of) = definition.indicator.as_ref().and_then(|id| counted.get(id)) else { continue };
        let sites = of.by_site(definition);
        rows.extend(sites.into_iter().map(|(site, counts)| (definition.id.as_str(), site, counts)));
    }
    let columns = vec![
        texts("limit_id", &rows, |row| row.0),
        texts("site_id", &rows, |row| row.1),
        numbers("events", &rows, |row| row.2.events),
        numbers("units", &rows, |row| row.2.units),
        numbers("share", &rows, |row| row.2.events / row.2.units),
    ];
    table(SITES, columns)
}

fn refused(mart: &str, definition: &LimitDefinition, source: MeasureError) -> Error {
    Error::Measure { mart: mart.to_owned(), indicator: definition.id.clone(), source }
}

/// The reading of now by every method that reads a course.
fn judged<'a>(
    definition: &'a LimitDefinition,
    course: &[Snapshot],
    planned_units: Option<f64>,
) -> Result<Vec<Row<'a>>, MeasureError> {
    let mut rows = Vec::new();
    for (name, method) in definition.methods(planned_units)? {
        let rule = Rule::new(Kind::Binary, method, definition.least_units)?;
        // Only charts look back.
        let read = if matches!(method, Method::Chart { .. }) { course } else { last(course) };
        if let (Some(now), Some(reading)) = (course.last(), rule.readings(read)?.pop()) {
            rows.push(Row::of(definition, name, *now, reading));
        }
    }
    Ok(rows)
}

fn last(course: &[Snapshot]) -> &[Snapshot] {
    &course[course.len().saturating_sub(1)..]
}

/// The reading by how sites differ: the probability that the share expected of a site exceeds the limit.
fn among_sites<'a>(
    definition: &'a LimitDefinition,
    now: Snapshot,
    sites: &[Snapshot],
) -> Result<Row<'a>, MeasureError> {
    let events: Vec<f64> = sites.iter().map(|site| site.events).collect();
    let units: Vec<f64> = sites.iter().map(|site| site.units).collect();
    // About the units of a site is wide enough for any prior; see `hierarchical`.
    let widest = (now.units / sites.len().max(1) as f64).clamp(10.0, 1e6);
    let found = hierarchical(&events, &units, definition.tolerated, widest)?;
    let levels = Levels::new(PROBABILITIES.0, PROBABILITIES.1)?;
    let verdict =
        if now.units < definition.least_units { Verdict::TooFew } else { levels.verdict(found.above) };
    let reading = Reading {
        statistic: Some(found.above),
        secondary: Some(PROBABILITIES.0),
        limit: Some(PROBABILITIES.1),
        verdict,
    };
    Ok(Row::of(definition, "hierarchical", now, reading))
}

fn into_batch(rows: &[Row<'_>]) -> Result<RecordBatch> {
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
        let places: std::collections::BTreeSet<&str> =
            definitions.iter().map(|definition| definition.code.as_str()).collect();
        assert_eq!(places.len(), 12, "Q1 to Q12");
        for definition in definitions {
            assert!(definition.expected < definition.tolerated, "{}", definition.id);
            let counted = Snapshot { events: 3.0, units: 100.0 };
            let rows = judged(definition, &[counted], Some(200.0)).expect("every method reads it");
            assert_eq!(rows.len(), 9);
            assert_eq!(definition.check(), Ok(()), "{}", definition.id);
        }
    }

    #[test]
    fn few_units_have_no_verdict_and_many_events_are_a_breach() {
        let definition = &definitions().expect("the file is well formed")[1];
        let verdicts = |events, units| -> Vec<&str> {
            let rows = judged(definition, &[Snapshot { events, units }], None).expect("it is read");
            rows.iter().map(|row| row.verdict).collect()
        };
        assert_eq!(verdicts(5.0, 19.0), ["too_few"; 7]);
        assert_eq!(verdicts(0.0, 100.0), ["within"; 7]);
        assert_eq!(verdicts(30.0, 100.0), ["breach"; 7]);
    }
}
