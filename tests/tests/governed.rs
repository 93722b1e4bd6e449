//! What takes a reason, a second person or a signature: over REST, on a page and at the command line, with one server that
//! runs on meanwhile.

use std::fs;

use serde_json::json;

use crate::identity::shown;
use crate::support::{CANARY_STUDY, Installation, STUDY, TENANT, Visitor};

/// The value of a form's hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the form has the field");
    rest.split('"').next().expect("the value ends").to_owned()
}

#[test]
fn control_12_an_engineer_signs_a_snapshot_on_its_page_and_anybody_verifies_it_offline() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let engineer = installation.demo_account(TENANT, "data_engineer");
    let (mut client, mut browser) = (engineer.client(&server), engineer.browser(&server));
    let at = |path: &str| server.url(&format!("/account/second-factor/{path}"));
    let begun = browser.post_form(&at("enrol"), &[]);
    let (_, rest) = begun.body.split_once("?secret=").expect("the page tells the app its secret");
    let secret = rest.split('&').next().expect("the secret ends").to_owned();
    browser.post_form(&at("confirm"), &[("code", &shown(&secret, 0))]);

    let data = server.url(&format!("/studies/{STUDY}/data"));
    let page = browser.get(&data).body;
    let fields = ["record_type", "record", "record_sha256"].map(|name| (name, hidden(&page, name)));
    let mut sign = |code: &str| {
        let mut form: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.extend([("meaning", "approval"), ("password", &*engineer.password), ("code", code)]);
        browser.post_form(&server.url(&format!("/studies/{STUDY}/signatures")), &form)
    };
    let refused = sign("000000");
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert!(refused.body.contains("Nothing was signed"), "{}", refused.body);
    assert_eq!(sign(&shown(&secret, 1)).status, 303);
    let page = browser.get(&data).body;
    assert!(page.contains("approval") && page.contains(">valid<"), "{page}");

    let listed = client.get(&server.url(&format!("/api/v1/studies/{STUDY}/signatures"))).json();
    assert_eq!((listed[0]["state"].as_str(), listed[0]["zone"].as_str()), (Some("valid"), Some("UTC")));
    let id = listed[0]["signature"].as_str().expect("it has an id");
    let out = installation.beside("signed");
    let path = |name: &str| out.join(name).display().to_string();
    let place = ["signature", "export", "--tenant", TENANT, "--study", STUDY, id, "--out"];
    installation.must(&[&place[..], &[&out.display().to_string()]].concat());
    let keys = installation.beside("ledger-keys");
    fs::write(&keys, installation.must(&["audit", "keys"]).out).expect("the folder is ours");
    let (block, record, receipt) = (path("signature.json"), path("record"), path("signature.tlog-proof"));
    let keys = keys.display().to_string();
    let verify = [
        "signature",
        "verify",
        "--signature",
        &block,
        "--record",
        &record,
        "--receipt",
        &receipt,
        "--keys",
        &keys,
    ];
    installation.must(&verify);
    let mut changed = fs::read(&record).expect("it was exported");
    changed.push(b' ');
    fs::write(&record, changed).expect("the folder is ours");
    let said = installation.run(&verify);
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.errors.contains("signature invalid"), "{said}");
    installation.check_whole("after signing");
}

