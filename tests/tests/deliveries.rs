//! An engineer sends a delivery over the wire: in parts, through a line that breaks, twice by mistake.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{Account, Answer, Installation, Need, Server, Visitor, python};

const TRIAL: &str = "WIRE-1";
const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC\nWIRE-1,W-1,1,01,A,2025-01-02\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESTDTC\nWIRE-1,W-1,1,HEADACHE,N,2025-01-09\n";

/// A server, and an engineer with a token.
struct Scene {
    installation: Installation,
    server: Server,
    account: Account,
    engineer: Visitor,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::with_tenant("wire")?;
        let account = installation.account("wire", "data_engineer");
        let server = installation.serve();
        let engineer = account.client(&server);
        Some(Self { installation, server, account, engineer })
    }

    fn url(&self, rest: &str) -> String {
        self.server.url(&format!("/api/v1/studies/{TRIAL}/{rest}"))
    }

    fn announce(&mut self, key: &'static str, body: &Value) -> Answer {
        self.engineer.send_header(Some(("idempotency-key", key)));
        let answer = self.engineer.post_json(&self.url("batches"), body);
        self.engineer.send_header(None);
        answer
    }

    fn send(&mut self, batch: &str, name: &str, offset: &'static str, bytes: &[u8]) -> Answer {
        self.engineer.send_header(Some(("upload-offset", offset)));
        let answer = self.engineer.put_bytes(&self.url(&format!("batches/{batch}/files/{name}")), bytes);
        self.engineer.send_header(None);
        answer
    }

    fn commit(&mut self, batch: &str) -> Answer {
        self.engineer.post_json(&self.url(&format!("batches/{batch}/commit")), &json!({}))
    }

    /// The delivery once it has ended.
    fn end(&mut self, batch: &str) -> Value {
        let mut answer = Value::Null;
        for _ in 0..600 {
            answer = self.engineer.get(&self.url(&format!("batches/{batch}"))).json();
            if answer["state"] == "COMMITTED" || answer["state"] == "REJECTED" {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        answer
    }
}

fn manifest(files: &[(&str, &str)]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|(name, text)| {
            let blake3 = blake3::hash(text.as_bytes()).to_hex();
            json!({ "name": name, "bytes": text.len(), "blake3": blake3.as_str() })
        })
        .collect();
    json!({ "mapping": "sdtm", "files": files })
}

fn batch(answer: &Answer) -> String {
    answer.json()["batch"].as_str().expect("a delivery has an id").to_owned()
}

#[test]
fn a_delivery_arrives_in_parts_and_is_taken_in_once() {
    let Some(mut scene) = Scene::open() else { return };
    let announced = manifest(&[("dm.csv", DM), ("ae.csv", AE)]);
    let first = scene.announce("night-1", &announced);
    assert_eq!(first.status, 201, "{}", first.body);
    let batch = batch(&first);
    assert!(first.header("location").is_some_and(|place| place.ends_with(&batch)), "{:?}", first.headers);

    assert_eq!(scene.send(&batch, "dm.csv", "0", DM.as_bytes()).status, 200);
    let part = scene.send(&batch, "ae.csv", "0", &AE.as_bytes()[..20]);
    assert_eq!((part.status, part.json()["received"].as_u64()), (200, Some(20)), "{}", part.body);
    let early = scene.commit(&batch);
    assert_eq!(early.status, 400, "{}", early.body);
    assert!(early.body.contains("`ae.csv` is not whole: 20 of"), "{}", early.body);
    let twice = scene.send(&batch, "ae.csv", "0", &AE.as_bytes()[..20]);
    assert_eq!(twice.status, 409, "{}", twice.body);
    assert!(twice.body.contains("go on at 20"), "{}", twice.body);
    assert_eq!(scene.send(&batch, "ae.csv", "20", &AE.as_bytes()[20..]).status, 200);
    let beyond = scene.send(&batch, "dm.csv", "72", b"more");
    assert!(matches!(beyond.status, 409 | 413), "{}", beyond.body);

    assert_eq!(scene.commit(&batch).status, 202);
    let ended = scene.end(&batch);
    assert_eq!(ended["state"], "COMMITTED", "{ended}");
    assert_eq!(ended["receipt"]["batch"], batch.as_str(), "{ended}");
    assert_eq!(ended["receipt"]["entities"]["adverse_event"]["new"], 1, "{ended}");

    let again = scene.announce("night-1", &announced);
    assert_eq!(
        (again.status, again.json()["state"].as_str().map(str::to_owned)),
        (200, Some("COMMITTED".into()))
    );
    assert_eq!(scene.commit(&batch).status, 202, "saying it again changes nothing");
    let other = scene.announce("night-1", &manifest(&[("dm.csv", DM)]));
    assert_eq!(other.status, 409, "{}", other.body);
    let taken_in = scene.engineer.get(&scene.url("batches")).json();
    assert_eq!(taken_in.as_array().map(Vec::len), Some(1), "{taken_in}");
    scene.installation.check_whole("after a delivery over the wire");
}

