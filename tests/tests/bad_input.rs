//! A delivery that cannot be used is refused as a whole, in words that name the place, and hurts nobody.

mod xpt;

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};
use xpt::{
    Cell::{Number, Text},
    Variable,
};

use crate::support::{Installation, Need, Server, Visitor, files_below, python};

const TENANT: &str = "acme";
const STUDY: &str = "T1";
const DM: &str = "STUDYID,USUBJID,SUBJID,SITEID,COUNTRY,ARMCD,RFSTDTC\n\
                  T1,T1-001,001,10,USA,A,2025-01-05\n\
                  T1,T1-002,002,10,USA,B,2025-01-06\n\
                  T1,T1-003,003,20,USA,A,2025-01-07\n";
const AE: &str = "STUDYID,USUBJID,AESEQ,AETERM,AESER,AESTDTC\n\
                  T1,T1-001,1,HEADACHE,N,2025-01-09\n\
                  T1,T1-001,2,NAUSEA,N,2025-01-10\n\
                  T1,T1-002,1,RASH,Y,2025-02-01\n";

/// A study with one good delivery, served while others come in.
struct Scene {
    installation: Installation,
    server: Server,
    client: Visitor,
}

impl Scene {
    fn open() -> Option<Self> {
        let installation = Installation::with_tenant(TENANT)?;
        deliver(&installation, "first", &[("dm.csv", DM.as_bytes()), ("ae.csv", AE.as_bytes())]);
        ingest(&installation, &["first"]);
        let engineer = installation.account(TENANT, "data_engineer");
        let server = installation.serve();
        let client = engineer.client(&server);
        Some(Self { installation, server, client })
    }

    fn list(&mut self, what: &str) -> Value {
        let answer = self.client.get(&self.server.url(&format!("/api/v1/studies/{STUDY}/{what}")));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// What readers see, and the receipts.
    fn published(&mut self) -> [Value; 3] {
        ["snapshots", "batches", "tables"].map(|what| self.list(what))
    }

    /// That files under a mapping are refused with `parts` in the message, and that nothing else happens.
    fn check_refused(&mut self, case: &str, files: &[(&str, &[u8])], parts: &[&str]) {
        let folder = case.replace(' ', "-");
        deliver(&self.installation, &folder, files);
        self.check_refused_as(case, &["--mapping", "sdtm", &folder], parts);
    }

    fn check_refused_as(&mut self, case: &str, arguments: &[&str], parts: &[&str]) {
        let (before, files) = (self.published(), self.tables_on_disk());
        let command = [&["ingest", "--tenant", TENANT, "--study", STUDY], arguments].concat();
        let said = self.installation.run(&command);
        assert_eq!(said.code, Some(2), "{case}: {said}");
        assert!(said.out.is_empty(), "{case}: a refusal prints no receipt: {said}");
        let missing: Vec<&&str> = parts.iter().filter(|part| !said.errors.contains(**part)).collect();
        assert!(missing.is_empty(), "{case}: the message does not name {missing:?}: {said}");
        let folder = self.installation.beside("");
        let folder = folder.to_string_lossy();
        assert!(!said.errors.contains(&*folder), "{case}: the message tells the machine's folders: {said}");
        assert_eq!(self.published(), before, "{case}: something was published");
        assert_eq!(self.tables_on_disk(), files, "{case}: tables were written");
    }

    fn tables_on_disk(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.installation.data().join("warehouse"));
        let zones = ["/canon/", "/star/", "/marts/", "/snapshots/"];
        files.retain(|file| zones.iter().any(|zone| file.to_string_lossy().contains(zone)));
        files
    }

    /// The next good delivery of the study is taken in, and everything is whole.
    fn check_goes_on(&mut self) {
        let before = self.list("snapshots").as_array().map_or(0, Vec::len);
        let more = AE.replace("RASH", "ITCHING");
        deliver(&self.installation, "next", &[("dm.csv", DM.as_bytes()), ("ae.csv", more.as_bytes())]);
        ingest(&self.installation, &["next"]);
        let after = self.list("snapshots").as_array().map_or(0, Vec::len);
        assert!(after > before, "the next delivery published nothing");
        self.installation.check_whole("after the refusals");
    }
}

