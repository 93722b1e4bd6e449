//! Every record of three public sources arrives through its mapping, and none is set aside.
//!
//! Source of the expected numbers: `INVENTORY.csv` of the oracle data (read back with pyreadstat 1.3.7 and
//! pyarrow); where a number is of some rows of a file only, it was counted with DuckDB 2.0 in Python.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{Installation, Need};

/// OMOP CDM 5.4, 28 simulated persons, all 39 tables.
#[test]
fn every_record_of_an_omop_database_arrives() {
    let Some(python) = Need::Python.path() else { return };
    let unzip = |folder: &Path, oracles: &Path| unzip_omop(&python, oracles, folder);
    let Some(receipt) = take_in("NJ", unzip) else { return };
    assert_eq!(receipt["mapping"], "omop");
    check_entities(
        &receipt,
        &[
            ("study", 1),
            ("subject", 28),
            ("subject_element", 28),
            ("disposition", 3),
            ("visit", 1_791),
            ("medical_history", 470),
            ("con_med", 883),
            ("procedure", 1_649),
            // Of 10,040 measurements those whose concept is of the class `Lab Test`.
            ("lab_result", 4_517),
            ("observation", 10_040 - 4_517 + 8_099),
            ("site", 0),
        ],
    );
    // `unit_concept_id` is 0 on 1,637 of 10,040 measurements, 278 of them laboratory tests.
    let units = |entity: &str| counted(&receipt, "measurement.parquet", entity, "std_unit");
    assert_eq!((units("lab_result"), units("observation")), ((278, 4_517), (1_359, 5_523)));
    // `race_concept_id` is 0 on four persons.
    assert_eq!(counted(&receipt, "person.parquet", "subject", "race"), (4, 28));
}

/// SDTM IG 3.3 with split questionnaires, devices and collected exposure.
#[test]
fn every_record_of_the_metadata_submission_example_arrives() {
    let deliver = |folder: &Path, oracles: &Path| {
        let source = oracles.join("studies/sdtm_msg_datasetjson");
        for entry in fs::read_dir(source).expect("the oracle data holds the example") {
            let path = entry.expect("the folder can be read").path();
            if path.extension().is_some_and(|suffix| suffix == "xpt") {
                copy(&path, folder);
            }
        }
    };
    let Some(receipt) = take_in("CDISCPILOT01", deliver) else { return };
    assert_eq!(receipt["mapping"], "sdtm");
    check_entities(
        &receipt,
        &[
            ("study", 1),
            ("study_parameter", 51),
            ("planned_element", 8),
            ("planned_visit", 14),
            ("eligibility_criterion", 62),
            ("subject", 18),
            ("subject_element", 43),
            ("disposition", 53),
            ("consent", 18),
            ("eligibility_result", 1),
            ("visit", 164),
            // EX; the 1,590 rows of EC, which it is made from, stand back.
            ("exposure", 1_583),
            ("adverse_event", 74),
            ("medical_history", 17),
            ("con_med", 68),
            ("lab_result", 3_488),
            // DD, FA, OE, QSPH, QSSL, RS and VS.
            ("observation", 3 + 78 + 285 + 330 + 135 + 375 + 1_414),
            // SUPPDM, SUPPEC, and DI, which is about devices.
            ("supplemental", 3 + 7 + 34),
            ("related_record", 6),
        ],
    );
}

/// The extract of an EDC and a CTMS, of 3.6 million rows.
#[test]
fn every_record_of_an_edc_and_ctms_extract_arrives() {
    let deliver = |folder: &Path, oracles: &Path| {
        let source = oracles.join("studies/clindata");
        for name in ["ctms/study.csv", "ctms/site.csv", "ctms/protdev.parquet"] {
            copy(&source.join(name), folder);
        }
        for part in ["edc", "rawplus"] {
            for entry in fs::read_dir(source.join(part)).expect("the oracle data holds the extract") {
                let path = entry.expect("the folder can be read").path();
                if path.extension().is_some_and(|suffix| suffix == "parquet") {
                    copy(&path, folder);
                }
            }
        }
    };
    let Some(receipt) = take_in("AA-AA-000-0000", deliver) else { return };
    assert_eq!(receipt["mapping"], "edc");
    check_entities(
        &receipt,
        &[
            ("study", 1),
            ("site", 176),
            ("subject", 2_387),
            ("consent", 1_297),
            ("eligibility_result", 30_168),
            ("randomisation", 1_301),
            ("exposure", 4_876),
            ("visit", 29_248),
            ("adverse_event", 4_857),
            ("lab_result", 1_132_070),
            ("deviation", 4_837),
            // Enrolment 2,387, end of treatment 689, end of study 133.
            ("disposition", 2_387 + 689 + 133),
            ("form_instance", 247_462),
            ("item_value", 2_114_862),
            ("query", 42_259),
        ],
    );
}

/// The receipt of one delivery whose mapping is found out.
fn take_in(study: &str, deliver: impl Fn(&Path, &Path)) -> Option<Value> {
    let oracles = Need::Oracles.path()?;
    let installation = Installation::with_tenant("sources")?;
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("the temporary folder takes folders");
    deliver(&folder, &oracles);
    installation.must(&["mapping", "check", "delivery"]);
    installation.must(&["ingest", "--tenant", "sources", "--study", study, "--no-marts", "delivery"]);
    let researcher = installation.account("sources", "researcher");
    let server = installation.serve();
    let answer = researcher.client(&server).get(&server.url(&format!("/api/v1/studies/{study}/batches")));
    assert_eq!(answer.status, 200, "{}", answer.body);
    Some(answer.json()[0]["receipt"].clone())
}

fn check_entities(receipt: &Value, expected: &[(&str, u64)]) {
    for (entity, rows) in expected {
        let counts = &receipt["entities"][entity];
        let found = ["rows_in", "new", "quarantined"].map(|name| counts[name].as_u64());
        assert_eq!(found, [Some(*rows), Some(*rows), Some(0)], "{entity}: {counts}");
    }
    assert_eq!(receipt["quarantine"], Value::Array(Vec::new()), "rows were set aside");
}

/// How many rows were counted for a column, and of how many.
fn counted(receipt: &Value, file: &str, entity: &str, column: &str) -> (u64, u64) {
    let notes = receipt["counted"].as_array().expect("the receipt has counts");
    let is_it = |note: &&Value| note["file"] == file && note["entity"] == entity && note["column"] == column;
    let found = notes.iter().find(is_it);
    assert!(found.is_some(), "no {entity}.{column} of {file} in {notes:#?}");
    let note = found.unwrap_or(&Value::Null);
    let number = |name: &str| note[name].as_u64().expect("it is a number");
    (number("rows"), number("of"))
}

fn copy(file: &Path, folder: &Path) {
    let name = file.file_name().expect("a file has a name");
    fs::copy(file, folder.join(name)).expect("the file can be copied");
}

/// The tables come zipped, below a folder of their own.
fn unzip_omop(python: &Path, oracles: &Path, folder: &Path) {
    let zip: PathBuf = oracles.join("studies/omop_synthea27nj/Synthea27NjParquet_5.4.zip");
    let place = tempfile::tempdir().expect("the system gives temporary folders");
    let run =
        Command::new(python).args(["-m", "zipfile", "-e"]).args([&zip, &place.path().to_owned()]).status();
    assert!(run.expect("the Python of ./dev test starts").success(), "the zip could not be unzipped");
    for entry in fs::read_dir(place.path().join("Synthea27NjParquet")).expect("it holds the tables") {
        copy(&entry.expect("the folder can be read").path(), folder);
    }
}
