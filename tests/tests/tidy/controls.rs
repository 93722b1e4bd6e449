//! Every control has its tests, every test of a control its number, and every action of the ledger its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{assert_clean, rust_files};
use crate::tenant_wall::event_names;

const LIST: &str = "../server/src/controls.tsv";
/// Controls that are listed without a test: what they promise is not built, or not measured in CI.
const UNTESTED: [&str; 4] = ["14", "19", "20", "42"];

/// Number and places of every listed control.
fn listed() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(LIST).expect("the list of controls is there");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let (number, places) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let places = places.split(',').filter(|place| *place != "-").map(str::to_owned).collect();
            (number.to_owned(), places)
        })
        .collect()
}

/// Every function or documented refusal that is named after a control: its file and its name.
fn named() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in rust_files() {
        for line in file.text.lines() {
            let code = line.trim_start();
            let words = ["fn ", "async fn ", "pub mod ", "mod "];
            let rest = words.iter().find_map(|word| code.strip_prefix(word));
            // A name such as `control_chart` is about something else.
            let is_numbered = |rest: &&str| {
                let number = rest.strip_prefix("control_");
                number.is_some_and(|number| number.starts_with(|letter: char| letter.is_ascii_digit()))
            };
            let Some(rest) = rest.filter(is_numbered) else { continue };
            let name = rest.split(['(', ' ', ';']).next().unwrap_or_default();
            found.push((file.path.clone(), name.to_owned()));
        }
    }
    found
}

#[test]
fn every_control_has_a_test_where_the_list_says() {
    let (listed, named) = (listed(), named());
    let mut violations = Vec::new();
    for (number, places) in &listed {
        let mark = format!("control_{number}_");
        let is_tested_in = |place: &str| {
            named.iter().any(|(path, name)| name.starts_with(&mark) && path.starts_with(&format!("{place}/")))
        };
        if UNTESTED.contains(&&**number) {
            continue;
        }
        violations.extend(places.iter().filter(|place| !is_tested_in(place)).map(|place| {
            format!("{LIST}:1: no test below {place} begins with `{mark}`; add one, or correct the place")
        }));
    }
    assert_clean(&violations);
}

#[test]
fn every_test_that_is_named_after_a_control_has_its_number_in_the_list() {
    let (listed, named) = (listed(), named());
    assert!(named.len() > 60, "only {} tests are named after a control", named.len());
    let violations: Vec<String> = named
        .iter()
        .filter(|(_, name)| {
            let number = name.trim_start_matches("control_").split('_').next().unwrap_or_default();
            !listed.contains_key(number)
        })
        .map(|(path, name)| format!("{path}:1: `{name}` has no number of two digits that {LIST} knows"))
        .collect();
    assert_clean(&violations);
}

/// Actions that no route and no Flight command writes, with what does.
const ELSEWHERE: [(&str, &str); 38] = [
    ("access.break_glass.used", "every door of a study, under an emergency access"),
    ("access.denied", "every door"),
    ("account.created", "cairn admin account create"),
    ("account.disabled", "cairn admin account disable"),
    ("account.email.reserved", "cairn admin account create"),
    ("account.grants.changed", "cairn admin account grant and revoke"),
    ("account.identity.linked", "cairn admin account link"),
    ("account.identity.unlinked", "cairn admin account unlink"),
    ("audit.checkpoint.cosigned", "cairn audit cosign"),
    ("audit.checkpoint.signed", "the ledger's timer"),
    ("audit.redacted", "cairn admin account erase"),
    ("audit.verified", "the ledger's timer"),
    ("backup.made", "cairn admin backup"),
    ("backup.restored", "cairn admin restore"),
    ("data.exported", "cairn export, canon read, rules run"),
    ("ingest.batch.committed", "the job of a delivery, cairn ingest"),
    ("ingest.delivery.ended", "the job of a delivery"),
    ("ingest.delivery.rejected", "the job of a delivery"),
    ("job.failed", "a worker"),
    ("job.finished", "a worker"),
    ("key.data.created", "the first start, cairn admin account create"),
    ("key.data.destroyed", "cairn admin data-key rotate"),
    ("key.data.rotated", "cairn admin data-key rotate"),
    ("key.master.rotated", "cairn admin data-key rotate-master"),
    ("ledger_key.registered", "the first start"),
    ("mail.delivery.failed", "the dispatcher of messages"),
    ("marts.built", "a build of marts"),
    ("personal_data.sealed", "the first start over what an earlier version kept in the clear"),
    ("policies.registered", "the first start with other policies"),
    ("quality.rules.imported", "cairn rules import"),
    ("signing_key.registered", "the first start, cairn admin key rotate"),
    ("signing_key.retired", "cairn admin key rotate"),
    ("snapshot.past.published", "cairn marts build --as-of"),
    ("study.files.removed", "cairn admin study remove"),
    ("study.removed", "cairn admin study remove"),
    ("tenant.disabled", "cairn admin tenant disable"),
    ("tenant.enabled", "cairn admin tenant enable"),
    ("webhook.delivery.failed", "the dispatcher of webhooks"),
];
/// Two more of the kind, which a build or an operator's command writes.
const OPERATORS: [&str; 2] = ["snapshot.published", "tenant.created"];

#[test]
fn control_02_every_action_of_the_ledger_has_its_door() {
    let text = fs::read_to_string("../server/control/src/ledger/event.rs").expect("the actions are there");
    let actions: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" = \""))
        .map(|(_, name)| name)
        .filter(|name| name.contains('.'))
        .collect();
    assert!(actions.len() > 50, "only {} actions were found; has the list another form?", actions.len());
    let doors = event_names();
    let placed = |name: &&str| {
        doors.contains(*name)
            || OPERATORS.contains(name)
            || ELSEWHERE.iter().any(|(listed, _)| listed == name)
    };
    let lost: Vec<_> = actions.iter().filter(|name| !placed(name)).collect();
    assert!(lost.is_empty(), "no door, command or timer says that it writes {lost:?}");
    let unknown: Vec<_> = doors.iter().filter(|name| !actions.contains(&***name)).collect();
    assert!(unknown.is_empty(), "doors name events that the ledger does not know: {unknown:?}");
    let stale: Vec<_> = ELSEWHERE.iter().filter(|(name, _)| !actions.contains(name)).collect();
    assert!(stale.is_empty(), "{stale:?} is no action of the ledger any more");
}
