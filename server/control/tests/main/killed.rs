//! Processes that are killed while they write: what was acknowledged is there, and nothing is half there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use control::{Actor, Control, ControlSettings, DatabaseEngine, DatabaseSettings, verify_folder};
use kernel::{Clock, SystemClock, TenantId};
use tempfile::TempDir;

use crate::cluster::{self, Database};

/// Kills of each database, two at a time.
// Source: the figures to hold of the security specification, 7.1.
const KILLS: usize = 200;
const WRITERS: usize = 2;

/// Where the rows, keys and copies of a killed deployment are.
#[derive(Debug, Clone)]
struct Place {
    folder: PathBuf,
    database: Option<Database>,
}

impl Place {
    async fn open(&self) -> Control {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (data, anchor) = (self.folder.join("data"), Some(self.folder.join("anchor")));
        let engine = match &self.database {
            None => DatabaseEngine::Sqlite,
            Some(database) => DatabaseEngine::Postgres(database.settings(2)),
        };
        let database = DatabaseSettings { engine, replicas: 1 };
        let settings = ControlSettings { anchor, database, ..ControlSettings::default() };
        let opened = Control::open_at(&data, &settings, clock).await;
        opened.expect("what a killed process left can be opened")
    }

    /// The words that tell another process of it.
    fn words(&self) -> String {
        let database = self.database.as_ref().map(Database::tell);
        let database = database
            .map_or_else(|| "- -".to_owned(), |(folder, name)| format!("{} {name}", folder.display()));
        format!("{} {database}", self.folder.display())
    }

    fn of_words(mut word: impl FnMut() -> String) -> Self {
        let folder = PathBuf::from(word());
        let (place, name) = (word(), word());
        let database = (name != "-").then(|| Database::told(Path::new(&place), &name));
        Self { folder, database }
    }
}

/// Registers studies until it is killed, and tells of each that it has.
async fn write(place: &Place, tenant: TenantId, prefix: &str) {
    let control = place.open().await;
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    for number in 0_u32.. {
        let code = format!("{prefix}-{number}");
        let scope = grants.scope(&code.parse().expect("the code is valid")).expect("the operator may build");
        control.register_study(&Actor::Operator, &scope, &code).await.expect("a study can be registered");
        println!("wrote {code}");
        if number % 4 == 3 {
            control.checkpoint_now().await.expect("the logs are good");
        }
    }
}

/// The other half of the test below: a process of its own, told by its first line what to do.
#[tokio::test]
#[ignore = "it is started, and killed, by another test"]
async fn a_writer_until_it_is_killed() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the starter tells what to do");
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut word = || words.next().expect("the line has five words");
    let (tenant, prefix) = (word(), word());
    let place = Place::of_words(word);
    write(&place, tenant.parse().expect("it is a tenant's id"), &prefix).await;
}

fn start(place: &Place, tenant: TenantId, prefix: &str) -> Child {
    let program = std::env::current_exe().expect("a test knows its own file");
    let mut child = Command::new(program)
        .args(["killed::a_writer_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test can be started again");
    let stdin = child.stdin.as_mut().expect("it listens");
    writeln!(stdin, "{tenant} {prefix} {}", place.words()).expect("it listens");
    child
}

/// Kills a writer a while after its first word, and returns what it had acknowledged.
fn kill_after(mut child: Child, pause: Duration) -> Vec<String> {
    let mut output = BufReader::new(child.stdout.take().expect("it speaks"));
    let mut told = String::new();
    while !told.contains("wrote ") {
        let mut line = String::new();
        assert!(output.read_line(&mut line).expect("it speaks") > 0, "the writer ended by itself: {told}");
        told.push_str(&line);
    }
    sleep(pause);
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    output.read_to_string(&mut told).expect("what it said stays");
    // A line that was cut off was not said.
    let whole = told.rfind('\n').map_or("", |end| &told[..end]);
    whole.lines().filter_map(|line| line.split_once("wrote ")).map(|(_, code)| code.to_owned()).collect()
}

/// A folder in memory, where there is one: whoever is killed loses nothing that the system holds.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a temporary folder can be made")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_46_two_hundred_kills_of_two_writers_lose_nothing_on_sqlite() {
    let folder = scratch();
    survive_kills(Place { folder: folder.path().to_owned(), database: None }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_46_two_hundred_kills_of_two_writers_lose_nothing_on_postgres() {
    let Some(database) = cluster::database().await else { return };
    let folder = scratch();
    survive_kills(Place { folder: folder.path().to_owned(), database: Some(database.clone()) }).await;
    database.remove().await;
}

/// Kills pairs of writers while a verifier looks, and accounts for everything in the end.
async fn survive_kills(place: Place) {
    let (control, started) = (place.open().await, Instant::now());
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    let mut acknowledged = BTreeSet::new();
    for cycle in 0..(KILLS / WRITERS) as u64 {
        let children: Vec<Child> =
            (0..WRITERS).map(|writer| start(&place, tenant, &format!("C{cycle}W{writer}"))).collect();
        let killers: Vec<_> = (0..)
            .zip(children)
            .map(|(index, child)| {
                let pause = Duration::from_millis((cycle * 37 + index * 61) % 97);
                tokio::task::spawn_blocking(move || kill_after(child, pause))
            })
            .collect();
        // The verifier, beside the writers and after them.
        verify(&control, cycle).await;
        for killer in killers {
            acknowledged.extend(killer.await.expect("a writer can be killed"));
        }
        verify(&control, cycle).await;
    }
    check_all_is_there(&place, tenant, &acknowledged).await;
    println!(
        "{KILLS} kills in {:.0?}: {} events acknowledged, none lost",
        started.elapsed(),
        acknowledged.len()
    );
}

async fn verify(control: &Control, cycle: u64) {
    let reports = control.verify_new().await.expect("the logs can be read");
    assert!(reports.iter().all(control::VerifyReport::is_intact), "cycle {cycle}: {reports:?}");
}

async fn check_all_is_there(place: &Place, tenant: TenantId, acknowledged: &BTreeSet<String>) {
    let control = place.open().await;
    control.checkpoint_now().await.expect("the logs are good");
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let studies = control.studies(&grants).await.expect("they can be listed");
    let kept: BTreeSet<String> = studies.iter().map(|study| study.id.to_string()).collect();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(
        lost.is_empty() && acknowledged.len() >= KILLS,
        "{} acknowledged, lost: {lost:?}",
        acknowledged.len()
    );
    let report = control.verify_tenant(tenant).await.expect("the log can be read");
    assert_eq!(
        (report.fault, report.size),
        (None, kept.len() as u64 + 1),
        "an event for each study, and no more"
    );
    let keys = control.verifier_keys().await.expect("the keys can be read");
    let copies = verify_folder(&place.folder.join("anchor"), &keys).expect("the anchor can be read");
    assert!(copies.iter().all(|copy| copy.fault.is_none() && copy.incomplete.is_none()), "{copies:?}");
}
