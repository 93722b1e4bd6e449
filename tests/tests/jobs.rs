//! Work goes on after its request was answered: it can be watched, given up and tried again, and no job is lost
//! when servers end.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{Installation, Server, Visitor};

const ROUNDS: usize = 20;

/// Sends a delivery of one subject to a study, and commits it.
fn deliver(server: &Server, engineer: &mut Visitor, study: &str, number: usize) -> Value {
    let text =
        format!("STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC\n{study},S-{number},{number},01,A,2025-01-02\n");
    let blake3 = blake3::hash(text.as_bytes()).to_hex();
    let file = json!({ "name": "dm.csv", "bytes": text.len(), "blake3": blake3.as_str() });
    let announced = json!({ "mapping": "sdtm", "kind": "delta", "files": [file] });
    let url = |rest: &str| server.url(&format!("/api/v1/studies/{study}/batches{rest}"));
    // A key lives as long as the program that reads it.
    let key: &'static str = Box::leak(format!("key-{number}").into_boxed_str());
    engineer.send_header(Some(("idempotency-key", key)));
    let answer = engineer.post_json(&url(""), &announced);
    engineer.send_header(None);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let batch = answer.json()["batch"].as_str().expect("a delivery has an id").to_owned();
    let sent = engineer.put_bytes(&url(&format!("/{batch}/files/dm.csv")), text.as_bytes());
    assert_eq!(sent.status, 200, "{}", sent.body);
    let committed = engineer.post_json(&url(&format!("/{batch}/commit")), &json!({}));
    assert_eq!(committed.status, 202, "{}", committed.body);
    committed.json()
}

/// Every job there is, once all of them have ended.
fn ended(server: &Server, engineer: &mut Visitor) -> Vec<Value> {
    let mut jobs = Vec::new();
    for _ in 0..6_000 {
        let page = engineer.get(&server.url("/api/v1/jobs?limit=200")).json();
        jobs = page["jobs"].as_array().expect("a page has jobs").clone();
        let is_open = |job: &Value| job["state"] == "QUEUED" || job["state"] == "RUNNING";
        if !jobs.iter().any(is_open) {
            return jobs;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert!(jobs.is_empty(), "some jobs have not ended in ten minutes: {jobs:?}");
    jobs
}

fn count(jobs: &[Value], kind: &str) -> usize {
    jobs.iter().filter(|job| job["kind"] == kind).count()
}

#[test]
fn what_a_delivery_sets_off_can_be_watched_to_its_end() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let account = installation.account("wire", "data_engineer");
    let server = installation.serve();
    let mut engineer = account.client(&server);
    let committed = deliver(&server, &mut engineer, "WIRE-1", 1);
    let job = committed["job"].as_str().expect("a staged delivery has a job").to_owned();
    let url = |rest: &str| server.url(&format!("/api/v1/jobs/{job}{rest}"));

    // The stream ends when the job has ended.
    let watched = engineer.get(&url("/events"));
    assert_eq!(watched.header("content-type"), Some("text/event-stream"), "{}", watched.body);
    let events: Vec<Value> = watched
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).expect("an event is JSON"))
        .collect();
    let last = events.last().expect("there is an event");
    assert_eq!((&last["state"], &last["kind"]), (&json!("SUCCEEDED"), &json!("ingest")), "{last}");
    assert_eq!(last["result"]["batch"], committed["batch"], "{last}");

    let jobs = ended(&server, &mut engineer);
    assert_eq!((jobs.len(), count(&jobs, "marts_build")), (2, 1), "{jobs:?}");
    let marts = engineer.get(&server.url("/api/v1/studies/WIRE-1/snapshots")).json();
    assert_eq!(marts[0]["has_marts"], true, "{marts}");
    assert_eq!(engineer.post_json(&url("/cancel"), &json!({})).status, 409, "it has ended");
    assert_eq!(engineer.post_json(&url("/retry"), &json!({})).status, 409, "it was done");
    let asked =
        engineer.post_json(&server.url("/api/v1/studies/WIRE-1/jobs"), &json!({ "kind": "marts_build" }));
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert_eq!(ended(&server, &mut engineer).len(), 3);
    let wrong = engineer.post_json(&server.url("/api/v1/studies/WIRE-1/jobs"), &json!({ "kind": "ingest" }));
    assert_eq!(wrong.status, 400, "{}", wrong.body);

    let page = account.browser(&server).get(&server.url("/jobs"));
    assert!(
        page.body.contains("Take a delivery in") && page.body.contains("Build the marts"),
        "{}",
        page.body
    );
    let listed = installation.must(&["admin", "job", "list", "--tenant", "wire"]);
    assert_eq!(listed.out.matches("SUCCEEDED").count(), 3, "{listed}");
    assert!(installation.must(&["admin", "job", "show", "--tenant", "wire", &job]).out.contains("ingest"));

    let mut researcher = installation.account("wire", "researcher").client(&server);
    for address in [server.url("/api/v1/jobs"), url(""), url("/events")] {
        assert_eq!(researcher.get(&address).status, 404, "{address}");
    }
    assert_eq!(researcher.post_json(&url("/cancel"), &json!({})).status, 404);
}

