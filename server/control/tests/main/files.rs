//! What holds for SQLite's files alone.

use std::path::Path;

use control::{
    Actor, Control, ControlError, ControlSettings, DatabaseEngine, DatabaseSettings, Fault, FaultKind,
};
use kernel::{FixedClock, TenantId};
use uuid::Uuid;

use crate::site::Engine;
use crate::sqlite::world::{World, engine};

async fn world() -> World {
    assert_eq!(engine(), Engine::Sqlite);
    World::new().await.expect("SQLite is always there")
}

#[tokio::test]
async fn a_missing_file_is_a_fault_and_hides_no_other_log() {
    let world = world().await;
    let tenant = world.tenant("acme").await.id;
    std::fs::remove_file(world.site.tenant_file(tenant)).expect("the file is there");
    let reports = world.reopened().await.verify_all().await.expect("the other logs can be read");
    assert_eq!(reports.len(), 2);
    assert!(reports[0].is_intact());
    assert_eq!(reports[1].fault, Some(Fault { index: 0, kind: FaultKind::FileMissing }));
}

#[tokio::test]
async fn a_file_of_a_tenant_that_is_not_listed_is_never_opened() {
    let world = world().await;
    let stranger = TenantId::from_uuid(Uuid::from_u128(7));
    assert!(matches!(world.control.operator_grants(stranger).await, Err(ControlError::Denied)));
    assert!(!world.site.tenant_file(stranger).exists(), "asking makes no file");
    let known = world.tenant("acme").await.id;
    std::fs::copy(world.site.tenant_file(known), world.site.tenant_file(stranger)).expect("the file is ours");
    assert!(matches!(world.control.operator_grants(stranger).await, Err(ControlError::Denied)));
}

/// Texts that try to be a path where a tenant's id belongs.
const NAMES: [&str; 20] = [
    "",
    ".",
    "..",
    "/",
    "../system",
    "..\\system",
    "../../etc/passwd",
    "/etc/passwd",
    "%2e%2e%2fsystem",
    "..%2fsystem",
    "system",
    "system.sqlite",
    "file:system.sqlite",
    "sqlite://system.sqlite?mode=rwc",
    ":memory:",
    "01890a5d-ac96-774b-bcce-b302099a8057/../../system",
    "01890a5d-ac96-774b-bcce-b302099a8057\0",
    "01890a5d-ac96-774b-bcce-b302099a8057?mode=memory",
    "01890a5d-ac96-774b-bcce-b302099a8057.sqlite",
    "01890a5d-ac96-774b-bcce-b302099a805\u{ff17}",
];

/// What can stand in a tenant's place instead of its file.
const PLACES: [&str; 6] =
    ["another tenant's file", "the system's file", "/etc/passwd", "nothing", "a folder", "itself"];

#[cfg(unix)]
#[tokio::test]
async fn thirty_paths_lead_to_no_other_file() {
    use std::os::unix::fs::symlink;
    let mut probes = 0;
    for name in NAMES {
        assert!(name.parse::<TenantId>().is_err(), "{name:?}");
        probes += 1;
    }
    for place in PLACES {
        let world = world().await;
        let (acme, other) = (world.tenant("acme").await.id, world.tenant("other").await.id);
        let link = world.site.tenant_file(acme);
        std::fs::remove_file(&link).expect("the file is there");
        let target = match place {
            "another tenant's file" => world.site.tenant_file(other),
            "the system's file" => world.site.system_file(),
            "nothing" => world.folder().join("nothing"),
            "a folder" => world.folder().to_owned(),
            "itself" => link.clone(),
            path => Path::new(path).to_owned(),
        };
        symlink(&target, &link).expect("a link can be made");
        let outcome = world.control.operator_grants(acme).await;
        assert!(matches!(outcome, Err(ControlError::File { .. })), "{place}: {outcome:?}");
        assert!(!world.folder().join("nothing").exists(), "a link to nothing makes nothing");
        probes += 1;
    }
    for garbage in ["folder", "no database", "empty"] {
        let world = world().await;
        let acme = world.tenant("acme").await.id;
        let path = world.site.tenant_file(acme);
        std::fs::remove_file(&path).expect("the file is there");
        match garbage {
            "folder" => std::fs::create_dir(&path).expect("a folder can be made"),
            "empty" => std::fs::write(&path, "").expect("the file is ours"),
            _ => std::fs::write(&path, [b'x'; 8192]).expect("the file is ours"),
        }
        if garbage == "empty" {
            let report = world.control.verify_tenant(acme).await.expect("an empty file is an empty database");
            assert_eq!(report.fault, Some(Fault { index: 0, kind: FaultKind::Head }));
            let scope = world.control.operator_grants(acme).await.expect("it opens");
            let scope = scope.scope(&crate::sqlite::world::study("A")).expect("the operator may build");
            let outcome = world.control.register_study(&Actor::Operator, &scope, "A").await;
            assert!(matches!(outcome, Err(ControlError::HeadMissing { .. })), "{outcome:?}");
        } else {
            let outcome = world.control.operator_grants(acme).await;
            assert!(matches!(outcome, Err(ControlError::Storage { .. })), "{garbage}: {outcome:?}");
        }
        probes += 1;
    }
    let world = world().await;
    let system = world.site.system_file();
    let moved = world.folder().join("moved.sqlite");
    std::fs::rename(&system, &moved).expect("the file is ours");
    symlink(&moved, &system).expect("a link can be made");
    let clock = std::sync::Arc::clone(&world.clock) as std::sync::Arc<dyn kernel::Clock>;
    let outcome = Control::open(world.folder(), clock).await;
    assert!(matches!(outcome, Err(ControlError::File { .. })), "{outcome:?}");
    assert_eq!(probes + 1, 30);
}

#[tokio::test]
async fn a_data_folder_may_have_any_name() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for name in ["a b", "100%41", "q?mode=memory", "h#ash", "ü", "x&y=z", "back\\slash"] {
        let data = folder.path().join(name);
        let clock = std::sync::Arc::new(FixedClock(chrono::DateTime::UNIX_EPOCH));
        let control = Control::open(&data, clock).await;
        let control = control.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("the tenant is new");
        assert!(data.join("control/system.sqlite").is_file(), "{name}");
    }
}

#[tokio::test]
async fn files_do_not_serve_two_replicas() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let database = DatabaseSettings { engine: DatabaseEngine::Sqlite, replicas: 2 };
    let settings = ControlSettings { database, ..ControlSettings::default() };
    let clock = std::sync::Arc::new(FixedClock(chrono::DateTime::UNIX_EPOCH));
    let outcome = Control::open_at(folder.path(), &settings, clock).await;
    let error = outcome.expect_err("SQLite's locks do not reach over a network");
    assert!(matches!(error, ControlError::SqliteShared { replicas: 2 }), "{error:?}");
    assert!(error.to_string().contains("choose PostgreSQL"), "{error}");
    assert!(!folder.path().join("control").exists(), "nothing was made");
}
