//! Runs rules over a study.

mod report;

use crate::class::class_of;
use crate::frame::{
    Budget, Frame, Halt, Table, dataset_metadata, domain_presence, of_unit, variable_metadata,
};
use crate::joins::{Joining, joined, named_columns};
use crate::operations::{Setting, derive};
use crate::operators::judge;
use crate::outcome::{DatasetOutcome, RuleOutcome, Verdict};
use crate::pool::Scratch;
use crate::rule::{Rule, RuleType};
use crate::study::{Study, Unit};

/// Bounds on the execution of one rule on one dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many issues are kept of each dataset; all are counted.
    pub issues: usize,
    /// How many cells may be looked at and rows be made. A rule that needs more is not executable there.
    pub work: u64,
}

impl Default for Limits {
    /// A thousand issues; work for a hundred conditions on ten million records.
    fn default() -> Self {
        Self { issues: 1_000, work: 1_000_000_000 }
    }
}

/// The name under which rules on the study as a whole report.
const STUDY: &str = "STUDY";

/// Runs one rule on every dataset of a study. The answer depends on the rule and the data alone.
pub fn execute(rule: &Rule, study: &Study, limits: Limits) -> RuleOutcome {
    let mut datasets = Vec::new();
    if rule.rule_type() == RuleType::DomainPresence {
        datasets.push(DatasetOutcome { dataset: STUDY.to_owned(), verdict: on_study(rule, study, limits) });
        return RuleOutcome { rule: rule.id().to_owned(), datasets };
    }
    for unit in &study.units {
        if rule.scope.splits.is_some() {
            for member in &unit.members {
                let name = &study.datasets[*member].header.name;
                datasets.push(DatasetOutcome {
                    dataset: name.clone(),
                    verdict: on_part(rule, study, unit, name, &[*member], limits),
                });
            }
        } else {
            let name = name_of(study, unit);
            let verdict = on_part(rule, study, unit, name, &unit.members, limits);
            datasets.push(DatasetOutcome { dataset: name.to_owned(), verdict });
        }
    }
    RuleOutcome { rule: rule.id().to_owned(), datasets }
}

/// Runs rules beside each other on `threads` threads, one at least. The answers stand in the order of the rules.
pub fn execute_all(rules: &[Rule], study: &Study, limits: Limits, threads: usize) -> Vec<RuleOutcome> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(rule) = rules.get(place) else { return done };
            done.push((place, execute(rule, study, limits)));
        }
    };
    let mut outcomes: Vec<(usize, RuleOutcome)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut outcomes = work();
        for other in others {
            match other.join() {
                Ok(done) => outcomes.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    });
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What a unit is called: its dataset's name, or the name without the split.
fn name_of<'s>(study: &'s Study, unit: &'s Unit) -> &'s str {
    match unit.members.as_slice() {
        [only] => &study.datasets[*only].header.name,
        _ => &unit.name,
    }
}

/// A rule on the study applies if one of its datasets is in scope.
fn on_study(rule: &Rule, study: &Study, limits: Limits) -> Verdict {
    let in_scope = |unit: &&Unit| {
        let class = class_of(unit, &study.datasets[unit.members[0]]);
        rule.scope.refuses(unit, name_of(study, unit), class).is_none()
    };
    match study.units.iter().find(in_scope) {
        Some(unit) => verdict(rule, run(rule, study, unit, &unit.members, limits)),
        None => inapplicable("no dataset is in the scope of the rule".to_owned()),
    }
}

fn on_part(
    rule: &Rule,
    study: &Study,
    unit: &Unit,
    name: &str,
    members: &[usize],
    limits: Limits,
) -> Verdict {
    let class = class_of(unit, &study.datasets[members[0]]);
    match rule.scope.refuses(unit, name, class) {
        Some(reason) => inapplicable(reason),
        None => verdict(rule, run(rule, study, unit, members, limits)),
    }
}

fn inapplicable(reason: String) -> Verdict {
    Verdict::NotApplicable { reason }
}

fn verdict(rule: &Rule, run: Result<Verdict, Halt>) -> Verdict {
    match run {
        Ok(verdict) => verdict,
        Err(Halt::Absent(column)) if rule.matches.is_empty() => {
            inapplicable(format!("the dataset has no column `{column}`"))
        }
        Err(Halt::Absent(column)) => {
            let others: Vec<&str> = rule.matches.iter().map(|matching| matching.name.as_str()).collect();
            let others = others.join("`, `");
            inapplicable(format!("there is no column `{column}`, neither in the dataset nor in `{others}`"))
        }
        Err(Halt::Inapplicable(reason)) => inapplicable(reason),
        Err(Halt::Unable(reason)) => Verdict::NotExecutable { reason },
    }
}

fn run(rule: &Rule, study: &Study, unit: &Unit, members: &[usize], limits: Limits) -> Result<Verdict, Halt> {
    let mut scratch = Scratch::over(&study.pool);
    let budget = Budget::new(limits.work);
    let records: usize = members.iter().map(|place| study.datasets[*place].records).sum();
    if records == 0 {
        return Err(Halt::Inapplicable("the dataset has no records".to_owned()));
    }
    let frame: Frame<'_> = match rule.rule_type() {
        RuleType::RecordData => of_unit(study, members),
        RuleType::VariableMetadata => variable_metadata(study, members, &mut scratch)?,
        RuleType::DatasetMetadata => dataset_metadata(study, members, &mut scratch)?,
        RuleType::DomainPresence => domain_presence(study, unit, &mut scratch)?,
    };
    let examined = frame.rows;
    let frame = match rule.rule_type() {
        RuleType::RecordData => {
            let names = named_columns(rule, unit.prefix());
            let mut joining = Joining { study, unit, scratch: &mut scratch, budget: &budget, names };
            joined(frame, rule, &mut joining)?
        }
        _ => frame,
    };
    if frame.rows == 0 {
        return Err(Halt::Inapplicable("no record has a partner in the datasets that are joined".to_owned()));
    }
    let mut table = Table { frame, scratch, prefix: unit.prefix().map(str::to_owned), budget };
    for operation in &rule.operations {
        derive(operation, Setting { study, unit }, &mut table)?;
    }
    let mask = judge(&rule.check, &table)?;
    Ok(report::verdict(rule, study, unit, &table, &mask, examined, limits.issues))
}