#[test]
fn a_job_can_be_cancelled_and_tried_again() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let account = installation.account("wire", "data_engineer");
    // Nobody works here, so that the job waits.
    let server = Server::start_with(&installation.program, &installation.data(), &["--workers", "0"]);
    let mut engineer = account.client(&server);
    let committed = deliver(&server, &mut engineer, "WIRE-1", 1);
    let job = committed["job"].as_str().expect("a staged delivery has a job").to_owned();
    let cancelled = account.browser(&server).post_form(&server.url(&format!("/jobs/{job}/cancel")), &[]);
    assert_eq!((cancelled.status, cancelled.header("location")), (303, Some("/jobs")), "{}", cancelled.body);
    let shown = engineer.get(&server.url(&format!("/api/v1/jobs/{job}"))).json();
    assert_eq!(shown["state"], "CANCELLED", "{shown}");
    drop(server);

    installation.must(&["admin", "job", "retry", "--tenant", "wire", &job]);
    let server = installation.serve();
    let mut engineer = account.client(&server);
    let jobs = ended(&server, &mut engineer);
    assert!(jobs.len() == 2 && jobs.iter().all(|job| job["state"] == "SUCCEEDED"), "{jobs:?}");
    installation.check_whole("after a job was tried again");
}

#[test]
fn control_49_twenty_drains_under_load_lose_no_job() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let account = installation.account("wire", "data_engineer");
    let mut token = None;
    for round in 0..ROUNDS {
        // Some have a moment to end, some are cut off at once.
        let drain = ["0", "1", "3"][round % 3];
        let arguments = ["--drain-seconds", drain, "--job-lease-seconds", "600"];
        let mut server = Server::start_with(&installation.program, &installation.data(), &arguments);
        let token = token.get_or_insert_with(|| account.token(&server, "http"));
        let mut engineer = Visitor::new().with_token(token);
        deliver(&server, &mut engineer, ["A", "B", "C"][round % 3], round);
        // In another moment of the work in every round.
        thread::sleep(Duration::from_millis(u64::try_from(round).expect("it is small") * 97));
        server.ask_to_end();
        let ended = server.wait_for_end(Duration::from_secs(60));
        assert!(ended.is_some_and(|ended| ended.success()), "round {round}: {ended:?}\n{}", server.log());
    }
    let server = installation.serve();
    let mut engineer = account.client(&server);
    let jobs = ended(&server, &mut engineer);
    assert_eq!(count(&jobs, "ingest"), ROUNDS, "one for each delivery: {jobs:?}");
    for job in &jobs {
        // A lease of ten minutes that nobody gave back would have kept its job from the others.
        assert_eq!((&job["state"], &job["failures"]), (&json!("SUCCEEDED"), &json!(0)), "{job}");
    }
    let interrupted = jobs.iter().filter(|job| job["attempt"].as_u64() > Some(1)).count();
    println!("{interrupted} of {} jobs were given back and done by a later server", jobs.len());
    assert!(interrupted > 0, "no drain met a job: {jobs:?}");
    for study in ["A", "B", "C"] {
        let batches = engineer.get(&server.url(&format!("/api/v1/studies/{study}/batches"))).json();
        let new = |batch: &Value| batch["receipt"]["entities"]["subject"]["new"].as_u64().unwrap_or_default();
        let subjects: u64 = batches.as_array().expect("a list").iter().map(new).sum();
        let expected = (0..ROUNDS).filter(|round| ["A", "B", "C"][round % 3] == study).count();
        assert_eq!(subjects, expected as u64, "{study}: {batches}");
    }
    drop(server);
    installation.check_whole("after twenty drains");
}

