//! An administrator keeps the people of their organisation: over REST and on pages, with a reason for everything, and
//! every change acts at once.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Account, Answer, Installation, Need, Server, Visitor};

/// How long a change may take until it acts.
const SOON: Duration = Duration::from_secs(5);

struct Scene {
    installation: Installation,
    server: Server,
    root: Account,
    admin: Visitor,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::with_tenant("acme")?;
        let root = installation.account("acme", "administrator");
        let server = Server::start_with(&installation.program, &installation.data(), &["--workers", "0"]);
        let admin = root.client(&server);
        Some(Self { installation, server, root, admin })
    }

    fn get(&mut self, path: &str) -> Answer {
        self.admin.get(&self.server.url(path))
    }

    fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.admin.post_json(&self.server.url(path), body)
    }

    /// The id of the account with that address.
    fn id_of(&mut self, account: &Account) -> String {
        let accounts = self.get("/api/v1/accounts").json();
        let found =
            accounts.as_array().expect("a list").iter().find(|one| one["email"] == account.email.as_str());
        found.expect("it is listed")["account"].as_str().expect("it has an id").to_owned()
    }
}

/// Asks until the answer has that status, as long as a change may take.
fn becomes(visitor: &mut Visitor, url: &str, status: u16) -> bool {
    let began = Instant::now();
    while began.elapsed() < SOON {
        if visitor.get(url).status == status {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn an_administrator_makes_changes_and_disables_accounts_over_rest() {
    let Some(mut scene) = Scene::open() else { return };
    let new = json!({ "email": "Eve@acme.test", "display_name": "Eve", "password": "a password of some length",
        "role": "data_engineer", "reason": "a new colleague" });
    scene.admin.send_header(Some(("idempotency-key", "eve-1")));
    let made = scene.post("/api/v1/accounts", &new);
    assert_eq!(made.status, 201, "{}", made.body);
    let again = scene.post("/api/v1/accounts", &new);
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")), "{}", again.body);
    scene.admin.send_header(None);
    assert_eq!(again.body, made.body);
    let taken = scene.post("/api/v1/accounts", &new);
    assert_eq!(taken.status, 409, "{}", taken.body);
    let eve = made.json()["account"].as_str().expect("it has an id").to_owned();
    let account = Account { email: "eve@acme.test".into(), password: "a password of some length".into() };
    let (mut client, mut browser) = (account.client(&scene.server), account.browser(&scene.server));
    let (schedules, home) = (scene.server.url("/api/v1/schedules"), scene.server.url("/studies"));
    assert_eq!((client.get(&schedules).status, browser.get(&home).status), (200, 200));

    let path = format!("/api/v1/accounts/{eve}");
    let silent = scene.post(&format!("{path}/disable"), &json!({ "reason": " " }));
    assert_eq!(silent.status, 400, "{}", silent.body);
    let revoked = scene.post(
        &format!("{path}/grants/revoke"),
        &json!({ "role": "data_engineer", "reason": "another team" }),
    );
    assert_eq!(revoked.json()["grants"], json!([]), "{}", revoked.body);
    assert!(becomes(&mut client, &schedules, 401), "the role is gone and its token still opens");
    assert!(becomes(&mut browser, &home, 303), "the role is gone and its session still opens");
    let given = scene.post(
        &format!("{path}/grants"),
        &json!({ "role": "researcher", "study": "S-1", "reason": "a study" }),
    );
    assert_eq!(given.json()["grants"][0]["study"], "S-1", "{}", given.body);
    assert_eq!(
        given.json()["grants"][0]["granted_by"],
        format!("account:{}", scene.id_of(&scene.root.clone()))
    );

    let mut client = account.client(&scene.server);
    let studies = scene.server.url("/api/v1/studies");
    assert_eq!(client.get(&studies).status, 200);
    let disabled = scene.post(&format!("{path}/disable"), &json!({ "reason": "gone" }));
    assert_eq!((disabled.status, &disabled.json()["enabled"]), (200, &json!(false)), "{}", disabled.body);
    assert!(becomes(&mut client, &studies, 401), "a disabled account's token still opens");
    let enabled = scene.post(&format!("{path}/enable"), &json!({ "reason": "back" }));
    assert_eq!(enabled.json()["enabled"], true, "{}", enabled.body);

    let root = scene.id_of(&scene.root.clone());
    let last = scene.post(&format!("/api/v1/accounts/{root}/disable"), &json!({ "reason": "by mistake" }));
    assert_eq!((last.status, &last.json()["code"]), (409, &json!("conflict")), "{}", last.body);
    assert!(last.body.contains("make another administrator first"), "{}", last.body);

    let newest = scene.get("/api/v1/audit?action=account.grants.changed&limit=1").json();
    assert_eq!(newest[0]["data"]["before"], "none");
    assert_eq!(newest[0]["data"]["after"], "researcher@S-1");
    assert_eq!(newest[0]["data"]["reason"], "a study");
    drop(scene.server);
    scene.installation.check_whole("after changes of accounts");
}

#[test]
fn the_pages_do_the_same_and_show_nothing_to_anybody_else() {
    let Some(mut scene) = Scene::open() else { return };
    let other = scene.installation.account("acme", "auditor");
    let id = scene.id_of(&other);
    let mut admin = scene.root.browser(&scene.server);
    let mut auditor = other.browser(&scene.server);
    for page in ["/admin", "/admin/accounts", "/admin/access-review"] {
        let shown = admin.get(&scene.server.url(page));
        assert!(shown.status == 200 && shown.body.contains("auditor@acme.test"), "{page} {}", shown.status);
        assert_eq!(auditor.get(&scene.server.url(page)).status, 404, "{page}");
    }
    let page = scene.server.url(&format!("/admin/accounts/{id}"));
    let silent = admin.post_form(&format!("{page}/grant"), &[("role", "researcher"), ("reason", "")]);
    assert!(silent.body.contains("The reason is empty"), "{}", silent.body);
    let given = admin.post_form(&format!("{page}/grant"), &[("role", "researcher"), ("reason", "a study")]);
    assert_eq!(given.header("location"), Some(&*format!("/admin/accounts/{id}")), "{}", given.body);
    assert!(admin.get(&page).body.contains("Researcher"));
    let taken = admin
        .post_form(&format!("{page}/grants/researcher/revoke"), &[("reason", "over"), ("back", "review")]);
    assert_eq!(taken.header("location"), Some("/admin/access-review"), "{}", taken.body);
    let home = scene.server.url("/audit");
    let mut auditor = other.browser(&scene.server);
    assert_eq!(auditor.get(&home).status, 200);
    let ended = admin.post_form(&format!("{page}/sessions/end"), &[("reason", "a lost machine")]);
    assert_eq!(ended.status, 303, "{}", ended.body);
    assert!(becomes(&mut auditor, &home, 303), "the session still opens");
    let stranger = admin.post_form(&scene.server.url("/admin/accounts/nobody/disable"), &[("reason", "x")]);
    assert_eq!(stranger.status, 404);
}

/// What the ledger says of the identity `7c1f0a52` of [`ISSUER`].
// Source: `printf 'https://id.acme.test\n7c1f0a52' | sha256sum`
const SHA256_OF_EVE: &str = "77f5aa664326673064cbb34a1f8bb9fc82adbf1d60710e90b754551d170c3b27";
const ISSUER: &str = "https://id.acme.test";

#[test]
fn an_administrator_links_and_unlinks_identities_over_rest() {
    let Some(mut scene) = Scene::open() else { return };
    let [eve, bob] = ["researcher", "auditor"].map(|role| scene.installation.account("acme", role));
    let [eve_id, bob_id] = [&eve, &bob].map(|account| scene.id_of(account));
    let path = format!("/api/v1/accounts/{eve_id}/identities");
    let order =
        |subject: &str, reason: &str| json!({ "issuer": ISSUER, "subject": subject, "reason": reason });
    assert_eq!(scene.post(&path, &order("7c1f0a52", " ")).status, 400, "it takes a reason");
    let linked = scene.post(&path, &order("7c1f0a52", "signs in by the provider"));
    assert_eq!(linked.status, 200, "{}", linked.body);
    let identity = linked.json()["identities"][0].clone();
    assert_eq!((&identity["issuer"], &identity["subject"]), (&json!(ISSUER), &json!("7c1f0a52")));
    assert!(identity["linked_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{identity}");
    let taken = scene.post(&format!("/api/v1/accounts/{bob_id}/identities"), &order("7c1f0a52", "a mistake"));
    assert_eq!((taken.status, &taken.json()["code"]), (409, &json!("conflict")), "{}", taken.body);

    let mut client = eve.client(&scene.server);
    let studies = scene.server.url("/api/v1/studies");
    assert_eq!(client.get(&studies).status, 200);
    for _ in 0..2 {
        let unlinked = scene.post(&format!("{path}/unlink"), &order("7c1f0a52", "has left the team"));
        assert_eq!((unlinked.status, &unlinked.json()["identities"]), (200, &json!([])), "{}", unlinked.body);
    }
    assert!(becomes(&mut client, &studies, 401), "the sessions end with the identity");
    for (action, reason) in [
        ("account.identity.linked", "signs in by the provider"),
        ("account.identity.unlinked", "has left the team"),
    ] {
        let events = scene.get(&format!("/api/v1/audit?action={action}"));
        let [event] =
            events.json().as_array().expect("a list").clone().try_into().expect("one, and no second");
        assert_eq!((&event["data"]["issuer"], &event["data"]["reason"]), (&json!(ISSUER), &json!(reason)));
        assert_eq!(event["data"]["identity_sha256"], SHA256_OF_EVE);
        assert!(!events.body.contains("7c1f0a52"), "the ledger names nobody: {}", events.body);
    }
    let nobody = scene.post("/api/v1/accounts/nobody/identities/unlink", &order("7c1f0a52", "x"));
    assert_eq!(nobody.status, 404, "{}", nobody.body);
    let by_herself = eve.client(&scene.server).post_json(&scene.server.url(&path), &order("more", "x"));
    assert_eq!(by_herself.status, 404, "{}", by_herself.body);
    drop(scene.server);
    scene.installation.check_whole("after identities came and went");
}

#[test]
fn the_page_of_an_account_links_and_unlinks_identities() {
    let Some(mut scene) = Scene::open() else { return };
    let eve = scene.installation.account("acme", "researcher");
    let id = scene.id_of(&eve);
    let mut admin = scene.root.browser(&scene.server);
    let page = scene.server.url(&format!("/admin/accounts/{id}"));
    let empty = admin.get(&page).body;
    assert!(empty.contains("Nobody signs in to the account through an identity provider."), "{empty}");
    let form = |subject: &'static str, reason| [("issuer", ISSUER), ("subject", subject), ("reason", reason)];
    let silent = admin.post_form(&format!("{page}/identities"), &form("7c1f0a52", ""));
    assert!(silent.body.contains("The reason is empty"), "{}", silent.body);
    assert!(silent.body.contains("value=\"7c1f0a52\""), "what was typed stands there still: {}", silent.body);
    let nameless = admin.post_form(&format!("{page}/identities"), &form(" ", "x"));
    assert!(nameless.body.contains("The subject is empty"), "{}", nameless.body);
    let linked = admin.post_form(&format!("{page}/identities"), &form("7c1f0a52", "by the provider"));
    let back = format!("/admin/accounts/{id}");
    assert_eq!((linked.status, linked.header("location")), (303, Some(&*back)), "{}", linked.body);
    let shown = admin.get(&page).body;
    assert!(shown.contains(ISSUER) && shown.contains("<code>7c1f0a52</code>"), "{shown}");
    let again = admin.post_form(&format!("{page}/identities"), &form("7c1f0a52", "by the provider"));
    assert!(again.body.contains("role=\"alert\""), "an identity is one account's: {}", again.body);

    let mut browser = eve.browser(&scene.server);
    let home = scene.server.url("/studies");
    assert_eq!(browser.get(&home).status, 200);
    let unlink = [("identity", SHA256_OF_EVE), ("reason", "has left the team")];
    assert!(shown.contains(&format!("name=\"identity\" value=\"{SHA256_OF_EVE}\"")), "{shown}");
    for _ in 0..2 {
        let gone = admin.post_form(&format!("{page}/identities/unlink"), &unlink);
        assert_eq!((gone.status, gone.header("location")), (303, Some(&*back)), "{}", gone.body);
    }
    assert!(becomes(&mut browser, &home, 303), "the sessions end with the identity");
    let left = admin.get(&page).body;
    assert!(left.contains("Nobody signs in to the account through an identity provider."), "{left}");
    let events = scene.get("/api/v1/audit?action=account.identity.unlinked").json();
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
    let mut eve = eve.browser(&scene.server);
    assert_eq!(eve.post_form(&format!("{page}/identities"), &form("more", "x")).status, 404);
    drop(scene.server);
    scene.installation.check_whole("after the page of an account");
}

#[test]
fn control_16_a_review_is_read_revoked_from_and_signed_off() {
    let Some(mut scene) = Scene::open() else { return };
    let engineer = scene.installation.account("acme", "data_engineer");
    let id = scene.id_of(&engineer);
    let mut client = engineer.client(&scene.server);
    let url = scene.server.url("/api/v1/schedules");
    assert_eq!(client.get(&url).status, 200);
    let review = scene.get("/api/v1/access-review").json();
    assert_eq!((&review["overdue"], &review["reviewed_at"]), (&json!(false), &Value::Null));
    let csv = scene.get("/api/v1/access-review?format=csv").body;
    assert!(csv.starts_with("kind,account,email,") && csv.contains(&engineer.email), "{csv}");
    let page = scene.server.url(&format!("/admin/accounts/{id}/grants/data_engineer/revoke"));
    let mut admin = scene.root.browser(&scene.server);
    let taken = admin.post_form(&page, &[("reason", "not needed any more"), ("back", "review")]);
    assert_eq!(taken.status, 303, "{}", taken.body);
    assert!(becomes(&mut client, &url, 401), "what was taken away still opens");

    let sign = |hash: &Value| json!({ "list_sha256": hash, "reason": "looked through" });
    let stale = scene.post("/api/v1/access-review/sign-off", &sign(&review["list_sha256"]));
    assert_eq!(stale.status, 409, "the list has changed: {}", stale.body);
    let review = scene.get("/api/v1/access-review").json();
    let signed = scene.post("/api/v1/access-review/sign-off", &sign(&review["list_sha256"]));
    assert_eq!(signed.status, 204, "{}", signed.body);
    assert!(scene.get("/api/v1/access-review").json()["reviewed_at"].is_string());
    let event = scene.get("/api/v1/audit?action=access.reviewed").json();
    assert_eq!(event[0]["data"]["list_sha256"], review["list_sha256"]);
    let metrics = Visitor::new().get(&scene.server.url("/metrics")).body;
    assert!(metrics.contains("access_reviews_overdue 0"), "the metric is there");
    let said = scene.installation.must(&["admin", "access-review", "acme"]).out;
    assert!(said.contains(&scene.root.email) && said.contains("list "), "{said}");
}

#[test]
fn control_10_a_search_is_exported_with_proofs_that_hold_offline_and_is_signed_off() {
    let Some(mut scene) = Scene::open() else { return };
    for number in 0..3 {
        let new = json!({ "email": format!("p{number}@acme.test"), "role": "researcher", "reason": "a new colleague" });
        assert_eq!(scene.post("/api/v1/accounts", &new).status, 201);
    }
    let exported = scene.get("/api/v1/audit/export?action=account.created&format=json").json();
    let events = exported.as_array().expect("a list");
    assert_eq!(events.len(), 4, "three accounts and the administrator's own");
    let keys = scene.installation.beside("keys");
    fs::write(&keys, scene.installation.must(&["audit", "keys"]).out).expect("the keys can be kept");
    for event in events {
        let proof = scene.installation.beside(&format!("{}.tlog-proof", event["seq"]));
        fs::write(&proof, event["proof"].as_str().expect("it has a proof")).expect("it can be kept");
        check_proof(&scene.installation, &proof, &keys);
    }
    let csv = scene.get("/api/v1/audit/export?action=account.created&format=csv&limit=2");
    assert_eq!(csv.body.lines().count(), 3, "a header and two events: {}", csv.body);
    assert!(
        csv.header("link").is_some_and(|link| link.contains("/api/v1/audit/export?")),
        "{:?}",
        csv.headers
    );
    let told = scene.get("/api/v1/audit?action=audit.exported").json();
    assert_eq!((told[0]["data"]["events"].as_u64(), told[1]["data"]["events"].as_u64()), (Some(2), Some(4)));

    let seq = events[0]["seq"].as_u64().expect("it has a place");
    let single = scene.get(&format!("/api/v1/audit/{seq}/proof"));
    let path = scene.installation.beside("single.tlog-proof");
    fs::write(&path, &single.body).expect("it can be kept");
    check_proof(&scene.installation, &path, &keys);
    let spoiled = scene.installation.beside("spoiled.tlog-proof");
    fs::write(&spoiled, single.body.replacen("index ", "index 1", 1)).expect("it can be kept");
    let said = scene.installation.run(&receipt(&spoiled, &keys).each_ref().map(String::as_str));
    assert_ne!(said.code, Some(0), "a changed proof is refused:\n{said}");

    let review =
        scene.post("/api/v1/audit/reviews", &json!({ "first": 0, "last": seq, "remark": "nothing unusual" }));
    assert_eq!(review.status, 204, "{}", review.body);
    let beyond =
        scene.post("/api/v1/audit/reviews", &json!({ "first": 0, "last": 1_000_000, "remark": "x" }));
    assert_eq!(beyond.status, 400, "{}", beyond.body);
    let event = scene.get("/api/v1/audit?action=audit.reviewed").json();
    assert_eq!(
        (&event[0]["data"]["last"], &event[0]["data"]["last_hash"]),
        (&json!(seq), &events[0]["entry_hash"])
    );
    let page = scene.root.browser(&scene.server).get(&scene.server.url("/audit")).body;
    assert!(page.contains("were signed off on") && page.contains("nothing unusual"), "{page}");
}

fn receipt(proof: &Path, keys: &Path) -> [String; 6] {
    let text = |path: &Path| path.display().to_string();
    ["audit".into(), "verify".into(), "--receipt".into(), text(proof), "--keys".into(), text(keys)]
}

/// Both verifiers accept the proof, without the server and without its data.
fn check_proof(installation: &Installation, proof: &Path, keys: &Path) {
    installation.must(&receipt(proof, keys).each_ref().map(String::as_str));
    let Some(interpreter) = Need::Python.path() else { return };
    let arguments = ["--receipt".as_ref(), proof.as_os_str(), "--keys".as_ref(), keys.as_os_str()];
    let run = std::process::Command::new(interpreter).arg("../docs/verify_audit.py").args(arguments).output();
    let run = run.expect("Python starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
fn control_26_a_cursor_of_another_tenant_is_refused() {
    let Some(mut scene) = Scene::open() else { return };
    scene.installation.must(&["admin", "tenant", "create", "other"]);
    let mut stranger = scene.installation.account("other", "administrator").client(&scene.server);
    for list in ["/api/v1/audit?limit=1", "/api/v1/audit?limit=1&action=account.created"] {
        let page = scene.get(list);
        let link = page.header("link").map(str::to_owned);
        let Some(link) = link else { continue };
        let next = link.trim_start_matches('<').split('>').next().expect("an address").to_owned();
        let own = scene.get(&next);
        assert_eq!(own.status, 200, "{}", own.body);
        assert_ne!(own.json()[0]["seq"], page.json()[0]["seq"], "the next page begins behind the first");
        let refused = stranger.get(&scene.server.url(&next));
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (400, &json!("bad_request")),
            "{}",
            refused.body
        );
        let elsewhere = scene.get(&next.replace("/audit?", "/accounts?"));
        assert_eq!(elsewhere.status, 400, "another list: {}", elsewhere.body);
    }
    for bad in ["cursor=x", "cursor=", "limit=0", "limit=many"] {
        assert_eq!(scene.get(&format!("/api/v1/accounts?{bad}")).status, 400, "{bad}");
    }
}
