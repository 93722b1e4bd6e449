use std::sync::Arc;

use chrono::DateTime;
use control::{Actor, BatchRow, Control, ControlError, SnapshotRow, VerifyReport};
use kernel::{BatchId, Build, StudyScope};
use serde_json::json;
use uuid::Uuid;

use super::world::{World, new_snapshot, snapshot_id, study, trace};

pub(crate) fn new_batch(key: &str, manifest_hash: &str) -> BatchRow {
    let mut id = [0; 16];
    getrandom::fill(&mut id).expect("the machine has randomness");
    BatchRow {
        batch_id: BatchId::from_uuid(Uuid::from_bytes(id)),
        idempotency_key: key.to_owned(),
        manifest_hash: manifest_hash.to_owned(),
        receipt: json!({"rows": 3, "files": ["dm.xpt"]}),
        committed_at: DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid"),
    }
}

async fn commit(
    control: &Control,
    scope: &StudyScope<Build>,
    batch: BatchRow,
    snapshot: (&str, Option<&str>),
) -> Result<SnapshotRow, ControlError> {
    let snapshot = new_snapshot(snapshot.0, snapshot.1);
    control.commit_batch(&Actor::Operator, scope, batch, snapshot, &trace()).await
}

async fn publish(
    world: &World,
    scope: &StudyScope<Build>,
    snapshot: (&str, Option<&str>),
) -> Result<SnapshotRow, ControlError> {
    let snapshot = new_snapshot(snapshot.0, snapshot.1);
    world.control.publish(&Actor::Operator, scope, snapshot, &trace()).await
}

#[tokio::test]
async fn a_delivery_and_its_snapshot_become_visible_together() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let scope = world.study(tenant, "A").await;
    let batch = new_batch("monday", "hash");
    let row = commit(&world.control, &scope, batch.clone(), ("one", None)).await.expect("the key is new");
    assert_eq!((row.id, row.seq, row.replaces), (snapshot_id("one"), 0, None));

    let found = world.control.find_batch(&scope, "monday").await.expect("the store works");
    assert_eq!(found, Some(batch.clone()));
    assert_eq!(world.control.batches(&scope.to_read()).await.expect("the store works"), [batch]);
    let current = world.control.current_snapshot(&scope.to_read()).await.expect("the store works");
    assert_eq!(current, Some(row));
    let actions: Vec<String> = world.events(tenant).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions[..2], ["snapshot.published", "ingest.batch.committed"]);
}

#[tokio::test]
async fn a_repeated_key_finds_the_first_delivery() {
    let Some(world) = World::new().await else { return };
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    commit(&world.control, &scope, new_batch("monday", "hash"), ("one", None)).await.expect("the key is new");
    let again = commit(&world.control, &scope, new_batch("monday", "hash"), ("two", Some("one"))).await;
    assert!(matches!(again, Err(ControlError::BatchExists { .. })), "{again:?}");
    let other = commit(&world.control, &scope, new_batch("monday", "other"), ("two", Some("one"))).await;
    assert!(matches!(other, Err(ControlError::IdempotencyConflict { .. })), "{other:?}");
    assert_eq!(world.control.snapshots(&scope.to_read()).await.expect("the store works").len(), 1);
}

#[tokio::test]
async fn a_delivery_that_changes_nothing_publishes_nothing() {
    let Some(world) = World::new().await else { return };
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    commit(&world.control, &scope, new_batch("monday", "a"), ("one", None)).await.expect("the key is new");
    let row = commit(&world.control, &scope, new_batch("tuesday", "b"), ("one", Some("one"))).await;
    assert_eq!(row.expect("the key is new").seq, 0);
    assert_eq!(world.control.batches(&scope.to_read()).await.expect("the store works").len(), 2);
    assert_eq!(world.control.snapshots(&scope.to_read()).await.expect("the store works").len(), 1);
}

#[tokio::test]
async fn many_senders_of_one_key_commit_one_delivery() {
    let Some(world) = World::new().await else { return };
    let scope = Arc::new(world.study(world.tenant("acme").await.id, "A").await);
    let handles = [world.control.clone(), world.reopened().await];
    let mut senders = tokio::task::JoinSet::new();
    for index in 0..16 {
        let (control, scope) = (handles[index % 2].clone(), Arc::clone(&scope));
        senders.spawn(async move {
            commit(&control, &scope, new_batch("monday", "hash"), (&format!("try-{index}"), None)).await
        });
    }
    let outcomes = senders.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.iter().filter(|outcome| outcome.is_err()) {
        assert!(matches!(outcome, Err(ControlError::BatchExists { .. })), "{outcome:?}");
    }
    assert_eq!(world.control.batches(&scope.to_read()).await.expect("the store works").len(), 1);
    assert_eq!(world.control.snapshots(&scope.to_read()).await.expect("the store works").len(), 1);
}

