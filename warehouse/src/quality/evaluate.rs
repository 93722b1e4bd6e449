//! How the questions are put to the engine: all questions to the rows of one entity in one scan; the rows that
//! violate a check are fetched only when there are any.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::FINDINGS_AT_MOST;
use super::registry::{Check, Test};
use crate::engine::{Engine, identifier, literal};
use crate::{Result, contract};

/// What one check counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) denominator: u64,
    pub(super) violations: u64,
    pub(super) findings: u64,
}

/// How much of a value a finding shows.
const VALUE_LETTERS: u32 = 200;

/// The rows of an entity with the facts of their subjects, as far as the checks ask for them.
fn source(entity: &str, checks: &[&Check]) -> Result<String> {
    let name = identifier(entity);
    let has_subject = contract::entity(entity)?.column("subject_id").is_some();
    let asks = checks.iter().any(|check| check.needs.iter().any(|basis| basis == "subject_fact"));
    if has_subject && asks {
        return Ok(format!("{name} r LEFT JOIN subject_fact s ON s.subject_id = r.subject_id"));
    }
    Ok(format!("{name} r"))
}

/// Asks every row-wise check of one entity in one scan. Nothing is fetched.
pub(super) fn count_rows(engine: &Engine, entity: &str, checks: &[&Check]) -> Result<Vec<Count>> {
    let mut inner = Vec::new();
    let mut outer = Vec::new();
    for (number, check) in checks.iter().enumerate() {
        let Test::Row { of, fails, .. } = &check.test else { continue };
        inner.push(format!("coalesce(({of}), false) AS d{number}"));
        inner.push(format!("coalesce(({of}) AND ({fails}), false) AS v{number}"));
        outer.push(format!("count(*) FILTER (d{number}), count(*) FILTER (v{number})"));
    }
    let sql = format!(
        "SELECT {} FROM (SELECT {} FROM {})",
        outer.join(", "),
        inner.join(", "),
        source(entity, checks)?
    );
    let numbers = numbers(engine, &format!("check the rows of `{entity}`"), &sql)?;
    let pairs = numbers.chunks_exact(2);
    Ok(pairs.map(|pair| Count { denominator: pair[0], violations: pair[1], findings: 0 }).collect())
}

/// Counts the rows that repeat an earlier one.
pub(super) fn count_repeated(engine: &Engine, check: &Check) -> Result<Count> {
    let Test::Repeated { of, by } = &check.test else { return Ok(Count::default()) };
    let sql = format!(
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT), CAST(coalesce(sum(n - 1), 0) AS BIGINT) FROM (
             SELECT count(*) AS n FROM {} r WHERE coalesce(({of}), false) GROUP BY {})",
        identifier(&check.entity),
        columns(by)
    );
    let numbers = numbers(engine, &format!("look for repeated rows by `{}`", check.id), &sql)?;
    let [denominator, violations] = numbers[..] else { return Ok(Count::default()) };
    Ok(Count { denominator, violations, findings: 0 })
}

/// Puts the first violating rows of a check into the table `finding`; returns how many.
pub(super) fn keep_findings(engine: &Engine, check: &Check) -> Result<u64> {
    let (condition, qualify) = match &check.test {
        Test::Row { of, fails, .. } => (format!("coalesce(({of}) AND ({fails}), false)"), String::new()),
        Test::Repeated { of, by } => {
            let by = columns(by);
            // The hash finds the few groups; the window tells which of their rows come later.
            let condition = format!(
                "coalesce(({of}), false) AND hash({by}) IN (SELECT hash({by}) FROM {} r WHERE coalesce(({of}), false)
                     GROUP BY {by} HAVING count(*) > 1)",
                identifier(&check.entity)
            );
            let order = "r.sys_from_ts, r.source_row, r.row_id";
            (condition, format!("QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {order}) > 1"))
        }
        Test::Collected | Test::Quarantine | Test::Drift(_) => return Ok(0),
    };
    let entity = contract::entity(&check.entity)?;
    let has = |column: &str| entity.column(column).is_some();
    let subject = if has("subject_id") { "r.subject_id" } else { "NULL" };
    let site = match (has("site_id"), has("subject_id")) {
        (true, true) => "coalesce(r.site_id, s.site_id)",
        (true, false) => "r.site_id",
        (false, true) => "s.site_id",
        (false, false) => "NULL",
    };
    let rows = if has("subject_id") {
        format!("{} r LEFT JOIN subject_fact s ON s.subject_id = r.subject_id", identifier(&check.entity))
    } else {
        format!("{} r", identifier(&check.entity))
    };
    let sql = format!(
        "INSERT INTO finding
         SELECT {id}, row_number() OVER (ORDER BY site_id, subject_id, source_row, row_id), {entity}, subject_id, site_id,
             row_id, batch_id, NULL, source_row, {column}, value, message
         FROM (SELECT {subject} AS subject_id, {site} AS site_id, lower(hex(r.row_id)) AS row_id, r.batch_id, r.source_row,
                   left(CAST({value} AS VARCHAR), {VALUE_LETTERS}) AS value, {message} AS message
               FROM {rows} WHERE {condition} {qualify}
               ORDER BY site_id, subject_id, r.source_row, row_id LIMIT {FINDINGS_AT_MOST})",
        id = literal(&check.id),
        entity = literal(&check.entity),
        column = literal(&check.column),
        value = shown(check),
        message = check.message.as_deref().map_or_else(|| literal(&check.description), str::to_owned),
    );
    engine.run(&format!("keep the findings of `{}`", check.id), &sql)?;
    let count = format!("SELECT count(*) FROM finding WHERE check_id = {}", literal(&check.id));
    engine.count(&format!("count the findings of `{}`", check.id), &count)
}

/// What a finding shows as the value.
fn shown(check: &Check) -> String {
    match (&check.value, &check.test) {
        (Some(value), _) => value.clone(),
        (None, Test::Repeated { by, .. }) => {
            let texts: Vec<String> = by.iter().map(|column| format!("CAST(r.{column} AS VARCHAR)")).collect();
            format!("concat_ws(', ', {})", texts.join(", "))
        }
        (None, _) => format!("r.{}", check.column),
    }
}

fn columns(by: &[String]) -> String {
    by.iter().map(|column| format!("r.{column}")).collect::<Vec<_>>().join(", ")
}

/// The numbers of a query that has one row of them.
pub(super) fn numbers(engine: &Engine, step: &str, sql: &str) -> Result<Vec<u64>> {
    let batches = engine.query(step, sql)?;
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    let number = |column: &arrow::array::ArrayRef| {
        column.as_primitive_opt::<Int64Type>().map_or(0, |column| u64::try_from(column.value(0)).unwrap_or(0))
    };
    Ok(row.map_or_else(Vec::new, |batch| batch.columns().iter().map(number).collect()))
}
