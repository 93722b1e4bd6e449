//! A tenant's data stays in its house: whoever asks at whatever door, only its own people get it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::support::{
    Answer, CANARY, CANARY_STUDY, Installation, OTHER_STUDY, OTHER_TENANT, STUDY, Server, TENANT, Visitor,
};

/// A study that no tenant has, with a code as long as `CANARY_STUDY`.
const NOWHERE: &str = "NOPE-1";
/// What a page or an answer shows to the tenant's own researcher. A route that is not named here is looked
/// at as well; it has nothing of the canary's to show.
const SHOWING: [&str; 10] = [
    "/api/v1/studies",
    "/api/v1/studies/{study}/tables/{table}",
    "/studies",
    "/studies/{study}",
    "/studies/{study}/enrolment",
    "/studies/{study}/safety",
    "/studies/{study}/rbqm",
    "/studies/{study}/rbqm/{indicator}",
    "/studies/{study}/rbqm/{indicator}/sites/{site}",
    "/studies/{study}/rbqm/{indicator}/sites/{site}/subjects/{subject}",
];

/// A route as the server's list states it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) access: String,
    /// Whether it writes events of its own.
    pub(crate) is_recorded: bool,
}

impl Door {
    /// Its addresses in one study: one for each table where it names a table.
    fn addresses(&self, study: &str) -> Vec<String> {
        let path =
            self.path.replace("{study}", study).replace("{indicator}", "kri0001").replace("{site}", "C1");
        let path = path.replace("{subject}", "S1").replace("{file}", "none.js");
        let path = path
            .replace("{batch}", "no_such_batch")
            .replace("{name}", "no_such_file")
            .replace("{check}", "R-10")
            .replace("{token}", "no_such_token")
            .replace("{session}", "no_such_session")
            .replace("{account}", "no_such_account")
            .replace("{seq}", "no_such_event")
            .replace("{signature}", "no_such_signature")
            .replace("{kind}", "snapshot")
            .replace("{record}", "no_such_record")
            .replace("{account}", "no_such_account")
            .replace("{emergency}", "no_such_emergency")
            .replace("{job}", "no_such_job")
            .replace("{schedule}", "no_such_schedule")
            .replace("{endpoint}", "no_such_endpoint")
            .replace("{delivery}", "no_such_delivery")
            .replace("{notice}", "no_such_notice")
            .replace("{mart}", "mart_kri")
            .replace("{definition}", "kri0001")
            .replace("{limit}", "qtl_ineligible");
        let tables = ["dim_site", "dim_study", "dim_subject", "fact_ae", "mart_kri", "no_such_table"];
        if !path.contains("{table}") {
            return vec![path];
        }
        let forms = tables.iter().flat_map(|table| {
            ["json", "csv", "parquet"]
                .map(|format| format!("{}?format={format}", path.replace("{table}", table)))
        });
        forms.collect()
    }

    pub(crate) fn is_of_a_study(&self) -> bool {
        ["ReadStudy", "BuildStudy"].contains(&&*self.access)
    }

    pub(crate) fn is_rest(&self) -> bool {
        self.path.starts_with("/api/")
    }
}

struct Scene {
    installation: Installation,
    server: Server,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::demonstration()?;
        let server = installation.serve();
        Some(Self { installation, server })
    }

    /// Somebody with a token, and the same person with a browser.
    fn both(&self, tenant: &str, role: &str) -> [Visitor; 2] {
        let account = self.installation.demo_account(tenant, role);
        [account.client(&self.server), account.browser(&self.server)]
    }

    fn get(&self, visitor: &mut Visitor, address: &str) -> Answer {
        let answer = visitor.get(&self.server.url(address));
        check_headers(address, &answer);
        answer
    }
}

#[test]
fn the_people_of_a_study_see_it_where_it_is_shown() {
    let Some(scene) = Scene::open() else { return };
    for role in ["researcher", "data_engineer"] {
        for mut visitor in scene.both(TENANT, role) {
            let mut showing = BTreeSet::new();
            for door in doors().iter().filter(|door| door.method == "get" && door.access != "Public") {
                for address in door.addresses(CANARY_STUDY) {
                    let answer = scene.get(&mut visitor, &address);
                    let wanted: &[u16] = match (role, door.access.as_str(), &*door.path) {
                        ("researcher", "AuditTenant" | "BuildSomewhere" | "BuildStudy", _) => &[404],
                        (_, "AdministerTenant" | "ReviewTenant", _) => &[404],
                        (_, _, "/") => &[303],
                        _ if address.contains("no_such_") => &[404],
                        _ => &[200],
                    };
                    assert!(wanted.contains(&answer.status), "{role} at {address}: {}", answer.status);
                    if answer.body.contains(CANARY) {
                        showing.insert(door.path.clone());
                    }
                }
            }
            let missing: Vec<_> = SHOWING.iter().filter(|path| !showing.contains(**path)).collect();
            let further: Vec<_> = showing.iter().filter(|path| !SHOWING.contains(&path.as_str())).collect();
            assert!(missing.is_empty(), "{role} does not see the canary at {missing:?}");
            assert!(further.is_empty(), "{role} sees the canary also at {further:?}; is that right?");
        }
    }
}

