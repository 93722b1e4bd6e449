use chrono::TimeDelta;
use control::{Actor, Audience, AuthError, BrowserSession, ControlError, Credentials};
use kernel::{Role, TenantId};

use super::world::{PASSWORD, World, everywhere, trace};
use crate::site::Whose;

const ADA: &str = "ada@example.org";

async fn signed_in(world: &World) -> (TenantId, BrowserSession) {
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, ADA, &[everywhere(Role::Researcher)]).await;
    (tenant, sign_in(world).await)
}

async fn sign_in(world: &World) -> BrowserSession {
    world.control.sign_in(&Credentials::new(ADA, PASSWORD), &trace()).await.expect("the password is right")
}

async fn check_in(world: &World, session: &BrowserSession) {
    world.control.authenticate_session(&session.secret).await.expect("the session is live");
}

async fn check_out(world: &World, secret: &str, reason: &str) {
    let error = world.control.authenticate_session(secret).await.expect_err("the session must be refused");
    assert_eq!(error.reason(), reason, "{secret}");
}

#[tokio::test]
async fn a_session_is_128_bits_of_chance_of_which_a_hash_is_stored() {
    let Some(world) = World::new().await else { return };
    let (tenant, session) = signed_in(&world).await;
    let (_, chance) = session.secret.split_once('.').expect("a secret has two parts");
    assert_eq!(chance.len(), 128 / 4);
    assert_ne!(chance, sign_in(&world).await.secret.split_once('.').expect("two parts").1);
    let stored = format!("{:?}", world.site.contents(Whose::Tenants(tenant)).await);
    assert!(!stored.contains(chance), "the secret is stored");
    check_in(&world, &session).await;
}

#[tokio::test]
async fn control_15_a_browser_that_is_silent_for_15_minutes_is_out() {
    let Some(world) = World::new().await else { return };
    let (_, session) = signed_in(&world).await;
    // Whoever works stays in: 14 minutes, three times.
    for _ in 0..3 {
        world.clock.advance(TimeDelta::minutes(14));
        check_in(&world, &session).await;
    }
    world.clock.advance(TimeDelta::minutes(15));
    check_out(&world, &session.secret, "session_ended").await;
    // For another process too: what counts is stored.
    let other = world.reopened().await;
    let outcome = other.authenticate_session(&session.secret).await;
    assert!(matches!(outcome, Err(AuthError::SessionEnded { .. })), "{outcome:?}");
}

#[tokio::test]
async fn control_15_a_silent_browser_gets_no_further_tokens() {
    let Some(world) = World::new().await else { return };
    let (_, session) = signed_in(&world).await;
    let token = world.control.issue_token(&session.principal, Audience::Http, &trace()).await;
    let token = token.expect("she is in").token;
    world.clock.advance(TimeDelta::minutes(14));
    let principal = world.control.authenticate(&token, Audience::Http).await.expect("it holds");
    let next = world.control.issue_token(&principal, Audience::Http, &trace()).await.expect("she was there");
    world.clock.advance(TimeDelta::minutes(1));
    let principal = world.control.authenticate(&next.token, Audience::Http).await.expect("it holds");
    let further = world.control.issue_token(&principal, Audience::Http, &trace()).await;
    assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");
}

#[tokio::test]
async fn control_15_a_session_ends_after_eight_hours_whatever_is_done_with_it() {
    let Some(world) = World::new().await else { return };
    let (_, session) = signed_in(&world).await;
    for _ in 0..47 {
        world.clock.advance(TimeDelta::minutes(10));
        check_in(&world, &session).await;
    }
    world.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    check_in(&world, &session).await;
    world.clock.advance(TimeDelta::seconds(1));
    check_out(&world, &session.secret, "session_ended").await;
}

#[tokio::test]
async fn control_31_whatever_ends_a_session_ends_what_was_made_from_it_in_every_process() {
    for way in ["logout", "end", "disable", "grant", "revoke"] {
        let Some(world) = World::new().await else { return };
        let (tenant, session) = signed_in(&world).await;
        let account = session.principal.account();
        let (operator, control) = (Actor::Operator, &world.control);
        let elsewhere = world.reopened().await;
        let flight = control.issue_token(&session.principal, Audience::Flight, &trace()).await;
        let flight = flight.expect("she is in").token;
        elsewhere.authenticate(&flight, Audience::Flight).await.expect("the token is good");
        elsewhere.authenticate_session(&session.secret).await.expect("the session is good");

        let id = session.principal.session().expect("she has a session");
        let researcher = everywhere(Role::Researcher);
        match way {
            "logout" => control.logout(&session.principal, &trace()).await,
            "end" => control.end_session(&operator, tenant, id).await,
            "disable" => control.disable_account(&operator, tenant, account).await,
            "grant" => control.grant(&operator, tenant, account, everywhere(Role::DataEngineer)).await,
            _ => control.revoke_grant(&operator, tenant, account, researcher).await,
        }
        .expect("it can be done");

        for process in [control, &elsewhere] {
            let token = process.authenticate(&flight, Audience::Flight).await;
            assert!(token.is_err(), "{way}: the token still opens Flight");
            let cookie = process.authenticate_session(&session.secret).await;
            assert!(cookie.is_err(), "{way}: the session still goes on");
            let further = process.issue_token(&session.principal, Audience::Flight, &trace()).await;
            assert!(matches!(further, Err(ControlError::Denied)), "{way}: {further:?}");
        }
        if way == "grant" {
            let again = sign_in(&world).await;
            assert_eq!(again.principal.roles(), [Role::DataEngineer, Role::Researcher]);
        }
    }
}

