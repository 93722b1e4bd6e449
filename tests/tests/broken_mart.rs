//! A data engineer meets a broken input: a build fails and says which table, column and rows; readers keep what they
//! have; the engineer follows the column to the file, mends it, builds again, and fills the past in.

use std::fs;

use serde_json::Value;

use crate::support::{Installation, Said};

const PLACE: [&str; 4] = ["--tenant", "house", "--study", "S1"];
const PAGE: &str = "/studies/S1/data/marts";

/// Twenty subjects of two sites; `last` is when the first one ended.
fn subjects(last: &str) -> String {
    let mut text = "STUDYID,USUBJID,SUBJID,SITEID,ARMCD,RFSTDTC,RFENDTC\n".to_owned();
    for number in 1..=20 {
        let end = if number == 1 { last } else { "2020-06-30" };
        text += &format!("S1,S1-{number:02},{number},{:03},A,2020-01-01,{end}\n", 1 + number % 2);
    }
    text
}

fn deliver(installation: &Installation, folder: &str, last: &str, extracted_at: &str) -> Said {
    let path = installation.beside(folder);
    fs::create_dir_all(&path).expect("a folder");
    fs::write(path.join("dm.csv"), subjects(last)).expect("a file");
    let said = ["ingest", "--mapping", "sdtm", "--extracted-at", extracted_at, folder];
    installation.run(&[&said[..], &PLACE].concat())
}

fn marts(installation: &Installation, words: &[&str]) -> Said {
    installation.must(&[&["marts"], words, &PLACE].concat())
}

/// What readers see of the study: its snapshot with marts.
fn current(installation: &Installation) -> String {
    let listed = marts(installation, &["history"]).out;
    let line = listed.lines().skip(1).find(|line| line.contains(" published ") && !line.contains(" as of "));
    line.and_then(|line| line.split_whitespace().last()).expect("a build was published").to_owned()
}

fn broken() -> Option<(Installation, String)> {
    let installation = Installation::with_tenant("house")?;
    let said = deliver(&installation, "january", "2020-03-31", "2026-01-31");
    assert_eq!(said.code, Some(0), "{said}");
    let before = current(&installation);
    // A year typed wrong.
    let said = deliver(&installation, "february", "2920-03-31", "2026-02-28");
    assert_eq!(said.code, Some(1), "{said}");
    Some((installation, before))
}

#[test]
fn a_broken_input_is_found_mended_and_the_past_filled_in() {
    let Some((installation, before)) = broken() else { return };
    let shown = marts(&installation, &["history", "--last"]).out;
    for said in [
        "error: mart_retention.day: not so: day is between 0 and 36525 (1 rows)",
        "day 328809",
        "nothing was published: readers stay with the former snapshot",
    ] {
        assert!(shown.contains(said), "{said} is not in:\n{shown}");
    }
    assert_eq!(current(&installation), before, "readers keep what they have");

    let followed = marts(&installation, &["lineage", "mart_retention.day"]).out;
    for said in ["dim_subject.days_on_study", "subject.ref_end_dtc:", "dm.csv (column RFENDTC), 20 rows"] {
        assert!(followed.contains(said), "{said} is not in:\n{followed}");
    }

    let mended = deliver(&installation, "mended", "2020-03-31", "2026-03-01");
    assert_eq!(mended.code, Some(0), "{mended}");
    let planned = marts(&installation, &["build", "--dry-run"]).out;
    assert!(planned.contains("0 to make, 0 to make if what they read changes, 34 to share"), "{planned}");
    assert_ne!(current(&installation), before, "the mended delivery is published");

    let range = ["backfill", "--from", "2026-01-31", "--to", "2026-03-31", "--every", "month"];
    let refused = installation.run(&[&["marts"], &range[..], &PLACE].concat());
    assert_eq!(refused.code, Some(1), "the end of February is as broken as it was: {refused}");
    assert!(
        refused.out.contains("1 of 3 instants are built; begin again with `--from 2026-02-28"),
        "{refused}"
    );
    let later = ["backfill", "--from", "2026-03-01", "--to", "2026-03-31", "--every", "month"];
    let filled = marts(&installation, &later).out;
    assert!(filled.contains("1 of 1 instants are built"), "{filled}");
    installation.check_whole("after the backfill");
}

