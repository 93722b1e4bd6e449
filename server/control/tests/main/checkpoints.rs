use chrono::TimeDelta;
use control::{Actor, ControlError, Fault, FaultKind, VerifyReport};
use kernel::{Clock, TenantId};

use super::world::{World, engine, replace_in_leaves};
use crate::site::{Engine, Whose, run};

async fn tenant_with_events(world: &World, events: usize) -> TenantId {
    let tenant = world.tenant("acme").await.id;
    for index in 1..events {
        world.study(tenant, &format!("STUDY-{index}")).await;
    }
    tenant
}

async fn sizes_made(world: &World) -> Vec<(String, u64)> {
    let made = world.control.checkpoint(world.clock.now()).await.expect("the logs are good");
    made.into_iter().map(|made| (made.log, made.size)).collect()
}

#[tokio::test]
async fn control_05_a_checkpoint_is_due_sixty_seconds_after_the_first_event_it_lacks() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 4).await;
    assert_eq!(sizes_made(&world).await, []);
    world.clock.advance(TimeDelta::milliseconds(59_999));
    world.study(tenant, "STUDY-X").await;
    assert_eq!(sizes_made(&world).await, []);
    world.clock.advance(TimeDelta::milliseconds(1));
    // The system's log: three keys, the policies, the tenant, and the checkpoint of the tenant's log.
    let tenants = (format!("cairn/audit/{tenant}"), 5);
    assert_eq!(sizes_made(&world).await, [tenants, ("cairn/audit/system".to_owned(), 6)]);
    assert_eq!(sizes_made(&world).await, [], "every event is covered");

    world.study(tenant, "STUDY-Y").await;
    world.clock.advance(TimeDelta::seconds(60));
    assert_eq!(sizes_made(&world).await.len(), 2, "and again");
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(sizes_made(&world).await, [], "a log at rest rests");
}

#[tokio::test]
async fn control_05_a_checkpoint_is_due_after_a_thousand_events_at_once() {
    if engine() == Engine::Postgres {
        // Which checkpoint is due is reckoned from the head's size alone, and a thousand events take their time.
        return;
    }
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 999).await;
    assert_eq!(sizes_made(&world).await, []);
    world.study(tenant, "STUDY-LAST").await;
    // The system's log follows at once, so that its checkpoint commits to the tenant's.
    let system = ("cairn/audit/system".to_owned(), 6);
    assert_eq!(sizes_made(&world).await, [(format!("cairn/audit/{tenant}"), 1_000), system]);
    let report = world.control.verify_tenant(tenant).await.expect("the log can be read");
    assert_eq!((report.fault, report.size, report.checkpoints), (None, 1_000, 1));
}

#[tokio::test]
async fn control_05_every_checkpoint_of_a_tenant_is_an_event_of_the_system() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 3).await;
    world.control.checkpoint_now().await.expect("the logs are good");
    let events = &world.site.contents(Whose::Systems).await["audit_events"];
    let recorded = events.iter().filter(|row| row.contains("audit.checkpoint.signed")).count();
    assert_eq!(recorded, 1);
    assert!(events.last().is_some_and(|row| row.contains(&format!("cairn/audit/{tenant}"))));
    let report = world.control.verify_system().await.expect("the log can be read");
    assert_eq!((report.fault, report.checkpoints), (None, 1));
}

#[tokio::test]
async fn control_03_checkpoints_are_never_updated_or_deleted() {
    let Some(world) = World::new().await else { return };
    tenant_with_events(&world, 3).await;
    world.control.checkpoint_now().await.expect("the logs are good");
    let mut connection = world.site.connect(Whose::Systems).await;
    run(&mut connection, "INSERT INTO audit_cosignatures VALUES ('log', 1, 'line', 'now')").await;
    let anew = match engine() {
        Engine::Sqlite => "INSERT OR REPLACE INTO audit_checkpoints SELECT * FROM audit_checkpoints LIMIT 1",
        Engine::Postgres => "TRUNCATE audit_checkpoints",
    };
    if engine() == Engine::Sqlite {
        run(&mut connection, "PRAGMA recursive_triggers = ON").await;
    }
    for statement in [
        "UPDATE audit_checkpoints SET note = 'x'",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_cosignatures SET line = 'x'",
        "DELETE FROM audit_cosignatures",
        anew,
    ] {
        let ran = sqlx::query(statement).execute(&mut connection).await;
        assert!(ran.is_err(), "{statement}: {ran:?}");
    }
}

