//! Whatever is wrong with a token, the answer is the same, at either door.

use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::support::{Account, Installation, Need, OTHER_TENANT, Server, TENANT, Visitor, python};

/// A good token taken apart, and the key that signed it.
pub(crate) struct Mint {
    key: SigningKey,
    header: Value,
    pub(crate) claims: Value,
    token: String,
}

impl Mint {
    pub(crate) fn new(installation: &Installation, token: String) -> Self {
        let pem = fs::read_to_string(installation.data().join("control/keys/signing.key"));
        let key = SigningKey::from_pkcs8_pem(&pem.expect("the data folder holds its key"));
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            serde_json::from_slice(&bytes).unwrap_or_default()
        });
        let (header, claims) = (parts.next().expect("a header"), parts.next().expect("claims"));
        Self { key: key.expect("an Ed25519 key in PKCS #8"), header, claims, token }
    }

    /// Any header and payload, truly signed.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).to_bytes()))
    }

    fn with_header(&self, name: &str, value: Option<Value>) -> String {
        self.sign(&changed(&self.header, name, value), &self.claims.to_string())
    }

    pub(crate) fn with_claim(&self, name: &str, value: Option<Value>) -> String {
        self.sign(&self.header.to_string(), &changed(&self.claims, name, value))
    }

    /// Another algorithm's name over a signature of one's own making.
    fn relabelled(&self, algorithm: &str, signature: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let header = changed(&self.header, "alg", Some(json!(algorithm)));
        let encoded = [header, self.claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        format!("{encoded}.{}", URL_SAFE_NO_PAD.encode(signature(encoded.as_bytes())))
    }
}

fn changed(object: &Value, name: &str, value: Option<Value>) -> String {
    let mut object: Map<String, Value> = object.as_object().expect("an object").clone();
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => drop(object.remove(name)),
    }
    Value::Object(object).to_string()
}

fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Tokens that have not the form of one, or not the signature.
fn malformed(mint: &Mint) -> Vec<String> {
    let good = &mint.token;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Vec::new() };
    let flipped = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let other_key = SigningKey::from_bytes(&[7; 32]);
    let by_another =
        URL_SAFE_NO_PAD.encode(other_key.sign(format!("{header}.{payload}").as_bytes()).to_bytes());
    vec![
        "not-a-token".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{good}{}", "A".repeat(7_900)),
        format!("{header}.{payload}.{}", "A".repeat(86)),
        format!("{header}.{payload}.{by_another}"),
        flipped(2),
        flipped(header.len() + 5),
        flipped(good.len() - 30),
        mint.sign(&mint.header.to_string(), "no JSON"),
        mint.sign(&mint.header.to_string(), "[]"),
        mint.sign("{}", &mint.claims.to_string()),
    ]
}

