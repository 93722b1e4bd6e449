use chrono::{DateTime, TimeDelta};
use control::{Actor, ControlError, MartRunStatus, NewMartRun, NewPastSnapshot, NewSnapshot};
use kernel::{Build, RunId, StudyScope};

use super::world::{World, new_snapshot, snapshot_id, trace};

pub(super) fn run(name: &str, status: MartRunStatus, snapshot: Option<&str>) -> NewMartRun {
    let at = DateTime::from_timestamp(1_795_000_000 + i64::try_from(name.len()).expect("short"), 0);
    let at = at.expect("the time is valid");
    NewMartRun {
        id: RunId::at(at, name),
        status,
        based_on: snapshot_id("one"),
        snapshot: snapshot.map(snapshot_id),
        sources_as_of: None,
        record_key: format!("runs/{name}.json"),
        made: 3,
        shared: 7,
        errors: 0,
        warnings: 1,
        started_at: at,
        finished_at: at + TimeDelta::milliseconds(250),
    }
}

async fn study(world: &World) -> StudyScope<Build> {
    let scope = world.study(world.tenant("acme").await.id, "A").await;
    let first = new_snapshot("one", None);
    world.control.publish(&Actor::Operator, &scope, first, &trace()).await.expect("it is the first");
    scope
}

#[tokio::test]
async fn a_build_and_its_snapshot_become_visible_together() {
    let Some(world) = World::new().await else { return };
    let scope = study(&world).await;
    let built = run("a", MartRunStatus::Published, Some("two"));
    let snapshot = NewSnapshot { has_marts: true, ..new_snapshot("two", Some("one")) };
    let recorded = (built.clone(), Some(snapshot));
    world
        .control
        .record_mart_run(&Actor::Operator, &scope, recorded, &trace())
        .await
        .expect("one is current");
    assert_eq!(world.control.mart_runs(&scope.to_read(), 10).await.expect("the store works"), [built]);
    let current = world.control.current_with_marts(&scope.to_read()).await.expect("the store works");
    assert_eq!(current.map(|row| row.id), Some(snapshot_id("two")));
    let actions: Vec<String> =
        world.events(scope.tenant()).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions[..2], ["snapshot.published", "marts.built"]);
}

#[tokio::test]
async fn a_build_on_a_stale_snapshot_leaves_no_trace() {
    let Some(world) = World::new().await else { return };
    let scope = study(&world).await;
    let recorded =
        (run("a", MartRunStatus::Published, Some("three")), Some(new_snapshot("three", Some("never"))));
    let stale = world.control.record_mart_run(&Actor::Operator, &scope, recorded, &trace()).await;
    assert!(matches!(stale, Err(ControlError::Superseded { .. })), "{stale:?}");
    assert_eq!(world.control.mart_runs(&scope.to_read(), 10).await.expect("the store works"), []);
}

#[tokio::test]
async fn a_failed_build_is_kept_and_publishes_nothing() {
    let Some(world) = World::new().await else { return };
    let scope = study(&world).await;
    let failed = NewMartRun { errors: 2, ..run("bb", MartRunStatus::Failed, None) };
    let recorded = (failed.clone(), None);
    world.control.record_mart_run(&Actor::Operator, &scope, recorded, &trace()).await.expect("it is kept");
    let earlier = run("a", MartRunStatus::Unchanged, None);
    let recorded = (earlier.clone(), None);
    world.control.record_mart_run(&Actor::Operator, &scope, recorded, &trace()).await.expect("it is kept");
    let runs = world.control.mart_runs(&scope.to_read(), 10).await.expect("the store works");
    assert_eq!(runs, [failed, earlier], "newest first");
    assert_eq!(world.control.mart_runs(&scope.to_read(), 1).await.expect("the store works").len(), 1);
    let current = world.control.current_snapshot(&scope.to_read()).await.expect("the store works");
    assert_eq!(current.map(|row| row.id), Some(snapshot_id("one")));
    let event = world.events(scope.tenant()).await.remove(1);
    assert_eq!((event.action.as_str(), event.outcome.as_str()), ("marts.built", "failed"));
}

#[tokio::test]
async fn a_snapshot_of_the_past_can_be_read_and_is_never_the_current_one() {
    let Some(world) = World::new().await else { return };
    let scope = study(&world).await;
    let read = scope.to_read();
    let instant = DateTime::from_timestamp(1_700_000_000, 0).expect("the time is valid");
    let past = NewPastSnapshot {
        id: snapshot_id("then"),
        manifest_key: "manifests/then".to_owned(),
        sources_as_of: instant,
    };
    for name in ["a", "bb"] {
        let built =
            NewMartRun { sources_as_of: Some(instant), ..run(name, MartRunStatus::Published, Some("then")) };
        let recorded = (built, Some(past.clone()));
        // The second finds the same content under the same id.
        world
            .control
            .record_past_mart_run(&Actor::Operator, &scope, recorded, &trace())
            .await
            .expect("it is kept");
    }
    let found =
        world.control.past_snapshot(&read, past.id).await.expect("the store works").expect("it is there");
    assert_eq!((found.sources_as_of, found.manifest_key.as_str()), (instant, "manifests/then"));
    assert_eq!(world.control.past_snapshots(&read).await.expect("the store works").len(), 1);
    let current = world.control.current_snapshot(&read).await.expect("the store works");
    assert_eq!(current.map(|row| row.id), Some(snapshot_id("one")));
    assert_eq!(world.control.snapshots(&read).await.expect("the store works").len(), 1);
    let other = world.study(world.tenant("other").await.id, "A").await;
    assert_eq!(world.control.past_snapshot(&other.to_read(), past.id).await.expect("the store works"), None);
}