#[tokio::test]
async fn a_log_that_does_not_verify_is_not_signed() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 6).await;
    let edit = replace_in_leaves("STUDY-3", "STUDY-X");
    world.site.intrude(Whose::Tenants(tenant), &[&edit]).await;
    let outcome = world.control.checkpoint_now().await;
    assert!(matches!(outcome, Err(ControlError::LogBroken { index: 4, .. })), "{outcome:?}");
    let kept = &world.site.contents(Whose::Systems).await["audit_checkpoints"];
    assert_eq!(kept.len(), 1, "the system's log alone is signed");
}

#[tokio::test]
async fn control_04_a_checkpoint_that_was_changed_or_removed_is_found() {
    let Some(world) = World::new().await else { return };
    tenant_with_events(&world, 5).await;
    let good = world.control.checkpoint_now().await.expect("the logs are good");
    assert_eq!(good.len(), 2);
    let kept = world.site.keep(Whose::Systems).await;
    for (statement, log, index, kind) in [
        (
            "UPDATE audit_checkpoints SET note = replace(note, '5', '6') WHERE log LIKE '%-%'",
            1,
            5,
            FaultKind::Checkpoint { committed: 5 },
        ),
        (
            "UPDATE audit_checkpoints SET root = substr(root, 2) || substr(root, 1, 1) WHERE log LIKE '%-%'",
            1,
            5,
            FaultKind::Checkpoint { committed: 5 },
        ),
        (
            "UPDATE audit_checkpoints SET frontier = substr(frontier, 1, 0) WHERE log LIKE '%-%'",
            1,
            5,
            FaultKind::Checkpoint { committed: 5 },
        ),
        (
            "UPDATE audit_checkpoints SET last_hash = 'x' WHERE log LIKE '%-%'",
            1,
            5,
            FaultKind::Checkpoint { committed: 5 },
        ),
        (
            "UPDATE audit_checkpoints SET size = 7 WHERE log LIKE '%-%'",
            0,
            5,
            FaultKind::Checkpoint { committed: 5 },
        ),
        ("DELETE FROM audit_checkpoints WHERE log LIKE '%-%'", 0, 5, FaultKind::Checkpoint { committed: 5 }),
    ] {
        world.site.intrude(Whose::Systems, &[statement]).await;
        let reports = world.control.verify_all().await.expect("the logs can be read");
        assert_eq!(reports[log].fault, Some(Fault { index, kind }), "{statement}");
        world.site.put_back(&kept).await;
    }
    let reports = world.control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "everything was put back: {reports:?}");
}

#[tokio::test]
async fn a_log_older_than_its_tree_gets_it_when_it_is_opened() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 7).await;
    let before = world.site.contents(Whose::Tenants(tenant)).await["audit_head"].clone();
    world.site.intrude(Whose::Tenants(tenant), &["UPDATE audit_head SET frontier = NULL"]).await;
    assert_ne!(world.site.contents(Whose::Tenants(tenant)).await["audit_head"], before);
    let reopened = world.reopened().await;
    assert!(reopened.verify_tenant(tenant).await.expect("the log can be read").is_intact());
    assert_eq!(world.site.contents(Whose::Tenants(tenant)).await["audit_head"], before);
}

#[tokio::test]
async fn a_verification_is_an_event_and_the_new_part_can_be_verified_alone() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_events(&world, 5).await;
    world.control.checkpoint_now().await.expect("the logs are good");
    world.study(tenant, "NEW").await;
    let reports = world.control.verify_new().await.expect("the logs can be read");
    assert_eq!(
        reports.iter().map(|report| (report.fault, report.size)).collect::<Vec<_>>(),
        [(None, 6), (None, 6)]
    );
    world.control.record_verification(&Actor::System, &reports).await.expect("the ledger can be written");
    let events = &world.site.contents(Whose::Systems).await["audit_events"];
    assert!(events.iter().any(|row| row.contains("audit.verified") && row.contains("'success'")));

    world
        .site
        .intrude(Whose::Tenants(tenant), &["UPDATE audit_events SET actor_id = 'x' WHERE seq = 5"])
        .await;
    let reports = world.control.verify_new().await.expect("the logs can be read");
    assert_eq!(reports[1].fault, Some(Fault { index: 5, kind: FaultKind::Column("actor_id") }));
    world.control.record_verification(&Actor::System, &reports).await.expect("the ledger can be written");
    let events = &world.site.contents(Whose::Systems).await["audit_events"];
    assert!(events.iter().any(|row| row.contains("audit.verified") && row.contains("'failed'")));
}
