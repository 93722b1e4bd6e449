use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://id.example";
const NOW: i64 = 1_795_000_000;

/// A provider with a key of its own.
struct Issuer {
    key: EcdsaKeyPair,
    chance: SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        let chance = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &chance).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &chance);
        Self { key: key.expect("it is a key"), chance }
    }

    fn keys(&self, change: impl FnOnce(&mut Value)) -> Result<IssuerKeys, OidcError> {
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        let mut key =
            json!({"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256", "x": x, "y": y});
        change(&mut key);
        IssuerKeys::parse(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, key] }).to_string().as_bytes())
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.key.sign(&self.chance, signed.as_bytes()).expect("it signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "one", "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "ada", "aud": "cairn", "iat": NOW, "exp": NOW + 60, "nonce": "n" })
}

fn expected() -> Expected<'static> {
    let now = DateTime::from_timestamp(NOW, 0).expect("the time is valid");
    Expected { issuer: ISSUER, client_id: "cairn", nonce: "n", authenticated_since: None, now }
}

fn check(
    issuer: &Issuer,
    change: impl FnOnce(&mut Value, &mut Value),
    outcome: Result<&str, OidcError>,
    words: &str,
) {
    let (mut header, mut claims) = (header(), claims());
    change(&mut header, &mut claims);
    let keys = issuer.keys(|_| ()).expect("a usable key");
    let found = verify_id_token(&issuer.sign(&header, &claims), &keys, &expected());
    assert_eq!(found.map(|identity| identity.subject), outcome.map(str::to_owned), "{words}");
}

#[test]
fn a_word_for_us_now_is_taken() {
    let issuer = Issuer::new();
    check(&issuer, |_, _| (), Ok("ada"), "as it is");
    check(&issuer, |_, claims| claims["aud"] = json!(["cairn"]), Ok("ada"), "an audience in a list");
    check(
        &issuer,
        |_, claims| {
            claims["aud"] = json!(["cairn", "other"]);
            claims["azp"] = json!("cairn");
        },
        Ok("ada"),
        "several audiences, given to us",
    );
    check(
        &issuer,
        |header, _| drop(header.as_object_mut().map(|header| header.remove("kid"))),
        Ok("ada"),
        "one key",
    );
    check(&issuer, |_, claims| claims["exp"] = json!(NOW - 29), Ok("ada"), "a clock half a minute away");
}

#[test]
fn control_32_a_word_that_is_not_for_us_now_is_refused() {
    type Change = fn(&mut Value, &mut Value);
    let issuer = Issuer::new();
    let cases: [(Change, OidcError, &str); 24] = [
        (|header, _| header["alg"] = json!("none"), OidcError::Algorithm, "no algorithm"),
        (|header, _| header["alg"] = json!("HS256"), OidcError::Algorithm, "a shared secret"),
        (
            |header, _| header["alg"] = json!("RS256"),
            OidcError::UnknownKey,
            "another algorithm than the key's",
        ),
        (
            |header, _| header["alg"] = json!("PS256"),
            OidcError::Algorithm,
            "an algorithm that we do not take",
        ),
        (|header, _| header["kid"] = json!("two"), OidcError::UnknownKey, "an unknown key"),
        (|header, _| header["typ"] = json!("at+jwt"), OidcError::Malformed, "a token of another kind"),
        (|header, _| header["crit"] = json!(["x"]), OidcError::Malformed, "something critical"),
        (|_, claims| claims["iss"] = json!("https://evil.example"), OidcError::Issuer, "another issuer"),
        (|_, claims| claims["iss"] = json!("https://id.example/"), OidcError::Issuer, "a slash more"),
        (|_, claims| claims["aud"] = json!("other"), OidcError::Audience, "another client"),
        (|_, claims| claims["aud"] = json!([]), OidcError::Audience, "no client"),
        (
            |_, claims| claims["aud"] = json!(["cairn", "other"]),
            OidcError::Audience,
            "several, given to nobody",
        ),
        (|_, claims| claims["azp"] = json!("other"), OidcError::Audience, "given to another"),
        (|_, claims| claims["exp"] = json!(NOW - 30), OidcError::Time, "over"),
        (|_, claims| claims["iat"] = json!(NOW + 31), OidcError::Time, "of the future"),
        (|_, claims| claims["iat"] = json!(NOW - 601), OidcError::Time, "of an earlier attempt"),
        (|_, claims| claims["nbf"] = json!(NOW + 31), OidcError::Time, "not yet"),
        (|_, claims| claims["nonce"] = json!("m"), OidcError::Nonce, "another nonce"),
        (|_, claims| drop(claims.as_object_mut().map(|it| it.remove("nonce"))), OidcError::Nonce, "no nonce"),
        (|_, claims| claims["sub"] = json!(""), OidcError::Subject, "nobody"),
        (|_, claims| claims["sub"] = json!("x".repeat(256)), OidcError::Subject, "a long name"),
        (
            |_, claims| drop(claims.as_object_mut().map(|it| it.remove("sub"))),
            OidcError::Malformed,
            "no name",
        ),
        (|_, claims| claims["exp"] = json!("soon"), OidcError::Malformed, "a time in words"),
        (|_, claims| *claims = json!([]), OidcError::Malformed, "no claims"),
    ];
    for (change, error, words) in cases {
        check(&issuer, change, Err(error), words);
    }
}

