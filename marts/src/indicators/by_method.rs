//! Every indicator at every level by every method, side by side.
//!
//! - `normal_approximation`, the open reference: each group against all groups, itself among them.
//! - `leave_one_out`: each group against the rest, with the rest's over-dispersion; it does not hide itself.
//! - `exact`: the law of the count itself, which holds for the smallest groups, and knows chance alone.
//!
//! The last two have probabilities, which are adjusted for how many groups and indicators of a level were looked at.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use measures::{Against, benjamini_hochberg, exact, leave_one_out, normal_approximation};
use warehouse::engine::Engine;

use super::score::{Groups, LEVELS, groups};
use super::{IndicatorDefinition, NORMAL_APPROXIMATION, definitions};
use crate::Result;
use crate::columns::{numbers, some_numbers, table, texts};

const MART: &str = "mart_indicator";
const LEAVE_ONE_OUT: &str = "leave_one_out";
const EXACT: &str = "exact";
const METHODS: [&str; 3] = [NORMAL_APPROXIMATION, LEAVE_ONE_OUT, EXACT];

/// Below so many expected events the normal law is no approximation. Source: the usual rule for counts, as in Cochran
/// WG, "Some methods for strengthening the common chi-squared tests", Biometrics 1954;10:417-451.
const LEAST_EXPECTED: f64 = 5.0;

/// One group by one method.
#[derive(Debug)]
struct Row {
    level: &'static str,
    indicator: String,
    group: String,
    method: &'static str,
    numerator: f64,
    denominator: f64,
    metric: f64,
    expected: f64,
    factor: Option<f64>,
    score: Option<f64>,
    p: Option<f64>,
    q: Option<f64>,
    flag: Option<i8>,
}

/// `mart_indicator`: every indicator, level, group and method.
///
/// # Errors
/// [`crate::Error::Measure`] with the indicator whose sums cannot be scored.
pub fn by_level(engine: &Engine) -> Result<RecordBatch> {
    let groups = groups(engine, MART)?;
    let mut rows = Vec::new();
    for level in LEVELS {
        for method in METHODS {
            let first = rows.len();
            for definition in definitions()? {
                if let Some(group) = groups.get(&(definition.id.clone(), level.to_owned())) {
                    rows.extend(judged((level, method), definition, group)?);
                }
            }
            adjust(&mut rows[first..]);
        }
    }
    into_batch(&rows)
}

/// Adjusts the probabilities of one level and method for their number.
fn adjust(rows: &mut [Row]) {
    let probabilities: Vec<f64> = rows.iter().map(|row| row.p.unwrap_or(f64::NAN)).collect();
    for (row, adjusted) in rows.iter_mut().zip(benjamini_hochberg(&probabilities)) {
        row.q = row.p.map(|_| adjusted);
    }
}

fn judged(
    (level, method): (&'static str, &'static str),
    definition: &IndicatorDefinition,
    group: &Groups,
) -> Result<Vec<Row>> {
    let refused = |source| definition.refused(MART, source);
    let (numerators, denominators, kind) = (&group.numerators, &group.denominators, definition.kind());
    let rule = definition.flag_rule()?;
    let row = |place: usize| Row {
        level,
        indicator: definition.id.clone(),
        group: group.names[place].clone(),
        method,
        numerator: numerators[place],
        denominator: denominators[place],
        metric: numerators[place] / denominators[place],
        expected: 0.0,
        factor: None,
        score: None,
        p: None,
        q: None,
        flag: None,
    };
    let rows = match method {
        NORMAL_APPROXIMATION => {
            let fit = normal_approximation(numerators, denominators, kind).map_err(refused)?;
            let row = |(place, scored): (usize, &measures::GroupScore)| {
                let judged = rule.judge(numerators[place], denominators[place], scored.score);
                Row {
                    expected: fit.overall * denominators[place],
                    factor: Some(fit.factor),
                    score: judged.score,
                    flag: judged.flag,
                    ..row(place)
                }
            };
            fit.groups.iter().enumerate().map(row).collect()
        }
        LEAVE_ONE_OUT => {
            let scored = leave_one_out(numerators, denominators, kind).map_err(refused)?;
            let row = |(place, scored): (usize, &measures::LeftOut)| {
                let judged = rule.judge_expected(scored.expected, LEAST_EXPECTED, scored.score);
                Row {
                    expected: scored.expected,
                    factor: Some(scored.factor),
                    score: judged.score,
                    p: judged.score.map(|_| scored.p),
                    flag: judged.flag,
                    ..row(place)
                }
            };
            scored.iter().enumerate().map(row).collect()
        }
        _ => {
            let scored = exact(numerators, denominators, kind, Against::Rest).map_err(refused)?;
            let row = |(place, scored): (usize, &measures::ExactGroup)| Row {
                expected: scored.expected,
                score: Some(scored.score),
                p: Some(scored.two_sided),
                flag: rule.judge_expected(scored.expected, 0.0, scored.score).flag,
                ..row(place)
            };
            scored.iter().enumerate().map(row).collect()
        }
    };
    Ok(rows)
}

fn into_batch(rows: &[Row]) -> Result<RecordBatch> {
    let flags = rows.iter().map(|row| row.flag).collect::<Int8Array>();
    let columns = vec![
        texts("indicator_id", rows, |row| &row.indicator),
        texts("level", rows, |row| row.level),
        texts("group_id", rows, |row| &row.group),
        texts("method", rows, |row| row.method),
        numbers("numerator", rows, |row| row.numerator),
        numbers("denominator", rows, |row| row.denominator),
        numbers("metric", rows, |row| row.metric),
        numbers("expected", rows, |row| row.expected),
        some_numbers("factor", rows, |row| row.factor),
        some_numbers("score", rows, |row| row.score),
        some_numbers("p_value", rows, |row| row.p),
        some_numbers("q_value", rows, |row| row.q),
        ("flag", true, Arc::new(flags) as ArrayRef),
    ];
    table(MART, columns)
}
