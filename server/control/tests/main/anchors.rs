use std::fs;
use std::path::{Path, PathBuf};

use control::{Control, ControlError, Fault, FaultKind, OfflineReport, VerifierKey, verify_folder};
use kernel::TenantId;

use super::world::World;
use crate::second_verifier::second_verifier;
use crate::site::{Whose, copy_folder};

/// A tenant with `events` events, a checkpoint, and as many events and a checkpoint again.
async fn anchored_tenant(world: &World, events: usize) -> TenantId {
    let tenant = world.tenant("acme").await.id;
    for round in 0..2 {
        let first = usize::from(round == 0);
        for index in first..events {
            world.study(tenant, &format!("STUDY-{round}-{index}")).await;
        }
        world.control.checkpoint_now().await.expect("the logs are good");
    }
    tenant
}

async fn keys(world: &World) -> Vec<VerifierKey> {
    world.control.verifier_keys().await.expect("the keys can be read")
}

/// A folder that can be changed, which an anchor's files are not made for.
fn writable_copy(folder: &Path, to: &Path) {
    copy_folder(folder, to);
    make_writable(to);
}

fn make_writable(folder: &Path) {
    for path in files(folder) {
        let bytes = fs::read(&path).expect("the file can be read");
        fs::remove_file(&path).expect("the file can be removed");
        fs::write(&path, bytes).expect("the file can be written");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test]
async fn control_04_an_anchor_holds_every_checkpoint_and_verifies_offline_twice() {
    let Some(world) = World::anchored().await else { return };
    let tenant = anchored_tenant(&world, 300).await;
    let keys = keys(&world).await;
    let reports = verify_folder(world.anchor(), &keys).expect("the anchor can be read");
    let found: Vec<_> = reports.iter().map(|report| (report.size, report.checkpoints)).collect();
    // The system's log: three keys, the policies, the tenant, and the two checkpoints of the tenant's log.
    assert_eq!(found, [(600, 2), (7, 2)], "{reports:?}");
    assert!(reports.iter().all(|report| report.fault.is_none() && report.incomplete.is_none()));
    let log = world.anchor().join(format!("cairn/audit/{tenant}"));
    for tile in ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88"] {
        assert!(log.join(tile).is_file(), "{tile}");
    }
    assert!(!log.join("tile/0/001.p").exists(), "its full form replaces a partial tile");

    let key_file = world.folder().join("published-keys");
    let lines: Vec<String> = keys.iter().map(ToString::to_string).collect();
    fs::write(&key_file, lines.join("\n")).expect("the file can be written");
    let folder = world.anchor().display().to_string();
    let (code, answer) = second_verifier(&["--from", &folder, "--keys", &key_file.display().to_string()]);
    assert_eq!((code, &answer["verdict"]), (0, &"ok".into()), "{answer}");
    assert_eq!(answer["logs"][0]["size"], 600);

    let report = world.control.verify_tenant(tenant).await.expect("the log can be read");
    assert_eq!((report.fault, report.anchored, report.checkpoints), (None, Some(600), 2));
}

