//! The server answers over TLS, and machines prove who they are by certificates.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Account, Installation, Need, Server, python};

const ETL: &str = "spiffe://cairn/service/etl";

/// An installation with the certificates of a site and of machines.
struct Scene {
    installation: Installation,
    interpreter: PathBuf,
    folder: PathBuf,
    /// Fingerprints, by name.
    shown: Value,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::with_tenant("wire")?;
        let interpreter = Need::Python.path()?;
        let folder = installation.beside("certificates");
        fs::create_dir(&folder).expect("the folder takes folders");
        let shown = python(&interpreter, "certificates.py", &[folder.as_os_str()]);
        Some(Self { installation, interpreter, folder, shown })
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// The arguments of a server that shows this certificate and knows the machines' authority.
    fn arguments(&self, certificate: &str, key: &str) -> Vec<String> {
        let pairs = [
            ("--tls-certificate", self.file(certificate)),
            ("--tls-key", self.file(key)),
            ("--tls-client-ca", self.file("machines.pem")),
        ];
        pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }

    fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// A server that reads lists of revoked certificates there.
    fn serve_with(&self, lists: &[String]) -> Server {
        let mut arguments = self.arguments("server.pem", "server.key");
        arguments.extend(lists.iter().flat_map(|place| ["--tls-client-crl".to_owned(), place.clone()]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Server::start_over_tls(&self.installation.program, &self.installation.data(), &arguments)
    }

    /// What came of each step.
    fn ask(&self, server: &Server, steps: Value) -> Vec<Value> {
        let Value::Array(mut steps) = steps else { unreachable!("steps are a list") };
        for step in &mut steps {
            let address = if step["door"] == "flight" { server.flight } else { server.http };
            step["address"] = json!(address.to_string());
            step["ca"] = json!(self.file("site.pem"));
            if let Some(peer) = step["peer"].as_str() {
                step["peer"] = json!(self.file(peer));
            }
        }
        let answers = python(&self.interpreter, "tls_client.py", &[Value::Array(steps).to_string()]);
        answers.as_array().expect("there is a list").clone()
    }

    fn one(&self, server: &Server, step: &Value) -> Value {
        self.ask(server, json!([step])).remove(0)
    }

    /// A token for a machine.
    fn service_token(&self, account: &str, door: &str, peer: &[&str]) -> String {
        let create = ["admin", "token", "create", "wire", account, "--label", "pull", "--service", door];
        self.installation.must(&[&create[..], peer].concat()).out.trim().to_owned()
    }
}

fn login(account: &Account) -> Value {
    let body = format!("email={}&password={}&next=%2F", account.email, account.password.replace(' ', "+"));
    json!({ "door": "http", "method": "POST", "path": "/login", "body": body,
            "headers": { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" } })
}

#[test]
fn people_sign_in_over_tls_without_a_certificate() {
    let Some(scene) = Scene::open() else { return };
    let account = scene.installation.account("wire", "researcher");
    let mut server = scene.serve();
    assert!(server.log().contains("https://") && server.log().contains("grpc+tls://"), "{}", server.log());
    let signed_in = scene.one(&server, &login(&account));
    assert_eq!(signed_in["status"], 303, "{signed_in}");
    assert_eq!(signed_in["shown"], scene.shown["server"], "{signed_in}");
    let cookie = signed_in["headers"]["set-cookie"].as_str().expect("it gives a cookie").to_owned();
    assert!(cookie.starts_with("__Host-cairn-session=") && cookie.contains("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let answers = scene.ask(
        &server,
        json!([
            { "door": "http", "path": "/inbox", "headers": { "cookie": cookie } },
            { "door": "http", "path": "/inbox", "oldest": true },
        ]),
    );
    assert_eq!(answers[0]["status"], 200, "{}", answers[0]);
    assert!(answers[0]["headers"]["strict-transport-security"].is_string(), "{}", answers[0]);
    assert!(answers[1]["error"].is_string(), "nothing older than TLS 1.3: {}", answers[1]);
    // A request in plain gets no page, and the server goes on.
    let plain = std::net::TcpStream::connect(server.http).and_then(|mut stream| {
        use std::io::{Read, Write};
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    });
    assert!(!plain.unwrap_or_default().starts_with(b"HTTP"), "it was answered in plain");
    server.ask_to_end();
    let ended = server.wait_for_end(Duration::from_secs(30));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{}", server.log());
}

#[test]
fn control_35_a_peer_without_a_name_or_of_another_authority_is_refused() {
    let Some(scene) = Scene::open() else { return };
    let (_, account) = scene.installation.account_called("robot", "wire", "researcher");
    let (http, flight) =
        (scene.service_token(&account, "http", &[]), scene.service_token(&account, "flight", &[]));
    let server = scene.serve();
    let steps = |peer: Option<&str>| {
        json!([
            { "door": "http", "path": "/api/v1/studies", "token": http, "peer": peer },
            { "door": "flight", "token": flight, "peer": peer },
        ])
    };
    for fit in [None, Some("etl"), Some("other")] {
        let answers = scene.ask(&server, steps(fit));
        assert_eq!(
            (&answers[0]["status"], &answers[1]["flights"]),
            (&json!(200), &json!(0)),
            "{fit:?}: {answers:?}"
        );
    }
    // A name in the common name alone, another authority's, and one that has expired.
    for unfit in ["etl.acme.example", "stranger", "late"] {
        for answer in scene.ask(&server, steps(Some(unfit))) {
            let error = answer["error"].as_str();
            assert!(error.is_some() && answer["status"].is_null(), "{unfit} was let in: {answer}");
            assert!(!error.unwrap_or_default().contains("Unauthenticated"), "it reached the door: {answer}");
        }
    }
    let answers = scene.ask(&server, steps(Some("etl")));
    assert_eq!(answers[0]["status"], 200, "the server goes on: {answers:?}");
}

#[test]
fn control_35_a_token_that_is_bound_to_a_machine_opens_nothing_for_another() {
    let Some(scene) = Scene::open() else { return };
    let (_, account) = scene.installation.account_called("robot", "wire", "researcher");
    let http = scene.service_token(&account, "http", &["--peer", ETL]);
    let flight = scene.service_token(&account, "flight", &["--peer", "ETL.acme.example"]);
    let listed = scene.installation.must(&["admin", "token", "list", "wire"]).out;
    assert!(
        listed.contains(&format!("(only {ETL})")) && listed.contains("(only etl.acme.example)"),
        "{listed}"
    );
    let server = scene.serve();
    let steps = |peer: Option<&str>| {
        json!([
            { "door": "http", "path": "/api/v1/studies", "token": http, "peer": peer },
            { "door": "flight", "token": flight, "peer": peer },
        ])
    };
    let mine = scene.ask(&server, steps(Some("etl")));
    assert_eq!((&mine[0]["status"], &mine[1]["flights"]), (&json!(200), &json!(0)), "{mine:?}");
    let unknown =
        scene.one(&server, &json!({ "door": "http", "path": "/api/v1/studies", "token": "cairn_svc_x" }));
    for other in [None, Some("other")] {
        let answers = scene.ask(&server, steps(other));
        assert_eq!(answers[0]["status"], 401, "{other:?}: {}", answers[0]);
        let same = ["type", "title", "status", "detail"];
        let (told, known) = (problem(&answers[0]), problem(&unknown));
        assert!(same.iter().all(|name| told[name] == known[name]), "one answer: {told} {known}");
        let error = answers[1]["error"].as_str().unwrap_or_default();
        assert!(error.contains("Unauthenticated"), "{other:?}: {error}");
    }
    let data = scene.installation.data();
    let events = python(&scene.interpreter, "ledger.py", &[data.as_os_str()]);
    let events = events.as_array().expect("a list of events");
    let refused = events.iter().filter(|event| event["data"]["reason"] == "token_wrong_peer").count();
    assert_eq!(refused, 4, "each refusal is an event");
    let made = events.iter().find(|event| event["data"]["peer"] == ETL);
    assert!(made.is_some_and(|event| event["action"] == "auth.access_token.created"), "{made:?}");
    let person = ["admin", "token", "create", "wire", &account, "--label", "x", "--peer", ETL];
    assert_eq!(scene.installation.run(&person).code, Some(2), "a person's token is bound to no machine");
    let pattern = [&person[..7], &["--service", "http", "--peer", "*.acme.example"]].concat();
    let pattern = scene.installation.run(&pattern);
    assert!(pattern.code != Some(0) && pattern.errors.contains("`*.acme.example` is no name"), "{pattern}");
}

fn problem(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap_or_default()).expect("it is a problem in JSON")
}

/// What the two doors say to a machine: the status over HTTP, and how many tables over Flight; nothing when the handshake
/// came to nothing.
fn let_in(scene: &Scene, server: &Server, tokens: [&str; 2], peer: Option<&str>) -> [Value; 2] {
    let steps = json!([
        { "door": "http", "path": "/api/v1/studies", "token": tokens[0], "peer": peer },
        { "door": "flight", "token": tokens[1], "peer": peer },
    ]);
    let answers = scene.ask(server, steps);
    [answers[0]["status"].clone(), answers[1]["flights"].clone()]
}

#[test]
fn control_35_a_revoked_certificate_is_refused_at_both_doors_without_a_restart() {
    let Some(scene) = Scene::open() else { return };
    let (_, account) = scene.installation.account_called("robot", "wire", "researcher");
    let (http, flight) =
        (scene.service_token(&account, "http", &[]), scene.service_token(&account, "flight", &[]));
    let lists = scene.installation.beside("lists");
    fs::create_dir(&lists).expect("the folder takes folders");
    let put = |from: &str| {
        fs::copy(scene.file(from), lists.join("new")).expect("the folder takes files");
        fs::rename(lists.join("new"), lists.join("machines.crl")).expect("it is ours");
    };
    put("nobody.crl");
    let server = scene.serve_with(&[lists.to_string_lossy().into_owned()]);
    let (fits, refused) = ([json!(200), json!(0)], [Value::Null, Value::Null]);
    let ask = |peer| let_in(&scene, &server, [&http, &flight], peer);
    let wait_for = |done: &dyn Fn() -> bool, what: &str| {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}:\n{}", server.log());
            thread::sleep(Duration::from_millis(200));
        }
    };
    for peer in [None, Some("etl"), Some("other")] {
        assert_eq!(ask(peer), fits, "{peer:?}\n{}", server.log());
    }
    put("without-etl.crl");
    server.ask_to_read_again();
    wait_for(&|| ask(Some("etl")) == refused, "a revoked certificate is let in");
    for peer in [None, Some("other")] {
        assert_eq!(ask(peer), fits, "{peer:?} has nothing to do with it");
    }
    // A list that has ended, and none at all, change nothing: the former stays, and the log says why.
    for (file, told) in [("ended.crl", "the list has held until"), ("server.pem", "holds no list of revoked")]
    {
        put(file);
        server.ask_to_read_again();
        wait_for(&|| server.log().contains(told), told);
        assert_eq!((ask(Some("etl")), ask(Some("other"))), (refused.clone(), fits.clone()), "{file}");
    }
    assert!(server.log().contains("the certificates stay as they were"), "{}", server.log());
    let metrics = scene.one(&server, &json!({ "door": "http", "path": "/metrics" }));
    let text = metrics["body"].as_str().unwrap_or_default();
    assert!(text.contains("tls_client_crl_holds_until_timestamp 1"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("tls_reloads_failed_total ")), "{text}");
    // Without being asked, the server looks by itself.
    put("nobody.crl");
    wait_for(&|| ask(Some("etl")) == fits, "the new list is not known");
}

#[test]
fn control_35_a_server_does_not_start_with_lists_of_revoked_certificates_that_do_not_hold() {
    let Some(scene) = Scene::open() else { return };
    let (text, empty) = (scene.file("text.crl"), scene.installation.beside("empty"));
    fs::write(&text, "hello\n").expect("the folder takes files");
    fs::create_dir(&empty).expect("the folder takes folders");
    let refused = |lists: &[String]| {
        let mut arguments = scene.arguments("server.pem", "server.key");
        arguments.extend(lists.iter().flat_map(|place| ["--tls-client-crl".to_owned(), place.clone()]));
        let serve = ["serve", "--http", "127.0.0.1:0", "--flight", "127.0.0.1:0"].map(str::to_owned);
        let whole: Vec<String> = serve.into_iter().chain(arguments).collect();
        let said = scene.installation.run(&whole.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(said.code, Some(2), "{said}");
        said.errors
    };
    let (ended, absent) = (scene.file("ended.crl"), scene.file("absent.crl"));
    let check = |place: &str, named: &str, what: &str| {
        let errors = refused(&[place.to_owned()]);
        assert!(errors.contains(&format!("`{named}`")) && errors.contains(what), "{errors}");
    };
    check(&ended, &ended, "put the authority's present list there");
    check(&absent, &absent, "cannot be read");
    check(&text, &text, "holds no list of revoked certificates");
    let empty = empty.to_string_lossy();
    check(&empty, &empty, "holds no file that ends with `.crl`");
    let (key, machines) = (scene.file("server.key"), scene.file("machines.pem"));
    check(&key, &key, "holds no list of revoked certificates");
    check(&scene.file("foreign.crl"), &machines, "is by one of its authorities");
    let alone = ["serve", "--tls-client-crl", &ended];
    assert!(
        scene.installation.run(&alone).errors.contains("--tls-client-ca"),
        "a list needs its authorities"
    );
    // Lists are taken in DER as well, and from several places.
    let (_, account) = scene.installation.account_called("robot", "wire", "researcher");
    let tokens = ["http", "flight"].map(|door| scene.service_token(&account, door, &[]));
    let server = scene.serve_with(&[scene.file("without-etl.der"), scene.file("foreign.crl")]);
    let ask = |peer| let_in(&scene, &server, [&tokens[0], &tokens[1]], peer);
    assert_eq!(ask(Some("etl")), [Value::Null, Value::Null]);
    assert_eq!(ask(Some("other")), [json!(200), json!(0)]);
}

#[test]
fn a_server_does_not_start_with_files_that_do_not_fit() {
    let Some(scene) = Scene::open() else { return };
    let refused = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let serve = ["serve", "--http", "127.0.0.1:0", "--flight", "127.0.0.1:0"];
        let said = scene.installation.run(&[&serve[..], &arguments].concat());
        assert_eq!(said.code, Some(2), "{said}");
        said.errors
    };
    let check = |certificate: &str, key: &str, place: &str, what: &str| {
        let errors = refused(&scene.arguments(certificate, key));
        assert!(errors.contains(&format!("`{}`", scene.file(place))) && errors.contains(what), "{errors}");
    };
    check("server.pem", "next.key", "next.key", "not the key of the certificate in");
    check("stale.pem", "stale.key", "stale.pem", "has expired: put a new one there");
    check("server.key", "server.key", "server.key", "were the two files swapped?");
    check("server.pem", "server.pem", "server.pem", "holds no private key in PEM");
    check("absent.pem", "server.key", "absent.pem", "cannot be read");
    fs::write(scene.file("text.pem"), "hello\n").expect("the folder takes files");
    check("text.pem", "server.key", "text.pem", "holds no certificate in PEM");
    let mut broken = scene.arguments("server.pem", "server.key");
    broken[5] = scene.file("text.pem");
    assert!(refused(&broken).contains("text.pem` cannot be used for TLS: it holds no certificate"));
    fs::set_permissions(scene.file("server.key"), fs::Permissions::from_mode(0o644)).expect("it is ours");
    check("server.pem", "server.key", "server.key", "`chmod 600` it");
    let half = refused(&scene.arguments("server.pem", "server.key")[..2]);
    assert!(half.contains("--tls-key"), "{half}");
}

#[test]
fn certificates_are_renewed_while_the_server_runs() {
    let Some(scene) = Scene::open() else { return };
    let server = scene.serve();
    let ask = || scene.one(&server, &json!({ "door": "http", "path": "/healthz" }));
    assert_eq!(ask()["shown"], scene.shown["server"]);
    // The key is not there yet: the former pair stays in use, and the log says why.
    let put = |from: &str, to: &str| {
        fs::copy(scene.file(from), scene.file(to)).expect("the folder takes files");
    };
    put("next.pem", "server.pem");
    server.ask_to_read_again();
    let wait_for = |done: &dyn Fn() -> bool, what: &str| {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}:\n{}", server.log());
            thread::sleep(Duration::from_millis(200));
        }
    };
    wait_for(&|| server.log().contains("the certificates stay as they were"), "nothing is said of the key");
    assert_eq!(ask()["shown"], scene.shown["server"]);
    put("next.key", "server.key");
    server.ask_to_read_again();
    wait_for(&|| ask()["shown"] == scene.shown["next"], "the new certificate is not shown");
    // Without being asked, the server looks by itself.
    put("foreign.pem", "machines.pem");
    let (_, account) = scene.installation.account_called("robot", "wire", "researcher");
    let token = scene.service_token(&account, "http", &[]);
    let stranger = || {
        let step = json!({ "door": "http", "path": "/api/v1/studies", "token": token, "peer": "stranger" });
        scene.one(&server, &step)["status"] == 200
    };
    wait_for(&stranger, "the new authority is not known");
}
