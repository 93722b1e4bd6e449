//! Who tries, and what there is to be found.

use serde_json::{Value, json};

use crate::bad_tokens::Mint;
use crate::support::{
    CANARY, CANARY_STUDY, Installation, OTHER_STUDY, OTHER_TENANT, STUDY, Server, TENANT, Visitor,
};
use crate::tenant_wall::Door;

/// A study that no tenant has, with a code as long as `CANARY_STUDY`.
const NOWHERE: &str = "NOPE-1";

/// Something of the canary's tenant, and the name of nothing that looks alike.
#[derive(Debug)]
pub(crate) struct Treasure {
    /// What it is, as the router's paths call it.
    pub(crate) what: &'static str,
    pub(crate) theirs: String,
    pub(crate) nowhere: String,
}

impl Treasure {
    fn new(what: &'static str, theirs: &str) -> Self {
        // The last digits are others, and stay digits of whatever system they are of.
        let turn = |letter: char| match letter {
            '0' => '1',
            '1'..='9' => '0',
            'a'..='f' => '7',
            'g'..='z' => 'q',
            'A'..='Z' => 'Q',
            other => other,
        };
        let kept = theirs.len().saturating_sub(8);
        let nowhere = theirs.char_indices().map(|(at, letter)| if at < kept { letter } else { turn(letter) });
        Self { what, theirs: theirs.to_owned(), nowhere: nowhere.collect() }
    }

    pub(crate) fn name(&self, theirs: bool) -> &str {
        if theirs { &self.theirs } else { &self.nowhere }
    }

    /// Every name that stands in a request with one of the two, as it is and as an address writes it. Both are taken out
    /// of both answers: a neighbour's own name may hold the tenant's.
    pub(crate) fn names(&self) -> Vec<String> {
        let plain = [&self.theirs, &self.nowhere, CANARY_STUDY, NOWHERE].map(str::to_owned);
        let encoded = plain.clone().map(|name| name.replace('@', "%40"));
        plain.into_iter().chain(encoded).collect()
    }
}

pub(crate) const fn study(theirs: bool) -> &'static str {
    if theirs { CANARY_STUDY } else { NOWHERE }
}

/// How somebody says who they are.
#[derive(Debug)]
enum Proof {
    Nothing,
    Token(String),
    Cookie(String),
}

/// Somebody who has no business with the canary.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    proof: Proof,
    /// Whether the server knows them at all.
    pub(crate) is_somebody: bool,
    /// Whether they may build whatever study they name, in their own house.
    builds_at_home: bool,
    /// Of the canary's own tenant, whose names are theirs to know.
    is_neighbour: bool,
}

impl Who {
    fn somebody(name: &'static str, token: String) -> Self {
        let proof = Proof::Token(token);
        Self { name, proof, is_somebody: true, builds_at_home: false, is_neighbour: false }
    }

    fn builder(self) -> Self {
        Self { builds_at_home: true, ..self }
    }

    fn neighbour(self) -> Self {
        Self { is_neighbour: true, ..self }
    }

    fn stranger(name: &'static str, proof: Proof) -> Self {
        Self { name, proof, is_somebody: false, builds_at_home: false, is_neighbour: false }
    }

    /// Whether this door gives them what it is asked for, as it is meant to. Who may build anything at home may announce a
    /// delivery for a name that nobody has there, and the study is there from then on; people of the tenant itself may
    /// open any of its studies in an emergency, which is told and reviewed.
    pub(crate) fn makes_it_their_own(&self, door: &Door) -> bool {
        let is_announced = self.builds_at_home && door.path.ends_with("/batches");
        let is_an_emergency = self.is_neighbour && door.path.ends_with("/break-glass");
        door.method == "post" && (is_announced || is_an_emergency)
    }

    /// Them, with a connection of their own.
    pub(crate) fn visitor(&self) -> Visitor {
        match &self.proof {
            Proof::Nothing => Visitor::new(),
            Proof::Token(token) => Visitor::new().with_token(token),
            Proof::Cookie(cookie) => Visitor::new().with_cookie("__Host-cairn-session", cookie),
        }
    }
}

/// A server over the demonstration, outsiders, and what they are after.
pub(crate) struct Cast {
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    pub(crate) outsiders: Vec<Who>,
    pub(crate) treasures: Vec<Treasure>,
    /// Of who may do anything in the canary's tenant.
    owner: String,
    cookie: String,
    canarys_token: String,
    /// What the server says of its interface.
    description: Value,
}

