use control::{Actor, Fault, FaultKind, VerifyReport};
use kernel::TenantId;
use sha2::{Digest, Sha256};

use super::world::{World, engine, new_snapshot, replace_in_leaves, trace};
use crate::site::{Engine, Whose, run};

const EVENTS: u64 = 9;

/// A tenant whose log holds its creation and eight studies.
async fn tenant_with_nine_events(world: &World, slug: &str) -> TenantId {
    let tenant = world.tenant(slug).await.id;
    for index in 0..8 {
        world.study(tenant, &format!("STUDY-{index}")).await;
    }
    tenant
}

fn fault(index: u64, kind: FaultKind) -> Option<Fault> {
    Some(Fault { index, kind })
}

async fn verify(world: &World, tenant: TenantId) -> VerifyReport {
    world.control.verify_tenant(tenant).await.expect("the log can be read")
}

async fn check_tampering(statements: &[&str], index: u64, kind: FaultKind) {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    world.site.intrude(Whose::Tenants(tenant), statements).await;
    let report = verify(&world, tenant).await;
    assert_eq!(report.fault, fault(index, kind), "{statements:?}");
    assert_eq!(report.size, index, "what lies before the fault is proved good");
}

/// Changes a leaf and gives it its new hash, so that only what it is bound to can betray it.
async fn rewrite(world: &World, tenant: TenantId, seq: i64, change: impl FnOnce(String) -> String) {
    let mut connection = world.site.connect(Whose::Tenants(tenant)).await;
    let leaf: Vec<u8> = sqlx::query_scalar("SELECT leaf FROM audit_events WHERE seq = $1")
        .bind(seq)
        .fetch_one(&mut connection)
        .await
        .expect("the event is there");
    let leaf = change(String::from_utf8(leaf).expect("a leaf is text")).into_bytes();
    let hash = Sha256::new().chain_update([0]).chain_update(&leaf).finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    sqlx::query("UPDATE audit_events SET leaf = $1, entry_hash = $2 WHERE seq = $3")
        .bind(leaf)
        .bind(hash)
        .bind(seq)
        .execute(&mut connection)
        .await
        .expect("the guards are down");
}

async fn check_rewriting(seq: i64, from: &str, to: &str, index: u64, kind: FaultKind) {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    world.site.intrude(Whose::Tenants(tenant), &[]).await;
    rewrite(&world, tenant, seq, |leaf| {
        let changed = leaf.replacen(from, to, 1);
        assert_ne!(changed, leaf, "`{from}` is in {leaf}");
        changed
    })
    .await;
    assert_eq!(verify(&world, tenant).await.fault, fault(index, kind), "{from} -> {to}");
}

#[tokio::test]
async fn an_untouched_log_is_intact() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    let report = verify(&world, tenant).await;
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.size, report.tenant), (EVENTS, Some(tenant)));
    assert_eq!(report.log, format!("cairn/audit/{tenant}"));
    let reports = world.control.verify_all().await.expect("the logs can be read");
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test]
async fn an_edited_event_is_found_where_it_lies() {
    let edit = replace_in_leaves("STUDY-3", "STUDY-X");
    check_tampering(&[&edit], 4, FaultKind::EntryHash).await;
}

