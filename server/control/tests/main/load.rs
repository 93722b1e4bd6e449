//! Many transactions at once: that none sees another tenant's rows whatever is cut off, and how many a second
//! the ledger takes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use control::{
    Actor, Audience, Control, ControlSettings, Credentials, DatabaseEngine, DatabaseSettings, TableRead,
    VerifyReport,
};
use kernel::{Build, Clock, FixedClock, Role, StudyScope};
use sqlx::AnyConnection;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::cluster::{Cluster, Durability};
use crate::site::{Engine, Site, connect_file, run};
use crate::sqlite::world::{PASSWORD, new_account, only_in, snapshot_id, study, trace};

/// The machine is for one of these tests at a time.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

const TASKS: u64 = 32;
const TRANSACTIONS: u64 = 2_000;

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(chrono::DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid")))
}

/// The operator's scope on a new tenant's only study, whose code is that of the tenant.
async fn tenant(control: &Control, slug: &str) -> StudyScope<Build> {
    let tenant = control.create_tenant(&Actor::Operator, slug, slug).await.expect("the tenant is new").id;
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let scope = grants.scope(&study(&slug.to_uppercase())).expect("the operator may build");
    control.register_study(&Actor::Operator, &scope, slug).await.expect("a study can be registered");
    scope
}

