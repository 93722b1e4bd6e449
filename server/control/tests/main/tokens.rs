use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use control::{Audience, Control, ControlError, ControlSettings, Credentials, Login, TokenLifetimes};
use kernel::{Role, TenantId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::{World, everywhere, trace};
use crate::site::Whose;

async fn logged_in(world: &World) -> (TenantId, Login) {
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[everywhere(Role::Researcher)]).await;
    (tenant, world.login("ada@example.org", Audience::Http).await)
}

/// Whether a refusal names whom the token named: only past a valid signature may it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Nobody,
    Ada,
}

async fn check_refused(world: &World, token: &str, audience: Audience, reason: &str, names: Names) {
    let error = world.control.authenticate(token, audience).await.expect_err("the token must be refused");
    assert_eq!(error.reason(), reason, "{token}");
    assert_eq!(if error.caller().is_some() { Names::Ada } else { Names::Nobody }, names, "{reason}");
}

fn parts(token: &str) -> (Value, Value, String) {
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("the part is base64");
        serde_json::from_slice(&bytes).expect("the part is JSON")
    };
    (json(parts[0]), json(parts[1]), parts[2].to_owned())
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Source: RFC 2104, for a key of at most one block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[tokio::test]
async fn a_token_has_the_promised_form() {
    let Some(world) = World::new().await else { return };
    let (tenant, login) = logged_in(&world).await;
    let (header, claims, _) = parts(&login.token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!(claims["aud"], json!("cairn-http"));
    assert_eq!(claims["tenant_id"], json!(tenant.to_string()));
    assert_eq!(claims["sub"], json!(login.principal.account().to_string()));
    let lifetime =
        |claims: &Value| claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
    assert_eq!(lifetime(&claims), Some(15 * 60));
    let flight = world.control.issue_token(&login.principal, Audience::Flight, &trace()).await;
    let (_, claims, _) = parts(&flight.expect("she is in").token);
    assert_eq!((lifetime(&claims), &claims["aud"]), (Some(15 * 60), &json!("cairn-flight")));
}

#[tokio::test]
async fn a_token_opens_one_door() {
    let Some(world) = World::new().await else { return };
    let (_, login) = logged_in(&world).await;
    world.control.authenticate(&login.token, Audience::Http).await.expect("it is for pages");
    check_refused(&world, &login.token, Audience::Flight, "token_wrong_audience", Names::Ada).await;
    let flight = world.control.issue_token(&login.principal, Audience::Flight, &trace()).await;
    let flight = flight.expect("she is in").token;
    world.control.authenticate(&flight, Audience::Flight).await.expect("it is for Flight");
    check_refused(&world, &flight, Audience::Http, "token_wrong_audience", Names::Ada).await;
}

#[tokio::test]
async fn a_token_ends() {
    let Some(world) = World::new().await else { return };
    let (_, login) = logged_in(&world).await;
    world.clock.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    world.control.authenticate(&login.token, Audience::Http).await.expect("its time is not over");
    world.clock.advance(TimeDelta::seconds(31));
    check_refused(&world, &login.token, Audience::Http, "token_expired", Names::Ada).await;
}

#[tokio::test]
async fn lifetimes_can_be_chosen() {
    let Some(world) = World::new().await else { return };
    logged_in(&world).await;
    let lifetimes = TokenLifetimes { http: TimeDelta::minutes(3), flight: TimeDelta::minutes(3) };
    let clock = std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn kernel::Clock>;
    let settings = ControlSettings { lifetimes, ..world.site.settings() };
    let control = Control::open_at(world.folder(), &settings, clock).await;
    let control = control.expect("it can be opened");
    let login = control
        .login(&Credentials::new("ada@example.org", super::world::PASSWORD), Audience::Http, &trace())
        .await;
    let login = login.expect("the password is right");
    assert_eq!(login.expires_at, kernel::Clock::now(world.clock.as_ref()) + TimeDelta::minutes(3));
}

#[tokio::test]
async fn a_forged_token_names_nobody() {
    let Some(world) = World::new().await else { return };
    let (_, login) = logged_in(&world).await;
    let (header, claims, signature) = parts(&login.token);
    let Some(elsewhere) = World::new().await else { return };
    let (_, foreign) = logged_in(&elsewhere).await;
    let check = async |token: String, reason: &str| {
        check_refused(&world, &token, Audience::Http, reason, Names::Nobody).await;
    };

    check(foreign.token, "token_unknown_key").await;

    let mut raised = claims.clone();
    raised["sub"] = json!("00000000-0000-0000-0000-000000000001");
    check(format!("{}.{}.{signature}", encoded(&header), encoded(&raised)), "token_bad_signature").await;

    let mut none = header.clone();
    none["alg"] = json!("none");
    check(format!("{}.{}.", encoded(&none), encoded(&claims)), "token_wrong_algorithm").await;

    // The public key as the secret of an HMAC: the classic confusion of algorithms.
    let keys = &world.site.contents(Whose::Systems).await["signing_keys"];
    let public_key = keys[0].split('\'').nth(5).expect("the public key is the third column");
    let mut hs256 = header.clone();
    hs256["alg"] = json!("HS256");
    for header in [hs256, header.clone()] {
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let mac = URL_SAFE_NO_PAD.encode(hmac_sha256(public_key.as_bytes(), signed.as_bytes()));
        let reason = if header["alg"] == "HS256" { "token_wrong_algorithm" } else { "token_bad_signature" };
        check(format!("{signed}.{mac}"), reason).await;
    }

    let mut other_type = header.clone();
    other_type["typ"] = json!("JWT");
    check(format!("{}.{}.{signature}", encoded(&other_type), encoded(&claims)), "token_wrong_type").await;

    let mut other_key = header.clone();
    other_key["kid"] = json!("0123456789abcdef");
    check(format!("{}.{}.{signature}", encoded(&other_key), encoded(&claims)), "token_unknown_key").await;

    check(format!("{}.{}", login.token, "x".repeat(9_000)), "token_malformed").await;
    check(String::new(), "token_malformed").await;
}

#[tokio::test]
async fn logging_out_ends_the_token_for_every_process() {
    let Some(world) = World::new().await else { return };
    let (tenant, login) = logged_in(&world).await;
    let second = world.login("ada@example.org", Audience::Http).await;
    let other_process = world.reopened().await;
    other_process.logout(&login.principal, &trace()).await.expect("she leaves");
    check_refused(&world, &login.token, Audience::Http, "token_revoked", Names::Ada).await;
    world.control.authenticate(&second.token, Audience::Http).await.expect("her other session goes on");
    let further = world.control.issue_token(&login.principal, Audience::Flight, &trace()).await;
    assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");

    let events = world.events(tenant).await.len();
    world.control.logout(&login.principal, &trace()).await.expect("she has left already");
    assert_eq!(world.events(tenant).await.len(), events);
}

#[tokio::test]
async fn a_client_goes_on_with_the_next_token_until_its_session_ends() {
    let Some(world) = World::new().await else { return };
    let (_, mut login) = logged_in(&world).await;
    for _ in 0..34 {
        world.clock.advance(TimeDelta::minutes(14));
        let principal = world.control.authenticate(&login.token, Audience::Http).await.expect("it is good");
        login = world.control.issue_token(&principal, Audience::Http, &trace()).await.expect("she is in");
    }
    // 34 times 14 minutes are 4 minutes less than 8 hours: the last token is that short.
    assert_eq!(login.expires_at, kernel::Clock::now(world.clock.as_ref()) + TimeDelta::minutes(4));
    world.clock.advance(TimeDelta::minutes(4));
    let further = world.control.issue_token(&login.principal, Audience::Http, &trace()).await;
    assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");
}

#[tokio::test]
async fn a_token_of_an_account_that_is_gone_opens_nothing() {
    let Some(world) = World::new().await else { return };
    let (tenant, login) = logged_in(&world).await;
    world
        .site
        .intrude(
            Whose::Tenants(tenant),
            &["DELETE FROM grants", "DELETE FROM sessions", "DELETE FROM accounts"],
        )
        .await;
    check_refused(&world, &login.token, Audience::Http, "no_such_account", Names::Ada).await;
}

#[tokio::test]
async fn a_change_of_grants_acts_on_the_next_request() {
    let Some(world) = World::new().await else { return };
    let (tenant, login) = logged_in(&world).await;
    world.site.intrude(Whose::Tenants(tenant), &["DELETE FROM grants"]).await;
    let principal =
        world.control.authenticate(&login.token, Audience::Http).await.expect("she is still known");
    assert!(!principal.grants().allow_anywhere::<kernel::Read>());
}