#[tokio::test]
async fn an_edited_event_with_a_fresh_hash_breaks_its_successor() {
    check_rewriting(4, r#""data":{}"#, r#""data":{"rows":1}"#, 5, FaultKind::PrevHash).await;
    check_rewriting(8, r#""data":{}"#, r#""data":{"rows":1}"#, EVENTS, FaultKind::Head).await;
}

#[tokio::test]
async fn a_deleted_event_is_missed_where_it_lay() {
    check_tampering(&["DELETE FROM audit_events WHERE seq = 4"], 4, FaultKind::Sequence).await;
    check_tampering(&["DELETE FROM audit_events WHERE seq = 0"], 0, FaultKind::Sequence).await;
    let closed_up =
        ["DELETE FROM audit_events WHERE seq = 4", "UPDATE audit_events SET seq = seq - 1 WHERE seq > 4"];
    check_tampering(&closed_up, 4, FaultKind::Column("seq")).await;
}

#[tokio::test]
async fn two_swapped_events_are_found_at_the_first() {
    let swap = [
        "UPDATE audit_events SET seq = 99 WHERE seq = 3",
        "UPDATE audit_events SET seq = 3 WHERE seq = 4",
        "UPDATE audit_events SET seq = 4 WHERE seq = 99",
    ];
    check_tampering(&swap, 3, FaultKind::Column("seq")).await;
}

#[tokio::test]
async fn a_tail_cut_below_the_head_is_missed() {
    check_tampering(&["DELETE FROM audit_events WHERE seq >= 7"], 7, FaultKind::Head).await;
}

#[tokio::test]
async fn a_log_put_back_with_its_head_is_found_by_the_next_checkpoint_alone() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    let older = world.site.keep(Whose::Tenants(tenant)).await;
    world.study(tenant, "STUDY-8").await;
    world.site.put_back(&older).await;
    assert!(verify(&world, tenant).await.is_intact(), "nothing outside of its rows tells what the log held");

    world.study(tenant, "STUDY-9").await;
    world.control.checkpoint_now().await.expect("the logs are good");
    world.site.put_back(&older).await;
    let committed = EVENTS + 1;
    let report = verify(&world, tenant).await;
    assert_eq!(report.fault, fault(EVENTS, FaultKind::Shortened { committed }));
}

#[tokio::test]
async fn a_head_that_disagrees_is_found_behind_the_last_event() {
    check_tampering(&["UPDATE audit_head SET size = 10"], EVENTS, FaultKind::Head).await;
    check_tampering(&["UPDATE audit_head SET last_hash = 'x'"], EVENTS, FaultKind::Head).await;
    check_tampering(&["DELETE FROM audit_head"], EVENTS, FaultKind::Head).await;
}

#[tokio::test]
async fn every_projected_column_has_to_agree_with_its_leaf() {
    for name in [
        "tenant_id",
        "event_id",
        "at",
        "action",
        "actor_type",
        "actor_id",
        "resource_type",
        "resource_id",
        "trace_id",
        "prev_hash",
    ] {
        let edit = format!("UPDATE audit_events SET {name} = 'forged' WHERE seq = 5");
        // A row that is labelled as another tenant's is out of this tenant's sight.
        let kind = match (engine(), name) {
            (Engine::Postgres, "tenant_id") => FaultKind::Sequence,
            _ => FaultKind::Column(name),
        };
        check_tampering(&[&edit], 5, kind).await;
    }
    let outcome = "UPDATE audit_events SET outcome = 'failed' WHERE seq = 5";
    check_tampering(&[outcome], 5, FaultKind::Column("outcome")).await;
    let hash = "UPDATE audit_events SET entry_hash = 'forged' WHERE seq = 5";
    check_tampering(&[hash], 5, FaultKind::EntryHash).await;
    let log = "UPDATE audit_events SET log = 'forged' WHERE seq = 5";
    check_tampering(&[log], 5, FaultKind::Binding).await;
}

#[tokio::test]
async fn a_leaf_that_is_not_canonical_is_found() {
    check_rewriting(5, r#"{"action""#, r#"{ "action""#, 5, FaultKind::NotCanonical).await;
    check_rewriting(5, r#""v":1}"#, r#""v":1,"v":1}"#, 5, FaultKind::NotCanonical).await;
    check_rewriting(5, r#""seq":5"#, r#""seq":5.0"#, 5, FaultKind::NotCanonical).await;
    check_rewriting(5, r#""v":1}"#, r#""v":1,"w":1}"#, 5, FaultKind::NotCanonical).await;
    check_rewriting(5, r#""type":"study""#, r#""type":"\u0073tudy""#, 5, FaultKind::NotCanonical).await;
}

#[tokio::test]
async fn an_event_dated_before_its_predecessor_is_found() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    let early = "UPDATE audit_events SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 8";
    world.site.intrude(Whose::Tenants(tenant), &[early]).await;
    rewrite(&world, tenant, 8, |leaf| {
        let (before, rest) = leaf.split_once(r#""at":""#).expect("a leaf has a time");
        let (_, after) = rest.split_once('"').expect("a text ends");
        format!(r#"{before}"at":"2020-01-01T00:00:00.000000Z"{after}"#)
    })
    .await;
    assert_eq!(verify(&world, tenant).await.fault, fault(8, FaultKind::ClockBackwards));
}

#[tokio::test]
async fn a_chain_of_another_tenant_is_not_this_tenants_chain() {
    let Some(world) = World::new().await else { return };
    let acme = tenant_with_nine_events(&world, "acme").await;
    let other = tenant_with_nine_events(&world, "other").await;
    world.site.intrude(Whose::Tenants(acme), &[]).await;
    let mut connection = world.site.connect(Whose::Tenants(acme)).await;
    let transplant = match engine() {
        Engine::Sqlite => format!(
            "DELETE FROM audit_events; DELETE FROM audit_head; ATTACH '{}' AS other;
             INSERT INTO audit_events SELECT * FROM other.audit_events;
             INSERT INTO audit_head SELECT * FROM other.audit_head;",
            world.site.tenant_file(other).display()
        ),
        Engine::Postgres => format!(
            "DELETE FROM audit_events WHERE tenant_id = '{acme}'; DELETE FROM audit_head WHERE tenant_id = '{acme}';
             UPDATE audit_events SET tenant_id = '{acme}'; UPDATE audit_head SET tenant_id = '{acme}';"
        ),
    };
    run(&mut connection, &transplant).await;
    assert_eq!(verify(&world, acme).await.fault, fault(0, FaultKind::Binding), "as it was");

    let relabel = format!("UPDATE audit_events SET log = 'cairn/audit/{acme}', tenant_id = '{acme}'");
    run(&mut connection, &relabel).await;
    run(&mut connection, &format!("UPDATE audit_head SET log = 'cairn/audit/{acme}'")).await;
    assert_eq!(verify(&world, acme).await.fault, fault(0, FaultKind::Binding), "relabelled");
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_log() {
    let Some(world) = World::new().await else { return };
    let tenant = tenant_with_nine_events(&world, "acme").await;
    let (scope, snapshot) = (world.study(tenant, "STUDY-0").await, new_snapshot("one", None));
    world.control.publish(&Actor::Operator, &scope, snapshot, &trace()).await.expect("it is the first");
    let mut connection = world.site.connect(Whose::Tenants(tenant)).await;
    let anew: &[&str] = match engine() {
        Engine::Sqlite => &[
            "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE seq = 3",
            "INSERT INTO audit_head VALUES ('cairn/audit/other', 0, 'x', x'')",
        ],
        Engine::Postgres => &[
            "TRUNCATE audit_events",
            "TRUNCATE audit_head",
            "TRUNCATE snapshots",
            "INSERT INTO audit_events SELECT * FROM audit_events WHERE seq = 3",
            "INSERT INTO audit_head VALUES ('other', 'cairn/audit/other', 0, 'x', '')",
        ],
    };
    let statements = [
        "UPDATE audit_events SET action = 'x' WHERE seq = 1",
        "DELETE FROM audit_events WHERE seq = 8",
        "UPDATE audit_head SET frontier = NULL",
        "UPDATE audit_head SET frontier = ''",
        "UPDATE audit_head SET size = 8",
        "UPDATE audit_head SET size = 10",
        "DELETE FROM audit_head",
        "UPDATE snapshots SET has_marts = 1",
        "DELETE FROM snapshots",
    ];
    for &statement in statements.iter().chain(anew) {
        let ran = sqlx::query(statement).execute(&mut connection).await;
        assert!(ran.is_err(), "{statement}: {ran:?}");
    }
    assert!(verify(&world, tenant).await.is_intact());
}
