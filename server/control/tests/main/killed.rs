//! Processes that are killed while they write: what was acknowledged is there, and nothing is half there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use control::{Actor, Control, ControlSettings, verify_folder};
use kernel::{Clock, SystemClock, TenantId};

const CYCLES: u64 = 40;
const WRITERS: usize = 2;

async fn open(folder: &Path) -> Control {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (data, anchor) = (folder.join("data"), Some(folder.join("anchor")));
    let settings = ControlSettings { anchor, ..ControlSettings::default() };
    let opened = Control::open_at(&data, &settings, clock).await;
    opened.expect("what a killed process left can be opened")
}

/// Registers studies until it is killed, and tells of each that it has.
async fn write(folder: &Path, tenant: TenantId, prefix: &str) {
    let control = open(folder).await;
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
    let mut word = || words.next().expect("the line has three words");
    let (folder, tenant, prefix) = (word(), word(), word());
    write(Path::new(&folder), tenant.parse().expect("it is a tenant's id"), &prefix).await;
}

fn start(folder: &Path, tenant: TenantId, prefix: &str) -> Child {
    let program = std::env::current_exe().expect("a test knows its own file");
    let mut child = Command::new(program)
        .args(["killed::a_writer_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test can be started again");
    let stdin = child.stdin.as_mut().expect("it listens");
    writeln!(stdin, "{} {tenant} {prefix}", folder.display()).expect("it listens");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_46_what_was_acknowledged_survives_forty_kills_of_two_writers() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let control = open(folder.path()).await;
    let tenant = control.create_tenant(&Actor::Operator, "acme", "Acme").await.expect("it is new").id;
    let mut acknowledged = BTreeSet::new();
    for cycle in 0..CYCLES / WRITERS as u64 {
        let children: Vec<Child> =
            (0..WRITERS).map(|writer| start(folder.path(), tenant, &format!("C{cycle}W{writer}"))).collect();
        for (index, child) in (0..).zip(children) {
            let pause = Duration::from_millis((cycle * 37 + index * 61) % 150);
            acknowledged.extend(kill_after(child, pause));
        }
        let reports = control.verify_all().await.expect("the logs can be read");
        assert!(reports.iter().all(control::VerifyReport::is_intact), "cycle {cycle}: {reports:?}");
    }
    let control = open(folder.path()).await;
    control.checkpoint_now().await.expect("the logs are good");
    let grants = control.operator_grants(tenant).await.expect("the tenant exists");
    let studies = control.studies(&grants).await.expect("they can be listed");
    let kept: BTreeSet<String> = studies.iter().map(|study| study.id.to_string()).collect();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(
        lost.is_empty() && acknowledged.len() >= 40,
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
    let copies = verify_folder(&folder.path().join("anchor"), &keys).expect("the anchor can be read");
    assert!(copies.iter().all(|copy| copy.fault.is_none() && copy.incomplete.is_none()), "{copies:?}");
}
