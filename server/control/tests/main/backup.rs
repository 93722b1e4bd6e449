use std::sync::Arc;

use control::{Actor, Audience, Control, ControlError, LogState, VerifyReport};
use kernel::{Clock, Role};
use tempfile::TempDir;

use super::world::{World, engine, everywhere, study};
use crate::site::Engine;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_50_rows_are_copied_while_they_are_in_use() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let states = world.control.log_states().await.expect("the logs verify");
    assert_eq!(states.len(), 2);

    let (control, scopes) = (world.control.clone(), grants.clone());
    let writer = tokio::spawn(async move {
        for index in 0..60 {
            let scope = scopes.scope(&study(&format!("S-{index}"))).expect("the operator may build");
            control.register_study(&Actor::Operator, &scope, "a study").await.expect("it is new");
        }
    });
    let place = TempDir::new().expect("a temporary folder can be made");
    let folder = place.path().join("control");
    let files = world.control.copy_rows(&Actor::Operator, &folder).await.expect("the folder is empty");
    writer.await.expect("the writer ends well");
    if engine() == Engine::Postgres {
        assert!(files.is_empty(), "a server's rows are copied by its own tools");
        return;
    }
    assert_eq!(files.len(), 2);
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let copy = Control::open(place.path(), clock).await.expect("the copy can be opened");
    assert!(copy.verify_all().await.expect("it can be read").iter().all(VerifyReport::is_intact));
    for state in &states {
        assert!(copy.still_holds(state).await.expect("it can be read"), "{state:?}");
    }
    let tenants = &states[1];
    for wrong in [
        LogState { size: 1_000, ..tenants.clone() },
        LogState { last_hash: "0".repeat(64), ..tenants.clone() },
        LogState { log: "elsewhere".to_owned(), ..tenants.clone() },
    ] {
        assert!(!copy.still_holds(&wrong).await.expect("it can be read"), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_account_copies_nothing() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[everywhere(Role::DataEngineer)]).await;
    let actor = world.login("ada@example.org", Audience::Http).await.principal.actor();
    let place = TempDir::new().expect("a temporary folder can be made");
    let copied = world.control.copy_rows(&actor, place.path()).await;
    assert!(matches!(copied, Err(ControlError::Denied)), "{copied:?}");
    let recorded = world.control.record_backup(&actor, control::BackupStep::Made, "hash").await;
    assert!(matches!(recorded, Err(ControlError::Denied)), "{recorded:?}");
}
