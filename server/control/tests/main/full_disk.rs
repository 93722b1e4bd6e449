//! A disk that is full: what cannot be kept is refused and said, what was acknowledged stays, and once there is room
//! again everything goes on. The disk is a small one in memory, in a namespace of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use control::{
    Actor, Control, ControlSettings, DatabaseEngine, DatabaseSettings, VerifyReport, verify_folder,
};
use kernel::{Clock, SystemClock, TenantId};

use crate::cluster::{Cluster, environment, program};

/// Makes a disk of that size, and starts a test on it. PostgreSQL refuses root, so that the test is somebody else there.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size="$1" none "$2" && export TMPDIR="$2" && shift 2 &&
exec unshare -U --map-user=1000 --map-group=1000 "$@"
"#;
const ABSENCE: &str = "a disk of its own cannot be mounted here (`unshare -rm`)";

async fn open(folder: &Path) -> Control {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = ControlSettings { anchor: Some(folder.join("anchor")), ..ControlSettings::default() };
    Control::open_at(&folder.join("data"), &settings, clock).await.expect("it can be opened")
}

/// Fills the disk up to so many bytes.
fn fill(folder: &Path, left: u64) -> PathBuf {
    let path = folder.join("filler");
    let mut filler = fs::File::create(&path).expect("an empty file fits");
    while filler.write_all(&[1; 4096]).is_ok() {}
    let held = filler.metadata().expect("it is there").len();
    filler.set_len(held.saturating_sub(left)).expect("a smaller file fits");
    path
}

/// Appends until the disk is full; how many events were acknowledged, and whether the disk was why it ended.
async fn append(control: &Control, tenant: TenantId, round: usize) -> (usize, bool) {
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    for number in 0..400 {
        let code = format!("R{round}-{number}");
        let scope = grants.scope(&code.parse().expect("the code is valid")).expect("the operator may build");
        if let Err(error) = control.register_study(&Actor::Operator, &scope, &code).await {
            assert!(format!("{error:?}").contains("full"), "it is said why: {error:?}");
            return (number, true);
        }
        // In some rounds it is the copy to the anchor that meets the end of the disk.
        if round % 2 == 1 && control.checkpoint_now().await.is_err() {
            return (number + 1, true);
        }
    }
    (400, false)
}

/// The other half of the test below: it runs on the small disk, which it finds by its first line.
#[tokio::test]
#[ignore = "it is started on a small disk by another test"]
async fn what_is_kept_on_a_small_disk() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the starter tells where");
    let folder = PathBuf::from(line.trim());
    let control = open(&folder).await;
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    control.checkpoint_now().await.expect("there is room");
    let (mut kept, mut full) = (0, 0);
    for (round, left) in [0, 16, 64, 128, 256, 512, 768, 1024].into_iter().enumerate() {
        let filler = fill(&folder, left * 1024);
        let (acknowledged, ended) = append(&control, tenant, round).await;
        kept += acknowledged;
        full += usize::from(ended);
        let is_signed = control.checkpoint_now().await.is_ok();
        check(&control, tenant, kept, &format!("round {round}, full, signed: {is_signed}")).await;

        fs::remove_file(&filler).expect("it is there");
        // Who met the end of the disk goes on, and who opens it now finds the same.
        let grants = control.operator_grants(tenant).await.expect("the tenant exists");
        let code = format!("AFTER-{round}").parse().expect("the code is valid");
        let scope = grants.scope(&code).expect("the operator may build");
        control.register_study(&Actor::Operator, &scope, "After").await.expect("there is room again");
        kept += 1;
        let reopened = open(&folder).await;
        check(&reopened, tenant, kept, &format!("round {round}, with room again")).await;
        reopened.checkpoint_now().await.expect("there is room again");
        let keys = reopened.verifier_keys().await.expect("the keys can be read");
        let copies = verify_folder(&folder.join("anchor"), &keys).expect("the anchor can be read");
        assert!(copies.iter().all(|copy| copy.fault.is_none() && copy.incomplete.is_none()), "{copies:?}");
        println!("round {round}: {acknowledged} events before the disk was full");
    }
    assert!(full >= 6 && kept > 40, "the disk was full in {full} rounds, after {kept} events");
    println!("all rounds");
}

async fn check(control: &Control, tenant: TenantId, kept: usize, when: &str) {
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{when}: {reports:?}");
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let studies = control.studies(&grants).await.expect("they can be listed").len();
    assert_eq!(studies, kept, "{when}: what was acknowledged, and no more");
}

