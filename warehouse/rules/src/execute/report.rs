//! Turns the rows that violate a rule into issues.

use rustc_hash::FxHashSet;

use crate::frame::{Column, Table};
use crate::outcome::{Issue, NOT_IN_DATASET, Verdict};
use crate::pool::Sym;
use crate::rule::{Rule, RuleType, Sensitivity};
use crate::study::{Study, Unit};

pub(super) fn verdict(
    rule: &Rule,
    study: &Study,
    unit: &Unit,
    table: &Table<'_>,
    mask: &[bool],
    examined: usize,
    kept: usize,
) -> Verdict {
    let mut rows = (0..mask.len()).filter(|row| mask[*row]);
    let records = examined as u64;
    let Some(first) = rows.next() else { return Verdict::Passed { records } };
    let reported = reported(rule, unit, table, first);
    let failed = std::iter::once(first).chain(rows.clone());
    let failed: FxHashSet<(u32, u32)> =
        failed.map(|row| table.frame.origins[row]).map(|origin| (origin.dataset, origin.record)).collect();
    let failed_records = failed.len() as u64;
    let by_dataset =
        rule.sensitivity() == Sensitivity::Dataset || rule.rule_type() == RuleType::DomainPresence;
    if by_dataset {
        let issue = issue(rule, study, unit, table, first, &reported, Place::Dataset);
        return Verdict::Failed {
            records,
            failed_records,
            violations: 1,
            issues: vec![issue].into_iter().take(kept).collect(),
        };
    }
    let violations = 1 + rows.clone().count() as u64;
    let rows = std::iter::once(first).chain(rows).take(kept);
    let issues = rows.map(|row| issue(rule, study, unit, table, row, &reported, Place::Record)).collect();
    Verdict::Failed { records, failed_records, violations, issues }
}

/// The columns that the rule reports, ordered by name: those that it lists, or the ones that its conditions are on.
/// A list of column names stands for its columns as well.
fn reported(rule: &Rule, unit: &Unit, table: &Table<'_>, first: usize) -> Vec<String> {
    let domain = unit.prefix().unwrap_or_default();
    let mut names: Vec<String> = if rule.output.is_empty() {
        rule.check.leaves().iter().map(|leaf| leaf.target.replacen("--", domain, 1)).collect()
    } else {
        rule.output.iter().map(|name| name.replacen("--", domain, 1)).collect()
    };
    let listed: Vec<String> = names
        .iter()
        .filter_map(|name| table.frame.get(name)?.list(first))
        .flat_map(|list| list.items.iter().map(|sym| table.scratch.text_of(*sym)))
        .filter(|name| table.frame.get(name).is_some())
        .map(str::to_owned)
        .collect();
    names.extend(listed);
    names.sort();
    names.dedup();
    names
}

/// What an issue is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Dataset,
    Record,
}

fn issue(
    rule: &Rule,
    study: &Study,
    unit: &Unit,
    table: &Table<'_>,
    row: usize,
    reported: &[String],
    place: Place,
) -> Issue {
    let origin = table.frame.origins[row];
    let text = |name: &str| {
        let sym = table.frame.get(name)?.cell(row);
        (!sym.is_empty()).then(|| table.scratch.text_of(sym).to_owned())
    };
    let value = |name: &String| {
        let shown = table.frame.get(name).map(|column| shown(column, row, table));
        (name.clone(), shown.unwrap_or_else(|| NOT_IN_DATASET.to_owned()))
    };
    let dataset = match rule.rule_type() {
        RuleType::DomainPresence => super::STUDY.to_owned(),
        _ => study.datasets[origin.dataset as usize].header.name.clone(),
    };
    let record = place == Place::Record;
    Issue {
        dataset,
        record: record.then(|| u64::from(origin.record) + 1),
        usubjid: text("USUBJID").filter(|_| record),
        sequence: unit.prefix().and_then(|prefix| text(&format!("{prefix}SEQ"))).filter(|_| record),
        values: reported.iter().map(value).collect(),
    }
}

/// A cell as the published expected results write it: blanks alone as nothing, and a list with its items in quotes
/// and `None` for a null, as Python does.
fn shown(column: &Column<'_>, row: usize, table: &Table<'_>) -> String {
    let text = |sym: Sym| table.scratch.text_of(sym);
    let item = |sym: &Sym| if sym.is_empty() { "None".to_owned() } else { format!("'{}'", text(*sym)) };
    match column.list(row) {
        Some(list) => {
            let items: Vec<String> = list.items.iter().map(item).collect();
            format!("[{}]", items.join(", "))
        }
        None => Some(text(column.cell(row))).filter(|text| !text.trim().is_empty()).unwrap_or("").to_owned(),
    }
}
