use uuid::Uuid;

use super::*;

const NOW: i64 = 1_795_000_000;

/// Source: RFC 8037, appendix A.1: the private key, and A.4: a signature by it.
const RFC_8037_SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const RFC_8037_SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const RFC_8037_SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn key(secret: [u8; 32]) -> SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&secret).into()
}

fn ours() -> SigningKey {
    key([7; 32])
}

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        sub: AccountId::from_uuid(Uuid::from_u128(1)),
        aud: "cairn-http".to_owned(),
        tenant_id: TenantId::from_uuid(Uuid::from_u128(2)),
        sid: SessionId::from_uuid(Uuid::from_u128(3)),
        jti: "j".to_owned(),
        iat: NOW,
        nbf: NOW,
        exp: NOW + 60,
    }
}

fn verify(token: &str) -> Result<Claims, AuthError> {
    let ours = ours();
    Claims::verify(token, |kid| (kid == ours.kid()).then(|| ours.public()))
}

/// A token of any header and payload, truly signed by `signer`.
fn token(header: &str, payload: &str, signer: &SigningKey) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn header(alg: &str, typ: &str, kid: &str) -> String {
    format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"{typ}"}}"#)
}

fn payload() -> String {
    serde_json::to_string(&claims()).expect("claims are JSON")
}

#[track_caller]
fn check_refused(token: &str, reason: &str) {
    let error = verify(token).expect_err("the token must be refused");
    assert_eq!(error.reason(), reason, "{token}");
    assert_eq!(error.caller(), None, "nobody is named before the signature is proved");
}

#[test]
fn the_signature_is_that_of_the_published_example() {
    let secret = URL_SAFE_NO_PAD.decode(RFC_8037_SECRET).expect("the example is base64");
    let key = key(secret.try_into().expect("32 bytes"));
    let signature = key.sign(RFC_8037_SIGNED.as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(signature), RFC_8037_SIGNATURE);
    assert!(key.public().verifies(RFC_8037_SIGNED.as_bytes(), &signature));
    assert!(!key.public().verifies(b"other", &signature));
}

#[test]
fn a_token_reads_back() {
    assert_eq!(verify(&claims().sign(&ours())).expect("it is ours"), claims());
}

#[test]
fn the_header_decides_nothing() {
    let ours = ours();
    let kid = ours.kid();
    check_refused(&token(&header("none", TYPE, kid), &payload(), &ours), "token_wrong_algorithm");
    check_refused(&token(&header("HS256", TYPE, kid), &payload(), &ours), "token_wrong_algorithm");
    check_refused(&token(&header("EdDSA", "JWT", kid), &payload(), &ours), "token_wrong_type");
    check_refused(&token(&header("EdDSA", TYPE, "../signing"), &payload(), &ours), "token_unknown_key");
    let injected = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"{TYPE}","jwk":{{}}}}"#);
    check_refused(&token(&injected, &payload(), &ours), "token_malformed");
    let repeated = format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}","typ":"{TYPE}"}}"#);
    check_refused(&token(&repeated, &payload(), &ours), "token_malformed");
}

#[test]
fn a_signature_by_another_key_under_our_name_is_refused() {
    let ours = ours();
    let forged = token(&header("EdDSA", TYPE, ours.kid()), &payload(), &key([8; 32]));
    check_refused(&forged, "token_bad_signature");
}

#[test]
fn a_token_without_its_parts_is_malformed() {
    let good = claims().sign(&ours());
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    check_refused("", "token_malformed");
    check_refused("..", "token_malformed");
    check_refused(signed, "token_malformed");
    check_refused(&format!("{signed}."), "token_bad_signature");
    check_refused(&format!("{signed}.{signature}="), "token_malformed");
    check_refused(&format!("{good}.x"), "token_malformed");
    check_refused(&format!("{good}{}", "A".repeat(MAX_BYTES)), "token_malformed");
}

#[test]
fn every_flipped_character_is_refused() {
    let good = claims().sign(&ours());
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(verify(&changed).is_err(), "{changed}");
    }
}

#[test]
fn every_claim_is_required_and_no_other_is_taken() {
    let ours = ours();
    let header = header("EdDSA", TYPE, ours.kid());
    for name in ["iss", "sub", "aud", "tenant_id", "sid", "jti", "iat", "nbf", "exp"] {
        let mut value = serde_json::to_value(claims()).expect("claims are JSON");
        value.as_object_mut().expect("claims are an object").remove(name);
        check_refused(&token(&header, &value.to_string(), &ours), "token_malformed");
    }
    let listed = payload().replace(r#""cairn-http""#, r#"["cairn-http","cairn-flight"]"#);
    check_refused(&token(&header, &listed, &ours), "token_malformed");
    let more = payload().replace('}', r#","admin":true}"#);
    check_refused(&token(&header, &more, &ours), "token_malformed");
}

#[track_caller]
fn check_claims(change: impl FnOnce(&mut Claims), seconds: i64, expected: Result<(), &str>) {
    let mut changed = claims();
    change(&mut changed);
    let now = DateTime::from_timestamp(NOW + seconds, 0).expect("the time is valid");
    let outcome = changed.check(Audience::Http, now).map_err(|error| {
        assert_eq!(error.caller(), Some(claims().caller()));
        error.reason()
    });
    assert_eq!(outcome, expected);
}

#[test]
fn claims_hold_for_one_door_and_for_their_time() {
    check_claims(|_| (), 0, Ok(()));
    check_claims(|_| (), 64, Ok(()));
    check_claims(|_| (), 65, Err("token_expired"));
    check_claims(|_| (), -5, Ok(()));
    check_claims(|_| (), -6, Err("token_not_yet_valid"));
    check_claims(|claims| claims.aud = "cairn-flight".to_owned(), 0, Err("token_wrong_audience"));
    check_claims(|claims| claims.aud = "cairn-http2".to_owned(), 0, Err("token_wrong_audience"));
    check_claims(|claims| claims.iss = "elsewhere".to_owned(), 0, Err("token_wrong_issuer"));
    check_claims(|claims| claims.iat = NOW + 10, 0, Err("token_not_yet_valid"));
}