impl Cast {
    pub(crate) fn assemble() -> Option<Self> {
        let installation = Installation::demonstration()?;
        let quiet = ["--tenant-requests-per-second", "1000000", "--workers", "0"];
        let server = Server::start_with(&installation.program, &installation.data(), &quiet);
        let engineer = installation.demo_account(TENANT, "data_engineer");
        drop(engineer.token(&server, "http"));
        let sessions = installation.must(&["admin", "session", "list", TENANT, "--live"]).out;
        let (_, account) = sessions.split_once("account ").expect("a session says whose it is");
        let account = account.split_whitespace().next().expect("an id");
        // The owner may do whatever can be done in the tenant. A new role ends the session.
        installation.must(&["admin", "account", "grant", TENANT, account, "--role", "administrator"]);
        let owner = engineer.token(&server, "http");
        let Hidden { treasures, token, cookie } = hide_treasures(&installation, &server, &owner);
        let outsiders = gather(&installation, &server);
        let description = Visitor::new().get(&server.url("/api/openapi.json")).json();
        Some(Self {
            installation,
            server,
            outsiders,
            treasures,
            owner,
            cookie,
            canarys_token: token,
            description,
        })
    }

    /// The body that a door of the interface gives as an example, where it takes one.
    pub(crate) fn example(&self, door: &Door) -> Option<&Value> {
        let operation = &self.description["paths"][&door.path][&door.method];
        operation["requestBody"]["content"]["application/json"].get("example")
    }

    /// Who may do anything in the canary's tenant: with a token, and with a browser.
    pub(crate) fn owners(&self) -> [Who; 2] {
        let browser =
            Who { proof: Proof::Cookie(self.cookie.clone()), ..Who::somebody("the owner", String::new()) };
        [Who::somebody("the owner", self.owner.clone()), browser]
    }

    /// What can be asked for at a door; something, where its path names nothing.
    pub(crate) fn treasures_for(&self, door: &Door) -> impl Iterator<Item = &Treasure> {
        let named = |treasure: &&Treasure| door.path.contains(&format!("{{{}}}", treasure.what));
        let names_some = self.treasures.iter().any(|treasure| named(&treasure));
        self.treasures
            .iter()
            .filter(move |treasure| if names_some { named(treasure) } else { treasure.what == "study" })
    }

    /// What must be in no answer to somebody.
    pub(crate) fn known_to_owners_alone(&self, who: &Who) -> impl Iterator<Item = &str> {
        let secrets = [CANARY, &self.canarys_token];
        let names = self.treasures.iter().filter(|treasure| {
            !who.is_neighbour || !["tenant", "slug", "email", "account"].contains(&treasure.what)
        });
        secrets.into_iter().chain(names.map(|treasure| &*treasure.theirs)).filter(|name| name.len() >= 8)
    }

    /// The treasures as their owner finds them: nobody else may change a letter of it.
    pub(crate) fn what_the_owners_see(&self) -> Vec<Value> {
        let mut owner = Visitor::new().with_token(&self.owner);
        let addresses = ["studies", "access-tokens", "schedules", "jobs"].map(str::to_owned).into_iter();
        let of_study =
            ["snapshots", "tables", "batches"].map(|rest| format!("studies/{CANARY_STUDY}/{rest}"));
        let delivery = self.treasures.iter().find(|treasure| treasure.what == "batch");
        let delivery = delivery.map(|batch| format!("studies/{CANARY_STUDY}/batches/{}", batch.theirs));
        let see = |address: String| {
            let answer = owner.get(&self.server.url(&format!("/api/v1/{address}")));
            assert_eq!(answer.status, 200, "the owner at {address}: {}", answer.body);
            without_use(answer.json())
        };
        addresses.chain(of_study).chain(delivery).map(see).collect()
    }
}

/// The owner's own requests are noted too: when a token was last used.
fn without_use(mut value: Value) -> Value {
    if let Some(list) = value.as_array_mut() {
        for entry in list.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("last_used_at");
        }
    }
    value
}

/// What was made for the canary's tenant: things with ids, a token that is kept, and a signed-in browser.
struct Hidden {
    treasures: Vec<Treasure>,
    token: String,
    cookie: String,
}

