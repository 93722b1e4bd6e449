//! People get messages of their inbox by e-mail: once, with the headers that say what it is, and without any data.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Account, Answer, Installation, Server, Visitor};

/// A mail relay.
struct Relay {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Received>>>,
    /// What it says to a recipient, and to a whole letter; nothing at all when it is empty.
    says: Arc<Mutex<(&'static str, &'static str)>>,
}

/// A letter that the relay was handed.
#[derive(Debug, Clone, Default)]
struct Received {
    sender: String,
    recipients: Vec<String>,
    text: String,
    is_taken: bool,
}

const TAKEN: (&str, &str) = ("250 2.1.5 fine", "250 2.0.0 taken");

impl Received {
    /// The one header of that name, unfolded.
    fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\r\n\r\n").expect("an empty line ends the headers");
        let unfolded = head.replace("\r\n ", " ");
        let found: Vec<&str> =
            unfolded.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect();
        assert_eq!(found.len(), 1, "{name} in\n{head}");
        found[0].to_owned()
    }
}

impl Relay {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the system gives a port");
        let address = listener.local_addr().expect("it has an address");
        let (got, says) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(TAKEN)));
        let (keeping, saying) = (Arc::clone(&got), Arc::clone(&says));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (got, says) = (Arc::clone(&keeping), Arc::clone(&saying));
                // Whoever was killed meanwhile hears nothing.
                thread::spawn(move || drop(talk(&stream, &got, &says)));
            }
        });
        Self { address, got, says }
    }

    fn say(&self, recipient: &'static str, letter: &'static str) {
        *self.says.lock().expect("nobody panics here") = (recipient, letter);
    }

    fn got(&self) -> Vec<Received> {
        self.got.lock().expect("nobody panics here").clone()
    }

    fn wait_for(&self, count: usize) -> Vec<Received> {
        let began = Instant::now();
        while self.got().len() < count && began.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(50));
        }
        self.got()
    }

    fn serve(&self, installation: &Installation) -> Server {
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let arguments = [
            "--mail-host",
            &host,
            "--mail-port",
            &port,
            "--mail-security",
            "none",
            "--mail-sender",
            "Cairn <cairn@wire.test>",
            "--public-url",
            "https://cairn.example",
        ];
        Server::start_with(&installation.program, &installation.data(), &arguments)
    }
}

/// One conversation.
// Source: RFC 5321, section 4.1.
fn talk(
    stream: &TcpStream,
    got: &Mutex<Vec<Received>>,
    says: &Mutex<(&'static str, &'static str)>,
) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    let mut letter = Received::default();
    writer.write_all(b"220 relay.test\r\n")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (recipient, whole) = *says.lock().expect("nobody panics here");
        let line = line.trim_end();
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-relay.test\r\n250 8BITMIME",
            "MAIL" => {
                letter = Received { sender: line.to_owned(), ..Received::default() };
                "250 fine"
            }
            "RCPT" => {
                letter.recipients.push(line.to_owned());
                if !recipient.starts_with('2') {
                    got.lock().expect("nobody panics here").push(letter.clone());
                }
                recipient
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                letter.text = String::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    letter.text += line.strip_prefix('.').unwrap_or(&line);
                }
                letter.is_taken = whole.starts_with('2');
                got.lock().expect("nobody panics here").push(letter.clone());
                if whole.is_empty() {
                    thread::sleep(Duration::from_secs(60));
                }
                whole
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "502 not here",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

