use control::{Actor, Audience, ControlError, Credentials, Identity};
use kernel::{AccountId, Clock, Role, TenantId};

use super::world::{PASSWORD, World, everywhere, new_account, trace};
use crate::site::Whose;

fn identity(subject: &str) -> Identity {
    Identity { issuer: "https://id.example".to_owned(), subject: subject.to_owned() }
}

async fn without_password(world: &World) -> (TenantId, AccountId) {
    let tenant = world.tenant("acme").await.id;
    let mut account = new_account("ada@example.org", &[everywhere(Role::Researcher)]);
    account.password = None;
    let account = world.control.create_account(&Actor::Operator, tenant, account).await;
    (tenant, account.expect("the account is new"))
}

async fn check_unknown(world: &World, identity: &Identity, reason: &str) {
    let before = world.control.verify_system().await.expect("the log can be read").size;
    let outcome = world.control.sign_in_identity(identity, None, &trace()).await;
    assert!(matches!(outcome, Err(ControlError::UnknownIdentity)), "{reason} {outcome:?}");
    let after = world.control.verify_system().await.expect("the log can be read").size;
    assert_eq!(after, before + 1, "{reason}: a refusal is in the ledger");
}

#[tokio::test]
async fn an_identity_lets_in_whom_an_administrator_has_linked_it_to() {
    let Some(world) = World::new().await else { return };
    let (tenant, account) = without_password(&world).await;
    let (control, operator) = (&world.control, Actor::Operator);
    check_unknown(&world, &identity("ada"), "unknown").await;
    // An e-mail address is no identity, even when it is that of the account.
    check_unknown(&world, &identity("ada@example.org"), "an address").await;

    control.link_identity(&operator, tenant, account, &identity("ada")).await.expect("the operator may");
    let session = control.sign_in_identity(&identity("ada"), None, &trace()).await.expect("it is linked");
    assert_eq!(session.principal.account(), account);
    control.authenticate_session(&session.secret).await.expect("it is a session");
    let elsewhere = Identity { issuer: "https://other.example".to_owned(), ..identity("ada") };
    check_unknown(&world, &elsewhere, "the same name at another issuer").await;

    let summary = control.account(&operator, tenant, account).await.expect("it is there");
    assert_eq!(summary.identities.len(), 1);
    assert_eq!(
        (&summary.identities[0].identity, summary.identities[0].linked_at),
        (&identity("ada"), world.clock.now())
    );

    let second = world.account(tenant, "bob@example.org", &[]).await;
    let again = control.link_identity(&operator, tenant, second, &identity("ada")).await;
    assert!(matches!(again, Err(ControlError::IdentityTaken)), "{again:?}");
    let elsewhere = world.tenant("other").await.id;
    for outcome in [
        control.link_identity(&operator, elsewhere, account, &identity("more")).await,
        control.unlink_identity(&operator, elsewhere, account, &identity("ada")).await,
    ] {
        assert!(matches!(outcome, Err(ControlError::Denied)), "another tenant's account: {outcome:?}");
    }
    let by_herself =
        control.link_identity(&session.principal.actor(), tenant, account, &identity("more")).await;
    assert!(matches!(by_herself, Err(ControlError::Denied)), "{by_herself:?}");

    for _ in 0..2 {
        control
            .unlink_identity(&operator, tenant, account, &identity("ada"))
            .await
            .expect("the operator may");
    }
    check_unknown(&world, &identity("ada"), "unlinked").await;
    control.authenticate_session(&session.secret).await.expect_err("its sessions ended with it");
}

#[tokio::test]
async fn a_disabled_or_erased_account_is_signed_in_to_by_nobody() {
    let Some(world) = World::new().await else { return };
    let (tenant, account) = without_password(&world).await;
    let (control, operator) = (&world.control, Actor::Operator);
    control
        .link_identity(&operator, tenant, account, &identity("canary-sub"))
        .await
        .expect("the operator may");
    control.disable_account(&operator, tenant, account).await.expect("she exists");
    check_unknown(&world, &identity("canary-sub"), "disabled").await;

    let second = world.account(tenant, "bob@example.org", &[]).await;
    let new = control::NewAccessToken {
        kind: control::TokenKind::Personal,
        label: "canary-sub's laptop".to_owned(),
        grants: Vec::new(),
        lifetime: chrono::TimeDelta::days(1),
        peer: None,
    };
    control.create_access_token(&operator, tenant, second, new).await.expect("it can be made");
    let both = control::Erasure { account: second, reason: "asked".to_owned(), approved_by: second };
    assert!(control.erase_account(&operator, tenant, both).await.is_err(), "it takes two");
    let third = world.account(tenant, "eve@example.org", &[]).await;
    let erasure = control::Erasure { account: second, reason: "asked".to_owned(), approved_by: third };
    control.erase_account(&operator, tenant, erasure).await.expect("he asked");
    let second = third;
    let erasure = control::Erasure { account, reason: "asked".to_owned(), approved_by: second };
    control.erase_account(&operator, tenant, erasure).await.expect("she asked");
    let linked = control.link_identity(&operator, tenant, account, &identity("canary-sub")).await;
    assert!(matches!(linked, Err(ControlError::AccountErased)), "{linked:?}");
    for whose in [Whose::Systems, Whose::Tenants(tenant)] {
        let dump = format!("{:?}", world.site.contents(whose).await);
        assert!(!dump.contains("canary-sub"), "the identity is kept in {whose:?}");
    }
}

#[tokio::test]
async fn an_account_without_a_password_has_none_to_guess() {
    let Some(world) = World::new().await else { return };
    without_password(&world).await;
    for password in ["", PASSWORD] {
        let given = Credentials::new("ada@example.org", password);
        let outcome = world.control.login(&given, Audience::Http, &trace()).await;
        assert!(matches!(outcome, Err(ControlError::LoginRefused)), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_attempt_travels_to_another_replica_and_to_no_other_deployment() {
    let Some(world) = World::new().await else { return };
    let carried = world.control.begin_oidc("/studies").expect("it can be begun");
    let replica = world.reopened().await;
    let back = replica.carried_oidc(&carried.cookie).expect("the key can be read");
    assert_eq!(back, Some(carried.attempt.clone()));
    let Some(elsewhere) = World::new().await else { return };
    assert_eq!(elsewhere.control.carried_oidc(&carried.cookie).expect("the key can be read"), None);
    world.clock.advance(chrono::TimeDelta::minutes(11));
    assert_eq!(replica.carried_oidc(&carried.cookie).expect("the key can be read"), None);
}
