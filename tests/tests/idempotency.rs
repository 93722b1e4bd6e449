//! Whoever does not know whether a request arrived sends it again under the same key, and it is done once.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Answer, Installation, Server, Visitor};

const KEYS: usize = 1_000;
const SENDS: usize = 16;

fn order() -> Value {
    json!({ "kind": "ledger_verify", "cron": "0 0 1 1 *", "zone": "UTC" })
}

/// Sends a request under a key. A key lives as long as the program that reads it.
fn send(visitor: &mut Visitor, server: &Server, key: &'static str, body: &Value) -> Answer {
    visitor.send_header(Some(("idempotency-key", key)));
    let answer = visitor.post_json(&server.url("/api/v1/schedules"), body);
    visitor.send_header(None);
    answer
}

/// The ids that one sender was given, by key; it waits when an equal request is being answered.
fn send_all(mut visitor: Visitor, server: &Server, keys: &[&'static str]) -> Vec<String> {
    let mut ids = Vec::new();
    for key in keys {
        let mut answer = send(&mut visitor, server, key, &order());
        for _ in 0..20 {
            if answer.status != 409 {
                break;
            }
            assert_eq!(answer.json()["code"], "in_flight", "{}", answer.body);
            thread::sleep(Duration::from_secs(1));
            answer = send(&mut visitor, server, key, &order());
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
        ids.push(answer.json()["schedule"].as_str().expect("it has an id").to_owned());
    }
    ids
}

#[test]
fn control_45_a_thousand_requests_sent_sixteen_times_each_are_a_thousand() {
    let Some(installation) = Installation::with_tenant("acme") else { return };
    let account = installation.account("acme", "data_engineer");
    let generous = ["--tenant-requests-per-second", "100000", "--workers", "0"];
    let server = Server::start_with(&installation.program, &installation.data(), &generous);
    let token = account.token(&server, "http");
    let keys: Vec<&'static str> =
        (0..KEYS).map(|number| &*Box::leak(format!("key-{number}").into_boxed_str())).collect();
    let given: Vec<Vec<String>> = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDS)
            .map(|_| {
                let visitor = Visitor::new().with_token(&token);
                scope.spawn(|| send_all(visitor, &server, &keys))
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().expect("a sender ends well")).collect()
    });
    let mut ids: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (number, id) in given.iter().flat_map(|ids| ids.iter().enumerate()) {
        ids.entry(number).or_default().insert(id);
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "a key gave different answers");
    let different: BTreeSet<&&str> = ids.values().flatten().collect();
    assert_eq!(different.len(), KEYS);
    let kept = account.client(&server).get(&server.url("/api/v1/schedules?limit=1000")).json();
    assert_eq!(kept.as_array().map(Vec::len), Some(KEYS), "so many are there");
    drop(server);
    installation.check_whole("after a thousand keys");
}

#[test]
fn control_45_a_key_is_of_one_request() {
    let Some(installation) = Installation::with_tenant("acme") else { return };
    let account = installation.account("acme", "data_engineer");
    let server = Server::start_with(&installation.program, &installation.data(), &["--workers", "0"]);
    let mut engineer = account.client(&server);
    let first = send(&mut engineer, &server, "night-1", &order());
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None), "{}", first.body);
    let again = send(&mut engineer, &server, "night-1", &order());
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")), "{}", again.body);
    assert_eq!(again.body, first.body);

    let other = json!({ "kind": "ledger_verify", "cron": "0 0 2 1 *", "zone": "UTC" });
    let reused = send(&mut engineer, &server, "night-1", &other);
    assert_eq!(
        (reused.status, &reused.json()["code"]),
        (422, &json!("idempotency_key_reused")),
        "{}",
        reused.body
    );
    let id = first.json()["schedule"].as_str().expect("it has an id").to_owned();
    engineer.send_header(Some(("idempotency-key", "night-1")));
    let elsewhere = engineer.post_json(&server.url(&format!("/api/v1/schedules/{id}/remove")), &json!({}));
    engineer.send_header(None);
    assert_eq!(elsewhere.status, 422, "another route: {}", elsewhere.body);
    let mut colleague = installation.account_for_study("acme", "data_engineer", "S").client(&server);
    // Another account's key of this name is another key; what it asks for here is not there for it.
    assert_eq!(send(&mut colleague, &server, "night-1", &order()).status, 404, "another account");

    for bad in ["", "a b", Box::leak("k".repeat(129).into_boxed_str())] {
        let refused = send(&mut engineer, &server, bad, &order());
        assert_eq!(refused.status, 400, "{bad:?}: {}", refused.body);
    }
    // What was refused may be sent again under its key once it is right.
    let wrong = json!({ "kind": "ledger_verify", "cron": "wrong", "zone": "UTC" });
    assert_eq!(send(&mut engineer, &server, "night-2", &wrong).status, 400);
    assert_eq!(send(&mut engineer, &server, "night-2", &order()).status, 201);
    // A token is shown once, so that no key can show it again.
    engineer.send_header(Some(("idempotency-key", "night-3")));
    let token = engineer.post_json(&server.url("/api/v1/tokens"), &json!({ "audience": "flight" }));
    assert_eq!(token.status, 400, "{}", token.body);
}
