//! A PostgreSQL that dies under its writers. Their commits do not wait for the disk one by one, and what has not
//! reached it is lost with the server's memory: nothing of that may have been acknowledged, signed or copied.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use control::{
    Actor, Control, ControlError, ControlSettings, DatabaseEngine, DatabaseSettings, VerifyReport,
    verify_folder,
};
use kernel::{Clock, Grants, SystemClock};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::cluster::{Cluster, Database};
use crate::load::{ALONE, cut_off};
use crate::site::run;

const LOGS: usize = 4;
const WRITERS: usize = 8;
const ROUNDS: u32 = 6;
/// The longest that anything may take, the server's recovery included.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings(folder: &Path, database: &Database) -> ControlSettings {
    let engine = DatabaseEngine::Postgres(database.settings(8));
    let database = DatabaseSettings { engine, replicas: 2 };
    ControlSettings { database, anchor: Some(folder.join("anchor")), ..ControlSettings::default() }
}

async fn open(folder: &Path, database: &Database) -> Control {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let opened = Control::open_at(&folder.join("data"), &settings(folder, database), clock).await;
    opened.expect("the database can be opened")
}

/// The server's first process, and then those that it has started.
fn processes(cluster: &Cluster) -> Vec<u32> {
    let Ok(text) = fs::read_to_string(cluster.folder().join("data/postmaster.pid")) else {
        return Vec::new();
    };
    let Some(first) = text.lines().next().and_then(|line| line.parse().ok()) else { return Vec::new() };
    let mut found = vec![first];
    for entry in fs::read_dir("/proc").expect("it is a Linux").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // The parent comes second behind the name, which stands in brackets.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        if behind.split_whitespace().nth(1).and_then(|parent| parent.parse().ok()) == Some(first) {
            found.push(id);
        }
    }
    found
}

/// Whether a process serves a session of ours.
fn is_session(id: u32) -> bool {
    let title = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&title).contains(": cairn_")
}

