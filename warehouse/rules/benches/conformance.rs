//! The published rules on the study of the SDTM Metadata Submission Guidelines: seconds to read the rules, to read
//! the study, and to execute every executable rule, on one thread and on two. Needs `CAIRN_ORACLES`.

use std::time::Instant;

use rules::{Limits, Rule, execute, execute_all};

#[path = "../tests/main/archive.rs"]
mod archive;

const ROUNDS: u32 = 5;

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
    let start = Instant::now();
    let study = archive::guideline_study(&oracles);
    println!("{} records are read in {:.3} s", study.records(), start.elapsed().as_secs_f64());
    for threads in [1, 2] {
        let best = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            let outcomes = execute_all(&rules, &study, Limits::default(), threads);
            let violations: u64 = outcomes.iter().map(rules::RuleOutcome::violations).sum();
            (start.elapsed(), violations)
        });
        let (best, violations) = best.min().expect("at least one round");
        println!(
            "{threads} threads: {:.3} s, {violations} violations (best of {ROUNDS})",
            best.as_secs_f64()
        );
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
