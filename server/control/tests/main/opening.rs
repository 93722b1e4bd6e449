use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use control::{Actor, Audience, Control, ControlError, Credentials};
use kernel::{Clock, FixedClock};

use super::world::{World, engine, study};
use crate::site::{Engine, Site, Whose};

fn fixed_clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid")))
}

#[tokio::test]
async fn processes_that_start_together_share_one_key_and_one_log() {
    let Some(site) = Site::new(engine()).await else { return };
    let site = Arc::new(site);
    let mut starters = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let site = Arc::clone(&site);
        starters.spawn(async move { site.open(fixed_clock()).await });
    }
    for control in starters.join_all().await {
        let control = control.expect("every process starts");
        control.ready().await.expect("every process is ready");
        let report = control.verify_system().await.expect("the log can be read");
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(
            report.size, 4,
            "one key for tokens, one for the ledger, one for indexes, and the policies were registered"
        );
    }
    let keys = &site.contents(Whose::Systems).await["signing_keys"];
    assert_eq!(keys.len(), 1);
    assert_eq!(site.contents(Whose::Systems).await["ledger_keys"].len(), 1);
    let mut files: Vec<_> = std::fs::read_dir(site.folder.path().join("control/keys"))
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").file_name())
        .collect();
    files.sort();
    let expected: &[&str] = match engine() {
        Engine::Sqlite => &["data", "ledger.key", "master.key", "signing.key"],
        Engine::Postgres => &["context.key", "data", "ledger.key", "master.key", "signing.key"],
    };
    assert_eq!(files, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_key_and_enter_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let Some(world) = World::new().await else { return };
    for (path, mode) in [
        ("control", 0o700),
        ("control/keys", 0o700),
        ("control/keys/ledger.key", 0o600),
        ("control/keys/signing.key", 0o600),
    ] {
        let found = std::fs::metadata(world.folder().join(path)).expect("it is there").permissions().mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    let pem = std::fs::read_to_string(world.folder().join("control/keys/signing.key")).expect("it is text");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"), "PKCS#8");
}

#[tokio::test]
async fn a_token_outlives_the_process_that_issued_it() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.account(tenant, "ada@example.org", &[]).await;
    let login = world.login("ada@example.org", Audience::Http).await;
    let reopened = world.reopened().await;
    reopened.authenticate(&login.token, Audience::Http).await.expect("the key is the same");
}

#[tokio::test]
async fn a_database_that_other_code_migrated_is_refused() {
    let Some(world) = World::new().await else { return };
    let edit = match engine() {
        Engine::Sqlite => "UPDATE schema_migrations SET sha256 = 'other' WHERE name LIKE '%tenants'",
        Engine::Postgres => {
            "UPDATE cairn_schema.schema_migrations SET sha256 = 'other' WHERE name LIKE '%keeper'"
        }
    };
    world.site.intrude(Whose::Systems, &[edit]).await;
    let outcome = world.site.open(fixed_clock()).await;
    assert!(matches!(outcome, Err(ControlError::MigrationChanged { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_broken_key_file_is_refused_and_kept() {
    let Some(world) = World::new().await else { return };
    let path = world.folder().join("control/keys/signing.key");
    std::fs::write(&path, "nonsense").expect("the file is ours");
    let outcome = world.site.open(fixed_clock()).await;
    assert!(matches!(outcome, Err(ControlError::KeyFile { .. })), "{outcome:?}");
    assert_eq!(std::fs::read_to_string(&path).expect("it is text"), "nonsense");
}

#[tokio::test]
async fn a_clock_that_fell_back_stops_the_ledger_until_it_is_set_right() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let grants = world.control.operator_grants(tenant).await.expect("the tenant exists");
    let scope = grants.scope(&study("A")).expect("the operator may build");
    world.clock.advance(TimeDelta::seconds(-6));
    let outcome = world.control.register_study(&Actor::Operator, &scope, "A").await;
    assert!(matches!(outcome, Err(ControlError::ClockBehind { seconds: 6, .. })), "{outcome:?}");
    world.clock.advance(TimeDelta::seconds(1));
    world.control.register_study(&Actor::Operator, &scope, "A").await.expect("five seconds are tolerated");
    assert!(world.control.verify_tenant(tenant).await.expect("the log can be read").is_intact());
}

#[test]
fn every_operation_can_be_awaited_on_any_thread() {
    fn require_send<T: Send>(_: impl Fn(Control) -> T) {}
    require_send(|control| async move {
        let trace = super::world::trace();
        let login = control.login(&Credentials::new("", ""), Audience::Http, &trace).await?;
        let principal = login.principal;
        control.logout(&principal, &trace).await?;
        control.studies(principal.grants()).await?;
        control.verify_all().await?;
        let scope = principal.grants().scope(&study("A"))?;
        let batch = super::commits::new_batch("k", "h");
        let snapshot = super::world::new_snapshot("one", None);
        control.commit_batch(&principal.actor(), &scope, batch, snapshot, &trace).await
    });
}
