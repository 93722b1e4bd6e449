use control::{Actor, Audience, AuditFilter, ControlError, Principal};
use kernel::{Role, TenantId};
use uuid::Uuid;

use super::commits::new_batch;
use super::world::{World, everywhere, new_snapshot, only_in, snapshot_id, study, trace};
use crate::site::Whose;

/// Two tenants with the same studies, of which only the second has published anything.
async fn two_tenants(world: &World) -> (Principal, TenantId) {
    let (acme, other) = (world.tenant("acme").await.id, world.tenant("other").await.id);
    world.account(acme, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
    world.account(other, "bob@example.org", &[everywhere(Role::DataEngineer)]).await;
    let scope = world.study(other, "CANARY").await;
    let (batch, snapshot) = (new_batch("key", "hash"), new_snapshot("one", None));
    world.control.commit_batch(&Actor::Operator, &scope, batch, snapshot, &trace()).await.expect("it is new");
    (world.login("ada@example.org", Audience::Http).await.principal, other)
}

#[tokio::test]
async fn a_principal_sees_nothing_of_another_tenant() {
    let Some(world) = World::new().await else { return };
    let (ada, other) = two_tenants(&world).await;
    let control = &world.control;
    assert_eq!(control.studies(ada.grants()).await.expect("the store works"), []);

    let build = ada.grants().scope(&study("CANARY")).expect("in her own tenant she may");
    let read = build.to_read();
    assert_eq!(read.tenant(), ada.tenant());
    assert_eq!(control.find_batch(&build, "key").await.expect("the store works"), None);
    assert_eq!(control.batches(&read).await.expect("the store works"), []);
    assert_eq!(control.snapshots(&read).await.expect("the store works"), []);
    assert_eq!(control.current_snapshot(&read).await.expect("the store works"), None);
    assert_eq!(control.current_with_marts(&read).await.expect("the store works"), None);
    assert_eq!(control.snapshot(&read, snapshot_id("one")).await.expect("the store works"), None);

    let filter = AuditFilter { limit: 500, ..AuditFilter::default() };
    for event in control.audit_page(ada.grants(), filter).await.expect("she may build") {
        assert!(!event.leaf.contains(&other.to_string()) && !event.leaf.contains("CANARY"), "{}", event.leaf);
    }
    let hers = format!("{:?}", world.site.contents(Whose::Tenants(ada.tenant())).await);
    assert!(!hers.contains("CANARY") && !hers.contains("bob@"), "not even her rows hold anything of it");
}

#[tokio::test]
async fn an_account_cannot_act_in_another_tenant() {
    let Some(world) = World::new().await else { return };
    let (ada, other) = two_tenants(&world).await;
    let grants = world.control.operator_grants(other).await.expect("the tenant exists");
    let theirs = grants.scope(&study("CANARY")).expect("the operator may build");
    let before = world.site.contents(Whose::Tenants(other)).await;
    let (actor, control, snapshot) = (ada.actor(), &world.control, new_snapshot("two", Some("one")));
    let register = control.register_study(&actor, &theirs, "x").await;
    assert!(matches!(register, Err(ControlError::Denied)));
    let publish = control.publish(&actor, &theirs, snapshot.clone(), &trace()).await;
    assert!(matches!(publish, Err(ControlError::Denied)));
    let commit = control.commit_batch(&actor, &theirs, new_batch("k", "h"), snapshot, &trace()).await;
    assert!(matches!(commit, Err(ControlError::Denied)));
    let disable = control.disable_account(&actor, other, ada.account()).await;
    assert!(matches!(disable, Err(ControlError::Denied)));
    assert_eq!(world.site.contents(Whose::Tenants(other)).await, before);
}

#[tokio::test]
async fn another_tenant_looks_like_none() {
    let Some(world) = World::new().await else { return };
    let (ada, _) = two_tenants(&world).await;
    for slug in ["other", "never"] {
        let outcome = world.control.tenant_by_slug(&ada.actor(), slug).await;
        assert!(matches!(outcome, Err(ControlError::Denied)), "{slug} {outcome:?}");
    }
    assert_eq!(world.control.tenant_by_slug(&ada.actor(), "acme").await.expect("her own").id, ada.tenant());
}

#[tokio::test]
async fn a_tenant_that_is_not_listed_is_never_opened() {
    let Some(world) = World::new().await else { return };
    let stranger = TenantId::from_uuid(Uuid::from_u128(7));
    let outcome = world.control.operator_grants(stranger).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
}

#[tokio::test]
async fn a_grant_for_one_study_lists_one_study() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for code in ["B", "A", "C"] {
        world.study(tenant, code).await;
    }
    world.account(tenant, "ada@example.org", &[only_in(Role::Researcher, "B")]).await;
    let ada = world.login("ada@example.org", Audience::Http).await.principal;
    let codes = |rows: Vec<control::StudyRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(codes(world.control.studies(ada.grants()).await.expect("the store works")), [study("B")]);
    let all = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let listed = codes(world.control.studies(&all).await.expect("the store works"));
    assert_eq!(listed, [study("A"), study("B"), study("C")]);
}

#[tokio::test]
async fn only_who_may_build_reads_the_log() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[everywhere(Role::Researcher)]).await;
    let ada = world.login("ada@example.org", Audience::Http).await.principal;
    let outcome = world.control.audit_page(ada.grants(), AuditFilter::default()).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
}

#[tokio::test]
async fn a_short_name_is_taken_once() {
    let Some(world) = World::new().await else { return };
    world.tenant("acme").await;
    for (slug, taken) in [("acme", true), ("Acme", false), ("", false), ("1a", false), ("a/b", false)] {
        let outcome = world.control.create_tenant(&Actor::Operator, slug, "Name").await;
        let expected = if taken {
            matches!(outcome, Err(ControlError::SlugTaken { .. }))
        } else {
            matches!(outcome, Err(ControlError::InvalidSlug { .. }))
        };
        assert!(expected, "{slug} {outcome:?}");
    }
    assert_eq!(world.control.tenants(&Actor::Operator).await.expect("the operator may").len(), 1);
}

#[tokio::test]
async fn the_log_reads_newest_first_and_page_by_page() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    for index in 0..6 {
        world.study(tenant, &format!("S{index}")).await;
    }
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let mut seen = Vec::new();
    let mut before_seq = None;
    loop {
        let filter = AuditFilter { before_seq, limit: 3, ..AuditFilter::default() };
        let page = world.control.audit_page(&grants, filter).await.expect("the operator may read");
        let Some(last) = page.last() else { break };
        before_seq = Some(last.seq);
        seen.extend(page.iter().map(|event| event.seq));
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1, 0]);
}
