//! Signing in, and being out again: what a browser is given, what ends a session, and how soon.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;

use crate::support::{Account, Installation, Need, STUDY, Server, TENANT, Visitor, python};

const COOKIE: &str = "__Host-cairn-session";
/// Within what a person who was sent away is out.
const AT_ONCE: Duration = Duration::from_secs(5);

struct Scene {
    installation: Installation,
    server: Server,
    researcher: Account,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::demonstration()?;
        let server = installation.serve();
        let researcher = installation.demo_account(TENANT, "researcher");
        Some(Self { installation, server, researcher })
    }

    /// The sessions that the operator sees, as id and account.
    fn sessions(&self) -> Vec<(String, String)> {
        let said = self.installation.must(&["admin", "session", "list", TENANT, "--live"]);
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            let id = words.next().expect("an id").to_owned();
            (id, words.nth(1).expect("an account").to_owned())
        };
        said.out.lines().map(line).collect()
    }

    /// What Flight says to a token.
    fn flight(&self, token: &str) -> Option<String> {
        let port = self.server.flight.port().to_string();
        let interpreter = Need::Python.path()?;
        let answer = python(&interpreter, "flight_client.py", &["--port", &port, "--token", token, "list"]);
        Some(if answer["ok"] == true { "ok".to_owned() } else { answer["refused"].to_string() })
    }
}

#[test]
fn control_31_logout_disabling_and_a_new_role_end_sessions_and_their_tokens_within_five_seconds() {
    for way in ["logout", "session end", "grant", "disable"] {
        let Some(scene) = Scene::open() else { return };
        let mut browser = scene.researcher.browser(&scene.server);
        let asked = browser.post_json(&scene.server.url("/api/v1/tokens"), &json!({ "audience": "http" }));
        assert_eq!(asked.status, 403, "without its origin a browser gets nothing: {}", asked.body);
        browser.send_header(Some(("sec-fetch-site", "same-origin")));
        let token = |browser: &mut Visitor, door: &str| {
            let asked = browser.post_json(&scene.server.url("/api/v1/tokens"), &json!({ "audience": door }));
            assert_eq!(asked.status, 200, "{}", asked.body);
            asked.json()["token"].as_str().expect("a token").to_owned()
        };
        let (http, flight) = (token(&mut browser, "http"), token(&mut browser, "flight"));
        let mut client = Visitor::new().with_token(&http);
        let studies = scene.server.url("/api/v1/studies");
        assert_eq!(client.get(&studies).status, 200);
        let sessions = scene.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        let (session, account) = sessions[0].clone();

        // The server runs on; the operator's commands are processes of their own.
        match way {
            "logout" => assert_eq!(browser.post_form(&scene.server.url("/logout"), &[]).status, 303),
            "session end" => drop(scene.installation.must(&["admin", "session", "end", TENANT, &session])),
            "grant" => {
                let grant = ["admin", "account", "grant", TENANT, &account, "--role", "data_engineer"];
                drop(scene.installation.must(&grant));
            }
            _ => drop(scene.installation.must(&["admin", "account", "disable", TENANT, &account])),
        }
        let done = Instant::now();
        let is_out = |client: &mut Visitor, browser: &mut Visitor| {
            let page = browser.get(&scene.server.url("/studies"));
            client.get(&studies).status == 401 && page.status == 303
        };
        while !is_out(&mut client, &mut browser) {
            assert!(done.elapsed() < AT_ONCE, "{way}: still in after {:?}", done.elapsed());
            thread::sleep(Duration::from_millis(100));
        }
        if let Some(answer) = scene.flight(&flight) {
            assert_eq!(answer, "\"unauthenticated\"", "{way}");
        }
        assert!(scene.sessions().is_empty(), "{way}");
        scene.installation.check_whole(way);
    }
}

