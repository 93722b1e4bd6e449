//! The same over Arrow Flight.

use std::fs;

use serde_json::{Value, json};

use super::Dice;
use super::cast::Cast;
use crate::support::{CANARY, CANARY_STUDY, Need, OTHER_STUDY, OTHER_TENANT, STUDY, TENANT, python};

const NOWHERE: &str = "NOPE-1";
const CALLS: usize = 300;

#[test]
fn control_26_every_flight_command_turns_outsiders_away() {
    let Some(interpreter) = Need::Python.path() else { return };
    let Some(cast) = Cast::assemble() else { return };
    let server = &cast.server;
    let theirs = |role| cast.installation.demo_account(OTHER_TENANT, role).token(server, "flight");
    let limited = cast.installation.account_for_study(TENANT, "researcher", STUDY).token(server, "flight");
    let wrong_door = cast.installation.demo_account(TENANT, "data_engineer").token(server, "http");
    let somebodies = [theirs("researcher"), theirs("data_engineer"), limited];
    let strangers = [String::new(), "forged".to_owned(), wrong_door];
    let snapshot = cast.treasures.iter().find(|treasure| treasure.what == "snapshot").expect("it was made");

    let (mut dice, mut calls, mut wanted) = (Dice(super::SEED), Vec::new(), Vec::new());
    for _ in 0..CALLS {
        let is_somebody = dice.below(4) > 0;
        let token = dice.one_of(if is_somebody { &somebodies } else { &strangers });
        // `GetSchema` has calls of its own in the stories of pulls: the client library raises its refusal too late for a
        // list of calls.
        let mode = *dice.one_of(&["pull", "info", "ticket", "put", "list"]);
        let table = *dice.one_of(&["dim_site", "dim_subject", "fact_ae", "mart_kri", "no_such_table"]);
        let header = *dice.one_of(&["x-tenant", "x-study", "authorization-tenant"]);
        for (study, snapshot) in [(CANARY_STUDY, &snapshot.theirs), (NOWHERE, &snapshot.nowhere)] {
            let path = match mode {
                "ticket" => json!({ "study": study, "snapshot": snapshot, "table": table }).to_string(),
                // Their own house has no study of this name: an engineer's delivery would make it.
                "put" if *token == somebodies[1] => format!("{study}/../{OTHER_STUDY}"),
                _ => format!("{study}/{table}"),
            };
            calls.push(json!({ "token": token, "mode": mode, "path": path, "header": [header, study] }));
        }
        wanted.push((mode, is_somebody));
    }
    let file = cast.installation.beside("calls.jsonl");
    let lines: Vec<String> = calls.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).expect("the temporary folder takes files");
    let port = server.flight.port().to_string();
    let file = file.to_string_lossy();
    let said = python(&interpreter, "flight_client.py", &["--port", &port, "calls", &file]);
    let answers = said["answers"].as_array().unwrap_or_else(|| panic!("an answer to each call: {said}"));
    assert_eq!(answers.len(), 2 * CALLS);
    for ((pair, asked), (mode, is_somebody)) in answers.chunks(2).zip(calls.chunks(2)).zip(&wanted) {
        let [theirs, nowhere] = pair else { panic!("{pair:?}") };
        let plain = |answer: &Value| answer.to_string().replace(CANARY_STUDY, "S").replace(NOWHERE, "S");
        assert_eq!(plain(theirs), plain(nowhere), "{asked:?}");
        assert!(!theirs.to_string().contains(CANARY), "{asked:?}: {theirs}");
        let code = theirs["refused"].as_str();
        match (*mode, *is_somebody) {
            (_, false) => assert_eq!(code, Some("unauthenticated"), "{asked:?}: {theirs}"),
            ("list", true) => assert!(!theirs.to_string().contains(CANARY_STUDY), "{theirs}"),
            // What is no ticket of ours is told so, whatever it names.
            ("put" | "ticket", true) => {
                assert!(matches!(code, Some("not_found" | "invalid_argument")), "{asked:?}: {theirs}");
            }
            (_, true) => assert_eq!(code, Some("not_found"), "{asked:?}: {theirs}"),
        }
    }
    cast.installation.check_whole("after the calls");
}