/// Changes a copy of an export and asks both verifiers.
async fn check_export(
    world: &World,
    change: impl FnOnce(&Path),
    code: i32,
    found: impl Fn(&OfflineReport) -> bool,
) {
    let (export, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    world.control.export_ledger(export.path()).await.expect("the logs are good");
    writable_copy(export.path(), copy.path());
    let tenants = fs::read_dir(copy.path().join("cairn/audit")).expect("it is there");
    let log =
        tenants.map(|entry| entry.expect("it can be read").path()).find(|path| !path.ends_with("system"));
    change(&log.expect("the tenant's log is there"));
    let reports = verify_folder(copy.path(), &keys(world).await).expect("the export can be read");
    assert!(found(&reports[0]), "{:?}", reports[0]);
    let (folder, key_file) = (copy.path().display().to_string(), export.path().join("keys"));
    let arguments = ["--from", &folder, "--keys", &key_file.display().to_string()];
    let (python, answer) = second_verifier(&arguments);
    assert_eq!(python, code, "{answer}");
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("the file is there");
    change(&mut bytes);
    fs::write(path, bytes).expect("the file can be written");
}

fn tampered(index: u64, kind: FaultKind) -> impl Fn(&OfflineReport) -> bool {
    move |report| report.fault == Some(Fault { index, kind })
}

#[tokio::test]
async fn control_04_both_verifiers_find_what_was_changed_in_an_export() {
    let Some(world) = World::new().await else { return };
    anchored_tenant(&world, 140).await;
    let (bundle, tile) = ("tile/entries/000", "tile/0/000");
    let good = |report: &OfflineReport| report.fault.is_none() && report.incomplete.is_none();
    check_export(&world, |_| {}, 0, good).await;
    let changed = |log: &Path| edit(&log.join(bundle), |bytes| bytes[40] ^= 1);
    check_export(&world, changed, 1, tampered(0, FaultKind::EntryHash)).await;
    let changed = |log: &Path| edit(&log.join(tile), |bytes| bytes[32 * 200] ^= 1);
    check_export(&world, changed, 1, tampered(200, FaultKind::EntryHash)).await;
    let changed = |log: &Path| edit(&log.join("tile/1/000.p/1"), |bytes| bytes[0] ^= 1);
    check_export(&world, changed, 1, tampered(280, FaultKind::Root { committed: 280 })).await;
    let changed = |log: &Path| {
        edit(&log.join("checkpoints/000/000/000/000/140"), |bytes| {
            let at = bytes.iter().position(|byte| *byte == b'=').expect("a root ends so") - 5;
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        });
    };
    check_export(&world, changed, 1, tampered(140, FaultKind::Checkpoint { committed: 140 })).await;
}

#[tokio::test]
async fn control_04_both_verifiers_say_when_an_export_is_not_whole() {
    let Some(world) = World::new().await else { return };
    anchored_tenant(&world, 140).await;
    let incomplete = |report: &OfflineReport| report.fault.is_none() && report.incomplete.is_some();
    for gone in ["tile/entries/000", "tile/0/001.p/24", "tile/entries/001.p/24", "tile/1/000.p/1"] {
        let removed = |log: &Path| fs::remove_file(log.join(gone)).expect("the file is there");
        check_export(&world, removed, 2, incomplete).await;
    }
    let cut = |log: &Path| edit(&log.join("tile/0/000"), |bytes| bytes.truncate(100));
    check_export(&world, cut, 2, incomplete).await;

    let export = tempfile::tempdir().expect("a folder");
    world.control.export_ledger(export.path()).await.expect("the logs are good");
    let reports = verify_folder(export.path(), &[]).expect("the export can be read");
    assert!(reports.iter().all(incomplete), "without a key nothing is proved: {reports:?}");
    assert_eq!(second_verifier(&["--from", &export.path().display().to_string()]).0, 2);
}

async fn used(control: &Control, tenant: TenantId) -> Result<(), ControlError> {
    control.operator_grants(tenant).await?;
    control.require_standing().await
}

#[tokio::test]
async fn control_06_a_tenants_log_from_a_backup_is_refused_when_it_is_opened() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.study(tenant, "BEFORE").await;
    let backup = world.site.keep(Whose::Tenants(tenant)).await;
    world.study(tenant, "AFTER").await;
    world.control.checkpoint_now().await.expect("the logs are good");
    world.site.put_back(&backup).await;

    let reopened = world.try_reopened().await.expect("the system's log stands");
    let outcome = used(&reopened, tenant).await;
    assert!(matches!(outcome, Err(ControlError::LogBehind { size: 2, committed: 3, .. })), "{outcome:?}");
    let text = outcome.expect_err("it is refused").to_string();
    assert!(text.contains("restore a copy that holds all of them"), "{text}");
    let report = reopened.verify_tenant(tenant).await.expect("it can be verified nevertheless");
    assert_eq!(report.fault, Some(Fault { index: 2, kind: FaultKind::Shortened { committed: 3 } }));
}

#[tokio::test]
async fn control_06_a_log_that_went_on_from_a_backup_is_refused() {
    let Some(world) = World::new().await else { return };
    let tenant = world.tenant("acme").await.id;
    let backup = world.site.keep(Whose::Tenants(tenant)).await;
    world.study(tenant, "FIRST").await;
    world.control.checkpoint_now().await.expect("the logs are good");
    // A process that had opened the log before goes on with the old one, up to as many events.
    world.site.put_back(&backup).await;
    world.study(tenant, "SECOND").await;

    let outcome = used(&world.try_reopened().await.expect("the system's log stands"), tenant).await;
    assert!(matches!(outcome, Err(ControlError::LogForked { committed: 2, .. })), "{outcome:?}");
}

#[tokio::test]
async fn control_06_a_whole_deployment_from_a_backup_is_refused_by_the_anchor() {
    let Some(world) = World::anchored().await else { return };
    let tenant = world.tenant("acme").await.id;
    world.control.checkpoint_now().await.expect("the logs are good");
    let backup = [world.site.keep(Whose::Systems).await, world.site.keep(Whose::Tenants(tenant)).await];
    world.study(tenant, "LATER").await;
    world.control.checkpoint_now().await.expect("the logs are good");
    for rows in &backup {
        world.site.put_back(rows).await;
    }

    let outcome = world.try_reopened().await;
    let behind = matches!(outcome, Err(ControlError::LogBehind { size: 6, committed: 7, .. }));
    assert!(behind, "{outcome:?}");
    // Without the anchor nothing tells: the rows are as they were.
    used(&world.reopened().await, tenant).await.expect("a backup agrees with itself");
}

#[tokio::test]
async fn control_06_an_anchor_that_was_changed_stops_the_start() {
    let Some(world) = World::anchored().await else { return };
    anchored_tenant(&world, 3).await;
    let system = world.anchor().join("cairn/audit/system");
    make_writable(&system);
    let newest = files(&system.join("checkpoints")).pop().expect("there is one");
    edit(&newest, |bytes| bytes[30] ^= 1);
    let outcome = world.try_reopened().await;
    assert!(matches!(outcome, Err(ControlError::AnchorUnusable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_anchor_that_was_away_catches_up() {
    let Some(world) = World::new().await else { return };
    let tenant = anchored_tenant(&world, 20).await;
    let export = tempfile::tempdir().expect("a folder");
    world.control.export_ledger(export.path()).await.expect("the logs are good");
    world.study(tenant, "MORE").await;
    let again = world.control.export_ledger(export.path()).await.expect("an export can be continued");
    assert_eq!(again.iter().map(|(_, size)| *size).collect::<Vec<_>>(), [8, 41]);
    let reports = verify_folder(export.path(), &keys(&world).await).expect("the export can be read");
    assert!(reports.iter().all(|report| report.fault.is_none()), "{reports:?}");
}
