//! A backup that was never restored is none.

use std::{fs, time::Instant};

use crate::support::{Installation, STUDY, Said, Server, TENANT, Visitor, files_below};

const DRILLS: usize = 3;

/// What a reader sees of a study, whatever the day.
fn seen(server: &Server, reader: &mut Visitor) -> String {
    let tables = ["mart_kri", "fact_ae", "dim_site"].map(|table| {
        let address = format!("/api/v1/studies/{STUDY}/tables/{table}?limit=10000");
        reader.get(&server.url(&address)).body
    });
    tables.join("\n")
}

fn over(installation: &Installation, data: &str, arguments: &[&str]) -> Said {
    let mut command = std::process::Command::new(&installation.program);
    let output = command.arg("--data").arg(installation.beside(data)).args(arguments).output();
    let output = output.expect("the program that ./dev test built starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
}

/// The tenant's log: how many events it has and its last hash.
fn ledger(said: &Said) -> Vec<String> {
    said.out.lines().filter(|line| line.contains("ledger")).map(str::to_owned).collect()
}

#[test]
fn control_50_what_was_copied_from_a_server_at_work_is_restored_whole() {
    let Some(installation) = Installation::demonstration() else { return };
    let server = installation.serve();
    let account = installation.demo_account(TENANT, "researcher");
    let before = seen(&server, &mut account.client(&server));
    assert!(before.contains("rows"), "{before}");
    for drill in 0..DRILLS {
        let (copy, restored) = (format!("copy-{drill}"), format!("restored-{drill}"));
        let to = installation.beside(&copy);
        let to = to.to_string_lossy();
        let token = account.token(&server, "http");
        let started = Instant::now();
        let made = installation.must(&["admin", "backup", &to]);
        let copied = started.elapsed();
        let put = over(&installation, &restored, &["admin", "restore", &to]);
        assert_eq!(put.code, Some(0), "{put}");
        let took = started.elapsed() - copied;
        println!(
            "drill {drill}: copied in {copied:?}, restored in {took:?}; {} {}",
            made.out.trim(),
            put.out.trim()
        );
        for arguments in [&["audit", "verify"][..], &["doctor"]] {
            let said = over(&installation, &restored, arguments);
            assert_eq!(said.code, Some(0), "drill {drill}: {said}");
            assert!(arguments != ["doctor"] || ledger(&said).len() >= 3, "{said}");
        }
        let again = Server::start(&installation.program, &installation.beside(&restored));
        assert_eq!(seen(&again, &mut account.client(&again)), before, "drill {drill}");
        // A token from before the copy holds too: its session and the keys are there.
        assert_eq!(Visitor::new().with_token(&token).get(&again.url("/api/v1/studies")).status, 200);
    }
    drop(server);
    installation.check_whole("after the backups");
}

#[test]
fn control_50_a_copy_that_is_not_whole_is_refused_with_its_file() {
    let Some(installation) = Installation::demonstration() else { return };
    let to = installation.beside("copy");
    let place = to.to_string_lossy().into_owned();
    installation.must(&["admin", "backup", &place]);
    let again = installation.run(&["admin", "backup", &place]);
    assert!(again.code == Some(2) && again.errors.contains("is not empty"), "{again}");
    let there = installation.run(&["admin", "restore", &place]);
    assert!(there.code == Some(2) && there.errors.contains("is not empty"), "{there}");

    let parquet =
        files_below(&to).into_iter().find(|file| file.extension().is_some_and(|end| end == "parquet"));
    let parquet = parquet.expect("the warehouse holds tables");
    let mut bytes = fs::read(&parquet).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // A file of the warehouse is read-only, and so is its copy.
    fs::remove_file(&parquet).expect("the folder is ours");
    fs::write(&parquet, bytes).expect("the folder is ours");
    let changed = over(&installation, "changed", &["admin", "restore", &place]);
    assert!(changed.code == Some(2) && changed.errors.contains("is not what was copied"), "{changed}");
    fs::remove_file(to.join("backup.json")).expect("it is there");
    let half = over(&installation, "half", &["admin", "restore", &place]);
    assert!(half.code == Some(2) && half.errors.contains("no whole copy"), "{half}");
    assert!(!installation.beside("half").exists(), "nothing was made");
}

#[test]
fn control_50_a_ledger_that_lost_its_end_is_not_taken_for_whole() {
    let Some(installation) = Installation::with_tenant("acme") else { return };
    installation.account("acme", "researcher");
    let to = installation.beside("copy");
    let place = to.to_string_lossy().into_owned();
    installation.must(&["admin", "backup", &place]);
    // The list promises an event more than the log has.
    let list = to.join("backup.json");
    let text = fs::read_to_string(&list).expect("it is there");
    let mut contents: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let size = contents["logs"][1]["size"].as_u64().expect("a log has a size");
    contents["logs"][1]["size"] = (size + 1).into();
    fs::write(&list, contents.to_string()).expect("the folder is ours");
    let short = over(&installation, "short", &["admin", "restore", &place]);
    assert!(short.code == Some(1) && short.errors.contains("does not hold the"), "{short}");
}