#[test]
fn strangers_and_other_tenants_never_see_it() {
    let Some(scene) = Scene::open() else { return };
    for (who, mut visitor) in scene.outsiders() {
        for door in doors().iter().filter(|door| door.method == "get") {
            for address in door.addresses(CANARY_STUDY) {
                let answer = scene.get(&mut visitor, &address);
                check_no_canary(who, &address, &answer);
                if door.access == "Public" {
                    continue;
                }
                let is_stranger = who.starts_with("nobody") || who.starts_with("a forger");
                let wanted: &[u16] = match (is_stranger, door.is_rest()) {
                    (true, true) => &[401],
                    (true, false) => &[303],
                    _ if door.is_of_a_study() => &[404],
                    _ if address.contains("no_such_") => &[404],
                    _ if ["AdministerTenant", "ReviewTenant"].contains(&&*door.access) => &[404],
                    _ if ["AuditTenant", "BuildSomewhere"].contains(&&*door.access)
                        && who.contains("researcher") =>
                    {
                        &[404]
                    }
                    _ => &[200, 303],
                };
                assert!(
                    wanted.contains(&answer.status),
                    "{who} at {address}: {} {}",
                    answer.status,
                    answer.body
                );
                if is_stranger && !door.is_rest() {
                    let to = answer.header("location").unwrap_or_default();
                    assert!(to.starts_with("/login?next="), "{who} at {address} is sent to {to}");
                }
            }
        }
        for address in
            ["/", "/nowhere", "/api/v1/nowhere", "/studies/../studies/CAGE-1/rbqm", "/studies//CAGE-1"]
        {
            let answer = scene.get(&mut visitor, address);
            check_no_canary(who, address, &answer);
        }
    }
    scene.installation.check_whole("after all the refusals");
}

#[test]
fn not_yours_and_not_there_are_one_answer() {
    let Some(scene) = Scene::open() else { return };
    for (who, mut visitor) in scene.outsiders() {
        for door in doors().iter().filter(|door| door.method == "get" && door.is_of_a_study()) {
            for (theirs, nowhere) in door.addresses(CANARY_STUDY).into_iter().zip(door.addresses(NOWHERE)) {
                let (theirs, nowhere) = (scene.get(&mut visitor, &theirs), scene.get(&mut visitor, &nowhere));
                let (theirs, nowhere) = (told(&theirs, CANARY_STUDY), told(&nowhere, NOWHERE));
                assert_eq!(theirs, nowhere, "{who} can tell a study that is there, at {}", door.path);
            }
        }
    }
}

#[test]
fn each_tenant_finds_its_own_studies_and_events_alone() {
    let Some(scene) = Scene::open() else { return };
    let houses = [
        (TENANT, [STUDY, CANARY_STUDY].as_slice(), [OTHER_STUDY, OTHER_TENANT].as_slice()),
        (OTHER_TENANT, &[OTHER_STUDY], &[STUDY, CANARY_STUDY, TENANT]),
    ];
    for (tenant, own, foreign) in houses {
        for mut visitor in scene.both(tenant, "data_engineer") {
            let bodies = ["/api/v1/studies", "/studies", "/api/v1/audit?limit=500", "/audit"]
                .map(|address| (address, scene.get(&mut visitor, address).body));
            for (address, body) in &bodies {
                for name in foreign {
                    assert!(!body.contains(name), "{tenant} finds {name} at {address}:\n{body}");
                }
            }
            for name in own {
                assert!(
                    bodies[..2].iter().all(|(_, body)| body.contains(name)),
                    "{tenant} does not find {name}"
                );
            }
        }
    }
    // No event of the ledger holds a subject, a value or a title, not even for the tenant's own engineer.
    let [mut engineer, _] = scene.both(TENANT, "data_engineer");
    let events = scene.get(&mut engineer, "/api/v1/audit?limit=500");
    check_no_canary("the ledger", "/api/v1/audit", &events);
}

#[test]
fn another_site_cannot_post_with_a_readers_cookies() {
    let Some(scene) = Scene::open() else { return };
    let posts: Vec<Door> = doors().into_iter().filter(|door| door.method == "post").collect();
    assert!(posts.len() >= 5, "{posts:?}");
    let [_, mut reader] = scene.both(TENANT, "researcher");
    let foreign = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for door in &posts {
        for header in foreign {
            reader.send_header(Some(header));
            let answer =
                reader.post_form(&scene.server.url(&door.path), &[("email", "a"), ("password", "b")]);
            check_headers(&door.path, &answer);
            assert_eq!(answer.status, 403, "{header:?} at {}: {}", door.path, answer.body);
            assert!(answer.header("set-cookie").is_none(), "{header:?} at {} changes cookies", door.path);
        }
    }
    reader.send_header(None);
    let still = scene.get(&mut reader, "/studies");
    assert_eq!(still.status, 200, "the session was ended from another site");
    let signed_out = reader.post_form(&scene.server.url("/logout"), &[]);
    assert_eq!(signed_out.status, 303, "their own page can sign them out: {}", signed_out.body);
}

