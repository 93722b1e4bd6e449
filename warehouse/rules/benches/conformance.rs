//! The published rules on the study of the SDTM Metadata Submission Guidelines, as it is and a hundred times over:
//! seconds to read the study and to execute every executable rule, on one thread and on two, and the slowest rules.
//! Needs `CAIRN_ORACLES`.

use std::time::Instant;

use rules::{Limits, Rule, RuleOutcome, Verdict, execute, execute_all};

#[path = "../tests/main/archive.rs"]
mod archive;

fn main() {
    let Some(oracles) = archive::oracles() else { return };
    let published = archive::published(&oracles);
    let start = Instant::now();
    let rules: Vec<Rule> = published.values().filter_map(|rule| Rule::parse(&rule.text).ok()).collect();
    println!(
        "{} rules of {} are read in {:.3} s",
        rules.len(),
        published.len(),
        start.elapsed().as_secs_f64()
    );
    for (copies, rounds) in [(1, 5), (100, 1)] {
        let start = Instant::now();
        let study = archive::guideline_study(&oracles, copies);
        println!("{} records are read in {:.3} s", study.records(), start.elapsed().as_secs_f64());
        for threads in [1, 2] {
            let run = || {
                let start = Instant::now();
                let outcomes = execute_all(&rules, &study, Limits::default(), threads);
                (start.elapsed(), outcomes)
            };
            let (best, outcomes) = (0..rounds).map(|_| run()).min_by_key(|run| run.0).expect("a round");
            let violations: u64 = outcomes.iter().map(RuleOutcome::violations).sum();
            println!("{threads} threads: {:.3} s, {violations} violations", best.as_secs_f64());
            for outcome in &outcomes {
                for dataset in &outcome.datasets {
                    if let Verdict::NotExecutable { reason } = &dataset.verdict {
                        println!("{} on {}: {reason}", outcome.rule, dataset.dataset);
                    }
                }
            }
        }
        let mut slow: Vec<_> = rules
            .iter()
            .map(|rule| {
                let start = Instant::now();
                execute(rule, &study, Limits::default());
                (start.elapsed(), rule.id())
            })
            .collect();
        slow.sort();
        for (time, rule) in slow.iter().rev().take(5) {
            println!("{rule}: {:.1} ms", time.as_secs_f64() * 1e3);
        }
    }
}
