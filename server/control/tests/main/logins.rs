use control::{Actor, Audience, AuditFilter, AuthError, ControlError, Credentials};
use kernel::{Role, TenantId};

use super::world::{PASSWORD, World, everywhere, new_account, only_in, study, trace};
use crate::site::{Whose, run};

async fn ada(world: &World) -> TenantId {
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "Ada@Example.org", &[only_in(Role::Researcher, "A")]).await;
    tenant
}

async fn check_refused(world: &World, email: &str, password: &str) {
    let outcome = world.control.login(&Credentials::new(email, password), Audience::Http, &trace()).await;
    assert!(matches!(outcome, Err(ControlError::LoginRefused)), "{email} {outcome:?}");
}

#[tokio::test]
async fn a_login_lets_in_whom_the_accounts_say() {
    let Some(world) = World::new().await else { return };
    let tenant = ada(&world).await;
    let login = world.login(" ada@EXAMPLE.org", Audience::Http).await;
    let principal =
        world.control.authenticate(&login.token, Audience::Http).await.expect("it was just issued");
    assert_eq!(principal.tenant(), tenant);
    assert_eq!(principal.email(), "ada@example.org");
    assert_eq!(principal.display_name(), "Ada Lovelace");
    assert_eq!(principal.roles(), [Role::Researcher]);
    assert_eq!(principal.expires_at(), login.expires_at);
    assert!(principal.grants().scope::<kernel::Read>(&study("A")).is_ok());
    assert!(principal.grants().scope::<kernel::Read>(&study("B")).is_err());
    assert!(principal.grants().scope::<kernel::Build>(&study("A")).is_err());
}

#[tokio::test]
async fn every_refusal_looks_the_same() {
    let Some(world) = World::new().await else { return };
    let tenant = ada(&world).await;
    check_refused(&world, "ada@example.org", "wrong horse battery").await;
    check_refused(&world, "ada@example.org", "").await;
    check_refused(&world, "ada@example.org", &"x".repeat(1_000_000)).await;
    check_refused(&world, "eve@example.org", PASSWORD).await;
    check_refused(&world, "", PASSWORD).await;
    check_refused(&world, "' OR 1=1 --@x", PASSWORD).await;
    let account = world.login("ada@example.org", Audience::Http).await.principal.account();
    world.control.disable_account(&Actor::Operator, tenant, account).await.expect("she exists");
    check_refused(&world, "ada@example.org", PASSWORD).await;

    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let filter =
        AuditFilter { action: Some("auth.login.failed".to_owned()), limit: 10, ..AuditFilter::default() };
    let failures = world.control.audit_page(&grants, filter).await.expect("the operator may read");
    let reasons: Vec<&str> = failures.iter().filter_map(|event| event.data["reason"].as_str()).collect();
    assert_eq!(reasons, ["account_disabled", "wrong_password", "wrong_password", "wrong_password"]);
}

#[tokio::test]
async fn control_13_an_address_belongs_to_one_account_of_the_deployment() {
    let Some(world) = World::new().await else { return };
    let acme = ada(&world).await;
    let other = world.tenant("other").await.id;
    for tenant in [acme, other] {
        let again = new_account("ADA@example.org", &[]);
        let outcome = world.control.create_account(&Actor::Operator, tenant, again).await;
        assert!(matches!(outcome, Err(ControlError::EmailTaken)), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_address_that_a_crash_left_without_an_account_is_taken_back() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let id = world.account(tenant, "ada@example.org", &[]).await;
    // A crash between the two commits leaves the address in the directory, and nothing else.
    let account = format!("DELETE FROM accounts WHERE account_id = '{id}'");
    run(&mut world.site.connect(Whose::Tenants(tenant)).await, &account).await;
    check_refused(&world, "ada@example.org", PASSWORD).await;
    world.account(tenant, "ada@example.org", &[]).await;
    world.login("ada@example.org", Audience::Http).await;
}

#[tokio::test]
async fn a_concurrent_creation_of_one_address_makes_one_account() {
    let Some(world) = World::new().await else { return };
    let tenants = [world.tenant("acme").await.id, world.tenant("other").await.id];
    let handles = [world.control.clone(), world.reopened().await];
    let mut creators = tokio::task::JoinSet::new();
    for index in 0..6 {
        let (control, tenant) = (handles[index % 2].clone(), tenants[index / 3]);
        creators.spawn(async move {
            control.create_account(&Actor::Operator, tenant, new_account("ada@example.org", &[])).await
        });
    }
    let outcomes = creators.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    world.login("ada@example.org", Audience::Http).await;
}

#[tokio::test]
async fn a_password_has_at_least_twelve_characters() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for (password, accepted) in [("elevenchars", false), ("twelve chars", true), ("ééééééééééé", false)]
    {
        let mut account = new_account(&format!("{}@example.org", password.len()), &[]);
        account.password = Some(password.to_owned());
        let outcome = world.control.create_account(&Actor::Operator, tenant, account).await;
        assert_eq!(outcome.is_ok(), accepted, "{password} {outcome:?}");
    }
}

#[tokio::test]
async fn control_34_passwords_are_stored_as_argon2id_with_the_promised_cost() {
    let Some(world) = World::new().await else { return };
    let tenant = ada(&world).await;
    let accounts = &world.site.contents(Whose::Tenants(tenant)).await["accounts"];
    assert!(accounts[0].contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{accounts:?}");
}

#[tokio::test]
async fn only_the_operator_makes_accounts_and_tenants() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
    let actor = world.login("ada@example.org", Audience::Http).await.principal.actor();
    let control = &world.control;
    let account = control.create_account(&actor, tenant, new_account("bob@example.org", &[])).await;
    assert!(matches!(account, Err(ControlError::Denied)));
    assert!(matches!(control.create_tenant(&actor, "x", "X").await, Err(ControlError::Denied)));
    assert!(matches!(control.tenants(&actor).await, Err(ControlError::Denied)));
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let Some(world) = World::new().await else { return };
    let tenant = ada(&world).await;
    let login = world.login("ada@example.org", Audience::Http).await;
    let account = login.principal.account();
    for _ in 0..2 {
        world.control.disable_account(&Actor::Operator, tenant, account).await.expect("she exists");
    }
    let outcome = world.control.authenticate(&login.token, Audience::Http).await;
    assert!(matches!(outcome, Err(AuthError::AccountDisabled { .. })), "{outcome:?}");
    let further = world.control.issue_token(&login.principal, Audience::Flight, &trace()).await;
    assert!(matches!(further, Err(ControlError::Denied)), "{further:?}");
}
