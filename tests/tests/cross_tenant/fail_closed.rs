//! A ledger that takes no event: whatever a door would have done is not done, by whoever may do anything.

use serde_json::Value;

use super::attempt::{Attempt, Position};
use super::cast::Cast;
use crate::support::{Need, python};
use crate::tenant_wall::doors;

/// Makes the ledger of every log refuse events, or take them again; either way gives all rows but those that follow
/// what is in use.
fn ledger(interpreter: &std::path::Path, cast: &Cast, mode: &str) -> Value {
    let data = cast.installation.data();
    python(interpreter, "no_ledger.py", &[mode.as_ref(), data.as_os_str()])
}

#[test]
fn control_01_no_door_changes_anything_when_its_event_cannot_be_written() {
    let Some(interpreter) = Need::Python.path() else { return };
    let Some(cast) = Cast::assemble() else { return };
    let [client, browser] = cast.owners();
    let before = ledger(&interpreter, &cast, "fail");
    let (mut refused, mut stopped_before) = (Vec::new(), Vec::new());
    for door in doors().iter().filter(|door| door.method != "get") {
        let who = if door.is_rest() { &client } else { &browser };
        for treasure in cast.treasures_for(door).take(1) {
            let attempt = Attempt { door, position: Position::Path, treasure, in_own_study: false };
            // What a body names is the tenant's own as well.
            let body = Attempt { door, position: Position::Body, treasure, in_own_study: false };
            let sent = attempt.request(&cast, who, true).with_body_of(body.request(&cast, who, true));
            let answer = sent.send(&mut who.visitor(), &cast);
            let name = format!("{} {} ({})", door.method, door.path, answer.status);
            // What was there already is answered without an event, and without a change.
            let after = ledger(&interpreter, &cast, "look");
            assert!(after == before, "{name} has changed something without its event: {}", answer.body);
            let is_refused = answer.status >= 500 && door.is_recorded;
            if is_refused { refused.push(name) } else { stopped_before.push(name) }
        }
    }
    println!(
        "refused for want of the ledger: {refused:#?}\nrefused or done before one was due: {stopped_before:#?}"
    );
    assert!(refused.len() >= 60, "the ledger was reached by these alone: {refused:?}");
    ledger(&interpreter, &cast, "mend");
    cast.installation.check_whole("after the ledger takes events again");
}
