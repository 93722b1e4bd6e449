//! Programs elsewhere are told what happens: signed, at least once, whatever becomes of servers in between.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::support::{Account, Installation, Need, Server, Visitor, python};

/// A program that messages are posted to.
struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Value>>>,
    /// What it answers with.
    answer: Arc<Mutex<&'static str>>,
}

const OK: &str = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// It takes the message and never answers.
const SILENCE: &str = "";

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the system gives a port");
        let address = listener.local_addr().expect("it has an address");
        let (got, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(OK)));
        let (keeping, answering) = (Arc::clone(&got), Arc::clone(&answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (got, answer) = (Arc::clone(&keeping), *answering.lock().expect("nobody panics here"));
                thread::spawn(move || take(stream, &got, answer));
            }
        });
        Self { address, got, answer }
    }

    fn url(&self) -> String {
        format!("http://{}/hook?token=hush", self.address)
    }

    fn got(&self) -> Vec<Value> {
        self.got.lock().expect("nobody panics here").clone()
    }

    /// What came, once it is at least so much.
    fn wait_for(&self, count: usize, limit: Duration) -> Vec<Value> {
        let began = Instant::now();
        while self.got().len() < count && began.elapsed() < limit {
            thread::sleep(Duration::from_millis(50));
        }
        self.got()
    }

    fn answer_with(&self, answer: &'static str) {
        *self.answer.lock().expect("nobody panics here") = answer;
    }
}

/// Reads one request, keeps it and answers.
fn take(mut stream: TcpStream, got: &Mutex<Vec<Value>>, answer: &str) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: serde_json::Map<String, Value> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), Value::from(value)))
        .collect();
    let length: usize = headers["content-length"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    #[expect(clippy::disallowed_methods, reason = "a receiver judges a timestamp by its own clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    let body = BASE64.encode(&bytes[end + 4..]);
    let first = head.lines().next().unwrap_or_default();
    got.lock()
        .expect("nobody panics here")
        .push(json!({ "request": first, "headers": headers, "body": body, "received_at": now }));
    if answer.is_empty() {
        thread::sleep(Duration::from_secs(60));
    }
    // Whoever was killed meanwhile hears nothing.
    drop(stream.write_all(answer.as_bytes()));
}

fn serve(installation: &Installation) -> Server {
    Server::start_with(&installation.program, &installation.data(), &["--webhook-allow-loopback"])
}

fn add(server: &Server, administrator: &mut Visitor, url: &str) -> Value {
    let order =
        json!({ "url": url, "description": "the lake", "kinds": ["account.grants.changed", "job.failed"] });
    let added = administrator.post_json(&server.url("/api/v1/webhooks"), &order);
    assert_eq!(added.status, 201, "{}", added.body);
    added.json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("it is a text")
}

#[test]
fn a_message_arrives_and_verifies_with_an_independent_receiver() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let Some(interpreter) = Need::Python.path() else { return };
    let receiver = Receiver::start();
    let account = installation.account("wire", "administrator");
    let server = serve(&installation);
    let mut administrator = account.client(&server);
    administrator.send_header(Some(("idempotency-key", "once")));
    let added = add(&server, &mut administrator, &receiver.url());
    let again = add(&server, &mut administrator, &receiver.url());
    administrator.send_header(None);
    let (endpoint, first) = (text(&added, "endpoint"), text(&added, "secret"));
    assert_eq!(
        (&again["endpoint"], &again["secret"]),
        (&added["endpoint"], &Value::Null),
        "it is shown once"
    );
    let url = |rest: &str| server.url(&format!("/api/v1/webhooks/{endpoint}{rest}"));
    let shown = administrator.get(&url("")).body;
    assert!(!shown.contains(first) && !shown.contains("whsec_"), "{shown}");

    assert_eq!(administrator.post_json(&url("/test"), &json!({})).status, 202);
    assert_eq!(receiver.wait_for(1, Duration::from_secs(20)).len(), 1);
    let rotated = administrator.post_json(&url("/rotate"), &json!({})).json();
    let second = text(&rotated, "secret");
    let robot = ["admin", "account", "create", "wire", "--email", "robot@wire.test", "--role", "researcher"];
    let made = installation.must(&[&robot[..], &["--no-password"]].concat()).out;
    let id = made.split_whitespace().find(|word| word.len() == 36).expect("it has an id");
    installation.must(&["admin", "account", "grant", "wire", id, "--role", "auditor"]);
    let got = receiver.wait_for(2, Duration::from_secs(20));
    assert_eq!(got.len(), 2, "{got:?}");

    // Both signatures stand in the second message; a changed or a late one verifies under neither.
    let file = installation.beside("requests.ndjson");
    let lines: String = got.iter().map(|request| format!("{request}\n")).collect();
    fs::write(&file, lines).expect("the folder takes files");
    let secrets = format!("{first},{second}");
    let told = python(&interpreter, "webhook_receiver.py", &[secrets.as_str(), &file.to_string_lossy()]);
    assert_eq!(told[0]["verified"], json!([true, false]), "{told:#}");
    assert_eq!(told[1]["verified"], json!([true, true]), "{told:#}");
    for told in told.as_array().expect("there are two") {
        assert_eq!((&told["changed"], &told["late"]), (&json!(false), &json!(false)), "{told:#}");
    }
    let (test, message) = (&told[0]["message"], &told[1]["message"]);
    assert_eq!(test["type"], "webhook.test", "{test}");
    assert_eq!(
        (&message["type"], &message["data"]["role"]),
        (&json!("account.grants.changed"), &json!("auditor"))
    );
    assert_eq!(message["data"]["resource_id"], id, "{message}");
    assert!(!message.to_string().contains("@"), "{message}");

    check_pages(&installation, &account, (&server, endpoint));
    let other = installation.must(&["admin", "tenant", "create", "other"]);
    assert_eq!(other.code, Some(0));
    let mut stranger = installation.account("other", "administrator").client(&server);
    for rest in ["", "/deliveries"] {
        assert_eq!(stranger.get(&url(rest)).status, 404, "control 26: {rest}");
    }
    for rest in ["/rotate", "/test", "/remove", "/enable", "/disable"] {
        assert_eq!(stranger.post_json(&url(rest), &json!({})).status, 404, "control 26: {rest}");
    }
    let deliveries = administrator.get(&url("/deliveries")).json();
    assert_eq!(deliveries["deliveries"].as_array().map(Vec::len), Some(2), "{deliveries}");
    assert_eq!(deliveries["deliveries"][0]["state"], "DELIVERED", "{deliveries}");
    assert!(!server.log().contains("hush"), "the address is in the log");
    let hostile = json!({ "url": "https://169.254.169.254/latest", "kinds": ["job.failed"] });
    let refused = administrator.post_json(&server.url("/api/v1/webhooks"), &hostile);
    assert_eq!(refused.status, 400, "{}", refused.body);
}

