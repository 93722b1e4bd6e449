//! That no function which changes rows is left out of the tests of atomicity: read from the sources, so that a new
//! one is missed on its first day.

use std::fs;
use std::path::{Path, PathBuf};

const ATTEMPTED: [&str; 3] = [
    include_str!("atomicity.rs"),
    include_str!("atomicity/further.rs"),
    include_str!("atomicity/governed.rs"),
];

/// Functions that open a transaction for others, by the operation through which the tests reach them, or with the
/// reason why there is no event to lose.
const ELSEWHERE: [(&str, &str); 22] = [
    ("create_tenant_log", "create_tenant"),
    ("begin_session", "sign_in"),
    ("finish_rotation", "rotate_data_key"),
    ("record_run", "record_mart_run"),
    ("record_together", "read_started"),
    ("commit_together", "read_started"),
    ("account_of_tenant", "grant"),
    ("free_address", "create_account"),
    ("keep_change", "change_definition"),
    ("keeper", "place_hold"),
    ("prove", "login"),
    ("begin_attempt", "login"),
    ("seal", "sign_record"),
    // Following what is in use decides nothing, and has no event.
    ("authenticate_session", "no event"),
    ("let_in", "no event"),
    ("authenticate_access_token", "no event"),
    // Made or found before anything is served: without their event the start fails.
    ("announce_policies", "at the start"),
    ("announce_ledger_key", "at the start"),
    ("first_key", "at the start"),
    ("open", "at the start"),
    ("seal_what_is_in_the_clear", "at the start"),
    // Control 5 holds that a tenant's checkpoint is an event; the system's own is the one commit without.
    ("sign", "checkpoint"),
];

#[test]
fn control_01_no_function_that_changes_rows_is_left_out() {
    let mut missing = Vec::new();
    let mut found = 0;
    for file in sources(Path::new("src")) {
        // The handle itself, and the keeping of leases, which no event tells of.
        if file.starts_with("src/store/") || file.ends_with("jobs/lease.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source is text");
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (name, body) in functions(production) {
            if !body.contains(".begin()")
                && !body.contains(".begin_signing()")
                && !body.contains("record_together(")
            {
                continue;
            }
            found += 1;
            let is_elsewhere = ELSEWHERE.iter().any(|(listed, _)| *listed == name);
            if !is_elsewhere && !ATTEMPTED.iter().any(|tests| tests.contains(&format!(".{name}("))) {
                missing.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(found > 45, "only {found} functions begin a transaction; is that written in another form now?");
    assert!(missing.is_empty(), "these change rows; add them to `Operation` in atomicity.rs: {missing:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the crate's sources are here") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The asynchronous functions of a file, each with the text up to the next.
fn functions(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("async fn ").skip(1);
    parts.map(|part| (part.split(['(', '<']).next().unwrap_or_default(), part)).collect()
}