#[test]
fn what_is_wrong_with_a_delivery_is_said_and_nothing_is_published() {
    let Some(mut scene) = Scene::open() else { return };
    for (body, words) in [
        (json!({ "files": [] }), "1 to 1000 files"),
        (json!({ "files": [], "colour": 1 }), "unknown field `colour`"),
        (
            json!({ "files": [{ "name": "../ae.csv", "bytes": 1, "blake3": "00" }] }),
            "cannot be a file's name",
        ),
        (
            json!({ "mapping": "/etc/passwd", "files": [{ "name": "ae.csv", "bytes": 1, "blake3": "0".repeat(64) }] }),
            "it is not shipped",
        ),
    ] {
        let refused = scene.announce("wrong", &body);
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains(words), "{words} in {}", refused.body);
    }
    let without_key = scene.engineer.post_json(&scene.url("batches"), &manifest(&[("dm.csv", DM)]));
    assert_eq!(without_key.status, 400, "{}", without_key.body);

    // The bytes are not those that were announced.
    let announced = scene.announce("swapped", &manifest(&[("dm.csv", DM)]));
    let batch_id = batch(&announced);
    scene.send(&batch_id, "dm.csv", "0", DM.replace("W-1", "W-2").as_bytes());
    let swapped = scene.commit(&batch_id);
    assert_eq!(swapped.status, 400, "{}", swapped.body);
    assert!(swapped.body.contains("not what was announced"), "{}", swapped.body);

    // The rows do not fit, and what is kept of that holds no value of theirs.
    let wrong = AE.replace("2025-01-09", "09JAN2025");
    let announced = scene.announce("wrong-rows", &manifest(&[("dm.csv", DM), ("ae.csv", &wrong)]));
    let batch_id = batch(&announced);
    scene.send(&batch_id, "dm.csv", "0", DM.as_bytes());
    scene.send(&batch_id, "ae.csv", "0", wrong.as_bytes());
    assert_eq!(scene.commit(&batch_id).status, 202);
    let ended = scene.end(&batch_id);
    assert_eq!(ended["state"], "REJECTED", "{ended}");
    let problem = ended["problem"].as_str().unwrap_or_default();
    assert!(problem.contains("AESTDTC") && !problem.contains("09JAN2025"), "{problem}");
    assert_eq!(scene.engineer.get(&scene.url("snapshots")).status, 404, "nothing was published");
}

#[test]
fn a_researcher_sends_nothing() {
    let Some(scene) = Scene::open() else { return };
    let mut researcher = scene.installation.account("wire", "researcher").client(&scene.server);
    researcher.send_header(Some(("idempotency-key", "mine")));
    let refused = researcher.post_json(&scene.url("batches"), &manifest(&[("dm.csv", DM)]));
    assert_eq!(refused.status, 404, "{}", refused.body);
}

#[test]
fn a_dataset_comes_over_flight_and_the_receipt_goes_back() {
    let (Some(interpreter), Some(scene)) = (Need::Python.path(), Scene::open()) else { return };
    let token = scene.account.token(&scene.server, "flight");
    let port = scene.server.flight.port().to_string();
    let call = |token: &str, columns: &Value, path: &str| {
        let columns = columns.to_string();
        let arguments = ["--port", &port, "--token", token, "--columns", &columns, "put", path];
        python(&interpreter, "flight_client.py", &arguments)
    };
    let subject = json!({ "STUDYID": [TRIAL], "USUBJID": ["W-1"], "SUBJID": ["1"], "SITEID": ["01"] });
    let sent = call(&token, &subject, &format!("{TRIAL}/DM"));
    assert_eq!(sent["receipt"]["entities"]["subject"]["new"], 1, "{sent}");
    let event = json!({ "STUDYID": [TRIAL, TRIAL], "USUBJID": ["W-1", "W-1"], "AESEQ": [1, 2],
        "AETERM": ["RASH", "COUGH"], "AESTDTC": ["2025-01-03", "2025-01"] });
    let order =
        json!({ "study": TRIAL, "dataset": "AE", "kind": "delta", "key": "put-1", "mapping": "sdtm" });
    let sent = call(&token, &event, &order.to_string());
    assert_eq!(sent["receipt"]["entities"]["adverse_event"]["new"], 2, "{sent}");
    let again = call(&token, &event, &order.to_string());
    assert_eq!(again["receipt"]["batch"], sent["receipt"]["batch"], "{again}");

    let researcher = scene.installation.account("wire", "researcher").token(&scene.server, "flight");
    let refused = call(&researcher, &subject, &format!("{TRIAL}/DM"));
    assert_eq!((&refused["ok"], &refused["refused"]), (&json!(false), &json!("not_found")), "{refused}");
    let wrong = call(&token, &json!({ "A": [1] }), &format!("{TRIAL}/NOTHING"));
    assert_eq!((&wrong["ok"], &wrong["refused"]), (&json!(false), &json!("invalid_argument")), "{wrong}");
    scene.installation.check_whole("after datasets over Flight");
}