/// Tokens whose header wants to choose how they are checked.
fn headers(mint: &Mint) -> Vec<String> {
    let public = mint.key.verifying_key();
    let hex: String = public.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut tokens: Vec<String> =
        ["none", "None", "NONE", "nOnE"].iter().map(|none| mint.relabelled(none, |_| Vec::new())).collect();
    tokens.extend([
        mint.relabelled("HS256", |signed| hmac(public.as_bytes(), signed)),
        mint.relabelled("HS256", |signed| hmac(hex.as_bytes(), signed)),
        mint.relabelled("HS256", |signed| hmac(b"", signed)),
        mint.relabelled("EdDSA", |signed| hmac(public.as_bytes(), signed)),
        mint.with_header("alg", Some(json!("RS256"))),
        mint.with_header("alg", Some(json!("ES256"))),
        mint.with_header("alg", Some(json!("Ed25519"))),
        mint.with_header("alg", Some(json!("eddsa"))),
        mint.with_header("alg", Some(json!(0))),
        mint.with_header("alg", None),
        mint.with_header("typ", Some(json!("JWT"))),
        mint.with_header("typ", Some(json!("service+jwt"))),
        mint.with_header("typ", None),
        mint.with_header("kid", Some(json!("0123456789abcdef"))),
        mint.with_header("kid", Some(json!("../../keys/signing"))),
        mint.with_header("kid", Some(json!("' OR 1=1 --"))),
        mint.with_header("kid", Some(json!([]))),
        mint.with_header("kid", None),
        mint.with_header("jwk", Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": hex }))),
        mint.with_header("jku", Some(json!("https://evil.example/keys"))),
        mint.with_header("x5u", Some(json!("https://evil.example/certificate"))),
        mint.with_header("x5c", Some(json!(["AAAA"]))),
        mint.with_header("crit", Some(json!(["exp"]))),
        mint.with_header("zip", Some(json!("DEF"))),
    ]);
    tokens
}

/// Tokens that our own key has signed, and that still say what may not be said.
fn claims(mint: &Mint, other: &Mint) -> Vec<String> {
    let now = mint.claims["iat"].as_i64().expect("a time");
    let required = ["iss", "sub", "aud", "tenant_id", "sid", "jti", "iat", "nbf", "exp"];
    let mut tokens: Vec<String> = required.iter().map(|name| mint.with_claim(name, None)).collect();
    let nobody = json!("00000000-0000-0000-0000-000000000001");
    tokens.extend([
        mint.with_claim("exp", Some(json!(now - 60))),
        mint.with_claim("exp", Some(json!((now + 600).to_string()))),
        mint.with_claim("nbf", Some(json!(now + 600))),
        mint.with_claim("iat", Some(json!(now + 600))),
        mint.with_claim("iss", Some(json!("elsewhere"))),
        mint.with_claim("aud", Some(other.claims["aud"].clone())),
        mint.with_claim("aud", Some(json!([mint.claims["aud"], other.claims["aud"]]))),
        mint.with_claim("aud", Some(json!("cairn"))),
        mint.with_claim("sub", Some(nobody.clone())),
        mint.with_claim("sid", Some(nobody.clone())),
        mint.with_claim("tenant_id", Some(nobody)),
        mint.with_claim("tenant_id", Some(other.claims["tenant_id"].clone())),
        mint.with_claim("admin", Some(json!(true))),
        other.token.clone(),
    ]);
    tokens
}

/// Tokens of another kind: of a door that is not this one, revoked, logged out, or no token at all.
fn kept(scene: &Scene, other_door: &str) -> Vec<String> {
    let mut client = scene.account.client(&scene.server);
    let address = scene.server.url("/api/v1/access-tokens");
    let made = client.post_json(&address, &json!({ "label": "a test" })).json();
    let (secret, id) = (made["token"].as_str().expect("a token"), made["token_id"].as_str().expect("an id"));
    let revoked = client.post_json(&format!("{address}/{id}/revoke"), &json!({}));
    assert_eq!(revoked.status, 204, "{}", revoked.body);
    let left = scene.account.token(&scene.server, "http");
    let mut leaving = Visitor::new().with_token(&left);
    assert_eq!(leaving.post_json(&scene.server.url("/api/v1/logout"), &json!({})).status, 204);
    let account = made_account(&scene.installation);
    let service =
        ["admin", "token", "create", TENANT, &account, "--label", "machine", "--service", other_door];
    let service = scene.installation.must(&service).out.trim().to_owned();
    vec![
        secret.to_owned(),
        secret[..secret.len() - 1].to_owned(),
        "cairn_pat_".to_owned(),
        id.to_owned(),
        left,
        service,
    ]
}

fn made_account(installation: &Installation) -> String {
    let said = installation.must(&["admin", "session", "list", TENANT]);
    let line = said.out.lines().next().expect("somebody has signed in");
    let (_, rest) = line.split_once("account ").expect("a session says whose it is");
    rest.split_whitespace().next().expect("an id").to_owned()
}

struct Scene {
    installation: Installation,
    server: Server,
    account: Account,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::demonstration()?;
        let server = installation.serve();
        let account = installation.demo_account(TENANT, "researcher");
        Some(Self { installation, server, account })
    }

    /// All that is wrong for one door.
    fn bad(&self, door: &str, other_door: &str) -> Vec<String> {
        let theirs = self.installation.demo_account(OTHER_TENANT, "researcher");
        let mint = Mint::new(&self.installation, self.account.token(&self.server, door));
        let other = Mint::new(&self.installation, theirs.token(&self.server, other_door));
        let lists = [malformed(&mint), headers(&mint), claims(&mint, &other), kept(self, other_door)];
        let bad = lists.concat();
        assert!(bad.len() >= 60, "only {} tokens", bad.len());
        bad
    }
}

#[test]
fn control_29_sixty_bad_tokens_get_one_answer_over_rest() {
    let Some(scene) = Scene::open() else { return };
    let address = scene.server.url("/api/v1/studies");
    let mut answers = Vec::new();
    for token in scene.bad("http", "flight") {
        let answer = Visitor::new().with_token(&token).get(&address);
        assert_eq!(answer.status, 401, "{token}: {}", answer.body);
        let trace = answer.header("x-trace-id").expect("every answer has a trace").to_owned();
        answers.push((
            token,
            answer.body.replace(&trace, "TRACE"),
            answer.header("www-authenticate").map(str::to_owned),
        ));
    }
    let (_, body, challenge) = answers[0].clone();
    for (token, other, with) in &answers {
        assert_eq!((other, with), (&body, &challenge), "{token}");
    }
    assert_eq!(scene.account.client(&scene.server).get(&address).status, 200, "a good one is let in");
}

#[test]
fn control_29_sixty_bad_tokens_get_one_answer_over_flight() {
    let (Some(interpreter), Some(scene)) = (Need::Python.path(), Scene::open()) else { return };
    let good = scene.account.token(&scene.server, "flight");
    let bad = scene.bad("flight", "http");
    let list = scene.installation.beside("tokens.txt");
    fs::write(&list, [bad.join("\n"), good].join("\n")).expect("the temporary folder takes files");
    let (port, list) = (scene.server.flight.port().to_string(), list.to_string_lossy().into_owned());
    let answer = python(&interpreter, "flight_client.py", &["--port", &port, "each", &list]);
    let answers = answer["answers"].as_array().expect("a list of answers");
    assert_eq!(answers.len(), bad.len() + 1);
    let (last, refused) = answers.split_last().expect("there are some");
    assert_eq!(last, &json!({ "ok": true }), "a good one is let in");
    for (token, answer) in bad.iter().zip(refused) {
        assert_eq!(answer["refused"], "unauthenticated", "{token}: {answer}");
        assert_eq!(answer, &refused[0], "{token}");
    }
}