#[test]
fn a_damaged_xpt_file_is_refused_by_name() {
    let Some(mut scene) = Scene::open() else { return };
    let whole = ae_xpt();
    let rows = xpt::first_row(AE_VARIABLES);
    // 3 rows of 47 bytes stand in 160: cut inside the third row, and after 80 of its bytes.
    let inside = &whole[..rows + 2 * 47 + 20];
    let card = &whole[..rows + 80];
    let no_rows_header = &whole[..rows - 80];
    let (mut first, mut last) = (whole.clone(), whole.clone());
    first[xpt::place_of_length(0) + 1] += 3;
    last[xpt::place_of_length(AE_VARIABLES - 1) + 1] += 9;
    let cases: [(&str, &[u8], &[&str]); 6] = [
        ("cut inside a row", inside, &["SAS XPT", "cut short"]),
        ("cut at a card", card, &["SAS XPT", "cut short"]),
        ("cut before the rows", no_rows_header, &["SAS XPT"]),
        ("a first variable that is too long", &first, &["SAS XPT", "USUBJID", "record length"]),
        ("a last variable that is too long", &last, &["SAS XPT", "record length"]),
        ("a text under this name", b"this is no transport file\n", &["SAS XPT", "header"]),
    ];
    for (case, bytes, parts) in cases {
        scene.check_refused(
            case,
            &[("dm.csv", DM.as_bytes()), ("ae.xpt", bytes)],
            &[&["ae.xpt"], parts].concat(),
        );
    }
    scene.check_goes_on();
}

#[test]
fn a_damaged_csv_file_is_refused_with_its_column_or_row() {
    let Some(mut scene) = Scene::open() else { return };
    let without = |column: &str| {
        let at = AE.lines().next().and_then(|header| header.split(',').position(|name| name == column));
        let at = at.expect("the header has it");
        let cut = |line: &str| {
            let cells: Vec<&str> =
                line.split(',').enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
            cells.join(",") + "\n"
        };
        AE.lines().map(cut).collect::<String>()
    };
    let no_subject = without("USUBJID");
    let no_number = without("AESEQ");
    let ragged = AE.replace("2,NAUSEA,N", "2,NAUSEA");
    let no_text = AE.replace("T1-001,2,", "T1-001,abc,");
    let foreign = AE.replace("T1,T1-002", "T2,T1-002");
    let twice = AE.replace("AESER,AESTDTC", "AESER,AESER");
    let cases: [(&str, &str, &[&str]); 6] = [
        ("no subject", &no_subject, &["`AE`", "`USUBJID`"]),
        ("no sequence number", &no_number, &["`AE`", "`AESEQ`"]),
        // The third line of the file is the second row of data.
        ("a ragged line", &ragged, &["CSV", "line: 3"]),
        ("a text where a number belongs", &no_text, &["`AE`", "AESEQ", "row 2", "abc"]),
        ("a row of another study", &foreign, &["`AE`", "STUDYID", "row 3", "T2"]),
        ("a column twice", &twice, &["CSV", "`AESER`"]),
    ];
    for (case, text, parts) in cases {
        let parts = [&["ae.csv"], parts].concat();
        scene.check_refused(case, &[("dm.csv", DM.as_bytes()), ("ae.csv", text.as_bytes())], &parts);
    }
    scene.check_goes_on();
}

#[test]
fn a_parquet_file_with_a_wrong_type_is_refused_with_its_column() {
    let Some(program) = Need::Python.path() else { return };
    let Some(mut scene) = Scene::open() else { return };
    let make = |sequence: Value| {
        let out = scene.installation.beside("ae.parquet");
        let text = |values: [&str; 3]| json!(["text", values]);
        let columns = json!({
            "STUDYID": text(["T1"; 3]), "USUBJID": text(["T1-001", "T1-002", "T1-003"]), "AESEQ": sequence,
            "AETERM": text(["A", "B", "C"]), "AESER": text(["N"; 3]), "AESTDTC": text(["2025-02-01"; 3]),
        });
        python(&program, "parquet_files.py", &["make", &out.to_string_lossy(), &columns.to_string()]);
        fs::read(&out).expect("Python wrote the file")
    };
    let (list, word, whole) = (
        make(json!(["list", [[1], [2], [3]]])),
        make(json!(["text", ["1", "abc", "3"]])),
        make(json!(["number", [1, 2, 3]])),
    );
    let cut = &whole[..whole.len() - 30];
    let cases: [(&str, &[u8], &[&str]); 4] = [
        ("a list where a number belongs", &list, &["`AE`", "`AESEQ`", "ist"]),
        ("a word where a number belongs", &word, &["`AE`", "AESEQ", "row 2", "abc"]),
        ("a file without its end", cut, &["Parquet"]),
        ("a text under this name", b"this is no Parquet", &["Parquet", "PAR1"]),
    ];
    for (case, bytes, parts) in cases {
        let parts = [&["ae.parquet"], parts].concat();
        scene.check_refused(case, &[("dm.csv", DM.as_bytes()), ("ae.parquet", bytes)], &parts);
    }
    scene.check_goes_on();
}

