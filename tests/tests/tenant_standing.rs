//! The operator disables an organisation while the server runs: its people and machines are out at every door within
//! seconds and are told so, strangers learn nothing, and enabling it brings everything back.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Account, Installation, Need, Server, Visitor, python};

/// How long it may take until it acts.
const SOON: Duration = Duration::from_secs(5);

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < SOON, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn turn(installation: &Installation, verb: &str, slug: &str) -> String {
    installation.must(&["admin", "tenant", verb, slug, "--reason", "the contract has ended"]).out
}

/// What the login form answers.
fn sign_in(server: &Server, email: &str, password: &str) -> (u16, String) {
    let form = [("email", email), ("password", password), ("next", "/")];
    let answer = Visitor::new().post_form(&server.url("/login"), &form);
    (answer.status, answer.body)
}

fn flights(server: &Server, token: &str) -> Option<Value> {
    let port = server.flight.port().to_string();
    let python_path = Need::Python.path()?;
    Some(python(&python_path, "flight_client.py", &["--port", &port, "--token", token, "list"]))
}

struct Scene {
    installation: Installation,
    server: Server,
    ada: Account,
    bob: Account,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::with_tenant("acme")?;
        installation.must(&["admin", "tenant", "create", "beta"]);
        let ada = installation.account("acme", "administrator");
        let bob = installation.account("beta", "researcher");
        let server = installation.serve();
        Some(Self { installation, server, ada, bob })
    }
}

#[test]
fn control_31_a_disabled_organisation_is_out_at_every_door_within_seconds() {
    let Some(Scene { installation, server, ada, bob }) = Scene::open() else { return };
    let (_, robot) = installation.account_called("robot", "acme", "researcher");
    let create = ["admin", "token", "create", "acme", &robot, "--label", "pull", "--service"];
    let kept = installation.must(&[&create[..], &["http"]].concat()).out.trim().to_owned();
    let flight = installation.must(&[&create[..], &["flight"]].concat()).out.trim().to_owned();
    let (mut browser, mut client, mut machine) =
        (ada.browser(&server), ada.client(&server), Visitor::new().with_token(&kept));
    let (mut other, mut other_browser) = (bob.client(&server), bob.browser(&server));
    let (api, page) = (server.url("/api/v1/studies"), server.url("/admin"));
    assert_eq!(
        (client.get(&api).status, machine.get(&api).status, browser.get(&page).status),
        (200, 200, 200)
    );
    if let Some(listed) = flights(&server, &flight) {
        assert_eq!(listed["ok"], true, "{listed}");
    }

    assert!(turn(&installation, "disable", "acme").contains("tenant acme is disabled"));
    wait_for("a session's token still opens", || client.get(&api).status == 401);
    wait_for("a machine's token still opens", || machine.get(&api).status == 401);
    wait_for("a browser's session still opens", || browser.get(&page).status == 303);
    let told = client.get(&api).json();
    assert_eq!(told["code"], "organisation_disabled", "{told}");
    let sent = browser.get(&page);
    let to_login = sent.header("location").expect("it is sent to the login page").to_owned();
    assert!(to_login.contains("disabled=1"), "{to_login}");
    let login_page = browser.get(&server.url(&to_login));
    assert!(login_page.body.contains("Your organisation is disabled here."), "{}", login_page.body);
    if let Some(refused) = flights(&server, &flight) {
        assert_eq!(refused["ok"], false, "{refused}");
        assert!(refused.to_string().contains("your organisation is disabled here"), "{refused}");
    }
    let (status, body) = sign_in(&server, &ada.email, &ada.password);
    assert!(status == 401 && body.contains("Your organisation is disabled here."), "{status} {body}");
    let login = json!({ "email": ada.email, "password": ada.password, "audience": "flight" });
    let login = Visitor::new().post_json(&server.url("/api/v1/login"), &login);
    assert_eq!(
        (login.status, &login.json()["code"]),
        (401, &json!("organisation_disabled")),
        "{}",
        login.body
    );

    // The other organisation notices nothing, and is the last: it cannot be disabled as well.
    assert_eq!((other.get(&api).status, other_browser.get(&server.url("/studies")).status), (200, 200));
    let last = installation.run(&["admin", "tenant", "disable", "beta", "--reason", "by mistake"]);
    assert!(last.code != Some(0) && last.errors.contains("the last organisation in use"), "{last}");

    turn(&installation, "enable", "acme");
    wait_for("a session's token does not open again", || client.get(&api).status == 200);
    wait_for("a machine's token does not open again", || machine.get(&api).status == 200);
    wait_for("a browser's session does not open again", || browser.get(&page).status == 200);
    let newest = client.get(&server.url("/api/v1/audit?action=tenant.disabled&limit=1")).json();
    assert_eq!(newest[0]["data"]["reason"], "the contract has ended", "{newest}");
    drop(server);
    installation.check_whole("after disabling and enabling");
}

#[test]
fn a_stranger_cannot_tell_that_an_organisation_is_disabled() {
    let Some(Scene { installation, server, ada, .. }) = Scene::open() else { return };
    let told = |email: &str, password: &str| {
        let asked = json!({ "email": email, "password": password, "audience": "http" });
        let mut answer = Visitor::new().post_json(&server.url("/api/v1/login"), &asked).json();
        answer["trace_id"] = Value::Null;
        answer
    };
    let (before, nobody) = (told(&ada.email, "not her password"), told("nobody@acme.test", "no password"));
    turn(&installation, "disable", "acme");
    assert_eq!(
        (told(&ada.email, "not her password"), told("nobody@acme.test", "no password")),
        (before, nobody)
    );
    let (status, body) = sign_in(&server, &ada.email, "not her password");
    assert!(status == 401 && !body.contains("organisation is disabled"), "{status} {body}");
}

#[test]
fn the_operator_sees_which_organisations_are_disabled_and_why() {
    let Some(Scene { installation, server, .. }) = Scene::open() else { return };
    drop(server);
    let unexplained = installation.run(&["admin", "tenant", "disable", "acme"]);
    assert!(unexplained.code == Some(2) && unexplained.errors.contains("--reason"), "{unexplained}");
    turn(&installation, "disable", "acme");
    let listed = installation.must(&["admin", "tenant", "list"]).out;
    let standing = |slug: &str| {
        let line = listed.lines().find(|line| line.starts_with(slug)).expect("it is listed");
        line.contains(" disabled ")
    };
    assert_eq!((standing("acme"), standing("beta")), (true, false), "{listed}");
    let shown = installation.must(&["admin", "tenant", "show", "acme"]).out;
    assert!(shown.contains("disabled since") && shown.contains(": the contract has ended"), "{shown}");
    installation.check_whole("with a disabled organisation");
}
