//! How long subjects stay: the share that is still on study, and what the others left for.

pub mod by_group;

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::MeasureError;
use measures::survival::{Band, cumulative_incidence, kaplan_meier};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Error, Result};

/// Days on study of each enrolled subject, and what it left for; none while it goes on or when it completed.
pub const COURSES: &str = include_str!("retention/courses.sql");

const MART: &str = "mart_retention";
const REASONS_MART: &str = "mart_retention_reason";
const LEVEL: f64 = 0.95;

#[derive(Debug, Default)]
struct Courses {
    days: Vec<f64>,
    reasons: Vec<Option<String>>,
}

fn courses(engine: &Engine, mart: &str) -> Result<Courses> {
    let failed = |source| Error::Build { mart: mart.to_owned(), source };
    let mut courses = Courses::default();
    for batch in engine.query("read how long subjects stayed", COURSES).map_err(failed)? {
        let (days, reasons) =
            (batch.column(0).as_primitive::<Float64Type>(), batch.column(1).as_string::<i32>());
        courses.days.extend(days.values());
        courses.reasons.extend(reasons.iter().map(|reason| reason.map(str::to_owned)));
    }
    Ok(courses)
}

fn refused(mart: &str) -> impl Fn(MeasureError) -> Error {
    move |source| Error::Measure { mart: mart.to_owned(), indicator: "days on study".to_owned(), source }
}

/// `mart_retention`: the Kaplan-Meier estimate of staying on study, with log-log limits of 95 %.
///
/// # Errors
/// [`Error::Measure`] when the days on study cannot be used.
pub fn curve(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let courses = courses(engine, MART)?;
    let left: Vec<bool> = courses.reasons.iter().map(Option::is_some).collect();
    let steps = if courses.days.is_empty() {
        Vec::new()
    } else {
        kaplan_meier(&courses.days, &left, Band::LogLog, LEVEL).map_err(refused(MART))?
    };
    #[expect(clippy::cast_precision_loss, reason = "subjects are fewer than 2^53")]
    let columns = vec![
        numbers("day", &steps, |step| step.time),
        numbers("at_risk", &steps, |step| step.at_risk as f64),
        numbers("n_left", &steps, |step| step.events as f64),
        numbers("n_censored", &steps, |step| step.censored as f64),
        numbers("share_on_study", &steps, |step| step.survival),
        some_numbers("standard_error", &steps, |step| {
            step.log_standard_error.map(|error| error * step.survival)
        }),
        some_numbers("lower_limit", &steps, |step| step.limits.map(|(lower, _)| lower)),
        some_numbers("upper_limit", &steps, |step| step.limits.map(|(_, upper)| upper)),
    ];
    table(MART, columns)
}

/// `mart_retention_reason`: the share that has left for each reason, as competing risks.
///
/// # Errors
/// As [`curve`].
pub fn by_reason(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let courses = courses(engine, REASONS_MART)?;
    let names: Vec<String> =
        courses.reasons.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let cause = |reason: &Option<String>| {
        reason.as_ref().and_then(|reason| names.binary_search(reason).ok()).map_or(0, |place| place + 1)
    };
    let causes: Vec<usize> = courses.reasons.iter().map(cause).collect();
    let steps = if names.is_empty() {
        Vec::new()
    } else {
        cumulative_incidence(&courses.days, &causes).map_err(refused(REASONS_MART))?
    };
    let mut rows: Vec<(&str, f64, f64, f64)> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let mut before = 0.0;
        for step in &steps {
            // Only where the share of this reason steps up.
            if step.incidence[place] > before {
                before = step.incidence[place];
                rows.push((name, step.time, before, step.standard_error[place]));
            }
        }
    }
    let columns = vec![
        texts("reason", &rows, |row| row.0),
        numbers("day", &rows, |row| row.1),
        numbers("share_left", &rows, |row| row.2),
        numbers("standard_error", &rows, |row| row.3),
    ];
    table(REASONS_MART, columns)
}