#[test]
fn an_instant_of_the_past_is_built_once_and_read_by_its_id() {
    let Some(installation) = Installation::with_tenant("house") else { return };
    assert_eq!(deliver(&installation, "january", "2020-03-31", "2026-01-31").code, Some(0));
    let january = current(&installation);
    assert_eq!(deliver(&installation, "february", "2020-05-31", "2026-02-28").code, Some(0));
    let now = current(&installation);
    let instant = ["build", "--as-of", "2026-02-01"];
    let planned = marts(&installation, &[&instant[..], &["--dry-run"]].concat()).out;
    assert!(planned.contains("`dim_subject` is not made yet"), "{planned}");
    let built = marts(&installation, &instant).out;
    assert!(built.contains("as of 2026-01-31T00:00:00+00:00"), "{built}");
    assert!(
        built.contains("mart_retention") && built.contains("unchanged"),
        "what January had is taken over: {built}"
    );
    let again = marts(&installation, &instant).out;
    assert!(again.contains("was there already"), "{again}");
    assert_eq!(current(&installation), now, "readers stay with the newest");
    assert_ne!(january, now);
    let id = built.lines().find_map(|line| line.strip_prefix("snapshot ")).expect("it is named");
    let id = id.split(' ').next().expect("an id").to_owned();
    let server = installation.serve();
    let mut client = installation.account("house", "researcher").client(&server);
    // By hand: from 1 January to 31 March 2020 are 91 days, to 31 May 152.
    for (query, days) in [(format!("?snapshot={id}"), 91.0), (String::new(), 152.0)] {
        let address = format!("/api/v1/studies/S1/tables/mart_retention{query}");
        let rows = client.get(&server.url(&address)).json();
        assert_eq!(rows["rows"][0]["day"], days, "{address}: {rows}");
    }
    let early = installation.run(&[&["marts", "build", "--as-of", "2025-01-01"][..], &PLACE].concat());
    assert_eq!(early.code, Some(2), "{early}");
    assert!(early.errors.contains("the first cut is of 2026-01-31"), "{early}");
}

#[test]
fn the_page_shows_the_failure_its_rows_and_where_the_column_comes_from() {
    let Some((installation, _)) = broken() else { return };
    let (engineer, researcher) =
        (installation.account("house", "data_engineer"), installation.account("house", "researcher"));
    let server = installation.serve();
    let mut browser = engineer.browser(&server);
    let data = browser.get(&server.url("/studies/S1/data")).body;
    assert!(data.contains(&format!("href=\"{PAGE}\"")), "the data page leads there");
    let all = browser.get(&server.url(PAGE)).body;
    for said in [
        "readers stay with the former snapshot",
        "day is between 0 and 36525",
        &format!("{PAGE}/mart_retention"),
        "class=\"node mart failed\"",
        "clinical operations",
        "published",
    ] {
        assert!(all.contains(said), "{said} is not on the page of all marts");
    }
    let one = browser.get(&server.url(&format!("{PAGE}/mart_retention"))).body;
    for said in ["day 328809", "dim_subject.days_on_study", "subject.ref_end_dtc", "dm.csv: RFENDTC", "fails"]
    {
        assert!(one.contains(said), "{said} is not on the page of the mart");
    }
    assert_eq!(browser.get(&server.url(&format!("{PAGE}/mart_nothing"))).status, 404);
    let mut reader = researcher.browser(&server);
    for path in [PAGE.to_owned(), format!("{PAGE}/mart_retention")] {
        assert_eq!(reader.get(&server.url(&path)).status, 404, "{path} is for those who build");
    }
    let events = engineer.client(&server).get(&server.url("/api/v1/audit?limit=50")).body;
    assert!(events.contains("marts.built") && events.contains("\"failed\""), "{events}");
    assert!(
        events.contains("data.read.finished") && events.contains("mart_retention"),
        "the rows were looked at"
    );
    assert!(!events.contains("328809"), "the ledger holds no value: {events}");
    assert!(!server.log().contains("328809"), "the log holds no value");
}

