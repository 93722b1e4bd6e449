//! Somebody signs in through their organisation's identity provider: a real one, which `./dev test` installs.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::support::{Answer, Installation, Need, STUDY, Server, TENANT, Visitor};

const SECRET: &str = "s3cret: with a colon";
const ATTEMPT: &str = "__Host-cairn-attempt";

/// The provider, which ends when the story lets go of it.
struct Issuer {
    address: String,
    child: Child,
    /// Held open: it ends when it says something and nobody can listen.
    _output: BufReader<ChildStdout>,
}

impl Issuer {
    fn start(modules: &Path, port: u16, redirect: &str) -> Self {
        let mut child = Command::new("node")
            .arg("oidc/provider.mjs")
            .arg(modules)
            .args([&port.to_string(), redirect, SECRET])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("./dev test installs node");
        let mut line = String::new();
        let output = child.stdout.take().expect("it was asked for");
        let mut output = BufReader::new(output);
        output.read_line(&mut line).expect("it says when it is ready");
        assert_eq!(line.trim(), "ready");
        Self { address: format!("http://127.0.0.1:{port}"), child, _output: output }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // A provider that is already gone is what was asked for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

struct Scene {
    installation: Installation,
    server: Server,
    issuer: Issuer,
}

impl Scene {
    fn open() -> Option<Self> {
        let modules = Need::IdentityProvider.path()?;
        let installation = Installation::demonstration()?;
        let secret = installation.beside("client.secret");
        std::fs::write(&secret, format!("{SECRET}\n")).expect("the temporary folder takes files");
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
            listener.local_addr().expect("a listener has an address").port()
        };
        let (issuer, secret) = (format!("http://127.0.0.1:{port}"), secret.to_string_lossy().into_owned());
        let settings = [
            ["--oidc-issuer", &issuer],
            ["--oidc-client-id", "cairn tests"],
            ["--oidc-client-secret-file", &secret],
            ["--oidc-name", "Example ID"],
        ];
        let server = Server::start_with(&installation.program, &installation.data(), &settings.concat());
        let issuer = Issuer::start(&modules, port, &server.url("/login/oidc/callback"));
        Some(Self { installation, server, issuer })
    }

    /// From the login page to the provider and, as whoever is named, back to the address that the browser is sent to.
    fn through(&self, browser: &mut Visitor, person: &str) -> String {
        let begun = browser.get(&self.server.url("/login/oidc?next=/studies"));
        self.go_through(&begun, person)
    }

    /// The same from wherever the browser was sent away.
    fn go_through(&self, begun: &Answer, person: &str) -> String {
        assert_eq!(begun.status, 303, "{}", begun.body);
        let mut elsewhere = Visitor::new();
        let mut at = begun.header("location").expect("it leads to the provider").to_owned();
        assert!(at.starts_with(&self.issuer.address) && at.contains("code_challenge_method=S256"), "{at}");
        let home = self.server.url("/login/oidc/callback");
        for _ in 0..6 {
            if at.starts_with(&home) {
                break;
            }
            if at.contains("/interaction/") {
                at += &format!("?as={person}");
            }
            let answer = elsewhere.get(&at);
            let to = answer.header("location").unwrap_or_default();
            assert!(!to.is_empty(), "{at} leads nowhere: {}", answer.body);
            at = if to.starts_with('/') { format!("{}{to}", self.issuer.address) } else { to.to_owned() };
        }
        assert!(at.starts_with(&home), "the provider leads in circles: {at}");
        at
    }

    fn link(&self, account: &str, subject: &str) {
        let issuer = &self.issuer.address;
        let link = ["admin", "account", "link", TENANT, account, "--issuer", issuer, "--subject", subject];
        self.installation.must(&link);
    }

    /// An account without a password; its id.
    fn account(&self) -> String {
        self.account_with("researcher")
    }

    fn account_with(&self, role: &str) -> String {
        let made = ["admin", "account", "create", TENANT, "--email", "ada@id.test", "--role", role];
        let said = self.installation.must(&[&made[..], &["--no-password"]].concat()).out;
        said.trim().strip_prefix("account ").expect("it says the id").to_owned()
    }
}

#[test]
fn a_person_signs_in_through_the_provider_once_an_administrator_has_linked_them() {
    let Some(scene) = Scene::open() else { return };
    let mut browser = Visitor::new();
    let page = browser.get(&scene.server.url("/login"));
    assert!(page.body.contains("Sign in with Example ID"), "{}", page.body);

    // Nobody gets an account by signing in, whatever their address is called.
    let account = scene.account();
    let unknown = scene.through(&mut browser, "ada");
    let unknown = browser.get(&unknown);
    assert_eq!(unknown.status, 403, "{}", unknown.body);
    assert!(unknown.body.contains("no account here is linked to it"), "{}", unknown.body);
    assert_eq!(browser.get(&scene.server.url("/studies")).status, 303);

    scene.link(&account, "ada");
    let back = scene.through(&mut browser, "ada");
    let landed = browser.get(&back);
    assert_eq!(landed.status, 200, "{}", landed.body);
    assert!(
        landed.body.contains("<meta http-equiv=\"refresh\" content=\"0;url=/studies\""),
        "{}",
        landed.body
    );
    assert_eq!(browser.get(&scene.server.url("/studies")).status, 200);
    let listed = scene.installation.must(&["admin", "session", "list", TENANT, "--live"]).out;
    assert!(listed.contains(&account) && listed.contains("oidc"), "{listed}");

    // The same answer a second time lets nobody in: the attempt is over, and so is the code.
    let replayed = browser.get(&back);
    assert_eq!(replayed.status, 401, "{}", replayed.body);
    // Such an account has no password to guess.
    let form = [("email", "ada@id.test"), ("password", "")];
    assert_eq!(Visitor::new().post_form(&scene.server.url("/login"), &form).status, 401);

    let unlink = ["admin", "account", "unlink", TENANT, &account, "--issuer", &scene.issuer.address];
    scene.installation.must(&[&unlink[..], &["--subject", "ada"]].concat());
    assert_eq!(browser.get(&scene.server.url("/studies")).status, 303, "the sessions end with the link");
    scene.installation.check_whole("after the sign-ins");
}

#[test]
fn a_person_signs_in_through_the_provider_once_the_page_of_their_account_has_linked_them() {
    let Some(scene) = Scene::open() else { return };
    let account = scene.account();
    let root = scene.installation.account(TENANT, "administrator");
    let mut admin = root.browser(&scene.server);
    let page = scene.server.url(&format!("/admin/accounts/{account}"));
    let shown = admin.get(&page).body;
    assert!(shown.contains(&format!("value=\"{}\"", scene.issuer.address)), "the provider is known: {shown}");
    let form =
        [("issuer", &*scene.issuer.address), ("subject", "ada"), ("reason", "signs in by the provider")];
    let linked = admin.post_form(&format!("{page}/identities"), &form);
    assert_eq!(linked.status, 303, "{}", linked.body);
    let mut browser = Visitor::new();
    let back = scene.through(&mut browser, "ada");
    assert_eq!(browser.get(&back).status, 200);
    assert_eq!(browser.get(&scene.server.url("/studies")).status, 200);

    let identity = hidden(&admin.get(&page).body, "identity");
    let gone = [("identity", identity.as_str()), ("reason", "has left the team")];
    assert_eq!(admin.post_form(&format!("{page}/identities/unlink"), &gone).status, 303);
    assert_eq!(browser.get(&scene.server.url("/studies")).status, 303, "the sessions end with the link");
    let unknown = scene.through(&mut browser, "ada");
    assert_eq!(browser.get(&unknown).status, 403);
    scene.installation.check_whole("after the sign-in by the page");
}

#[test]
fn who_has_no_password_signs_by_being_asked_again_by_the_provider() {
    let Some(scene) = Scene::open() else { return };
    scene.link(&scene.account_with("data_engineer"), "ada");
    let mut browser = Visitor::new();
    let back = scene.through(&mut browser, "ada");
    assert_eq!(browser.get(&back).status, 200);
    let data = scene.server.url(&format!("/studies/{STUDY}/data"));
    let page = browser.get(&data).body;
    assert!(page.contains(&format!("action=\"/studies/{STUDY}/signatures/provider\"")), "{page}");
    let fields = ["record_type", "record", "record_sha256"].map(|name| (name, hidden(&page, name)));
    let leave = |browser: &mut Visitor| {
        let mut form: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.push(("meaning", "approval"));
        browser.post_form(&scene.server.url(&format!("/studies/{STUDY}/signatures/provider")), &form)
    };
    let begun = leave(&mut browser);
    let address = begun.header("location").unwrap_or_default();
    assert!(address.contains("prompt=login") && address.contains("max_age=0"), "{address}");

    // Somebody else at the provider, and somebody who turns away there, sign nothing.
    for (person, status) in [("eve", 401), ("nobody", 401)] {
        let begun = leave(&mut browser);
        let back = scene.go_through(&begun, person);
        let refused = browser.get(&back);
        assert_eq!(refused.status, status, "{person}: {}", refused.body);
        assert!(browser.get(&data).body.contains("Nothing of this study has been signed yet"), "{person}");
    }
    // A browser on its way back from elsewhere keeps its session's cookie to itself: the attempt's is enough.
    let begun = leave(&mut browser);
    let back = scene.go_through(&begun, "ada");
    let attempt = browser.cookie(ATTEMPT).expect("the attempt travels in a cookie").to_owned();
    let mut returning = Visitor::new().with_cookie(ATTEMPT, &attempt);
    let signed = returning.get(&back);
    assert_eq!(signed.status, 200, "{}", signed.body);
    assert!(signed.body.contains("The record is signed"), "{}", signed.body);
    assert_eq!(returning.cookie("__Host-cairn-session"), None, "a signature begins no session");
    let page = browser.get(&data).body;
    assert!(page.contains("approval") && page.contains(">valid<"), "{page}");
    let mut again = Visitor::new().with_cookie(ATTEMPT, &attempt);
    assert_eq!(again.get(&back).status, 401, "the code is used up");
    let listed = scene.installation.must(&["signature", "list", "--tenant", TENANT, "--study", STUDY]).out;
    assert_eq!(listed.matches("approval").count(), 1, "{listed}");

    // Whose session ended meanwhile signs nothing.
    let begun = leave(&mut browser);
    let back = scene.go_through(&begun, "ada");
    let left = browser.post_form(&scene.server.url("/logout"), &[]);
    assert_eq!(left.status, 303, "{}", left.body);
    assert_eq!(browser.get(&back).status, 401);
    scene.installation.check_whole("after the signatures");
}

/// The value of a form's hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the form has the field");
    rest.split('"').next().expect("the value ends").to_owned()
}