#[test]
fn what_nobody_can_read_is_refused_by_name() {
    let Some(mut scene) = Scene::open() else { return };
    let dm = ("dm.csv", DM.as_bytes());
    scene.check_refused("an unknown domain", &[dm, ("zz.csv", AE.as_bytes())], &["zz.csv", "`ZZ`", "`sdtm`"]);
    scene.check_refused("an empty file", &[dm, ("ae.csv", b"")], &["ae.csv", "empty"]);
    scene.check_refused("an empty transport file", &[dm, ("ae.xpt", b"")], &["ae.xpt", "empty"]);
    scene.check_refused("an empty folder", &[], &["an-empty-folder"]);
    scene.check_refused("a folder without data", &[("readme.md", b"# Read me")], &["a-folder-without-data"]);
    let image = scene.installation.beside("image.png");
    fs::write(&image, b"\x89PNG").expect("the temporary folder takes files");
    scene.check_refused_as(
        "a format nobody knows",
        &["--mapping", "sdtm", "image.png"],
        &["image.png", "format"],
    );
    scene.check_refused_as(
        "a path that is not there",
        &["--mapping", "sdtm", "nowhere.csv"],
        &["nowhere.csv"],
    );
    scene.check_goes_on();
}

#[test]
fn a_wrong_mapping_file_is_refused_by_name() {
    let Some(mut scene) = Scene::open() else { return };
    let head = "name = \"mine\"\ndescription = \"d\"\nsource_system = \"mine\"\n";
    let block = |entity: &str, column: &str| {
        format!(
            "{head}[[dataset]]\nnames = [\"DM\"]\nentity = \"{entity}\"\n[dataset.columns]\n{column} = \"USUBJID\"\n"
        )
    };
    let (no_entity, no_column) = (block("patient", "subject_id"), block("subject", "patient_number"));
    let cases: [(&str, &str, &[&str]); 4] = [
        ("no TOML", "this is = = no TOML", &["mapping"]),
        ("an unknown key", &format!("{head}colour = \"red\"\n"), &["mapping", "colour"]),
        ("an unknown entity", &no_entity, &["mapping", "patient"]),
        ("an unknown column", &no_column, &["mapping", "patient_number"]),
    ];
    deliver(&scene.installation, "good", &[("dm.csv", DM.as_bytes())]);
    for (case, text, parts) in cases {
        fs::write(scene.installation.beside("mine.toml"), text).expect("the temporary folder takes files");
        let parts = [&["mine"], parts].concat();
        scene.check_refused_as(case, &["--mapping", "mine.toml", "good"], &parts);
    }
    scene.check_refused_as("no such mapping", &["--mapping", "nowhere.toml", "good"], &["nowhere"]);
    scene.check_goes_on();
}

#[test]
fn the_same_delivery_again_gives_the_first_receipt_and_writes_nothing() {
    let Some(mut scene) = Scene::open() else { return };
    // That the marts were looked at is recorded, each time.
    let files_of = |scene: &Scene| {
        let mut files = files_below(&scene.installation.data().join("warehouse"));
        files.retain(|file| !file.components().any(|part| part.as_os_str() == "runs"));
        files
    };
    let (before, files) = (scene.published(), files_of(&scene));
    // Under the same name in another folder, too: names of folders are no part of a delivery.
    deliver(&scene.installation, "again", &[("dm.csv", DM.as_bytes()), ("ae.csv", AE.as_bytes())]);
    for folder in ["first", "again"] {
        let said = ingest(&scene.installation, &[folder]);
        assert!(said.contains("nothing was written"), "{said}");
        let first = before[1][0]["batch"].as_str().expect("the first delivery has an id");
        assert!(said.contains(first), "it is not the receipt of {first}: {said}");
    }
    assert_eq!(scene.published(), before);
    assert_eq!(files_of(&scene), files);
}

