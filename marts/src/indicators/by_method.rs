//! Every indicator at every level by every method, side by side.
//!
//! - `normal_approximation`, the open reference: each group against all groups, itself among them.
//! - `leave_one_out`: each group against the rest, with the rest's over-dispersion; it does not hide itself. Where fewer than
//!   five events are expected it has no score, and its probability is that of the exact law, widened by the over-dispersion.
//! - `exact`: the law of the count itself, which holds for the smallest groups, and knows chance alone.
//! - `in_frame`: events by visit, each subject against those who were followed as long; the probability is widened by what
//!   the other groups differ among themselves.
//! - `identity`: the number itself against thresholds that were fixed beforehand.
//! - `metric`: the number of the whole study, which is compared with nothing.
//!
//! Probabilities are adjusted for how many groups and indicators of a level were looked at by a method.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use measures::site_test::{Alternative, Seen, beside_others};
use measures::{Against, Basis, benjamini_hochberg, exact, identity, leave_one_out, normal_approximation};
use warehouse::engine::Engine;

use super::groups::{Groups, LEVELS, STUDY, Sites, groups};
use super::reporting::Courses;
use super::{
    EXACT, IDENTITY, IN_FRAME, IdentityOn, IndicatorDefinition, LEAVE_ONE_OUT, METRIC, Model,
    NORMAL_APPROXIMATION,
};
use crate::columns::{numbers, some_numbers, table, texts};
use crate::{Definitions, Result};

const MART: &str = "mart_indicator";
const METHODS: [&str; 5] = [NORMAL_APPROXIMATION, LEAVE_ONE_OUT, EXACT, IN_FRAME, IDENTITY];

/// Below so many expected events the normal law is no approximation. Source: the usual rule for counts, as in Cochran
/// WG, "Some methods for strengthening the common chi-squared tests", Biometrics 1954;10:417-451.
pub const LEAST_EXPECTED: f64 = 5.0;

/// One group by one method.
#[derive(Debug, Default, Clone)]
pub(super) struct Row {
    level: &'static str,
    indicator: String,
    pub(super) group: String,
    method: &'static str,
    pub(super) numerator: f64,
    pub(super) denominator: f64,
    expected: Option<f64>,
    pub(super) factor: Option<f64>,
    pub(super) score: Option<f64>,
    p: Option<f64>,
    q: Option<f64>,
    /// The probabilities of so few or fewer, and of so many or more; and the same, adjusted.
    low: [Option<f64>; 2],
    high: [Option<f64>; 2],
    pub(super) flag: Option<i8>,
}

/// `mart_indicator`: every indicator, level, group and method.
///
/// # Errors
/// [`crate::Error::Measure`] with the indicator whose sums cannot be scored.
pub fn by_level(engine: &Engine, definitions: &Definitions) -> Result<RecordBatch> {
    let sites = Sites::read(engine, MART)?;
    let groups = groups(engine, MART, &sites)?;
    let courses = Courses::read(engine, MART, &sites)?;
    let mut rows = of_study(definitions, &groups, &courses)?;
    for level in LEVELS {
        for method in METHODS {
            let first = rows.len();
            for definition in definitions.shown().filter(|definition| definition.methods().contains(&method))
            {
                if method == IN_FRAME {
                    rows.extend(reported(level, definition, &courses)?);
                } else if let Some(group) = groups.get(&(definition.id.clone(), level.to_owned())) {
                    rows.extend(judged((level, method), definition, group)?);
                }
            }
            adjust(&mut rows[first..]);
        }
    }
    into_batch(&rows)
}

/// The number of the whole study for each indicator.
fn of_study(
    definitions: &Definitions,
    groups: &BTreeMap<(String, String), Groups>,
    courses: &Courses<'_>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for definition in definitions.shown() {
        if definition.model == Model::Reporting {
            let judged =
                courses.judge(definition, STUDY).map_err(|source| definition.refused(MART, source))?;
            rows.extend(judged.into_iter().map(|judged| Row {
                group: judged.group,
                numerator: judged.found.observed as f64,
                denominator: judged.found.visits as f64,
                ..blank((STUDY, METRIC), definition)
            }));
        } else if let Some(sums) = groups.get(&(definition.id.clone(), STUDY.to_owned())) {
            rows.extend(
                (0..sums.names.len()).map(|place| at(sums, place, blank((STUDY, METRIC), definition))),
            );
        }
    }
    Ok(rows)
}