#[test]
fn control_33_the_session_cookie_is_for_this_host_and_out_of_reach_of_scripts() {
    let Some(scene) = Scene::open() else { return };
    let form = [("email", scene.researcher.email.as_str()), ("password", &scene.researcher.password)];
    let mut visitor = Visitor::new();
    let first = visitor.post_form(&scene.server.url("/login"), &form);
    let secret_of = |answer: &crate::support::Answer| {
        let cookie = answer.header("set-cookie").expect("a sign-in gives a cookie").to_owned();
        let (pair, flags) = cookie.split_once("; ").expect("a cookie has flags");
        assert_eq!(flags, "Path=/; Secure; HttpOnly; SameSite=Strict");
        let (name, secret) = pair.split_once('=').expect("a cookie has a name");
        assert_eq!(name, COOKIE);
        secret.to_owned()
    };
    let earlier = secret_of(&first);
    // Signing in again gives another secret and ends the earlier session.
    let again = secret_of(&visitor.post_form(&scene.server.url("/login"), &form));
    assert_ne!(earlier, again);
    let status =
        |secret: &str| Visitor::new().with_cookie(COOKIE, secret).get(&scene.server.url("/studies")).status;
    assert_eq!((status(&earlier), status(&again)), (303, 200));
    // A secret that somebody fixed beforehand is not taken over.
    let mut fixed = Visitor::new().with_cookie(COOKIE, &format!("{}.{}", "0".repeat(32), "1".repeat(32)));
    let answer = fixed.post_form(&scene.server.url("/login"), &form);
    assert!(!secret_of(&answer).ends_with(&"1".repeat(32)));
    // The cookie opens nothing as a token, and a token nothing as a cookie.
    assert_eq!(Visitor::new().with_token(&again).get(&scene.server.url("/api/v1/studies")).status, 401);
    assert_eq!(status(&scene.researcher.token(&scene.server, "http")), 303);
}

#[test]
fn a_form_that_does_not_say_where_it_comes_from_is_refused() {
    let Some(scene) = Scene::open() else { return };
    let form = [("email", scene.researcher.email.as_str()), ("password", &scene.researcher.password)];
    let mut visitor = Visitor::new();
    visitor.send_header(Some(("x-nothing", "said")));
    let silent = visitor.post_form(&scene.server.url("/login"), &form);
    assert_eq!(silent.status, 403, "{}", silent.body);
    assert!(silent.header("set-cookie").is_none());
    visitor.send_header(Some(("sec-fetch-site", "same-origin")));
    assert_eq!(visitor.post_form(&scene.server.url("/login"), &form).status, 303);
}

#[test]
fn the_login_page_says_why_a_browser_will_not_stay_signed_in() {
    let Some(scene) = Scene::open() else { return };
    let mut visitor = Visitor::new();
    let says = |visitor: &mut Visitor| {
        visitor.get(&scene.server.url("/login")).body.contains("This connection is not protected")
    };
    assert!(!says(&mut visitor), "on one's own machine it stays");
    visitor.send_header(Some(("host", "cairn.example")));
    assert!(says(&mut visitor), "elsewhere it needs TLS");
}