/// Things of every kind that have an id, made by the canary's own engineer.
fn hide_treasures(installation: &Installation, server: &Server, owner: &str) -> Hidden {
    let mut engineer = Visitor::new().with_token(owner);
    let mut made = |(path, key): (&str, &'static str), body: &Value| {
        engineer.send_header(Some(("idempotency-key", key)));
        let answer = engineer.post_json(&server.url(&format!("/api/v1/{path}")), body);
        assert!([200, 201, 202].contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
        answer.json()
    };
    let text = |value: &Value, name: &str| value[name].as_str().expect(name).to_owned();
    let job =
        made((&format!("studies/{CANARY_STUDY}/jobs"), "canary-key"), &json!({ "kind": "marts_build" }));
    let schedule =
        json!({ "kind": "marts_build", "study": CANARY_STUDY, "cron": "0 3 1 1 *", "zone": "UTC" });
    let schedule = made(("schedules", "a-schedule"), &schedule);
    let kept =
        made(("access-tokens", "a-token"), &json!({ "label": CANARY, "days": 9, "role": "researcher" }));
    let file = json!({ "name": "dm.csv", "bytes": 4, "blake3": blake3::hash(b"DM\n1").to_hex().as_str() });
    let delivery = json!({ "mapping": "sdtm", "files": [file] });
    let batch = made((&format!("studies/{CANARY_STUDY}/batches"), "a-delivery"), &delivery);
    let snapshots = engineer.get(&server.url(&format!("/api/v1/studies/{CANARY_STUDY}/snapshots"))).json();
    let browser = installation.demo_account(TENANT, "data_engineer");
    let signed_in = browser.browser(server);
    let cookie = signed_in.cookie("__Host-cairn-session").expect("a sign-in gives a cookie").to_owned();
    let sessions = installation.must(&["admin", "session", "list", TENANT, "--live"]).out;
    let session: Vec<&str> = sessions
        .lines()
        .find(|line| line.contains("browser"))
        .expect("it is live")
        .split_whitespace()
        .collect();
    let tenants = installation.must(&["admin", "tenant", "list"]).out;
    let tenant = tenants.lines().find(|line| line.starts_with(TENANT)).expect("it is listed");
    let tenant = tenant.split_whitespace().last().expect("a line has words");
    let study = Treasure { what: "study", theirs: CANARY_STUDY.to_owned(), nowhere: NOWHERE.to_owned() };
    let treasures = vec![
        study,
        Treasure::new("job", &text(&job, "job")),
        Treasure::new("schedule", &text(&schedule, "schedule")),
        Treasure::new("token", &text(&kept, "token_id")),
        Treasure::new("session", session[0]),
        Treasure::new("account", session[2]),
        Treasure::new("batch", &text(&batch, "batch")),
        Treasure::new("snapshot", &text(&snapshots[0], "snapshot")),
        Treasure::new("tenant", tenant),
        Treasure::new("slug", TENANT),
        Treasure::new("email", &browser.email),
        Treasure::new("key", "canary-key"),
    ];
    Hidden { treasures, token: text(&kept, "token"), cookie }
}

fn gather(installation: &Installation, server: &Server) -> Vec<Who> {
    let token = |account: &crate::support::Account| account.token(server, "http");
    let theirs = |role| installation.demo_account(OTHER_TENANT, role);
    let (administrator, _) = installation.account_called("administrator", OTHER_TENANT, "administrator");
    let limited = installation.account_for_study(TENANT, "data_engineer", STUDY);
    let elsewhere = installation.account_for_study(OTHER_TENANT, "data_engineer", OTHER_STUDY);
    let (bare, bare_id) = installation.account_called("bare", TENANT, "researcher");
    let engineers = token(&theirs("data_engineer"));
    let mint = Mint::new(installation, engineers.clone());
    let in_the_past = json!(mint.claims["iat"].as_i64().expect("a time in seconds") - 120);
    let expired = mint.with_claim("exp", Some(in_the_past));
    let forged = "eyJhbGciOiJFZERTQSIsImtpZCI6IjAiLCJ0eXAiOiJhdCtqd3QifQ.e30.AAAA".to_owned();

    // Who was somebody once: taken from them after their token was made.
    let (gone, gone_id) = installation.account_called("gone", OTHER_TENANT, "data_engineer");
    let disabled = token(&gone);
    installation.must(&["admin", "account", "disable", OTHER_TENANT, &gone_id]);
    let left = token(&theirs("researcher"));
    let logout = Visitor::new().with_token(&left).post_json(&server.url("/api/v1/logout"), &json!({}));
    assert_eq!(logout.status, 204, "{}", logout.body);
    installation.must(&["admin", "account", "revoke", TENANT, &bare_id, "--role", "researcher"]);

    let browser = theirs("data_engineer").browser(server);
    let cookie = browser.cookie("__Host-cairn-session").expect("a sign-in gives a cookie").to_owned();
    let flight = theirs("data_engineer").token(server, "flight");
    let with_browser = Who {
        proof: Proof::Cookie(cookie),
        ..Who::somebody("the other tenant's engineer with a browser", String::new()).builder()
    };
    vec![
        Who::stranger("nobody", Proof::Nothing),
        Who::stranger("a forger", Proof::Token(forged)),
        Who::stranger("somebody with an expired token", Proof::Token(expired)),
        Who::stranger("somebody who has logged out", Proof::Token(left)),
        Who::stranger("a disabled account", Proof::Token(disabled)),
        Who::stranger("somebody with a token of another door", Proof::Token(flight)),
        Who::somebody("the other tenant's administrator", token(&administrator)),
        Who::somebody("the other tenant's engineer", engineers).builder(),
        with_browser,
        Who::somebody("the other tenant's engineer of one study", token(&elsewhere)),
        Who::somebody("an account of the tenant without a grant", token(&bare)).neighbour(),
        Who::somebody("the tenant's engineer of another study", token(&limited)).neighbour(),
    ]
}