/// A callback as an attacker, or a broken provider, could bring it about.
struct Callback {
    words: &'static str,
    cookie: Option<String>,
    query: String,
}

impl Scene {
    /// A browser's attempt that has come back: the cookie, and the query.
    fn attempt(&self) -> (String, String) {
        let mut browser = Visitor::new();
        let back = self.through(&mut browser, "ada");
        let cookie = browser.cookie(ATTEMPT).expect("the attempt travels in a cookie").to_owned();
        let (_, query) = back.split_once('?').expect("the provider sends a query");
        (cookie, query.to_owned())
    }

    fn bad_callbacks(&self) -> Vec<Callback> {
        let mut callbacks = Vec::new();
        let mut add = |words, cookie: Option<&str>, query: String| {
            callbacks.push(Callback { words, cookie: cookie.map(str::to_owned), query });
        };
        let (cookie, query) = self.attempt();
        let (other_cookie, other_query) = self.attempt();
        let field = |query: &str, name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let [code, state, issuer] = ["code", "state", "iss"].map(|name| field(&query, name));
        let other_code = field(&other_query, "code");
        let flipped = {
            let mut bytes = cookie.clone().into_bytes();
            bytes[30] = if bytes[30] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).expect("ASCII")
        };
        let own = Some(cookie.as_str());
        add("no cookie", None, query.clone());
        add("an empty cookie", Some(""), query.clone());
        add("a cookie that is none", Some("garbage"), query.clone());
        add("a cookie cut short", Some(&cookie[..cookie.len() - 4]), query.clone());
        add("a cookie with a letter changed", Some(&flipped), query.clone());
        add("a long cookie", Some(&"A".repeat(5_000)), query.clone());
        add("another browser's cookie", Some(&other_cookie), query.clone());
        add("another browser's answer", own, other_query.clone());
        add("nothing", own, String::new());
        add("no state", own, format!("code={code}&iss={issuer}"));
        add("an empty state", own, format!("code={code}&state=&iss={issuer}"));
        add("another state", own, format!("code={code}&state=x{state}&iss={issuer}"));
        add(
            "a state in other letters",
            own,
            format!("code={code}&state={}0&iss={issuer}", state.to_uppercase()),
        );
        add("two states", own, format!("code={code}&state={state}&state=x&iss={issuer}"));
        add("the state twice", own, format!("state={state}&code={code}&state={state}&iss={issuer}"));
        add("no issuer", own, format!("code={code}&state={state}"));
        add("another issuer", own, format!("code={code}&state={state}&iss=https%3A%2F%2Fevil.example"));
        add("a slash after the issuer", own, format!("code={code}&state={state}&iss={issuer}%2F"));
        add("two issuers", own, format!("code={code}&state={state}&iss={issuer}&iss={issuer}"));
        add("no code", own, format!("state={state}&iss={issuer}"));
        add("an empty code", own, format!("code=&state={state}&iss={issuer}"));
        add("a code that was made up", own, format!("code=x{code}&state={state}&iss={issuer}"));
        add("a long code", own, format!("code={}&state={state}&iss={issuer}", "c".repeat(5_000)));
        add("two codes", own, format!("code={code}&code={other_code}&state={state}&iss={issuer}"));
        // Its verifier is another attempt's, which is what PKCE is for.
        add("a code of another attempt", own, format!("code={other_code}&state={state}&iss={issuer}"));
        add("a refusal", own, format!("error=access_denied&state={state}&iss={issuer}"));
        add(
            "a refusal and a code",
            own,
            format!("error=access_denied&code={code}&state={state}&iss={issuer}"),
        );
        callbacks
    }
}