#[test]
fn a_researcher_makes_a_token_on_a_page_pulls_with_it_and_revokes_it() {
    let Some(scene) = Scene::open() else { return };
    let mut browser = scene.researcher.browser(&scene.server);
    let page = scene.server.url("/account");
    assert!(browser.get(&page).body.contains("No tokens"));
    let form = [("label", "my notebook"), ("role", "researcher"), ("study", STUDY), ("days", "7")];
    let made = browser.post_form(&scene.server.url("/account/tokens"), &form);
    assert_eq!(made.status, 200, "{}", made.body);
    let (_, rest) = made.body.split_once("cairn_pat_").expect("the page shows the token");
    let token = format!("cairn_pat_{}", rest.split('<').next().expect("the token ends"));
    let again = browser.get(&page).body;
    assert!(again.contains("my notebook") && !again.contains("cairn_pat_"), "it is shown once:\n{again}");

    let mut client = Visitor::new().with_token(&token);
    let studies = client.get(&scene.server.url("/api/v1/studies"));
    assert_eq!(studies.status, 200, "{}", studies.body);
    assert_eq!(studies.json().as_array().map(Vec::len), Some(1), "only the study that was chosen");
    if let Some(answer) = scene.flight(&token) {
        assert_eq!(answer, "ok");
    }
    let further = client.post_json(&scene.server.url("/api/v1/access-tokens"), &json!({ "label": "more" }));
    assert_eq!(further.status, 404, "a token makes no tokens: {}", further.body);

    let (_, rest) = again.split_once("/account/tokens/").expect("the page lists the token");
    let (_, rest) = rest.split_once("/account/tokens/").unwrap_or(("", rest));
    let id = rest.split('/').next().expect("an id");
    let revoked = browser.post_form(&scene.server.url(&format!("/account/tokens/{id}/revoke")), &[]);
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_eq!(client.get(&scene.server.url("/api/v1/studies")).status, 401);
    if let Some(answer) = scene.flight(&token) {
        assert_eq!(answer, "\"unauthenticated\"");
    }
    let long = [("label", "for ever"), ("role", "researcher"), ("study", ""), ("days", "91")];
    let refused = browser.post_form(&scene.server.url("/account/tokens"), &long);
    assert!(refused.body.contains("up to 90 days"), "{}", refused.body);
    scene.installation.check_whole("after the tokens");
}

#[test]
fn control_30_a_key_is_rotated_under_a_running_server() {
    let Some(scene) = Scene::open() else { return };
    let keys = |scene: &Scene| {
        let answer = Visitor::new().get(&scene.server.url("/.well-known/jwks.json")).json();
        let keys = answer["keys"].as_array().expect("a list of keys").clone();
        assert!(keys.iter().all(|key| key["kty"] == "OKP" && key["alg"] == "EdDSA" && key["d"].is_null()));
        keys
    };
    assert_eq!(keys(&scene).len(), 1);
    let mut old = scene.researcher.client(&scene.server);
    let studies = scene.server.url("/api/v1/studies");
    let said = scene.installation.must(&["admin", "key", "rotate"]).out;
    let kid = said.split_whitespace().nth(1).expect("the key's name").to_owned();
    assert!(keys(&scene).iter().any(|key| key["kid"] == kid.as_str()));
    thread::sleep(Duration::from_secs(3));
    assert_eq!(old.get(&studies).status, 200, "what the old key has signed holds until it ends");
    let mut new = scene.researcher.client(&scene.server);
    assert_eq!(new.get(&studies).status, 200);
    let listed = scene.installation.must(&["admin", "key", "list"]).out;
    assert!(listed.contains("retiring") && listed.contains(&format!("{kid}  active")), "{listed}");
    scene.installation.must(&["admin", "key", "rotate", "--compromised"]);
    thread::sleep(Duration::from_secs(3));
    for client in [&mut old, &mut new] {
        assert_eq!(client.get(&studies).status, 401, "nothing of a compromised key holds");
    }
    assert_eq!(keys(&scene).len(), 1);
    assert_eq!(scene.researcher.client(&scene.server).get(&studies).status, 200);
}