#[test]
fn a_key_stands_for_one_delivery() {
    let Some(mut scene) = Scene::open() else { return };
    let changed = AE.replace("NAUSEA", "VOMITING");
    deliver(&scene.installation, "one", &[("dm.csv", DM.as_bytes()), ("ae.csv", changed.as_bytes())]);
    ingest(&scene.installation, &["--key", "night-1", "one"]);
    let repeated = ingest(&scene.installation, &["--key", "night-1", "one"]);
    assert!(repeated.contains("nothing was written"), "{repeated}");
    let other = ["--mapping", "sdtm", "--key", "night-1", "first"];
    scene.check_refused_as("the same key with other bytes", &other, &["`night-1`", "new key"]);
    scene.check_goes_on();
}

#[test]
fn a_delivery_with_one_changed_row_counts_one() {
    let Some(mut scene) = Scene::open() else { return };
    let changed = AE.replace("NAUSEA,N", "NAUSEA,Y");
    deliver(&scene.installation, "second", &[("dm.csv", DM.as_bytes()), ("ae.csv", changed.as_bytes())]);
    ingest(&scene.installation, &["second"]);
    let batches = scene.list("batches");
    let counts = |batch: usize| -> BTreeMap<String, Value> {
        serde_json::from_value(batches[batch]["receipt"]["entities"].clone()).expect("a receipt counts")
    };
    let expected = |rows: u64, new: u64, changed: u64, unchanged: u64| json!({ "rows_in": rows, "new": new, "changed": changed, "unchanged": unchanged, "deleted": 0, "restored": 0, "quarantined": 0 });
    let [first, second] = [1, 0].map(counts);
    assert_eq!(first["adverse_event"], expected(3, 3, 0, 0));
    assert_eq!(second["adverse_event"], expected(3, 0, 1, 2));
    assert_eq!(first["subject"], expected(3, 3, 0, 0));
    assert_eq!(second["subject"], expected(3, 0, 0, 3));
    let rows = scene.list("tables/fact_ae");
    assert_eq!(rows["row_count"], 3, "an event is there once: {rows}");
    assert_eq!(rows.to_string().matches("NAUSEA").count(), 1, "{rows}");
}

#[test]
fn a_valid_transport_file_of_ours_is_taken_in() {
    let Some(mut scene) = Scene::open() else { return };
    deliver(&scene.installation, "xpt", &[("dm.csv", DM.as_bytes()), ("ae.xpt", &ae_xpt())]);
    ingest(&scene.installation, &["xpt"]);
    let receipt = scene.list("batches")[0]["receipt"].clone();
    assert_eq!(receipt["files"][0]["format"], "SAS XPT v5", "{receipt:#}");
    assert_eq!(receipt["files"][0]["rows"], 3, "{receipt:#}");
    assert_eq!(receipt["entities"]["adverse_event"]["rows_in"], 3, "{receipt:#}");
}

fn deliver(installation: &Installation, folder: &str, files: &[(&str, &[u8])]) {
    let folder = installation.beside(folder);
    fs::create_dir_all(&folder).expect("the temporary folder takes folders");
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("the temporary folder takes files");
    }
}

fn ingest(installation: &Installation, arguments: &[&str]) -> String {
    let command =
        [&["ingest", "--tenant", TENANT, "--study", STUDY, "--mapping", "sdtm"], arguments].concat();
    installation.must(&command).out
}

const AE_VARIABLES: usize = 6;

/// The events of `AE` as a transport file, 47 bytes a row.
fn ae_xpt() -> Vec<u8> {
    let variables: [Variable; AE_VARIABLES] = [
        Variable::Text("STUDYID", 2),
        Variable::Text("USUBJID", 6),
        Variable::Number("AESEQ"),
        Variable::Text("AETERM", 20),
        Variable::Text("AESER", 1),
        Variable::Text("AESTDTC", 10),
    ];
    let row = |subject, number, term, serious, day| {
        vec![Text("T1"), Text(subject), Number(number), Text(term), Text(serious), Text(day)]
    };
    let rows = [
        row("T1-001", 1, "HEADACHE", "N", "2025-01-09"),
        row("T1-001", 2, "NAUSEA", "N", "2025-01-10"),
        row("T1-002", 1, "RASH", "Y", "2025-02-01"),
    ];
    xpt::xpt("AE", &variables, &rows)
}