/// The same on a server whose disk is full; the keys and the anchor lie elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started on a small disk by another test"]
async fn what_a_server_keeps_on_a_small_disk() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the starter tells where");
    let disk = PathBuf::from(line.trim());
    let server = Cluster::service().await.expect("the starter has looked for it");
    let database = server.database().await;
    let keys = tempfile::tempdir_in("/tmp").expect("a folder on another disk");
    let engine = DatabaseEngine::Postgres(database.settings(4));
    let settings = ControlSettings {
        database: DatabaseSettings { engine, replicas: 1 },
        anchor: Some(keys.path().join("anchor")),
        ..ControlSettings::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let open = || Control::open_at(keys.path(), &settings, Arc::clone(&clock));
    let control = open().await.expect("it can be opened");
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let (mut acknowledged, mut unknown, mut full) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (round, left) in [0, 64, 256, 512, 1024, 2048].into_iter().enumerate() {
        let filler = fill(&disk, left * 1024);
        let mut failed = 0;
        for number in 0..3_000 {
            let code = format!("R{round}-{number}");
            let scope =
                grants.scope(&code.parse().expect("the code is valid")).expect("the operator may build");
            match control.register_study(&Actor::Operator, &scope, &code).await {
                Ok(()) => acknowledged.insert(code),
                Err(_) => {
                    failed += 1;
                    unknown.insert(code)
                }
            };
            if failed == 5 {
                break;
            }
        }
        full += usize::from(failed > 0);
        fs::remove_file(&filler).expect("it is there");
        let code = format!("AFTER-{round}");
        let scope = grants.scope(&code.parse().expect("the code is valid")).expect("the operator may build");
        let freed = Instant::now();
        while let Err(error) = control.register_study(&Actor::Operator, &scope, &code).await {
            assert!(
                freed.elapsed() < Duration::from_secs(60),
                "round {round}: it does not recover: {error:?}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        acknowledged.insert(code);
        let (took, reopened) = (freed.elapsed(), open().await.expect("there is room again"));
        for control in [&control, &reopened] {
            check_server(control, &grants, (&acknowledged, &unknown)).await;
        }
        reopened.checkpoint_now().await.expect("there is room again");
        println!(
            "round {round}: {} events kept so far, {failed} refused, up again in {took:.1?}",
            acknowledged.len()
        );
    }
    assert!(full >= 4, "the disk was full in {full} rounds");
    println!("all rounds");
    drop(server);
}

/// Everything that was acknowledged is there; what was cut off before its answer may be, and nothing else.
async fn check_server(
    control: &Control,
    grants: &kernel::Grants,
    (acknowledged, unknown): (&BTreeSet<String>, &BTreeSet<String>),
) {
    // A connection of before the server came up again is noticed when it is used.
    let mut reports = control.verify_all().await;
    for _ in 0..20 {
        if reports.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        reports = control.verify_all().await;
    }
    let reports = reports.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
    let studies = control.studies(grants).await.expect("they can be listed");
    let kept: BTreeSet<String> = studies.iter().map(|row| row.id.to_string()).collect();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(kept.iter().all(|code| acknowledged.contains(code) || unknown.contains(code)), "{kept:?}");
}

#[test]
fn control_48_on_a_full_disk_nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    on_a_small_disk("6m", "full_disk::what_is_kept_on_a_small_disk");
}

#[test]
fn control_48_a_server_whose_disk_is_full_loses_nothing_acknowledged_and_goes_on() {
    if program().is_some() {
        on_a_small_disk("128m", "full_disk::what_a_server_keeps_on_a_small_disk");
    }
}

/// Starts a test of this program on a disk of that size, and tells it where the disk is.
fn on_a_small_disk(size: &str, test: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let try_out = ["-rm", "mount", "-t", "tmpfs", "none"];
    let can_mount = Command::new("unshare").args(try_out).arg(folder.path()).stderr(Stdio::null()).status();
    if !can_mount.is_ok_and(|status| status.success()) {
        assert!(environment("CI").as_deref() != Some("true"), "{ABSENCE}, and CI needs it");
        println!("passed over: {ABSENCE}");
        return;
    }
    let mut child = Command::new("unshare")
        .args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", size])
        .arg(folder.path())
        .arg(std::env::current_exe().expect("a test knows its own file"))
        .args([test, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare starts");
    let mut stdin = child.stdin.take().expect("it listens");
    std::io::Write::write_all(&mut stdin, format!("{}\n", folder.path().display()).as_bytes())
        .expect("it listens");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    println!("{said}");
    assert!(output.status.success() && said.contains("all rounds"), "{said}\n{errors}");
}