fn blank((level, method): (&'static str, &'static str), definition: &IndicatorDefinition) -> Row {
    Row { level, method, indicator: definition.id.clone(), ..Row::default() }
}

fn at(groups: &Groups, place: usize, row: Row) -> Row {
    Row {
        group: groups.names[place].clone(),
        numerator: groups.numerators[place],
        denominator: groups.denominators[place],
        ..row
    }
}

/// Adjusts the probabilities of one level and method for their number, each side for itself where there are two.
fn adjust(rows: &mut [Row]) {
    let adjusted = |of: fn(&Row) -> Option<f64>, rows: &[Row]| {
        benjamini_hochberg(&rows.iter().map(|row| of(row).unwrap_or(f64::NAN)).collect::<Vec<f64>>())
    };
    let both = adjusted(|row| row.p, rows);
    let low = adjusted(|row| row.low[0], rows);
    let high = adjusted(|row| row.high[0], rows);
    for (place, row) in rows.iter_mut().enumerate() {
        row.q = row.p.map(|_| both[place]);
        row.low[1] = row.low[0].map(|_| low[place]);
        row.high[1] = row.high[0].map(|_| high[place]);
    }
}

/// One indicator of events by visit at one level.
pub(super) fn reported(
    level: &'static str,
    definition: &IndicatorDefinition,
    courses: &Courses<'_>,
) -> Result<Vec<Row>> {
    let rule = definition.flag_rule()?;
    let judged = courses.judge(definition, level).map_err(|source| definition.refused(MART, source))?;
    let judged: Vec<_> = judged.into_iter().filter(|judged| judged.found.visits > 0).collect();
    let visits = |judged: &super::reporting::Judged| judged.found.visits as f64;
    let all: f64 = judged.iter().map(visits).sum();
    let seen = judged.iter().map(|judged| {
        let here = visits(judged);
        let weight = 1.0 / (1.0 / here + 1.0 / (all - here).max(1.0));
        Some(Seen { p_value: (2.0 * judged.found.under.min(judged.found.over)).min(1.0), weight })
    });
    let beside = beside_others(&seen.collect::<Vec<_>>(), Alternative::TwoSided)
        .map_err(|source| definition.refused(MART, source))?;
    let row = |(judged, beside): (super::reporting::Judged, Option<measures::site_test::Beside>)| {
        let found = judged.found;
        let (numerator, denominator) = (found.observed as f64, found.visits as f64);
        let said = rule.judge(numerator, denominator, found.score);
        Row {
            group: judged.group,
            numerator,
            denominator,
            expected: Some(found.expected),
            score: said.score,
            p: beside.map(|beside| beside.p_value),
            low: [Some(found.under), None],
            high: [Some(found.over), None],
            flag: said.flag,
            ..blank((level, IN_FRAME), definition)
        }
    };
    Ok(judged.into_iter().zip(beside).map(row).collect())
}

/// One indicator at one level by a method that compares sums.
pub(super) fn judged(
    place: (&'static str, &'static str),
    definition: &IndicatorDefinition,
    groups: &Groups,
) -> Result<Vec<Row>> {
    match place.1 {
        NORMAL_APPROXIMATION => by_normal_approximation(place, definition, groups),
        LEAVE_ONE_OUT => by_leave_one_out(place, definition, groups),
        IDENTITY => by_identity(place, definition, groups),
        _ => by_exact(place, definition, groups),
    }
}

