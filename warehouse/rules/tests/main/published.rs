//! The rules that CDISC publishes for SDTMIG, each on its own fixtures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use rules::{Limits, Rule, RuleError, execute};

use crate::fixture::{Files, expected, reported, study};

/// How many rules are executed, and how many expected files they have.
const EXECUTED: usize = 240;

#[test]
fn the_published_rules_report_exactly_what_their_fixtures_expect() {
    let Some(rules) = published() else { return };
    let (mut executed, mut files, mut wrong, mut others) = (0, 0, Vec::new(), Vec::new());
    for (id, published) in &rules {
        let rule = match Rule::parse(&published.text) {
            Ok(rule) => rule,
            Err(RuleError::Unsupported { rule, reason }) => {
                others.push(format!("{rule}  {reason}"));
                continue;
            }
            Err(error) => panic!("{id}: {error}"),
        };
        executed += 1;
        for (name, fixture) in &published.fixtures {
            let Some(expected) = expected(fixture) else { continue };
            files += 1;
            let limits = Limits { issues: usize::MAX, ..Limits::default() };
            let outcome = execute(&rule, &study(fixture), limits);
            let reported = reported(&outcome);
            if reported != expected {
                let missing: Vec<_> = expected.iter().filter(|row| !reported.contains(row)).take(3).collect();
                let foreign: Vec<_> = reported.iter().filter(|row| !expected.contains(row)).take(3).collect();
                wrong.push(format!(
                    "{id} {name}: {} rows for {}; lacks {missing:?}, has {foreign:?} {:?}",
                    reported.len(),
                    expected.len(), if reported.is_empty() {Some(&outcome)} else {None}
                ));
            }
        }
    }
    println!("{executed} of {} rules are executed; {files} expected files, {} differ", rules.len(), wrong.len());
    println!("not executed:\n  {}", others.join("\n  "));
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(executed >= EXECUTED, "{executed} rules are executed, {EXECUTED} were");
}

struct Published {
    text: String,
    fixtures: BTreeMap<String, Files>,
}

/// The rules and fixtures of the archive, by id; none if the oracles are not there.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
fn published() -> Option<BTreeMap<String, Published>> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set; in CI the oracles have to run");
        println!("not run: oracle data absent");
        return None;
    };
    let archive = "studies/core_open_rules_fixtures/sdtmig_rules_fixtures.tar.xz";
    let file = File::open(PathBuf::from(folder).join(archive)).expect("the archive opens");
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(file), &mut bytes).expect("the archive is xz");
    let mut rules = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().expect("the archive is tar") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        let Some((_, path)) = path.split_once("CORE-").filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        let (id, path) = path.split_once('/').expect("a file below the rule");
        let rule = rules.entry(format!("CORE-{id}")).or_insert_with(|| Published {
            text: String::new(),
            fixtures: BTreeMap::new(),
        });
        if path == "rule.yml" {
            entry.read_to_string(&mut rule.text).expect("the rule is text");
            continue;
        }
        let (fixture, file) = split_twice(path).expect("a file of a fixture");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("the file is read");
        rule.fixtures.entry(fixture.to_owned()).or_default().insert(file.to_owned(), bytes);
    }
    Some(rules)
}

/// `negative/01` and `data/ae.csv` of `negative/01/data/ae.csv`.
fn split_twice(path: &str) -> Option<(&str, &str)> {
    let (place, _) = path.match_indices('/').nth(1)?;
    Some((&path[..place], &path[place + 1..]))
}