#[test]
fn the_description_of_the_interface_is_the_list_of_doors() {
    let Some(scene) = Scene::open() else { return };
    let description = scene.get(&mut Visitor::new(), "/api/openapi.json").json();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().expect("the description has paths") {
        for method in methods.as_object().expect("a path has methods").keys() {
            described.insert((method.clone(), path.clone()));
        }
    }
    let rest = doors().into_iter().filter(|door| door.path.starts_with("/api/v1/"));
    let listed: BTreeSet<_> = rest.map(|door| (door.method, door.path)).collect();
    assert_eq!(described, listed);
}

impl Scene {
    /// Everybody who has no business with the canary's study.
    fn outsiders(&self) -> Vec<(&'static str, Visitor)> {
        let limited = self.installation.account_for_study(TENANT, "researcher", STUDY);
        let forged = "eyJhbGciOiJFZERTQSIsImtpZCI6IjAiLCJ0eXAiOiJhdCtqd3QifQ.e30.AAAA";
        let [client, browser] = self.both(OTHER_TENANT, "researcher");
        let [engineer, _] = self.both(OTHER_TENANT, "data_engineer");
        let flight = self.installation.demo_account(TENANT, "researcher").token(&self.server, "flight");
        vec![
            ("nobody", Visitor::new()),
            ("a forger with a token", Visitor::new().with_token(forged)),
            ("a forger with a cookie", Visitor::new().with_cookie("__Host-cairn-session", forged)),
            ("nobody with the token of another door", Visitor::new().with_token(&flight)),
            ("the other tenant's researcher", client),
            ("the other tenant's researcher with a browser", browser),
            ("the other tenant's engineer", engineer),
            ("a researcher of another study", limited.client(&self.server)),
            ("a researcher of another study with a browser", limited.browser(&self.server)),
        ]
    }
}

fn check_headers(address: &str, answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'"), "{address} ({}) has the policy `{policy}`", answer.status);
    for unsafe_source in ["unsafe-inline", "unsafe-eval", "*"] {
        assert!(!policy.contains(unsafe_source), "{address} has the policy `{policy}`");
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{address} ({})", answer.status);
    let transport = answer.header("strict-transport-security");
    assert!(transport.is_some_and(|value| value.starts_with("max-age=")), "{address} ({transport:?})");
    assert_eq!(answer.header("access-control-allow-origin"), None, "{address} ({})", answer.status);
}

fn check_no_canary(who: &str, address: &str, answer: &Answer) {
    let headers = format!("{:?}", answer.headers);
    for text in [&answer.body, &headers] {
        assert!(!text.contains(CANARY), "{who} sees the canary at {address} ({}):\n{text}", answer.status);
    }
}

/// An answer without what it is only because of the request: the trace, and the study that was asked for.
fn told(answer: &Answer, study: &str) -> (u16, BTreeMap<String, String>, String) {
    let trace = answer.header("x-trace-id").expect("every answer has a trace").to_owned();
    let plain = |text: &str| text.replace(&trace, "TRACE").replace(study, "STUDY");
    // What is left of a quota differs from one request to the next.
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date" && *name != "ratelimit");
    let headers = headers.map(|(name, value)| (name.to_string(), plain(value.to_str().unwrap_or_default())));
    (answer.status, headers.collect(), plain(&answer.body))
}

/// The routes, read from the server's own list: a new one is looked at from its first day.
pub(crate) fn doors() -> Vec<Door> {
    let text = fs::read_to_string("../server/src/http/doors.rs").expect("the server lists its doors");
    let doors: Vec<Door> = text.split("door!(").skip(1).filter_map(door).collect();
    assert!(doors.len() >= 25, "only {} doors were found; does the list have another form?", doors.len());
    doors
}

/// The events that routes and Flight commands say they write, read from the server's own lists.
pub(crate) fn event_names() -> BTreeSet<String> {
    let lists = ["../server/src/http/doors.rs", "../flight/src/guard.rs"];
    let texts = lists.map(|path| fs::read_to_string(path).expect("the server lists its doors"));
    let quoted = texts.iter().flat_map(|text| text.split('"').skip(1).step_by(2));
    let is_event = |text: &&str| {
        text.contains('.') && text.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_'))
    };
    quoted.filter(is_event).map(str::to_owned).collect()
}

fn door(text: &str) -> Option<Door> {
    let (method, rest) = text.split_once('"')?;
    let method = method.trim();
    // The macro's own definition is no door.
    if !["get", "post", "put"].contains(&method) {
        return None;
    }
    let (path, rest) = rest.split_once('"')?;
    let (access, rest) = rest.trim_start_matches([',', ' ', '\n']).split_once(',')?;
    let is_recorded = rest.trim_start().strip_prefix('[')?.trim_start().starts_with('"');
    Some(Door {
        method: method.to_owned(),
        path: path.to_owned(),
        access: access.trim().to_owned(),
        is_recorded,
    })
}
