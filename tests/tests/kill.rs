//! The power may fail at any moment: what was published stays readable, and running again completes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Installation, Need, copy_folder, files_below, python};

const TENANT: &str = "acme";
const STUDY: &str = "SIM-001";
const DELIVERIES: usize = 5;
/// How often each ingest and each build is killed before it may complete.
const KILLS: usize = 2;
const TENTHS: usize = 10;
/// Of the 20 processes that were to be killed, so many have to have been alive then.
const KILLED_AT_LEAST: usize = 12;
const SEED: u64 = 20_260_914;

/// Moments by chance from one seed, one from each tenth of a run: no part of a run is left out.
struct Moments(u64);

impl Moments {
    /// A share of the run's duration.
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    fn next_in(&mut self, tenth: usize) -> f64 {
        // Source: the generator of PCG's paper, O'Neill 2014, without its output function.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (self.0 >> 33) as f64 / (1_u64 << 31) as f64;
        (tenth as f64 + share) / TENTHS as f64
    }
}

/// A table of the published manifest: its rows, and the hashes of its files.
type Tables = BTreeMap<String, (u64, Vec<String>)>;

#[test]
fn a_killed_ingest_or_build_leaves_the_last_snapshot_and_can_be_run_again() {
    let Some(undisturbed) = studied() else { return };
    let Some(disturbed) = Installation::with_tenant(TENANT) else { return };
    for number in 0..DELIVERIES {
        let name = delivery(number);
        copy_folder(&undisturbed.beside(&name), &disturbed.beside(&name));
    }
    let took: Vec<[Duration; 2]> =
        (0..DELIVERIES).map(|number| commands(number).map(|c| time(&undisturbed, &c))).collect();
    // The runs were timed while other tests ran: a process that ended before its kill says that they are faster now.
    let (mut moments, mut killed, mut pace) = (Moments(SEED), 0, 0.8);
    for (number, took) in took.iter().enumerate() {
        for (command, took) in commands(number).iter().zip(took) {
            for kill in 0..KILLS {
                // An early and a late moment of each, in another order for each delivery.
                let tenth = (number * 7 + kill * TENTHS / KILLS) % TENTHS;
                let after = took.mul_f64(pace * moments.next_in(tenth));
                if killed_after(&disturbed, command, after) {
                    killed += 1;
                } else {
                    pace *= 0.7;
                }
                disturbed.check_whole(&format!("`{}` killed after {after:?} of {took:?}", command.join(" ")));
            }
            run_all(&disturbed, std::slice::from_ref(command));
        }
    }
    assert!(killed >= KILLED_AT_LEAST, "only {killed} of {} were killed alive", 2 * DELIVERIES * KILLS);
    disturbed.check_whole("after all");
    let (expected, found) = (published(&undisturbed), published(&disturbed));
    let rows = |tables: &Tables| {
        tables.iter().map(|(name, table)| (name.clone(), table.0)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(rows(&found), rows(&expected), "rows of the tables differ from those of an undisturbed run");
    // Built from the same deliveries, they are equal byte for byte.
    // What the checks found names the delivery of each row, whose id follows from the time.
    let names_deliveries = |name: &str| ["quality_check", "quality_finding"].contains(&name);
    let other: Vec<&String> =
        found.keys().filter(|name| !names_deliveries(name) && found[*name] != expected[*name]).collect();
    assert!(other.is_empty(), "files of {other:?} differ from those of an undisturbed run");
    assert_eq!(staged(&disturbed.data()), Vec::<PathBuf>::new(), "killed runs left files in staging");
}

#[test]
fn a_server_goes_on_answering_while_an_ingest_is_killed() {
    let Some(installation) = studied() else { return };
    run_all(&installation, &commands(0));
    let took = Duration::from_millis(900);
    let researcher = installation.account(TENANT, "researcher");
    let server = installation.serve();
    let mut client = researcher.client(&server);
    let url = server.url(&format!("/api/v1/studies/{STUDY}/tables/mart_kri?limit=10000"));
    let before = client.get(&url);
    assert_eq!(before.status, 200, "{}", before.body);
    for tenth in [2, 5, 8] {
        let [ingest, _] = commands(1);
        killed_after(&installation, &ingest, took.mul_f64(Moments(SEED).next_in(tenth)));
        let during = client.get(&url);
        assert_eq!((during.status, &during.body), (200, &before.body), "what readers see changed");
    }
    run_all(&installation, &commands(1));
    let after = client.get(&url).json();
    assert_ne!(after["snapshot"], before.json()["snapshot"], "the new snapshot is not served");
}

/// An installation with a study of 60 sites beside it, in deliveries that differ in some laboratory values.
fn studied() -> Option<Installation> {
    let program = Need::Python.path()?;
    let installation = Installation::with_tenant(TENANT)?;
    let first = delivery(0);
    installation.must(&["simulate", &first, "--sites", "60", "--subjects-per-site", "20"]);
    let laboratory = installation.beside(&first).join("lb.parquet");
    for number in 1..DELIVERIES {
        let folder = installation.beside(&delivery(number));
        copy_folder(&installation.beside(&first), &folder);
        let (from, to) = (laboratory.to_string_lossy(), folder.join("lb.parquet"));
        let (by, every) = (number.to_string(), (40 + number).to_string());
        let arguments = ["add", &from, &to.to_string_lossy(), "lbstresn", &by, "--every", &every];
        let changed = python(&program, "parquet_files.py", &arguments);
        assert!(changed["values"].as_u64() > Some(100), "{changed}");
    }
    Some(installation)
}

fn delivery(number: usize) -> String {
    format!("delivery-{number}")
}

/// Taking a delivery in, and building the marts over it.
fn commands(number: usize) -> [Vec<String>; 2] {
    let place = ["--tenant", TENANT, "--study", STUDY];
    let owned = |words: &[&[&str]]| words.concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let folder = delivery(number);
    let ingest = owned(&[&["ingest"], &place, &["--no-marts", &folder]]);
    [ingest, owned(&[&["marts", "build"], &place])]
}

fn time(installation: &Installation, command: &[String]) -> Duration {
    let started = Instant::now();
    installation.must(&words(command));
    started.elapsed()
}

fn run_all(installation: &Installation, commands: &[Vec<String>]) {
    for command in commands {
        installation.must(&words(command));
    }
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// Starts a command and kills it as `kill -9` does. Whether it was still alive then.
fn killed_after(installation: &Installation, command: &[String], after: Duration) -> bool {
    let mut child: Child = installation
        .command(&words(command))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program that ./dev test built starts");
    thread::sleep(after);
    let was_alive = child.try_wait().expect("a child process can be asked for its state").is_none();
    // It may end by itself between the question and this.
    drop(child.kill());
    child.wait().expect("a killed process ends");
    was_alive
}

/// The tables of the newest manifest with marts.
fn published(installation: &Installation) -> Tables {
    let built = installation.must(&["marts", "build", "--tenant", TENANT, "--study", STUDY]);
    assert!(built.out.contains("nothing changed"), "the marts were not built: {built}");
    let researcher = installation.account(TENANT, "researcher");
    let server = installation.serve();
    let url = server.url(&format!("/api/v1/studies/{STUDY}/snapshots"));
    let snapshots = researcher.client(&server).get(&url).json();
    let id = snapshots[0]["snapshot"].as_str().expect("the newest comes first").to_owned();
    assert_eq!(snapshots[0]["has_marts"], true, "{snapshots:#}");
    let warehouse = installation.data().join("warehouse");
    let tenant = fs::read_dir(&warehouse).expect("the data folder has a warehouse").next();
    let tenant = tenant.expect("it holds the tenant").expect("the folder can be read").path();
    let path = tenant.join("snapshots").join(STUDY).join(format!("{id}.json"));
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("the manifest is there")).expect("it is JSON");
    let tables = manifest["tables"].as_object().expect("a manifest lists its tables");
    tables.iter().map(|(name, table)| (name.clone(), content(table))).collect()
}

fn content(table: &Value) -> (u64, Vec<String>) {
    let files = table["files"].as_array().expect("a table lists its files");
    let rows = files.iter().filter_map(|file| file["rows"].as_u64()).sum();
    let hashes = files.iter().filter_map(|file| file["blake3"].as_str().map(str::to_owned)).collect();
    (rows, hashes)
}

/// The files that lie in the tenants' staging folders. A lock is empty and stays for the next who comes.
fn staged(data: &Path) -> Vec<PathBuf> {
    let mut found = files_below(&data.join("warehouse"));
    found.retain(|file| file.components().any(|part| part.as_os_str() == "staging"));
    found.retain(|file| !file.to_string_lossy().ends_with("lock"));
    found
}