/// What an app shows `steps` half minutes from now. Source: RFC 6238.
#[expect(clippy::disallowed_methods, reason = "the server under test has the machine's clock")]
pub(crate) fn shown(secret: &str, steps: u64) -> String {
    let value = |letter: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("a letter of base 32");
    let bits: String = secret.chars().map(|letter| format!("{:05b}", value(letter))).collect();
    let bytes = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).expect("digits"), 2).expect("bits"));
    let secret: Vec<u8> = bytes.collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let mut mac = Hmac::<Sha1>::new_from_slice(&secret).expect("a key of any length");
    mac.update(&(now / 30 + steps).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

#[test]
fn a_researcher_sets_an_authenticator_up_and_is_asked_for_its_code() {
    let Some(scene) = Scene::open() else { return };
    let mut browser = scene.researcher.browser(&scene.server);
    let at = |path: &str| scene.server.url(&format!("/account/second-factor/{path}"));
    let begun = browser.post_form(&at("enrol"), &[]);
    let (_, rest) = begun.body.split_once("?secret=").expect("the page tells the app its secret");
    let secret = rest.split('&').next().expect("the secret ends").to_owned();
    let wrong = browser.post_form(&at("confirm"), &[("code", "000000")]);
    assert!(wrong.body.contains("the code is not right"), "{}", wrong.body);
    let before = browser.cookie(COOKIE).expect("a session").to_owned();
    let confirmed = browser.post_form(&at("confirm"), &[("code", &shown(&secret, 0))]);
    assert!(confirmed.body.contains("Your recovery codes"), "{}", confirmed.body);
    let (_, rest) = confirmed.body.split_once("<li><code>").expect("the page shows recovery codes");
    let recovery = rest.split('<').next().expect("a code ends").to_owned();
    // What lets somebody in has changed, and so has the session's secret.
    assert_ne!(browser.cookie(COOKIE), Some(before.as_str()));
    let old = Visitor::new().with_cookie(COOKIE, &before).get(&scene.server.url("/account"));
    assert_eq!(old.status, 303);
    assert!(!browser.get(&scene.server.url("/account")).body.contains(&recovery), "they are shown once");

    let sign_in = |code: &str| {
        let form = [
            ("email", scene.researcher.email.as_str()),
            ("password", &scene.researcher.password),
            ("code", code),
        ];
        Visitor::new().post_form(&scene.server.url("/login"), &form).status
    };
    // The code that has shown the app is used up; the next one is taken from its step on.
    assert_eq!([sign_in(""), sign_in("000000"), sign_in(&shown(&secret, 1))], [401, 401, 303]);
    assert_eq!([sign_in(&recovery), sign_in(&recovery)], [303, 401]);
    let login = json!({ "email": scene.researcher.email, "password": scene.researcher.password });
    let rest = Visitor::new().post_json(&scene.server.url("/api/v1/login"), &login);
    assert_eq!((rest.status, rest.json()["code"].as_str()), (401, Some("login_refused")));

    let (_, account) = scene.sessions().remove(0);
    scene.installation.must(&["admin", "account", "totp", "disable", TENANT, &account]);
    assert_eq!(sign_in(""), 303);
    scene.installation.check_whole("after the second factor");
}

#[test]
fn control_34_who_guesses_is_sent_away_and_the_owner_elsewhere_is_let_in() {
    let Some(installation) = Installation::demonstration() else { return };
    let server =
        Server::start_with(&installation.program, &installation.data(), &["--behind-proxy", "127.0.0.1"]);
    let researcher = installation.demo_account(TENANT, "researcher");
    let attempt = |from: &'static str, password: &str| {
        let mut visitor = Visitor::new();
        visitor.send_header(Some(("x-forwarded-for", from)));
        let login = json!({ "email": researcher.email, "password": password });
        visitor.post_json(&server.url("/api/v1/login"), &login)
    };
    assert_eq!(attempt("198.51.100.7", &researcher.password).status, 200, "the owner, before anything");
    for _ in 0..5 {
        assert_eq!(attempt("192.0.2.66", "a wrong password").status, 401);
    }
    for password in ["a wrong password", &researcher.password] {
        let throttled = attempt("192.0.2.66", password);
        assert_eq!(throttled.status, 429, "{}", throttled.body);
        assert_eq!(throttled.json()["code"], "login_throttled");
        let wait: u64 = throttled.header("retry-after").expect("it says when").parse().expect("in seconds");
        assert!((1..=61).contains(&wait), "{wait}");
    }
    assert_eq!(attempt("198.51.100.7", &researcher.password).status, 200, "the owner is not locked out");
}