#[test]
fn control_32_twenty_five_bad_callbacks_get_one_answer() {
    let Some(scene) = Scene::open() else { return };
    let account = scene.account();
    scene.link(&account, "ada");
    let callbacks = scene.bad_callbacks();
    assert!(callbacks.len() >= 25, "only {}", callbacks.len());
    let told = |answer: &Answer| {
        let trace = answer.header("x-trace-id").expect("every answer has a trace").to_owned();
        (answer.status, answer.body.replace(&trace, "TRACE"))
    };
    let mut first = None;
    for Callback { words, cookie, query } in callbacks {
        let mut browser = Visitor::new();
        if let Some(cookie) = cookie {
            browser = browser.with_cookie(ATTEMPT, &cookie);
        }
        let answer = browser.get(&scene.server.url(&format!("/login/oidc/callback?{query}")));
        assert_eq!(answer.status, 401, "{words}: {}", answer.body);
        assert_eq!(browser.cookie("__Host-cairn-session"), None, "{words}");
        assert_eq!(&told(&answer), first.get_or_insert_with(|| told(&answer)), "{words}");
    }
    // After all of that, a good one is let in.
    let mut browser = Visitor::new();
    let back = scene.through(&mut browser, "ada");
    assert_eq!(browser.get(&back).status, 200);
    // And who turns away at the provider comes back to the login page.
    let back = scene.through(&mut browser, "nobody");
    assert_eq!(browser.get(&back).status, 401);
}

#[test]
fn a_provider_that_is_away_is_said_to_be() {
    let Some(installation) = Installation::demonstration() else { return };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    drop(listener);
    let issuer = format!("http://127.0.0.1:{port}");
    let settings = ["--oidc-issuer", &issuer, "--oidc-client-id", "cairn"];
    let server = Server::start_with(&installation.program, &installation.data(), &settings);
    let answer = Visitor::new().get(&server.url("/login/oidc"));
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body.contains("cannot be reached"), "{}", answer.body);
    // Passwords go on.
    installation.demo_account(TENANT, "researcher").browser(&server);
}

#[test]
fn an_issuer_in_the_open_is_refused_at_the_start() {
    let Some(installation) = Installation::with_tenant("acme") else { return };
    let said = installation.run(&[
        "serve",
        "--http",
        "127.0.0.1:0",
        "--flight",
        "127.0.0.1:0",
        "--oidc-issuer",
        "http://id.example",
        "--oidc-client-id",
        "cairn",
    ]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.errors.contains("has to begin with https://"), "{said}");
}