#[test]
fn a_signature_of_somebody_else_is_refused() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let keys = issuer.keys(|_| ()).expect("a usable key");
    let forged = other.sign(&header(), &claims());
    assert_eq!(verify_id_token(&forged, &keys, &expected()), Err(OidcError::Signature));
    let good = issuer.sign(&header(), &claims());
    let (signed, _) = good.rsplit_once('.').expect("three parts");
    for bad in ["", ".", "..", signed, &format!("{signed}."), &format!("{good}="), &"x".repeat(40_000)] {
        assert!(verify_id_token(bad, &keys, &expected()).is_err(), "{bad}");
    }
}

#[test]
fn only_keys_that_sign_are_used() {
    let issuer = Issuer::new();
    assert!(issuer.keys(|_| ()).is_ok());
    type Change = fn(&mut Value);
    let changes: [Change; 5] = [
        |key| key["use"] = json!("enc"),
        |key| key["crv"] = json!("P-384"),
        |key| key["alg"] = json!("ECDH-ES"),
        |key| key["kty"] = json!("OKP"),
        |key| key["x"] = json!("AAAA"),
    ];
    for change in changes {
        assert!(matches!(issuer.keys(change), Err(OidcError::Keys)));
    }
    assert!(matches!(IssuerKeys::parse(b"[]"), Err(OidcError::Keys)));
}

/// Source: RFC 7515, appendix A.2: the key, and the header and claims that it signed with RS256.
#[test]
fn the_signature_of_the_published_example_is_good() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let keys = json!({ "keys": [{ "kty": "RSA", "n": n, "e": "AQAB" }] }).to_string();
    let keys = IssuerKeys::parse(keys.as_bytes()).expect("a usable key");
    let key = keys.find(None, Algorithm::Rs256).expect("the only one");
    let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("the example is base64");
    assert!(key.verifies(signed.as_bytes(), &signature));
    assert!(!key.verifies(&signed.as_bytes()[1..], &signature));
}

#[test]
fn whoever_signs_has_been_asked_again_since_they_began() {
    let issuer = Issuer::new();
    let keys = issuer.keys(|_| ()).expect("the document is good");
    let since = DateTime::from_timestamp(NOW - 120, 0).expect("the time is valid");
    let expected = Expected { authenticated_since: Some(since), ..expected() };
    let judged = |auth_time: Value| {
        let mut claims = claims();
        if !auth_time.is_null() {
            claims["auth_time"] = auth_time;
        }
        verify_id_token(&issuer.sign(&header(), &claims), &keys, &expected).map(|identity| identity.subject)
    };
    // Thirty seconds are for clocks that differ.
    for good in [NOW - 150, NOW - 120, NOW, NOW + 30] {
        assert_eq!(judged(json!(good)), Ok("ada".to_owned()), "{good}");
    }
    for bad in [json!(NOW - 151), json!(NOW - 28_800), json!(0), json!(NOW + 31), Value::Null] {
        assert_eq!(judged(bad.clone()), Err(OidcError::NotAskedAgain), "{bad}");
    }
}