#[test]
fn control_36_an_emergency_access_opens_a_study_over_rest_is_told_and_ends_at_once() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut client = installation.account_for_study(TENANT, "clinical", STUDY).client(&server);
    let tables = server.url(&format!("/api/v1/studies/{CANARY_STUDY}/tables"));
    let quarantine = server.url(&format!("/api/v1/studies/{CANARY_STUDY}/quarantine"));
    assert_eq!(client.get(&tables).status, 404);
    let ask = |client: &mut Visitor, minutes: u16| {
        let order = json!({ "study": CANARY_STUDY, "reason": "suspected overdose", "minutes": minutes });
        client.post_json(&server.url("/api/v1/break-glass"), &order)
    };
    assert_eq!(ask(&mut client, 61).status, 400, "an hour at most");
    let opened = ask(&mut client, 5);
    assert_eq!(opened.status, 201, "{}", opened.body);
    assert_eq!(ask(&mut client, 5).status, 409, "one at a time");
    assert_eq!(
        (client.get(&tables).status, client.get(&quarantine).status),
        (200, 404),
        "it reads, and builds not"
    );
    let id = opened.json()["break_glass"].as_str().expect("it has an id").to_owned();
    let review = json!({ "verdict": "justified", "note": "mine" });
    let reviewed = client.post_json(&server.url(&format!("/api/v1/break-glass/{id}/review")), &review);
    assert_eq!(reviewed.status, 404, "nobody reviews without the role: {}", reviewed.body);
    assert!(client.get(&server.url("/metrics")).body.contains("break_glass_opened_total 1"));
    assert!(server.log().contains("an emergency access was opened"), "{}", server.log());
    // The server runs on; the operator's command is a process of its own.
    installation.must(&["admin", "break-glass", "end", TENANT, &id]);
    assert_eq!(client.get(&tables).status, 404, "at the next request");
    let listed = client.get(&server.url("/api/v1/break-glass")).json();
    assert_eq!(listed[0]["is_open"], false);
    installation.check_whole("after an emergency");
}

#[test]
fn control_18_a_study_is_removed_on_its_day_with_its_files_and_the_ledger_tells_of_it() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let mut client = installation.demo_account(TENANT, "data_engineer").client(&server);
    let snapshots = server.url(&format!("/api/v1/studies/{CANARY_STUDY}/snapshots"));
    assert_eq!(client.get(&snapshots).status, 200);
    let create = ["admin", "account", "create", TENANT, "--email", "second@example.org", "--role", "steward"];
    let said = installation.must(&[&create[..], &["--no-password"]].concat()).out;
    let second = said.split_whitespace().last().expect("it tells the id").to_owned();
    let study = |command: &'static str| {
        ["admin", "study", command, TENANT, CANARY_STUDY, "--reason", "the trial is over"]
    };
    let remove = || installation.run(&[&study("remove")[..], &["--approved-by", &second]].concat());
    assert!(remove().errors.contains("nobody has decided"), "before anybody has decided");
    installation.must(&[&study("retain")[..], &["--until", "2999-01-01"]].concat());
    assert!(remove().errors.contains("2999-01-01"), "before the day");
    let earlier = ["--until", "2026-01-01", "--approved-by", &second];
    installation.must(&[&study("retain")[..], &earlier].concat());
    installation.must(&study("hold"));
    assert!(remove().errors.contains("legal hold"), "under a hold");
    let listed = installation.must(&["admin", "study", "list", TENANT]).out;
    let (_, rest) = listed.split_once("  hold ").expect("the hold is listed");
    let hold = rest.split_whitespace().next().expect("it has an id");
    let release = ["admin", "study", "release", TENANT, CANARY_STUDY, hold, "--reason", "closed"];
    installation.must(&release);
    let files = || {
        let below = crate::support::files_below(&installation.data().join("warehouse"));
        below.iter().filter(|path| path.components().any(|part| part.as_os_str() == CANARY_STUDY)).count()
    };
    assert!(files() > 0);
    let said = remove();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(files(), 0, "they are gone");
    assert_eq!(client.get(&snapshots).status, 404, "the server that runs on has it no more");
    let events = client.get(&server.url("/api/v1/audit?action=study.removed&limit=500")).json();
    let outcomes: Vec<&str> =
        events.as_array().expect("a list").iter().filter_map(|event| event["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["success", "denied", "denied", "denied"], "newest first");
    assert!(events[0]["data"]["files"].as_u64().is_some_and(|files| files > 0), "{}", events[0]);
    installation.check_whole("after the removal");
}
