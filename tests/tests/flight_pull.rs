//! A researcher pulls a table into Python over Arrow Flight: the same rows as REST gives, and nobody else's.

use std::{collections::BTreeSet, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use serde_json::{Value, json};

use crate::support::{Account, Installation, Need, OTHER_STUDY, OTHER_TENANT, STUDY, Server, TENANT, python};

/// A server over the demonstration, and what a Python client of it needs.
struct Scene {
    python: PathBuf,
    installation: Installation,
    server: Server,
    researcher: Account,
}

impl Scene {
    fn open() -> Option<Self> {
        let python = Need::Python.path()?;
        let installation = Installation::demonstration()?;
        let server = installation.serve();
        let researcher = installation.demo_account(TENANT, "researcher");
        Some(Self { python, installation, server, researcher })
    }

    fn token(&self) -> String {
        self.researcher.token(&self.server, "flight")
    }

    /// Calls the Flight port as `flight_client.py` does.
    fn call(&self, token: Option<&str>, mode: &[&str]) -> Value {
        let port = self.server.flight.port().to_string();
        let mut arguments = vec!["--port", &port];
        arguments.extend(token.iter().flat_map(|token| ["--token", token]));
        arguments.extend(mode);
        python(&self.python, "flight_client.py", &arguments)
    }

    /// Every event of every log, the system's among them.
    fn ledger(&self) -> Vec<Value> {
        let data = self.installation.data();
        let events = python(&self.python, "ledger.py", &[data.as_os_str()]);
        events.as_array().expect("a list of events").clone()
    }

    /// Calls, and gives the refusal with the one event that it left in the ledger.
    fn refused(&self, token: Option<&str>, mode: &[&str]) -> (Value, Value) {
        let before = self.ledger().len();
        let answer = self.call(token, mode);
        assert_eq!(answer["ok"], false, "`{mode:?}` was answered: {answer}");
        let ledger = self.ledger();
        let denied: Vec<&Value> = ledger.iter().filter(|event| event["action"] == "access.denied").collect();
        assert_eq!(ledger.len(), before + 1, "`{mode:?}` was refused with {answer}, and not recorded once");
        let newest = denied.iter().max_by_key(|event| event["at"].as_str().unwrap_or_default());
        (answer, (*newest.expect("the refusal is in the ledger")).clone())
    }
}

#[test]
fn python_pulls_the_same_rows_as_rest_gives() {
    let Some(scene) = Scene::open() else { return };
    let (http, flight) = (scene.researcher.token(&scene.server, "http"), scene.token());
    let port = scene.server.flight.port().to_string();
    for (table, rows_at_least) in [("mart_kri", 12 * 30), ("dim_site", 40), ("fact_visit", 1_000)] {
        let path = format!("{STUDY}/{table}");
        let base = scene.server.url("");
        let arguments = [
            "--http",
            &base,
            "--http-token",
            &http,
            "--flight-port",
            &port,
            "--flight-token",
            &flight,
            &path,
        ];
        let compared = python(&scene.python, "same_rows.py", &arguments);
        assert_eq!(compared["difference_count"], 0, "{table}: {compared:#}");
        let rows = compared["flight_rows"].as_u64().expect("rows are counted");
        assert!(rows >= rows_at_least, "{table} has {rows} rows only");
    }
}

#[test]
fn list_flights_names_the_tables_of_the_tenant_and_no_others() {
    let Some(scene) = Scene::open() else { return };
    for (tenant, studies_at_least) in [(TENANT, 2), (OTHER_TENANT, 1)] {
        let account = scene.installation.demo_account(tenant, "researcher");
        let mut client = account.client(&scene.server);
        let mut get = |path: &str| client.get(&scene.server.url(path)).json();
        let mut published = BTreeSet::new();
        let studies = get("/api/v1/studies");
        let studies = studies.as_array().expect("a list of studies");
        assert!(studies.len() >= studies_at_least, "{tenant} has only {studies:?}");
        for study in studies {
            let study = study["study"].as_str().expect("a study has a code");
            for table in get(&format!("/api/v1/studies/{study}/tables")).as_array().expect("a list of tables")
            {
                let name = table["table"].as_str().expect("a table has a name");
                published.insert((study.to_owned(), name.to_owned(), table["rows"].as_u64()));
            }
        }
        let answer = scene.call(Some(&account.token(&scene.server, "flight")), &["list"]);
        let listed = answer["flights"].as_array().unwrap_or_else(|| panic!("no flights: {answer}"));
        let part = |flight: &Value, at: usize| flight["path"][at].as_str().unwrap_or_default().to_owned();
        let flights: BTreeSet<_> =
            listed.iter().map(|flight| (part(flight, 0), part(flight, 1), flight["rows"].as_u64())).collect();
        assert_eq!(flights, published, "of {tenant}");
        assert_eq!(flights.len(), listed.len(), "a table is listed twice");
    }
}

#[test]
fn the_stream_has_the_schema_that_was_promised() {
    let Some(scene) = Scene::open() else { return };
    let token = scene.token();
    let list = scene.call(Some(&token), &["list"]);
    for flight in list["flights"].as_array().expect("a list of flights") {
        let parts = ["0", "1"].map(|at| flight["path"][at.parse::<usize>().expect("a number")].as_str());
        let [Some(study), Some(table)] = parts else { panic!("a path has two parts: {flight}") };
        if study != STUDY || !["mart_kri", "dim_site", "dim_subject", "fact_lab"].contains(&table) {
            continue;
        }
        let path = format!("{study}/{table}");
        let [pulled, schema, info] =
            ["pull", "schema", "info"].map(|mode| scene.call(Some(&token), &[mode, &path]));
        assert_eq!(pulled["as_promised"], true, "{table}: info promised {info}, the stream has {pulled}");
        for part in ["columns", "types", "nullable"] {
            for promised in [flight, &schema, &info] {
                assert_eq!(promised[part], pulled[part], "{part} of {table}");
            }
        }
        assert_eq!(info["rows"], pulled["rows"], "rows of {table}");
    }
}

#[test]
fn every_pull_is_two_events_with_rows_and_bytes() {
    let Some(scene) = Scene::open() else { return };
    let asked = |ledger: &[Value]| ledger.iter().filter(|event| event["actor"]["type"] != "system").count();
    let before = asked(&scene.ledger());
    let pulled = scene.call(Some(&scene.token()), &["pull", &format!("{STUDY}/mart_kri")]);
    let ledger = scene.ledger();
    let reads: Vec<&Value> = ledger
        .iter()
        .filter(|event| event["action"].as_str().is_some_and(|action| action.starts_with("data.read.")))
        .collect();
    // One login for the token, and the two events of the pull; the program's own come when their time has.
    assert_eq!(asked(&ledger), before + 3);
    let [started, finished] = reads.as_slice() else { panic!("{} events of reading", reads.len()) };
    for (event, action) in [(started, "data.read.started"), (finished, "data.read.finished")] {
        assert_eq!((&event["action"], &event["outcome"]), (&json!(action), &json!("success")));
        assert_eq!(event["resource"], json!({ "type": "table", "id": "mart_kri" }));
        assert_eq!((&event["data"]["study"], &event["data"]["door"]), (&json!(STUDY), &json!("flight")));
        assert_eq!(event["actor"]["type"], "account");
    }
    assert_eq!(started["data"]["pull"], finished["data"]["pull"]);
    assert_eq!(finished["data"]["rows"], pulled["rows"]);
    let bytes = finished["data"]["bytes"].as_u64().expect("bytes are counted");
    // The client counts its buffers, the server what it sent: the same rows with the frame around them.
    let in_memory = pulled["bytes"].as_u64().expect("the client counts its buffers");
    assert!((in_memory / 2..in_memory * 2).contains(&bytes), "{bytes} bytes sent, {in_memory} received");
}

#[test]
fn who_proves_nothing_gets_one_answer_and_the_ledger_knows_why() {
    let Some(scene) = Scene::open() else { return };
    let path = format!("{STUDY}/mart_kri");
    let (good, http) = (scene.token(), scene.researcher.token(&scene.server, "http"));
    let expired = scene.expired(&good);
    let forged = forged(&good);
    let cases = [
        (None, "no_token", false),
        (Some("not a token"), "token_malformed", false),
        (Some(&*forged), "token_bad_signature", false),
        (Some(&*expired), "token_expired", true),
        (Some(&*http), "token_wrong_audience", true),
    ];
    let mut answers = BTreeSet::new();
    for (token, reason, is_known) in cases {
        for mode in [&["pull", &path][..], &["list"], &["schema", &path], &["ticket", "{}"]] {
            let (answer, event) = scene.refused(token, mode);
            assert_eq!(answer["refused"], "unauthenticated", "{reason}: {answer}");
            answers.insert(answer["message"].as_str().unwrap_or_default().to_owned());
            assert_eq!(event["data"], json!({ "door": "flight", "reason": reason }), "{event}");
            let log = event["log"].as_str().unwrap_or_default();
            assert_eq!(log != "cairn/audit/system", is_known, "{reason} is in the log {log}");
        }
    }
    assert_eq!(answers.len(), 1, "the answer tells what was wrong: {answers:?}");
}

#[test]
fn not_yours_and_not_there_are_one_answer() {
    let Some(scene) = Scene::open() else { return };
    let mine = scene.token();
    let theirs = scene.installation.demo_account(OTHER_TENANT, "researcher").token(&scene.server, "flight");
    let tickets = scene.call(Some(&theirs), &["info", &format!("{OTHER_STUDY}/dim_site")]);
    let ticket = tickets["tickets"][0].as_str().expect("the other tenant gets a ticket").to_owned();
    let of_mine = ticket.replace(OTHER_STUDY, STUDY);
    let nowhere = ticket.replace(OTHER_STUDY, "NOWHERE-1");
    let paths =
        [(OTHER_STUDY, "dim_site"), ("NOWHERE-1", "dim_site"), (STUDY, "no_table"), ("no study", "dim_site")]
            .map(|(study, table)| format!("{study}/{table}"));
    let mut calls: Vec<[&str; 2]> = Vec::new();
    for path in &paths {
        calls.extend(["pull", "schema", "info"].map(|mode| [mode, path]));
    }
    calls.extend([&ticket, &of_mine, &nowhere].map(|ticket| ["ticket", ticket.as_str()]));
    let mut answers = BTreeSet::new();
    for call in calls {
        let (answer, event) = scene.refused(Some(&mine), &call);
        assert_eq!(answer["refused"], "not_found", "{call:?}: {answer}");
        answers.insert(answer["message"].as_str().unwrap_or_default().to_owned());
        // In the caller's own log, and silent about what was asked for.
        assert_ne!(event["log"], "cairn/audit/system", "{event}");
        assert!(!event.to_string().contains(OTHER_STUDY), "{event}");
    }
    assert_eq!(answers.len(), 1, "the answer tells what there is: {answers:?}");
    let whole = scene.call(Some(&theirs), &["ticket", &ticket]);
    assert_eq!(whole["ok"], true, "its owner can use the ticket: {whole}");
    scene.installation.check_whole("after the refusals");
}

#[test]
fn a_ticket_that_is_none_is_refused_and_recorded() {
    let Some(scene) = Scene::open() else { return };
    let token = scene.token();
    for ticket in ["", "SELECT 1", "{}", "[[[["] {
        let (answer, _) = scene.refused(Some(&token), &["ticket", ticket]);
        assert_eq!(answer["refused"], "invalid_argument", "{ticket:?}: {answer}");
    }
    let (answer, _) = scene.refused(Some(&token), &["pull", STUDY]);
    assert_eq!(answer["refused"], "invalid_argument", "a path of one part: {answer}");
}

impl Scene {
    /// A token as the server itself gave it two days ago.
    fn expired(&self, good: &str) -> String {
        let pem = fs::read_to_string(self.installation.data().join("control/keys/signing.key"));
        let key = SigningKey::from_pkcs8_pem(&pem.expect("the data folder holds its key"));
        let key = key.expect("it is an Ed25519 key in PKCS #8");
        let (header, mut claims) = parts(good);
        for name in ["iat", "nbf", "exp"] {
            let seconds = claims[name].as_i64().expect("a time in seconds");
            claims[name] = json!(seconds - 48 * 3600);
        }
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes()))
    }
}

/// The same claims under a signature of a key that is not the server's.
fn forged(good: &str) -> String {
    let (signed, _) = good.rsplit_once('.').expect("a token has three parts");
    let signature = SigningKey::from_bytes(&[7; 32]).sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
