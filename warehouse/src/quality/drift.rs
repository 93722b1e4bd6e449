//! What changed since the former snapshot: rows lost or multiplied, cells emptied, codes never seen. A first
//! snapshot has nothing to be compared with: nothing of this applies to it.

use arrow::array::AsArray;

use super::FINDINGS_AT_MOST;
use super::build::{Place, Run, is_expected};
use super::evaluate::{Count, numbers};
use super::registry::{Check, Drift};
use super::rows::CheckRow;
use crate::Result;
use crate::engine::{identifier, literal};
use crate::snapshot::Manifest;

/// Fewer rows than this say nothing about a share.
const ROWS_AT_LEAST: u64 = 20;
/// An entity has between these multiples of its former rows.
const ROWS_KEPT: (f64, f64) = (0.95, 3.0);
/// The share of an entity's rows that one delivery may remove.
const REMOVED_AT_MOST: f64 = 0.01;
/// How much the share of empty cells may change.
const NULLS_CHANGE_AT_MOST: f64 = 0.10;

/// Columns that hold codes. Treatments are not among them: they may be blinded (rule R-20).
const CODED: [(&str, &str); 19] = [
    ("subject", "sex"),
    ("subject", "race"),
    ("subject", "status"),
    ("visit", "visit"),
    ("exposure", "dose_unit"),
    ("exposure", "route"),
    ("adverse_event", "severity"),
    ("adverse_event", "outcome"),
    ("adverse_event", "causality"),
    ("adverse_event", "action_taken"),
    ("lab_result", "test_code"),
    ("lab_result", "std_unit"),
    ("lab_result", "range_indicator"),
    ("observation", "test_code"),
    ("observation", "std_unit"),
    ("disposition", "decoded"),
    ("deviation", "category"),
    ("form_instance", "form_oid"),
    ("query", "state"),
];

/// Compares with the former snapshot, and notes what changed too much.
pub(super) fn compare(run: &Run<'_>, check: &Check, kind: Drift) -> Result<Count> {
    let Some(former) = run.work.former else { return Ok(Count::default()) };
    match kind {
        Drift::Rows => rows(run, check),
        Drift::Nulls => nulls(run, check),
        Drift::Removed => removed(run, check),
        Drift::Codes => codes(run, check, former),
    }
}

/// Pairs of a former and a present check that were asked of enough rows.
fn pairs<'a>(run: &'a Run<'_>, wanted: impl Fn(&CheckRow) -> bool) -> Vec<(&'a CheckRow, &'a CheckRow)> {
    let formers = run.former.values().filter(|row| row.denominator >= ROWS_AT_LEAST && wanted(row));
    formers.filter_map(|former| Some((former, run.rows.get(&former.check_id)?))).collect()
}

fn rows(run: &Run<'_>, check: &Check) -> Result<Count> {
    let mut count = Count::default();
    // The check of the natural key is asked of every row.
    for (former, now) in pairs(run, |row| row.check_id.starts_with("L1.key.")) {
        count.denominator += 1;
        let multiple = share(now.denominator, former.denominator);
        if multiple < ROWS_KEPT.0 || multiple > ROWS_KEPT.1 {
            count.violations += 1;
            let message = format!("{} rows, before {}", now.denominator, former.denominator);
            note(run, check, (&mut count, &now.entity, "*"), (&format!("{multiple:.2}"), &message))?;
        }
    }
    Ok(count)
}

fn nulls(run: &Run<'_>, check: &Check) -> Result<Count> {
    let expected = |row: &CheckRow| {
        run.registry.checks.iter().any(|check| is_expected(check) && check.id == row.check_id)
    };
    let mut count = Count::default();
    for (former, now) in pairs(run, expected) {
        count.denominator += 1;
        if (now.share() - former.share()).abs() > NULLS_CHANGE_AT_MOST {
            count.violations += 1;
            let percent = |row: &CheckRow| format!("{:.1} %", row.share() * 100.0);
            let message = format!("{} of the cells are empty, before {}", percent(now), percent(former));
            note(run, check, (&mut count, &now.entity, &now.column), (&percent(now), &message))?;
        }
    }
    Ok(count)
}

fn removed(run: &Run<'_>, check: &Check) -> Result<Count> {
    let mut count = Count::default();
    let batch = literal(&run.work.receipt.batch.to_string());
    for (former, now) in pairs(run, |row| row.check_id.starts_with("L1.key.")) {
        count.denominator += 1;
        run.work.engine.view("all_versions", &run.paths(run.canon(&now.entity))?)?;
        let sql = format!("SELECT count(*) FROM all_versions WHERE op = 'D' AND batch_id = {batch}");
        let removed = run.work.engine.count("count the rows that were removed", &sql)?;
        if share(removed, former.denominator) > REMOVED_AT_MOST {
            count.violations += 1;
            let message = format!("{removed} of {} rows were removed", former.denominator);
            note(run, check, (&mut count, &now.entity, "*"), (&removed.to_string(), &message))?;
        }
    }
    Ok(count)
}

fn codes(run: &Run<'_>, check: &Check, former: &Manifest) -> Result<Count> {
    let mut count = Count::default();
    for (entity, column) in CODED {
        let known = former.canon.get(entity).map(Vec::as_slice).unwrap_or_default();
        if known.is_empty() || known == run.canon(entity) {
            continue;
        }
        run.work.engine.view("former_versions", &run.paths(known)?)?;
        let step = format!("look for new codes in `{entity}.{column}`");
        let (entity_name, code) = (identifier(entity), identifier(column));
        let distinct = format!("SELECT count(DISTINCT {code}) FROM {entity_name}");
        count.denominator += numbers(run.work.engine, &step, &distinct)?.first().copied().unwrap_or(0);
        let new = format!(
            "SELECT CAST({code} AS VARCHAR) AS code FROM {entity_name} WHERE {code} IS NOT NULL
             EXCEPT SELECT CAST({code} AS VARCHAR) FROM former_versions ORDER BY code LIMIT {FINDINGS_AT_MOST}"
        );
        for batch in run.work.engine.query(&step, &new)? {
            for code in batch.column(0).as_string::<i32>().iter().flatten() {
                count.violations += 1;
                note(run, check, (&mut count, entity, column), (code, "a code that was not there before"))?;
            }
        }
    }
    Ok(count)
}

fn note(
    run: &Run<'_>,
    check: &Check,
    (count, entity, column): (&mut Count, &str, &str),
    (value, message): (&str, &str),
) -> Result<()> {
    if count.findings < FINDINGS_AT_MOST {
        count.findings += 1;
        let place = Place { entity, column, nth: count.findings };
        run.note(check, &place, Some(value), message)?;
    }
    Ok(())
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more than 53 bits")]
    let share = part as f64 / whole.max(1) as f64;
    share
}