#[tokio::test]
async fn a_publication_on_a_stale_snapshot_is_superseded() {
    let Some(world) = World::new().await else { return };
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    publish(&world, &scope, ("one", None)).await.expect("the first replaces none");
    publish(&world, &scope, ("two", Some("one"))).await.expect("one is current");
    for replaces in [None, Some("one"), Some("never")] {
        let stale = publish(&world, &scope, ("three", replaces)).await;
        let current = Some(snapshot_id("two"));
        assert!(
            matches!(&stale, Err(ControlError::Superseded { current: found, .. }) if *found == current),
            "{stale:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_that_publish_at_once_one_is_superseded() {
    let Some(world) = World::new().await else { return };
    let scope = Arc::new(world.study(world.tenant("acme").await.id, "A").await);
    let handles = [world.control.clone(), world.reopened().await];
    let mut current: Option<SnapshotRow> = None;
    for round in 0..30 {
        let mut publishers = tokio::task::JoinSet::new();
        for (index, control) in handles.iter().cloned().enumerate() {
            let scope = Arc::clone(&scope);
            let mut snapshot = new_snapshot(&format!("{round}-{index}"), None);
            snapshot.replaces = current.as_ref().map(|row| row.id);
            publishers
                .spawn(async move { control.publish(&Actor::Operator, &scope, snapshot, &trace()).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) = publishers.join_all().await.into_iter().partition(Result::is_ok);
        assert!(matches!(lost[..], [Err(ControlError::Superseded { .. })]), "{won:?} {lost:?}");
        current = won.into_iter().next().and_then(Result::ok);
    }
    let published = world.control.snapshots(&scope.to_read()).await.expect("the store works");
    assert_eq!(published.len(), 30);
}

#[tokio::test]
async fn publishing_the_current_snapshot_again_changes_nothing() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let scope = world.study(tenant, "A").await;
    let first = publish(&world, &scope, ("one", None)).await.expect("the first replaces none");
    let events = world.events(tenant).await.len();
    assert_eq!(publish(&world, &scope, ("one", None)).await.expect("it is current"), first);
    assert_eq!(publish(&world, &scope, ("one", Some("one"))).await.expect("it is current"), first);
    assert_eq!(world.events(tenant).await.len(), events);
}

#[tokio::test]
async fn a_correction_can_be_taken_back() {
    let Some(world) = World::new().await else { return };
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    let read = scope.to_read();
    publish(&world, &scope, ("one", None)).await.expect("the first replaces none");
    publish(&world, &scope, ("two", Some("one"))).await.expect("one is current");
    let back = publish(&world, &scope, ("one", Some("two"))).await.expect("two is current");
    assert_eq!((back.seq, back.replaces), (2, Some(snapshot_id("two"))));
    let newest = world.control.snapshot(&read, snapshot_id("one")).await.expect("the store works");
    assert_eq!(newest, Some(back));
    let seqs: Vec<u64> =
        world.control.snapshots(&read).await.expect("the store works").iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [2, 1, 0]);
}

#[tokio::test]
async fn the_newest_marts_may_belong_to_an_older_snapshot() {
    let Some(world) = World::new().await else { return };
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    let read = scope.to_read();
    assert_eq!(world.control.current_with_marts(&read).await.expect("the store works"), None);
    let mut with_marts = new_snapshot("one", None);
    with_marts.has_marts = true;
    let built =
        world.control.publish(&Actor::Operator, &scope, with_marts, &trace()).await.expect("it is first");
    publish(&world, &scope, ("two", Some("one"))).await.expect("one is current");
    assert_eq!(world.control.current_with_marts(&read).await.expect("the store works"), Some(built));
}

#[tokio::test]
async fn nothing_is_committed_to_an_unregistered_study() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let scope = grants.scope(&study("NEW")).expect("the operator may build");
    let outcome = publish(&world, &scope, ("one", None)).await;
    assert!(matches!(outcome, Err(ControlError::StudyNotRegistered { .. })), "{outcome:?}");
    let outcome = commit(&world.control, &scope, new_batch("k", "h"), ("one", None)).await;
    assert!(matches!(outcome, Err(ControlError::StudyNotRegistered { .. })), "{outcome:?}");
}

#[tokio::test]
async fn two_processes_keep_one_chain() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let handles = [world.control.clone(), world.reopened().await];
    let mut writers = tokio::task::JoinSet::new();
    for index in 0..40 {
        let control = handles[index % 2].clone();
        let scope = grants.scope(&study(&format!("S-{index}"))).expect("the operator may build");
        writers.spawn(async move { control.register_study(&Actor::Operator, &scope, "a study").await });
    }
    for outcome in writers.join_all().await {
        outcome.expect("every writer gets its turn");
    }
    for handle in handles {
        let report = handle.verify_tenant(tenant).await.expect("the log can be read");
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(report.size, 41);
        assert!(handle.verify_all().await.expect("the logs can be read").iter().all(VerifyReport::is_intact));
    }
}