fn by_normal_approximation(
    place: (&'static str, &'static str),
    definition: &IndicatorDefinition,
    groups: &Groups,
) -> Result<Vec<Row>> {
    let (numerators, denominators) = (&groups.numerators, &groups.denominators);
    let fit = normal_approximation(numerators, denominators, definition.kind())
        .map_err(|source| definition.refused(MART, source))?;
    let rule = definition.rule_for(NORMAL_APPROXIMATION)?;
    let row = |(index, scored): (usize, &measures::GroupScore)| {
        let judged = rule.judge(numerators[index], denominators[index], scored.score);
        Row {
            expected: Some(fit.overall * denominators[index]),
            factor: Some(fit.factor),
            score: judged.score,
            flag: judged.flag,
            ..at(groups, index, blank(place, definition))
        }
    };
    Ok(fit.groups.iter().enumerate().map(row).collect())
}

fn by_leave_one_out(
    place: (&'static str, &'static str),
    definition: &IndicatorDefinition,
    groups: &Groups,
) -> Result<Vec<Row>> {
    let scored = leave_one_out(&groups.numerators, &groups.denominators, definition.kind())
        .map_err(|source| definition.refused(MART, source))?;
    let rule = definition.rule_for(LEAVE_ONE_OUT)?;
    let counts = definition.methods().contains(&EXACT);
    let few = counts
        .then(|| exact(&groups.numerators, &groups.denominators, definition.kind(), Against::Rest))
        .transpose()
        .map_err(|source| definition.refused(MART, source))?;
    let row = |(index, scored): (usize, &measures::LeftOut)| {
        let judged = rule.judge_expected(scored.expected, LEAST_EXPECTED, scored.score);
        Row {
            expected: Some(scored.expected),
            factor: Some(scored.factor),
            score: judged.score,
            p: judged
                .score
                .map(|_| scored.p)
                .or_else(|| few.as_ref().map(|few| few[index].widened(scored.factor))),
            flag: judged.flag,
            ..at(groups, index, blank(place, definition))
        }
    };
    Ok(scored.iter().enumerate().map(row).collect())
}

fn by_exact(
    place: (&'static str, &'static str),
    definition: &IndicatorDefinition,
    groups: &Groups,
) -> Result<Vec<Row>> {
    let scored = exact(&groups.numerators, &groups.denominators, definition.kind(), Against::Rest)
        .map_err(|source| definition.refused(MART, source))?;
    let rule = definition.rule_for(EXACT)?;
    let row = |(index, scored): (usize, &measures::ExactGroup)| Row {
        expected: Some(scored.expected),
        score: Some(scored.score),
        p: Some(scored.two_sided),
        low: [Some(scored.lower.min(1.0)), None],
        high: [Some(scored.upper.min(1.0)), None],
        flag: rule.judge_expected(scored.expected, 0.0, scored.score).flag,
        ..at(groups, index, blank(place, definition))
    };
    Ok(scored.iter().enumerate().map(row).collect())
}

fn by_identity(
    place: (&'static str, &'static str),
    definition: &IndicatorDefinition,
    groups: &Groups,
) -> Result<Vec<Row>> {
    let basis = match definition.identity {
        Some(IdentityOn::Numerator) => Basis::Numerator,
        _ => Basis::Metric,
    };
    let (numerators, denominators) = (&groups.numerators, &groups.denominators);
    let scored =
        identity(numerators, denominators, basis).map_err(|source| definition.refused(MART, source))?;
    let rule = definition.flag_rule()?;
    let row = |(index, scored): (usize, &measures::GroupScore)| {
        let judged = rule.judge(numerators[index], denominators[index], scored.score);
        Row { score: judged.score, flag: judged.flag, ..at(groups, index, blank(place, definition)) }
    };
    Ok(scored.iter().enumerate().map(row).collect())
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
        numbers("metric", rows, |row| row.numerator / row.denominator),
        some_numbers("expected", rows, |row| row.expected),
        some_numbers("factor", rows, |row| row.factor),
        some_numbers("score", rows, |row| row.score),
        some_numbers("p_value", rows, |row| row.p),
        some_numbers("q_value", rows, |row| row.q),
        some_numbers("p_low", rows, |row| row.low[0]),
        some_numbers("q_low", rows, |row| row.low[1]),
        some_numbers("p_high", rows, |row| row.high[0]),
        some_numbers("q_high", rows, |row| row.high[1]),
        ("flag", true, Arc::new(flags) as ArrayRef),
    ];
    table(MART, columns)
}