// One of two events has a body system: it is published, and the word stays until the event is coded.
#[test]
fn a_warning_publishes_and_stays_until_it_is_mended() {
    let Some(installation) = Installation::with_tenant("house") else { return };
    let path = installation.beside("first");
    fs::create_dir_all(&path).expect("a folder");
    fs::write(path.join("dm.csv"), subjects("2020-03-31")).expect("a file");
    let ae = "STUDYID,USUBJID,AESEQ,AETERM,AEDECOD,AEBODSYS,AESER,AESTDTC\n\
        S1,S1-01,1,Cough,COUGH,Respiratory disorders,N,2020-01-05\nS1,S1-02,1,Itch,,,N,2020-01-06\n";
    fs::write(path.join("ae.csv"), ae).expect("a file");
    let built = installation.must(&[&["ingest", "--mapping", "sdtm", "first"][..], &PLACE].concat()).out;
    let said = "warning: mart_ae_term: not so: every event has a body system (1 rows)";
    assert!(
        built.contains(said) && built.contains("pt Itch") && built.contains("0 errors, 1 warnings"),
        "{built}"
    );
    let again = marts(&installation, &["build"]).out;
    assert!(again.contains("nothing changed") && again.contains(said), "{again}");
    let mended = ae.replace("Itch,,,", "Itch,PRURITUS,Skin disorders,");
    fs::write(path.join("ae.csv"), mended).expect("a file");
    let built = installation.must(&[&["ingest", "--mapping", "sdtm", "first"][..], &PLACE].concat()).out;
    assert!(built.contains("0 errors, 0 warnings"), "{built}");
}

#[test]
fn a_build_is_told_as_openlineage_events() {
    let Some(installation) = Installation::with_tenant("house") else { return };
    let path = installation.beside("first");
    fs::create_dir_all(&path).expect("a folder");
    fs::write(path.join("dm.csv"), subjects("2020-03-31")).expect("a file");
    let said = ["--openlineage", "events.ndjson", "ingest", "--mapping", "sdtm", "first"];
    installation.must(&[&said[..], &PLACE].concat());
    let events = fs::read_to_string(installation.beside("events.ndjson")).expect("events were written");
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str| events.iter().filter(|event| event["eventType"] == kind).count();
    // Every mart with its tests, and the build.
    let told = 2 * installation.must(&["marts", "list"]).out.matches("\n  grain:").count() + 1;
    assert_eq!((of("START"), of("COMPLETE"), of("FAIL")), (told, told, 0));
    assert!(told >= 21, "{told}");
    assert!(!events.iter().any(|event| event.to_string().contains("S1-01")), "no subject is named");
}

#[test]
fn an_unchanged_study_is_built_again_in_under_a_tenth_of_a_second() {
    let Some(installation) = Installation::demonstration() else { return };
    let place = ["--tenant", crate::support::TENANT, "--study", crate::support::STUDY];
    let built = installation.must(&[&["marts", "build"][..], &place].concat());
    assert!(built.out.contains("nothing changed: the current snapshot stays"), "{built}");
    let shown = installation.must(&[&["marts", "history", "--last", "--json"][..], &place].concat()).out;
    let run: Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(run["status"], "unchanged");
    let instant = |name: &str| {
        let text = run[name].as_str().expect("an instant");
        let (_, seconds) = text.rsplit_once(':').expect("it has seconds");
        seconds.trim_end_matches('Z').parse::<f64>().expect("a number")
    };
    let took = (instant("finished_at") - instant("started_at")).rem_euclid(60.0);
    assert!(took < 0.1, "it took {took} s");
}