#[test]
fn a_schedule_puts_its_job_in_line_when_its_time_has_come() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let account = installation.account("wire", "data_engineer");
    let server = installation.serve();
    let mut engineer = account.client(&server);
    let url = |rest: &str| server.url(&format!("/api/v1/schedules{rest}"));
    for (order, words) in [
        (json!({ "kind": "ledger_verify", "cron": "* * * *", "zone": "UTC" }), "five fields"),
        (json!({ "kind": "ledger_verify", "cron": "0 0 31 2 *", "zone": "UTC" }), "never come"),
        (json!({ "kind": "ledger_verify", "cron": "0 0 * * *", "zone": "Berlin" }), "IANA"),
        (json!({ "kind": "ingest", "cron": "0 0 * * *", "zone": "UTC" }), "neither"),
        (
            json!({ "kind": "marts_build", "study": "NONE", "cron": "0 0 * * *", "zone": "UTC" }),
            "not registered",
        ),
    ] {
        let refused = engineer.post_json(&url(""), &order);
        assert!(refused.status == 400 && refused.body.contains(words), "{words}: {}", refused.body);
    }
    // A path names what is not there; a body that does is wrong.
    let nowhere =
        engineer.post_json(&server.url("/api/v1/studies/NONE/jobs"), &json!({ "kind": "marts_build" }));
    assert_eq!(nowhere.status, 404, "{}", nowhere.body);
    let every_minute = json!({ "kind": "ledger_verify", "cron": "* * * * *", "zone": "Europe/Berlin" });
    let added = engineer.post_json(&url(""), &every_minute);
    assert_eq!(
        (added.status, added.json()["next"].as_array().map(Vec::len)),
        (201, Some(3)),
        "{}",
        added.body
    );
    let id = added.json()["schedule"].as_str().expect("it has an id").to_owned();

    let mut jobs = Vec::new();
    for _ in 0..120 {
        jobs = ended(&server, &mut engineer);
        if !jobs.is_empty() {
            break;
        }
        thread::sleep(Duration::from_secs(1));
    }
    let job = jobs.first().expect("a minute has passed");
    assert_eq!((&job["kind"], &job["asked_by"]), (&json!("ledger_verify"), &json!("system")), "{job}");
    assert_eq!(job["state"], "SUCCEEDED", "{job}");

    let off = engineer.post_json(&url(&format!("/{id}/disable")), &json!({}));
    assert_eq!((off.status, &off.json()["next"]), (200, &json!([])), "{}", off.body);
    let run = engineer.post_json(&url(&format!("/{id}/run")), &json!({}));
    assert_eq!((run.status, &run.json()["asked_by"]), (202, &json!("account")), "{}", run.body);
    let mut browser = account.browser(&server);
    let page = browser.get(&server.url("/jobs")).body;
    assert!(page.contains("Europe/Berlin") && page.contains("Turn on"), "{page}");
    let on = browser.post_form(&server.url(&format!("/schedules/{id}/enable")), &[]);
    assert_eq!((on.status, on.header("location")), (303, Some("/jobs")), "{}", on.body);
    let listed = installation.must(&["admin", "schedule", "list", "--tenant", "wire"]);
    assert!(listed.out.contains(&id) && listed.out.contains("next: "), "{listed}");
    installation.must(&["admin", "schedule", "remove", "--tenant", "wire", &id]);
    assert_eq!(engineer.get(&url("")).json(), json!([]));
    let mut researcher = installation.account("wire", "researcher").client(&server);
    assert_eq!(researcher.get(&url("")).status, 404);
    assert_eq!(researcher.post_json(&url(""), &every_minute).status, 404);
    installation.check_whole("after a schedule");
}