/// The endpoint that stands for e-mail, once the server has made it.
fn mail_endpoint(server: &Server, administrator: &mut Visitor) -> String {
    let began = Instant::now();
    loop {
        let endpoints = administrator.get(&server.url("/api/v1/webhooks")).json();
        let found = endpoints.as_array().into_iter().flatten().find(|row| row["channel"] == "MAIL");
        if let Some(found) = found {
            return found["endpoint"].as_str().expect("it has an id").to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{endpoints}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Deliveries of the endpoint, once as many as `count` have this state.
fn wait_for_state(
    (server, endpoint): (&Server, &str),
    administrator: &mut Visitor,
    (state, count, limit): (&str, usize, Duration),
) -> Vec<Value> {
    let (began, url) = (Instant::now(), server.url(&format!("/api/v1/webhooks/{endpoint}/deliveries")));
    loop {
        let found = administrator.get(&url).json()["deliveries"].as_array().cloned().unwrap_or_default();
        if found.iter().filter(|delivery| delivery["state"] == state).count() >= count {
            return found;
        }
        assert!(began.elapsed() < limit, "not {count} are {state}: {found:#?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn send_test(server: &Server, administrator: &mut Visitor, endpoint: &str) {
    let url = server.url(&format!("/api/v1/webhooks/{endpoint}/test"));
    let sent = administrator.post_json(&url, &json!({}));
    assert_eq!(sent.status, 202, "{}", sent.body);
}

/// A delivery of rows that do not fit: its job fails for good.
fn fail(server: &Server, engineer: &mut Visitor, study: &str) {
    let rows =
        format!("STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC\n{study},Canary-7f3a,1,01,PLACEBO,02JAN2025\n");
    let url = |rest: &str| server.url(&format!("/api/v1/studies/{study}/batches{rest}"));
    let hash = blake3::hash(rows.as_bytes()).to_hex();
    let files = json!([{ "name": "dm.csv", "bytes": rows.len(), "blake3": hash.as_str() }]);
    engineer.send_header(Some(("idempotency-key", "wrong-rows")));
    let announced = engineer.post_json(&url(""), &json!({ "mapping": "sdtm", "files": files }));
    assert_eq!(announced.status, 201, "{}", announced.body);
    let batch = announced.json()["batch"].as_str().expect("a delivery has an id").to_owned();
    engineer.send_header(Some(("upload-offset", "0")));
    let part = engineer.put_bytes(&url(&format!("/{batch}/files/dm.csv")), rows.as_bytes());
    assert_eq!(part.status, 200, "{}", part.body);
    engineer.send_header(None);
    assert_eq!(engineer.post_json(&url(&format!("/{batch}/commit")), &json!({})).status, 202);
}

fn choose(account: &Account, server: &Server, choice: &str) {
    let mut browser = account.browser(server);
    let page = browser.get(&server.url("/inbox"));
    assert!(page.body.contains("By e-mail") && page.body.contains("every message"), "{}", page.body);
    let chosen = browser.post_form(&server.url("/inbox/mail"), &[("choice", choice)]);
    assert_eq!((chosen.status, chosen.header("location")), (303, Some("/inbox")), "{}", chosen.body);
    let nonsense = browser.post_form(&server.url("/inbox/mail"), &[("choice", "SOME")]);
    assert_eq!(nonsense.status, 400, "{}", nonsense.body);
}

#[test]
fn an_account_chooses_over_rest_what_comes_by_e_mail_as_on_its_page() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let relay = Relay::start();
    let ana = installation.account("wire", "researcher");
    let other = installation.account_called("other", "wire", "researcher").0;
    let server = relay.serve(&installation);
    let mail = server.url("/api/v1/inbox/mail");
    let [mut client, mut colleague] = [&ana, &other].map(|account| account.client(&server));
    // Who has made no choice gets alerts.
    assert_eq!(client.get(&mail).json(), json!({ "choice": "ALERTS", "sent": true }));
    let chosen = put(&mut client, &mail, &json!({ "choice": "NONE" }));
    assert_eq!((chosen.status, chosen.json()), (200, json!({ "choice": "NONE", "sent": true })));
    assert_eq!(client.get(&mail).json()["choice"], "NONE");
    assert_eq!(colleague.get(&mail).json()["choice"], "ALERTS", "the choice is each account's own");
    let page = ana.browser(&server).get(&server.url("/inbox")).body;
    assert!(checked(&page, "NONE"), "{page}");
    choose(&ana, &server, "ALL");
    assert_eq!(client.get(&mail).json()["choice"], "ALL");

    for wrong in [json!({ "choice": "SOME" }), json!({}), json!({ "choice": "ALL", "account": "another" })] {
        let refused = put(&mut client, &mail, &wrong);
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.body);
    }
    assert_eq!(client.get(&mail).json()["choice"], "ALL");
    let stranger = put(&mut Visitor::new(), &mail, &json!({ "choice": "NONE" }));
    assert_eq!(stranger.status, 401, "{}", stranger.body);
    drop(server);

    let without_relay = Server::start_with(&installation.program, &installation.data(), &[]);
    let kept = ana.client(&without_relay).get(&without_relay.url("/api/v1/inbox/mail")).json();
    assert_eq!(kept, json!({ "choice": "ALL", "sent": false }), "the choice outlives the relay");
}

fn put(visitor: &mut Visitor, url: &str, body: &Value) -> Answer {
    visitor.send(("PUT", url), &[], Some(("application/json", &body.to_string())))
}

/// Whether the page shows this choice as the one that was made.
fn checked(page: &str, choice: &str) -> bool {
    page.split('<').any(|tag| tag.contains(&format!("value=\"{choice}\"")) && tag.contains("selected"))
}

#[test]
fn a_letter_arrives_once_says_what_happened_and_holds_no_data() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let relay = Relay::start();
    let administrator = installation.account("wire", "administrator");
    let engineer = installation.account("wire", "data_engineer");
    let other = installation.account_called("other", "wire", "data_engineer").0;
    let server = relay.serve(&installation);
    let mut administrator = administrator.client(&server);
    let endpoint = mail_endpoint(&server, &mut administrator);
    choose(&engineer, &server, "ALL");
    // Who has chosen nothing gets alerts, and a job that failed is none.
    fail(&server, &mut other.client(&server), "WIRE-1");
    fail(&server, &mut engineer.client(&server), "WIRE-2");
    let got = relay.wait_for(1);
    let sent =
        wait_for_state((&server, &endpoint), &mut administrator, ("DELIVERED", 1, Duration::from_secs(20)));
    assert_eq!((sent.len(), relay.got().len()), (1, 1), "{sent:#?}\n{got:#?}");
    let letter = &got[0];
    assert!(letter.sender.contains("<cairn@wire.test>"), "{letter:?}");
    assert_eq!(letter.recipients, ["RCPT TO:<data_engineer@wire.test>"]);
    let id = sent[0]["delivery"].as_str().expect("it has an id");
    for (name, value) in [
        ("From", "Cairn <cairn@wire.test>".to_owned()),
        ("Subject", "[Cairn] A job that you asked for failed".to_owned()),
        ("Message-ID", format!("<{id}@wire.test>")),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
    ] {
        assert_eq!(letter.header(name), value);
    }
    assert!(letter.header("To").contains("<data_engineer@wire.test>"), "{}", letter.text);
    for said in ["ingest of WIRE-2", "https://cairn.example/jobs", "https://cairn.example/inbox"] {
        assert!(letter.text.contains(said), "{said}:\n{}", letter.text);
    }
    for hidden in ["Canary", "PLACEBO", "02JAN2025", "dm.csv"] {
        assert!(!letter.text.contains(hidden), "{hidden}:\n{}", letter.text);
    }
    assert!(!server.log().contains("data_engineer@"), "an address is in the log");
}

#[test]
fn a_relay_that_answers_4xx_is_asked_again_and_5xx_is_a_dead_letter() {
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let relay = Relay::start();
    let account = installation.account("wire", "administrator");
    let server = relay.serve(&installation);
    let mut administrator = account.client(&server);
    let endpoint = mail_endpoint(&server, &mut administrator);

    relay.say("550 5.1.1 no such mailbox", "250 taken");
    send_test(&server, &mut administrator, &endpoint);
    let limit = Duration::from_secs(20);
    let dead = wait_for_state((&server, &endpoint), &mut administrator, ("DEAD", 1, limit));
    assert_eq!((&dead[0]["status"], &dead[0]["attempts"]), (&json!(550), &json!(1)), "{dead:#?}");
    assert!(dead[0]["answer"].as_str().is_some_and(|said| said.contains("no such mailbox")), "{dead:#?}");
    let notices = administrator.get(&server.url("/api/v1/inbox")).json();
    assert_eq!(notices["notices"][0]["kind"], "mail.delivery.failed", "{notices}");
    let shown = administrator.get(&server.url(&format!("/api/v1/webhooks/{endpoint}"))).json();
    assert_eq!(
        (&shown["breaker"], &shown["failures"]),
        (&json!("closed"), &json!(0)),
        "the relay works: {shown}"
    );

    // Busy for a moment: the letter waits at most a minute, and arrives once.
    relay.say("250 fine", "451 4.3.0 try later");
    send_test(&server, &mut administrator, &endpoint);
    let before = relay.wait_for(2).len();
    let waiting = wait_for_state((&server, &endpoint), &mut administrator, ("QUEUED", 1, limit));
    assert_eq!((&waiting[0]["status"], &waiting[0]["failures"]), (&json!(451), &json!(1)), "{waiting:#?}");
    relay.say(TAKEN.0, TAKEN.1);
    let limit = Duration::from_secs(150);
    wait_for_state((&server, &endpoint), &mut administrator, ("DELIVERED", 1, limit));
    let after = relay.got();
    assert_eq!(after.iter().filter(|letter| letter.is_taken).count(), 1, "{after:#?}");
    assert_eq!(
        after[before - 1].header("Message-ID"),
        after.last().expect("there is one").header("Message-ID"),
        "a repetition has the same id"
    );

    // What was given up is sent again by hand; who has no relay is told what is missing.
    let id = dead[0]["delivery"].as_str().expect("it has an id");
    let retried = format!("/api/v1/webhooks/deliveries/{id}/retry");
    assert!(administrator.post_json(&server.url(&retried), &json!({})).status < 300);
    wait_for_state((&server, &endpoint), &mut administrator, ("DELIVERED", 2, Duration::from_secs(90)));
    for order in ["rotate", "remove"] {
        let url = server.url(&format!("/api/v1/webhooks/{endpoint}/{order}"));
        assert_eq!(administrator.post_json(&url, &json!({})).status, 409, "{order}");
    }
    let page = account.browser(&server).get(&server.url("/webhooks")).body;
    assert!(page.contains("E-mail") && !page.contains("New secret"), "{page}");
    check_command(&installation, &relay);
}

/// `cairn admin mail test` says what the relay says.
fn check_command(installation: &Installation, relay: &Relay) {
    let test = ["admin", "mail", "test", "--to", "you@wire.test"];
    let without = installation.run(&test);
    assert_eq!(without.code, Some(2), "{without}");
    assert!(without.errors.contains("--mail-host"), "{without}");
    let port = relay.address.port().to_string();
    let to_relay = ["--mail-host", "127.0.0.1", "--mail-port", &port, "--mail-security", "none"];
    let whole = [&test[..], &to_relay, &["--mail-sender", "cairn@wire.test"]].concat();
    let known = relay.got().len();
    assert!(installation.must(&whole).out.contains("took a test letter to you@wire.test"));
    assert_eq!(relay.got()[known].recipients, ["RCPT TO:<you@wire.test>"]);
    relay.say("550 5.7.1 relaying denied", "250 taken");
    let refused = installation.run(&whole);
    assert!(refused.code != Some(0) && refused.errors.contains("relaying denied"), "{refused}");
    let far = [
        &test[..],
        &["--mail-host", "mail.wire.test", "--mail-security", "none"],
        &["--mail-sender", "a@b.test"],
    ];
    let far = installation.run(&far.concat());
    assert!(far.errors.contains("not on this machine"), "{far}");
    let (user, file) = ("--mail-user", installation.beside("password"));
    std::fs::write(&file, "hush hush").expect("the folder takes files");
    let file = file.to_string_lossy().into_owned();
    let exposed = installation.run(&[&whole[..], &[user, "cairn", "--mail-password-file", &file]].concat());
    assert!(exposed.errors.contains("chmod 600") && !exposed.errors.contains("hush"), "{exposed}");
}

#[test]
fn no_letter_is_lost_when_the_server_is_killed_while_it_sends() {
    const LETTERS: usize = 6;
    let Some(installation) = Installation::with_tenant("wire") else { return };
    let relay = Relay::start();
    let account = installation.account("wire", "administrator");
    let mut server = relay.serve(&installation);
    let mut administrator = account.client(&server);
    let endpoint = mail_endpoint(&server, &mut administrator);
    // The first letters are under way when the server is killed; the others are in line.
    relay.say("250 fine", "");
    for _ in 0..LETTERS {
        send_test(&server, &mut administrator, &endpoint);
    }
    assert!(!relay.wait_for(1).is_empty(), "nothing was sent");
    server.kill();
    drop(server);
    relay.say(TAKEN.0, TAKEN.1);
    let cut_off: BTreeSet<String> = relay.got().iter().map(|letter| letter.header("Message-ID")).collect();
    let server = relay.serve(&installation);
    let mut administrator = account.client(&server);
    // The lease of what was under way has to end first.
    let limit = Duration::from_secs(240);
    let sent = wait_for_state((&server, &endpoint), &mut administrator, ("DELIVERED", LETTERS, limit));
    assert_eq!(sent.len(), LETTERS);
    let taken: Vec<Received> = relay.got().into_iter().filter(|letter| letter.is_taken).collect();
    let ids: BTreeSet<String> = taken.iter().map(|letter| letter.header("Message-ID")).collect();
    assert_eq!((taken.len(), ids.len()), (LETTERS, LETTERS), "each was taken once");
    assert!(!cut_off.is_empty() && cut_off.is_subset(&ids), "what was cut off was sent again under its id");
}