/// Kills the whole server, or one of its sessions, for which it drops its memory and starts anew in its place. Returns
/// when all of its processes are gone that were there before.
async fn kill(cluster: &Cluster, round: u32) -> &'static str {
    let all = processes(cluster);
    let sessions: Vec<u32> = all.iter().copied().filter(|id| is_session(*id)).collect();
    assert!(!sessions.is_empty(), "the writers have sessions");
    let (what, killed) = if round.is_multiple_of(2) {
        ("the server", all)
    } else {
        ("one session", vec![sessions[round as usize * 7 % sessions.len()]])
    };
    let mut command = Command::new("kill");
    command.arg("-KILL").args(killed.iter().map(u32::to_string));
    // Some may have ended by themselves since they were listed.
    command.status().expect("every Unix knows `kill`");
    let started = Instant::now();
    while processes(cluster).iter().any(|id| sessions.contains(id)) {
        assert!(started.elapsed() < PATIENCE, "round {round}: {what} lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    what
}

/// What the writers were told, and how it stands with them.
#[derive(Default)]
struct Told {
    acknowledged: Mutex<Vec<BTreeSet<String>>>,
    failed: AtomicUsize,
    latest: [AtomicU32; WRITERS],
    is_over: AtomicBool,
}

impl Told {
    fn acknowledge(&self, writer: usize, code: String) {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        acknowledged[writer % LOGS].insert(code);
        self.latest[writer].fetch_add(1, Ordering::SeqCst);
    }

    fn acknowledged(&self) -> Vec<BTreeSet<String>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until every writer was told of something new.
    async fn all_go_on(&self, when: &str) {
        let latest = || self.latest.each_ref().map(|count| count.load(Ordering::SeqCst));
        let (before, started) = (latest(), Instant::now());
        while before.iter().zip(latest()).any(|(before, now)| *before == now) {
            assert!(
                started.elapsed() < PATIENCE,
                "{when}: a writer waits for ever: {before:?} {:?}",
                latest()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn write(control: Control, grants: Arc<Grants>, writer: usize, told: Arc<Told>) {
    for number in 0_u32.. {
        if told.is_over.load(Ordering::SeqCst) {
            return;
        }
        let code = format!("W{writer}-{number}");
        let scope = grants.scope(&code.parse().expect("the code is valid")).expect("the operator may build");
        let written = control.register_study(&Actor::Operator, &scope, &code);
        match tokio::time::timeout(PATIENCE, written).await.expect("nobody waits for ever") {
            Ok(()) => told.acknowledge(writer, code),
            Err(error) => {
                told.failed.fetch_add(1, Ordering::SeqCst);
                let expected = matches!(error, ControlError::Storage { .. } | ControlError::Busy { .. });
                assert!(expected, "{code}: {error:?}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Signs and copies without a pause, as nobody does, so that the server often dies meanwhile.
async fn sign(control: Control, told: Arc<Told>) {
    while !told.is_over.load(Ordering::SeqCst) {
        let signed = tokio::time::timeout(PATIENCE, control.checkpoint_now()).await;
        if let Err(error) = signed.expect("nobody waits for ever") {
            let expected = matches!(error, ControlError::Storage { .. } | ControlError::Busy { .. });
            assert!(expected, "a log contradicts what was signed: {error:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whoever opens it now finds every log standing, whole, and with everything that was acknowledged before.
async fn check(control: &Control, grants: &[Arc<Grants>], acknowledged: &[BTreeSet<String>]) {
    control.require_standing().await.expect("no log is behind what was signed");
    let reports = control.verify_new().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
    for (grants, acknowledged) in grants.iter().zip(acknowledged) {
        let studies = control.studies(grants).await.expect("they can be listed");
        let kept: BTreeSet<String> = studies.iter().map(|row| row.id.to_string()).collect();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_46_a_server_that_dies_again_and_again_loses_nothing_acknowledged_or_signed() {
    let _alone = ALONE.lock().await;
    let Some(cluster) = Cluster::service().await else { return };
    // An operator who takes the waiting away from one of the roles loses nothing either.
    run(&mut cluster.administrator().await, "ALTER ROLE cairn_app SET synchronous_commit = off").await;
    let (database, folder) = (cluster.database().await, TempDir::new().expect("a folder can be made"));
    let replicas = [open(folder.path(), &database).await, open(folder.path(), &database).await];
    let mut grants = Vec::new();
    for log in 0..LOGS {
        let name = format!("tenant-{log}");
        let tenant = replicas[0].create_tenant(&Actor::Operator, &name, &name).await.expect("it is new").id;
        grants.push(Arc::new(replicas[0].operator_grants(tenant).await.expect("the tenant exists")));
    }
    let told = Arc::new(Told::default());
    told.acknowledged.lock().expect("nobody else has it").resize_with(LOGS, BTreeSet::new);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (control, grants) = (replicas[writer / LOGS].clone(), Arc::clone(&grants[writer % LOGS]));
        tasks.spawn(write(control, grants, writer, Arc::clone(&told)));
    }
    tasks.spawn(sign(replicas[1].clone(), Arc::clone(&told)));

    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(u64::from(150 + round * 61 % 331))).await;
        let what = kill(&cluster, round).await;
        let (before, killed) = (told.acknowledged(), Instant::now());
        told.all_go_on(&format!("round {round}, {what} was killed")).await;
        println!("round {round}: {what} was killed, all write again after {:.1?}", killed.elapsed());
        check(&open(folder.path(), &database).await, &grants, &before).await;
    }
    told.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("nobody panicked");
    }
    let acknowledged = told.acknowledged();
    let control = open(folder.path(), &database).await;
    check(&control, &grants, &acknowledged).await;
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
    control.checkpoint_now().await.expect("the logs are good");
    let keys = control.verifier_keys().await.expect("the keys can be read");
    let copies = verify_folder(&folder.path().join("anchor"), &keys).expect("the anchor can be read");
    assert!(copies.iter().all(|copy| copy.fault.is_none() && copy.incomplete.is_none()), "{copies:?}");
    let failed = told.failed.load(Ordering::SeqCst);
    assert!(failed >= ROUNDS as usize / 2, "the server died under its writers: {failed} failures");
    let count: usize = acknowledged.iter().map(BTreeSet::len).sum();
    println!("{ROUNDS} deaths of the server: {count} events acknowledged, none lost; {failed} failed");
}

/// A database with one tenant, on a server that waits for its disk.
struct Durable {
    cluster: Cluster,
    control: Control,
    grants: Grants,
    _folder: TempDir,
}

impl Durable {
    async fn new() -> Option<Self> {
        let cluster = Cluster::service().await?;
        let folder = TempDir::new().expect("a folder can be made");
        let control = open(folder.path(), &cluster.database().await).await;
        let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
        let grants = control.operator_grants(tenant).await.expect("the tenant exists");
        Some(Self { cluster, control, grants, _folder: folder })
    }

    async fn register(&self, code: &str) -> Result<(), ControlError> {
        let scope = self.grants.scope(&code.parse().expect("the code is valid"));
        let scope = scope.expect("the operator may build");
        self.control.register_study(&Actor::Operator, &scope, code).await
    }

    /// Ends the sessions that have flushed.
    async fn end_flushers(&self) {
        self.end("LIKE").await;
    }

    /// Ends all others.
    async fn end_waiting(&self) {
        self.end("NOT LIKE").await;
    }

    async fn end(&self, is_flush: &str) {
        let mut administrator = self.cluster.administrator().await;
        let sql = format!(
            "SELECT pg_terminate_backend(pid, 5000)::int FROM pg_stat_activity
             WHERE usename IN ('cairn_app', 'cairn_system') AND query {is_flush} '%pg_logical_emit_message%'"
        );
        let ended: Vec<(i32,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut administrator)
            .await
            .expect("an administrator may end sessions");
        assert!(!ended.is_empty(), "they are there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_goes_away_while_it_waits_for_the_disk_harms_nobody() {
    let _alone = ALONE.lock().await;
    let Some(durable) = Durable::new().await else { return };
    let mut cut = 0;
    for after in 1..60 {
        let (one, other) = (format!("CUT-{after}"), format!("KEPT-{after}"));
        let (gone, kept) = tokio::join!(
            cut_off(durable.register(&one), after),
            tokio::time::timeout(PATIENCE, durable.register(&other))
        );
        cut += usize::from(gone.is_none());
        kept.expect("nobody waits for ever").expect("the other's going away is nothing to it");
    }
    // How often a future is polled before it is done, the machine decides.
    assert!(cut > 3, "only {cut} were cut off on their way");
    let reports = durable.control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_flushes_is_opened_anew_when_it_was_ended() {
    let _alone = ALONE.lock().await;
    let Some(durable) = Durable::new().await else { return };
    durable.register("ONE").await.expect("the study is new");
    durable.end_flushers().await;
    // At once nobody has noticed: the event is there, and whether it will stay cannot be known.
    let unknown = durable.register("TWO").await;
    let is_told = matches!(&unknown, Err(ControlError::Storage { step: "commit", .. }));
    assert!(is_told, "a commit counts on a flush of the session that was there before it: {unknown:?}");
    durable.register("THREE").await.expect("the session was opened anew");

    durable.end_flushers().await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    durable.register("FOUR").await.expect("a session that lay idle is asked before anything is committed");
    let studies = durable.control.studies(&durable.grants).await.expect("they can be listed");
    let codes: Vec<&str> = studies.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(codes, ["FOUR", "ONE", "THREE", "TWO"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_while_it_waited_is_replaced_unseen() {
    let _alone = ALONE.lock().await;
    let Some(durable) = Durable::new().await else { return };
    for round in 0..5 {
        durable.register(&format!("BEFORE-{round}")).await.expect("the study is new");
        durable.end_waiting().await;
        let studies = durable.control.studies(&durable.grants).await;
        assert!(studies.is_ok(), "nothing had begun that could be lost: {studies:?}");
        durable.register(&format!("AFTER-{round}")).await.expect("nothing had begun that could be lost");
    }
    let studies = durable.control.studies(&durable.grants).await.expect("they can be listed");
    assert_eq!(studies.len(), 10);
}