/// What people see of it, and what the command line says.
fn check_pages(installation: &Installation, account: &Account, (server, endpoint): (&Server, &str)) {
    let mut browser = account.browser(server);
    let page = browser.get(&server.url("/webhooks"));
    assert!(page.body.contains("the lake") && page.body.contains("account.grants.changed"), "{}", page.body);
    let page = browser.get(&server.url(&format!("/webhooks/{endpoint}")));
    assert!(page.body.contains("webhook.test") && page.body.contains("delivered"), "{}", page.body);
    let form = [("url", "https://10.0.0.1/x"), ("description", ""), ("kinds", "job.failed")];
    let refused = browser.post_form(&server.url("/webhooks"), &form);
    assert!(refused.body.contains("no public address"), "{}", refused.body);
    let form = [("url", "https://hooks.example.org/x"), ("kinds", "job.failed"), ("kinds", "marts.built")];
    let added = browser.post_form(&server.url("/webhooks"), &form);
    assert!(added.body.contains("whsec_") && added.body.contains("marts.built"), "{}", added.body);
    assert!(browser.get(&server.url("/inbox")).body.contains("No messages"));
    let listed = installation.must(&["admin", "webhook", "list", "--tenant", "wire"]).out;
    assert_eq!(listed.matches("breaker closed").count(), 2, "{listed}");
    let sent = installation.must(&["admin", "webhook", "deliveries", "--tenant", "wire", endpoint]).out;
    assert!(sent.contains("webhook.test") && sent.contains("DELIVERED"), "{sent}");
}

#[test]
fn no_message_is_lost_when_the_server_is_killed_while_it_sends() {
    const MESSAGES: usize = 12;
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let receiver = Receiver::start();
    let account = installation.account("wire", "administrator");
    let mut server = serve(&installation);
    let mut administrator = account.client(&server);
    let added = add(&server, &mut administrator, &receiver.url());
    let endpoint = text(&added, "endpoint").to_owned();
    // The first messages are under way when the server is killed; the others are in line.
    receiver.answer_with(SILENCE);
    for _ in 0..MESSAGES {
        let url = server.url(&format!("/api/v1/webhooks/{endpoint}/test"));
        assert_eq!(administrator.post_json(&url, &json!({})).status, 202);
    }
    assert!(!receiver.wait_for(1, Duration::from_secs(20)).is_empty(), "nothing was sent");
    server.kill();
    drop(server);
    receiver.answer_with(OK);
    let ids = |got: &[Value]| -> BTreeSet<String> {
        got.iter().map(|request| text(&request["headers"], "webhook-id").to_owned()).collect()
    };
    let cut_off = ids(&receiver.got());
    let server = serve(&installation);
    // The lease of what was under way has to end first.
    let began = Instant::now();
    let url = server.url(&format!("/api/v1/webhooks/{endpoint}/deliveries"));
    let mut administrator = account.client(&server);
    let delivered = loop {
        let page = administrator.get(&url).json();
        let found = page["deliveries"].as_array().expect("a page has deliveries").clone();
        let count = found.iter().filter(|delivery| delivery["state"] == "DELIVERED").count();
        if count == MESSAGES || began.elapsed() > Duration::from_secs(300) {
            break count;
        }
        thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(delivered, MESSAGES);
    let got = receiver.got();
    assert_eq!(ids(&got).len(), MESSAGES, "each message arrived");
    assert!(got.len() > MESSAGES && !cut_off.is_empty(), "what was cut off was sent again under its id");
}