#[tokio::test]
async fn a_rotated_session_goes_on_under_its_new_secret_alone() {
    let Some(world) = World::new().await else { return };
    let (_, session) = signed_in(&world).await;
    let rotated = world.control.rotate_session(&session.principal, &trace()).await.expect("it is live");
    check_out(&world, &session.secret, "no_session").await;
    check_in(&world, &rotated).await;
    assert_eq!(rotated.principal.session(), session.principal.session());
    world.control.logout(&rotated.principal, &trace()).await.expect("she leaves");
    let ended = world.control.rotate_session(&rotated.principal, &trace()).await;
    assert!(matches!(ended, Err(ControlError::Denied)), "{ended:?}");
}

/// Security figure: 20 bad cookies.
#[tokio::test]
async fn twenty_bad_cookies_let_nobody_in() {
    let Some(world) = World::new().await else { return };
    let (tenant, session) = signed_in(&world).await;
    let other = world.tenant("other").await.id;
    let token = world.login(ADA, Audience::Http).await.token;
    let (whose, chance) = session.secret.split_once('.').expect("two parts");
    let id = session.principal.session().expect("a session").to_string();
    let mut flipped = session.secret.clone().into_bytes();
    let last = flipped.len() - 1;
    flipped[last] = if flipped[last] == b'0' { b'1' } else { b'0' };
    let flipped = String::from_utf8(flipped).expect("digits");
    let theirs = other.as_uuid().simple();
    let bad = [
        (String::new(), "token_malformed"),
        (".".to_owned(), "token_malformed"),
        (chance.to_owned(), "token_malformed"),
        (format!(".{chance}"), "token_malformed"),
        (format!("{whose}."), "token_malformed"),
        (format!("{whose}.{chance}0"), "token_malformed"),
        (format!("{whose}.{chance}."), "token_malformed"),
        (format!("{whose}.{chance}.{chance}"), "token_malformed"),
        (format!("{tenant}.{chance}"), "token_malformed"),
        (
            format!("{whose}.{}", chance.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
            "token_malformed",
        ),
        (format!(" {whose}.{chance}"), "token_malformed"),
        (format!("{whose}.{}", "g".repeat(32)), "token_malformed"),
        (format!("{whose}.' OR '1'='1"), "token_malformed"),
        ("x".repeat(100_000), "token_malformed"),
        (token, "token_malformed"),
        (id, "token_malformed"),
        (flipped, "no_session"),
        (format!("{whose}.{}", "0".repeat(32)), "no_session"),
        // Her own chance under another tenant's name, and under that of no tenant.
        (format!("{theirs}.{chance}"), "no_session"),
        (format!("{}.{chance}", "0".repeat(32)), "no_session"),
    ];
    assert_eq!(bad.len(), 20);
    for (cookie, reason) in bad {
        check_out(&world, &cookie, reason).await;
    }
    // Nor does a session's secret open what is opened by tokens.
    let bearer = world.control.authenticate(&session.secret, Audience::Http).await;
    assert!(matches!(bearer, Err(AuthError::Malformed)), "{bearer:?}");
    check_in(&world, &session).await;
}

#[tokio::test]
async fn an_account_lists_and_ends_its_own_sessions_alone() {
    let Some(world) = World::new().await else { return };
    let (tenant, session) = signed_in(&world).await;
    let second = sign_in(&world).await;
    world.account(tenant, "bob@example.org", &[everywhere(Role::Researcher)]).await;
    let bob = world.login("bob@example.org", Audience::Http).await.principal;
    let ada = session.principal.account();
    let control = &world.control;

    let mine = control.sessions(&session.principal.actor(), tenant, Some(ada)).await.expect("they are hers");
    assert_eq!(mine.len(), 2);
    assert!(mine.iter().all(|one| one.is_browser && one.method == "password" && one.ended.is_none()));
    for (actor, account) in [(bob.actor(), Some(ada)), (bob.actor(), None)] {
        let listed = control.sessions(&actor, tenant, account).await;
        assert!(matches!(listed, Err(ControlError::Denied)), "{listed:?}");
    }
    let everybody = control.sessions(&Actor::Operator, tenant, None).await.expect("the operator may");
    assert_eq!(everybody.len(), 3);

    let id = second.principal.session().expect("a session");
    let stolen = control.end_session(&bob.actor(), tenant, id).await;
    assert!(matches!(stolen, Err(ControlError::Denied)), "{stolen:?}");
    check_in(&world, &second).await;
    for _ in 0..2 {
        control.end_session(&session.principal.actor(), tenant, id).await.expect("it is hers");
    }
    check_out(&world, &second.secret, "session_ended").await;
    check_in(&world, &session).await;
    let ended: Vec<String> = world.events(tenant).await.into_iter().map(|event| event.action).collect();
    assert_eq!(ended.iter().filter(|action| *action == "auth.session.ended").count(), 1, "{ended:?}");
}

#[tokio::test]
async fn the_list_of_ended_sessions_does_not_grow_for_ever() {
    let Some(world) = World::new().await else { return };
    let (tenant, _) = signed_in(&world).await;
    world.clock.advance(TimeDelta::days(91));
    sign_in(&world).await;
    assert_eq!(world.site.contents(Whose::Tenants(tenant)).await["sessions"].len(), 1);
}