/// Lets a future go on so many times, and then drops it where it stands.
pub(crate) async fn cut_off<T>(future: impl Future<Output = T>, after: u64) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    std::future::poll_fn(move |context| {
        if polls == after {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// One reader or writer of the churn: three of five transactions are cut off somewhere unless they have ended by then, two of
/// ten write.
async fn churn(control: Control, scopes: Arc<[StudyScope<Build>; 2]>, task: u64, cut: Arc<AtomicU64>) {
    for round in 0..TRANSACTIONS {
        let mine = &scopes[usize::try_from((task + round) % 2).expect("one or none")];
        let is_cut = !matches!(round % 5, 1 | 4);
        let after = if is_cut { 1 + (task + round / 5) % 3 } else { u64::MAX };
        let done = if round % 10 < 2 {
            let written = control.register_study(&Actor::Operator, mine, "again");
            cut_off(written, after).await.map(|outcome| outcome.expect("it is registered"))
        } else {
            let grants = control.operator_grants(mine.tenant()).await.expect("the tenant exists");
            cut_off(control.studies(&grants), after).await.map(|rows| {
                let rows = rows.expect("the studies can be read");
                let codes: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
                assert_eq!(codes, [mine.study().as_str()], "a row of another tenant");
            })
        };
        if done.is_none() {
            cut.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_cut_off_again_and_again_mixes_no_tenants() {
    let _alone = ALONE.lock().await;
    let Some(site) = Site::new(Engine::Postgres).await else { return };
    let control = site.open(clock()).await.expect("the site can be opened");
    let scopes = Arc::new([tenant(&control, "acme").await, tenant(&control, "other").await]);
    let (started, cut) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(churn(control.clone(), Arc::clone(&scopes), task, Arc::clone(&cut)));
    }
    tasks.join_all().await;
    let (elapsed, cut) = (started.elapsed(), cut.load(Ordering::Relaxed));
    println!(
        "pool churn: {} transactions on 4 connections, {cut} of them cut off, in {elapsed:.1?}",
        TASKS * TRANSACTIONS
    );
    assert!(cut > TASKS * TRANSACTIONS * 20 / 100, "only {cut} were cut off on their way");
    for report in control.verify_all().await.expect("the logs can be read") {
        assert!(report.is_intact(), "{report:?}");
    }
}

const MEASURED: Duration = Duration::from_secs(3);

/// What the database itself can do here: rows a second, one in each transaction, by so many writers in
/// one table.
async fn inserts_per_second(connect: impl AsyncFn() -> AnyConnection, writers: u32) -> f64 {
    let mut first = connect().await;
    let made = "CREATE TABLE IF NOT EXISTS plain_inserts (writer bigint, number bigint, leaf text)";
    run(&mut first, made).await;
    let mut connections = vec![first];
    for _ in 1..writers {
        connections.push(connect().await);
    }
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for (writer, mut connection) in (0_i64..).zip(connections) {
        tasks.spawn(async move {
            let mut inserted = 0_i64;
            while started.elapsed() < MEASURED {
                let done = sqlx::query("INSERT INTO plain_inserts VALUES ($1, $2, $3)")
                    .bind(writer)
                    .bind(inserted)
                    .bind("x".repeat(700))
                    .execute(&mut connection)
                    .await;
                done.expect("a row can be added");
                inserted += 1;
            }
            inserted
        });
    }
    let inserted: i64 = tasks.join_all().await.into_iter().sum();
    f64::from(i32::try_from(inserted).expect("a few thousand")) / started.elapsed().as_secs_f64()
}

/// Events a second, one in each transaction, by eight writers who go round the tenants.
async fn appends_per_second(control: &Control, tenants: usize) -> f64 {
    let mut scopes = Vec::new();
    for index in 0..tenants {
        scopes.push(tenant(control, &format!("t{tenants}-{index}")).await);
    }
    let scopes = Arc::new(scopes);
    let started = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let (control, scopes) = (control.clone(), Arc::clone(&scopes));
        writers.spawn(async move {
            let mut appended = 0_u32;
            while started.elapsed() < MEASURED {
                let scope = &scopes[(writer + appended as usize) % scopes.len()];
                let trace = trace();
                let event = control.rules_imported(&Actor::Operator, scope, (1, 1), &trace);
                event.await.expect("the event can be appended");
                appended += 1;
            }
            appended
        });
    }
    let appended: u32 = writers.join_all().await.into_iter().sum();
    f64::from(appended) / started.elapsed().as_secs_f64()
}

/// Events of reads a second, in one log, by so many readers at once: those that wait commit together.
async fn reads_per_second(control: &Control, readers: u32) -> f64 {
    let slug = format!("r{readers}");
    let scope = tenant(control, &slug).await;
    let email = format!("ada@{slug}.example.org");
    let account = new_account(&email, &[only_in(Role::Researcher, scope.study().as_str())]);
    let made = control.create_account(&Actor::Operator, scope.tenant(), account).await;
    made.expect("the account is new");
    let credentials = Credentials::new(&email, PASSWORD);
    let login = control.login(&credentials, Audience::Flight, &trace()).await.expect("the password is right");
    let (principal, study) = (Arc::new(login.principal), scope.study().clone());
    let started = Instant::now();
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..readers {
        let (control, principal, study) = (control.clone(), Arc::clone(&principal), study.clone());
        reading.spawn(async move {
            let mut read = 0_u32;
            while started.elapsed() < MEASURED {
                let what = TableRead {
                    door: "flight".to_owned(),
                    study: study.clone(),
                    snapshot: snapshot_id("one"),
                    table: "fact_visit".to_owned(),
                    trace: trace(),
                };
                control.read_started(&principal, what).await.expect("she may read");
                read += 1;
            }
            read
        });
    }
    let read: u32 = reading.join_all().await.into_iter().sum();
    f64::from(read) / started.elapsed().as_secs_f64()
}

async fn measure(name: &str, control: Control, reference: &str) {
    let one = appends_per_second(&control, 1).await;
    let many = appends_per_second(&control, 16).await;
    println!("{name}: {one:.0} appends/s in one log, {many:.0} in sixteen ({reference})");
    let (few, crowd) = (reads_per_second(&control, 16).await, reads_per_second(&control, 128).await);
    println!(
        "{name}: {few:.0} read events/s by 16 readers of one log, {crowd:.0} by 128 \
         (the model run in SQLite: 2189 with 16 in a transaction, 6618 with 128)"
    );
    assert!([one, many, few, crowd].iter().all(|rate| *rate > 1.0));
    let reports = control.verify_all().await.expect("the logs can be read");
    assert!(reports.iter().all(VerifyReport::is_intact), "{reports:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_takes_so_many_events_a_second_in_files() {
    let _alone = ALONE.lock().await;
    let files = Site::new(Engine::Sqlite).await.expect("SQLite is always there");
    let control = files.open(clock()).await.expect("the site can be opened");
    measure("SQLite, synchronous=FULL", control, "the model run: 123 to 192 in one").await;
    let plain = TempDir::new().expect("a temporary folder can be made");
    let file = plain.path().join("plain.sqlite");
    std::fs::write(&file, "").expect("the folder is ours");
    let plainly = inserts_per_second(
        async || {
            let mut connection = connect_file(&file).await;
            run(&mut connection, "PRAGMA journal_mode = WAL").await;
            run(&mut connection, "PRAGMA synchronous = FULL").await;
            connection
        },
        1,
    );
    println!("SQLite, plain inserts by one writer: {:.0} rows/s", plainly.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_takes_so_many_events_a_second_on_a_server() {
    let _alone = ALONE.lock().await;
    let Some(cluster) = Cluster::start(Durability::Durable).await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let plain = cluster.database().await;
    for writers in [1, 8] {
        let rows = inserts_per_second(async || plain.connect("postgres").await, writers).await;
        println!("PostgreSQL, plain inserts by {writers} writers: {rows:.0} rows/s");
    }
    let engine = DatabaseEngine::Postgres(cluster.database().await.settings(16));
    let database = DatabaseSettings { engine, replicas: 1 };
    let settings = ControlSettings { database, ..ControlSettings::default() };
    let control = Control::open_at(folder.path(), &settings, clock()).await;
    let control = control.expect("the database can be opened");
    measure("PostgreSQL, fsync=on", control, "the model run: 304 in one, 1858 in sixteen").await;
}
