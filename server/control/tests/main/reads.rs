use control::{Amount, Audience, ControlError, Outcome, Principal, TableRead};
use kernel::{Role, TenantId};
use serde_json::json;

use super::world::{World, only_in, snapshot_id, study, trace};
use crate::site::Whose;

async fn researcher(world: &World) -> (TenantId, Principal) {
    let tenant = world.tenant("acme").await.id;
    world.study(tenant, "A").await;
    world.account(tenant, "ada@example.org", &[only_in(Role::Researcher, "A")]).await;
    (tenant, world.login("ada@example.org", Audience::Flight).await.principal)
}

fn read(code: &str) -> TableRead {
    TableRead {
        door: "flight".to_owned(),
        study: study(code),
        snapshot: snapshot_id("one"),
        table: "fact_visit".to_owned(),
        trace: trace(),
    }
}

const AMOUNT: Amount = Amount { rows: 1_234, bytes: 56_789 };

#[tokio::test]
async fn a_pull_is_recorded_before_it_starts_and_when_it_ends() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    let pull = world.control.read_started(&principal, read("A")).await.expect("she may read");
    let started = world.events(tenant).await.remove(0);
    assert_eq!((started.action.as_str(), started.outcome.as_str()), ("data.read.started", "success"));
    assert!(world.site.contents(Whose::Tenants(tenant)).await["distribution_logs"].is_empty());

    let finished = world.control.read_finished(&principal, pull, read("A"), AMOUNT, Outcome::Failed).await;
    finished.expect("it ended once");
    let event = world.events(tenant).await.remove(0);
    assert_eq!((event.action.as_str(), event.outcome.as_str()), ("data.read.finished", "failed"));
    assert_eq!((event.resource_type.as_str(), event.resource_id.as_str()), ("table", "fact_visit"));
    assert_eq!(event.actor_id, principal.account().to_string());
    let expected = json!({
        "bytes": 56_789, "door": "flight", "pull": pull.to_string(), "rows": 1_234,
        "snapshot": snapshot_id("one").to_string(), "study": "A",
    });
    assert_eq!(event.data, expected);
    let listed = &world.site.contents(Whose::Tenants(tenant)).await["distribution_logs"];
    assert_eq!(listed.len(), 1);
    assert!(listed[0].contains("|'failed'|1234|56789|"), "{listed:?}");
}

#[tokio::test]
async fn a_pull_ends_once() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    let pull = world.control.read_started(&principal, read("A")).await.expect("she may read");
    world
        .control
        .read_finished(&principal, pull, read("A"), AMOUNT, Outcome::Success)
        .await
        .expect("it ends");
    let events = world.events(tenant).await.len();
    let again = world.control.read_finished(&principal, pull, read("A"), AMOUNT, Outcome::Success).await;
    assert!(matches!(again, Err(ControlError::PullEnded)), "{again:?}");
    assert_eq!(world.events(tenant).await.len(), events);
}

#[tokio::test]
async fn nobody_pulls_from_a_study_they_cannot_read() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    let events = world.events(tenant).await.len();
    let outcome = world.control.read_started(&principal, read("B")).await;
    assert!(matches!(outcome, Err(ControlError::Denied)), "{outcome:?}");
    assert_eq!(world.events(tenant).await.len(), events);
}

#[tokio::test]
async fn an_amount_beyond_what_json_keeps_exactly_is_written_out() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    let pull = world.control.read_started(&principal, read("A")).await.expect("she may read");
    let amount = Amount { rows: (1 << 53) - 1, bytes: u64::MAX };
    world
        .control
        .read_finished(&principal, pull, read("A"), amount, Outcome::Success)
        .await
        .expect("it ends");
    let data = world.events(tenant).await.remove(0).data;
    assert_eq!(data["rows"], json!(9_007_199_254_740_991_u64));
    assert_eq!(data["bytes"], json!("18446744073709551615"));
    assert!(world.control.verify_tenant(tenant).await.expect("the log can be read").is_intact());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_02_reads_that_start_together_are_recorded_once_each_before_they_return() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (control, principal) = (world.control.clone(), principal.clone());
        readers.spawn(async move {
            let pull = control.read_started(&principal, read("A")).await.expect("the ledger can be written");
            pull.to_string()
        });
    }
    let pulls: std::collections::BTreeSet<_> = readers.join_all().await.into_iter().collect();
    assert_eq!(pulls.len(), 200);
    let events = world.events(tenant).await;
    let recorded: std::collections::BTreeSet<_> = events
        .iter()
        .filter(|event| event.action == "data.read.started")
        .map(|event| event.data["pull"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(recorded, pulls);
    assert!(world.control.verify_tenant(tenant).await.expect("the log can be read").is_intact());
}

#[tokio::test]
async fn reads_that_start_together_fail_together_when_the_ledger_cannot_be_written() {
    let Some(world) = World::new().await else { return };
    let (tenant, principal) = researcher(&world).await;
    world.site.intrude(Whose::Tenants(tenant), &["DELETE FROM audit_head"]).await;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (control, principal) = (world.control.clone(), principal.clone());
        readers.spawn(async move { control.read_started(&principal, read("A")).await });
    }
    for outcome in readers.join_all().await {
        assert!(matches!(outcome, Err(ControlError::HeadMissing { .. })), "{outcome:?}");
    }
}
