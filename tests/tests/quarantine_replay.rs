//! A row that did not fit is kept, can be looked at, and lands when its file is read again through a mended mapping
//! or comes again mended. Only those who build in the study see it, and the ledger knows of each reading.

use std::fmt::Write as _;
use std::fs;

use crate::support::{Installation, Said};

const PLACE: [&str; 4] = ["--tenant", "house", "--study", "S1"];
const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID\nS1,S1-1,1,001\n";

/// The mapping of the delivery; the first one does not know that the sender writes `yes`.
fn mapping(met: &str) -> String {
    format!(
        "name = 'house'\ndescription = ''\nsource_system = 'edc'\n\
         [[dataset]]\nnames = ['dm']\nentity = 'site'\ndistinct = true\n[dataset.columns]\n\
         site_id = 'SITEID'\nstatus = {{ const = 'UNKNOWN' }}\n\
         [[dataset]]\nnames = ['dm']\nentity = 'subject'\n[dataset.columns]\nsubject_id = 'USUBJID'\n\
         subject_no = 'SUBJID'\nsite_id = 'SITEID'\ndeath_flag = {{ const = 'false' }}\nstatus = {{ const = 'ENROLLED' }}\n\
         [[dataset]]\nnames = ['ie']\nentity = 'eligibility_result'\n[dataset.columns]\nsubject_id = 'USUBJID'\n\
         ie_seq = 'IESEQ'\ncriterion_code = 'IETESTCD'\ncategory = {{ const = 'INCLUSION' }}\nmet = {met}\n"
    )
}

const FIRST: &str = "{ from = 'MET', map = { Y = 'true', N = 'false' } }";
const MENDED: &str = "{ from = 'MET', map = { Y = 'true', N = 'false', yes = 'true' } }";

fn answers(odd: &str) -> String {
    let mut text = "USUBJID,IESEQ,IETESTCD,MET\n".to_owned();
    for row in 1..=200 {
        let met = if row == 150 { odd } else { "Y" };
        let _ = writeln!(text, "S1-1,{row},I{row},{met}");
    }
    text
}

fn run(installation: &Installation, words: &[&str], rest: &[&str]) -> Said {
    installation.must(&[words, &PLACE, rest].concat())
}

fn house() -> Option<(Installation, String)> {
    let installation = Installation::with_tenant("house")?;
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("dm.csv"), DM).expect("a file");
    fs::write(folder.join("ie.csv"), answers("yes")).expect("a file");
    fs::write(installation.beside("first.toml"), mapping(FIRST)).expect("a file");
    fs::write(installation.beside("mended.toml"), mapping(MENDED)).expect("a file");
    let said = run(&installation, &["ingest"], &["--mapping", "first.toml", "--no-marts", "delivery"]);
    let batch = said.out.split_whitespace().nth(1).expect("a receipt names its batch").to_owned();
    Some((installation, batch))
}

#[test]
fn a_row_that_did_not_fit_lands_when_the_mapping_is_mended() {
    let Some((installation, batch)) = house() else { return };
    let listed = run(&installation, &["quarantine", "list"], &[]).out;
    assert!(
        listed.contains(&batch) && listed.contains("eligibility_result.met  1 rows open, first row 150"),
        "{listed}"
    );
    let shown = run(&installation, &["quarantine", "show"], &["--batch", &batch]).out;
    assert!(shown.contains("ie.csv row 150, column `MET`"), "{shown}");
    let replay = ["--batch", &batch, "--mapping", "mended.toml", "--no-marts"];
    let said = run(&installation, &["quarantine", "replay"], &replay).out;
    assert!(said.contains("1 of 1 rows that it set aside are resolved"), "{said}");
    let line =
        said.lines().find(|line| line.starts_with("eligibility_result")).expect("a receipt counts entities");
    let counts: Vec<&str> = line.split_whitespace().skip(1).collect();
    assert_eq!(counts, ["200", "1", "0", "199", "0", "0"], "one row is new, the others are as they were");
    assert!(run(&installation, &["quarantine", "list"], &[]).out.contains("no row is set aside"));
    let all = run(&installation, &["quarantine", "list"], &["--all"]).out;
    assert!(all.contains("1 rows resolved"), "{all}");
    let again = run(&installation, &["quarantine", "replay"], &replay).out;
    assert!(again.contains("read again in the same way before"), "{again}");
    installation.check_whole("after the replay");
}

#[test]
fn a_row_is_resolved_when_its_file_comes_again_and_the_older_one_is_not_read_any_more() {
    let Some((installation, batch)) = house() else { return };
    let folder = installation.beside("mended");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("ie.csv"), answers("N")).expect("a file");
    run(&installation, &["ingest"], &["--mapping", "first.toml", "--no-marts", "mended"]);
    assert!(run(&installation, &["quarantine", "list"], &[]).out.contains("no row is set aside"));
    let replay = ["quarantine", "replay", "--batch", &batch, "--mapping", "mended.toml"];
    let refused = installation.run(&[&replay[..], &PLACE].concat());
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.errors.contains("would put former values back"), "{refused}");
}

#[test]
fn the_quarantine_is_for_those_who_build_and_its_reading_is_in_the_ledger() {
    let Some((installation, batch)) = house() else { return };
    let (engineer, researcher) =
        (installation.account("house", "data_engineer"), installation.account("house", "researcher"));
    run(
        &installation,
        &["quarantine", "replay"],
        &["--batch", &batch, "--mapping", "mended.toml", "--no-marts"],
    );
    let server = installation.serve();
    let address = server.url("/api/v1/studies/S1/quarantine?all=true");
    let seen = engineer.client(&server).get(&address).json();
    let row = &seen["rows"][0];
    assert_eq!(
        (&seen["row_count"], &row["row"], &row["state"]),
        (&1.into(), &150.into(), &"resolved".into())
    );
    assert_eq!(researcher.client(&server).get(&address).status, 404);
    let events = engineer.client(&server).get(&server.url("/api/v1/audit?limit=50")).body;
    assert!(events.contains("data.read.finished") && events.contains("quarantine"), "{events}");
    assert!(
        events.contains("\"replays\"") && events.contains(&batch),
        "a replay names what it read again: {events}"
    );
    let checks = engineer.client(&server).get(&server.url("/api/v1/studies/S1/quality")).json();
    let checks = checks.as_array().expect("a list").iter();
    let quarantine =
        checks.clone().find(|check| check["check"] == "L1.quarantine").expect("the check is there");
    assert_eq!((&quarantine["violations"], &quarantine["verdict"]), (&0.into(), &"pass".into()));
}
