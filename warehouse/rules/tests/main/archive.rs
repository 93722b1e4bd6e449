//! The published rules and their fixtures, and the SDTM Metadata Submission Guidelines' study, from the folder of
//! oracles. Shared with the benches.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use rules::{DatasetHeader, Kind, Study, StudyBuilder, VariableHeader};
use serde_json::Value;

/// The files of one fixture, by their path below it.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// One rule of the archive.
pub(crate) struct Published {
    pub(crate) text: String,
    #[allow(dead_code, reason = "the benches run the rules on a study")]
    pub(crate) fixtures: BTreeMap<String, Files>,
}

/// The folder of oracles; none if it is not told.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
pub(crate) fn oracles() -> Option<PathBuf> {
    let folder = std::env::var_os("CAIRN_ORACLES");
    if folder.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set; in CI the oracles have to run");
        println!("not run: oracle data absent");
    }
    folder.map(PathBuf::from)
}

/// The rules and fixtures of the archive, by id.
pub(crate) fn published(oracles: &Path) -> BTreeMap<String, Published> {
    let archive = "studies/core_open_rules_fixtures/sdtmig_rules_fixtures.tar.xz";
    let file = File::open(oracles.join(archive)).expect("the archive opens");
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(file), &mut bytes).expect("the archive is xz");
    let mut rules = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().expect("the archive is tar") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        let Some((_, path)) = path.split_once("CORE-").filter(|_| entry.header().entry_type().is_file())
        else {
            continue;
        };
        let (id, path) = path.split_once('/').expect("a file below the rule");
        let rule = rules
            .entry(format!("CORE-{id}"))
            .or_insert_with(|| Published { text: String::new(), fixtures: BTreeMap::new() });
        if path == "rule.yml" {
            entry.read_to_string(&mut rule.text).expect("the rule is text");
            continue;
        }
        let (fixture, file) = split_twice(path).expect("a file of a fixture");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("the file is read");
        rule.fixtures.entry(fixture.to_owned()).or_default().insert(file.to_owned(), bytes);
    }
    rules
}

/// `negative/01` and `data/ae.csv` of `negative/01/data/ae.csv`.
fn split_twice(path: &str) -> Option<(&str, &str)> {
    let (place, _) = path.match_indices('/').nth(1)?;
    Some((&path[..place], &path[place + 1..]))
}

/// The study of the guidelines' package, from its Dataset-JSON lines, without `FT`, which the run of the reference
/// engine did not have; its subjects `copies` times, each with a name of
/// their own.
pub(crate) fn guideline_study(oracles: &Path, copies: usize) -> Study {
    let folder = oracles.join("studies/sdtm_msg_datasetjson");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder opens")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "ft"))
        .collect();
    files.sort();
    let mut builder = StudyBuilder::new();
    for file in files {
        add_lines(&mut builder, &file, copies);
    }
    builder.finish().expect("a rectangular study")
}

fn add_lines(builder: &mut StudyBuilder, path: &Path, copies: usize) {
    let mut lines = BufReader::new(File::open(path).expect("the file opens")).lines();
    let head: Value = serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let variable = |column: &Value| VariableHeader {
        name: text(&column["name"]),
        label: text(&column["label"]),
        kind: match column["dataType"].as_str() {
            Some("integer" | "float" | "double" | "decimal") => Kind::Num,
            _ => Kind::Char,
        },
        length: column["length"].as_u64().and_then(|length| u32::try_from(length).ok()),
    };
    let columns = head["columns"].as_array().expect("columns");
    let name = path.file_stem().expect("a name").to_string_lossy();
    let place = builder.push_dataset(DatasetHeader {
        name: name.to_uppercase(),
        file_name: format!("{name}.xpt"),
        label: text(&head["label"]),
        size_bytes: None,
        variables: columns.iter().map(variable).collect(),
    });
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); columns.len()];
    for line in lines {
        let row: Vec<Value> = serde_json::from_str(&line.expect("text")).expect("a row");
        for (column, value) in cells.iter_mut().zip(row) {
            column.push(match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            });
        }
    }
    let about_subjects = columns.iter().any(|column| column["name"] == "USUBJID");
    let copies = if about_subjects { copies } else { 1 };
    for (column, cells) in cells.iter_mut().enumerate() {
        let of_subject = matches!(columns[column]["name"].as_str(), Some("USUBJID" | "SUBJID"));
        for copy in 0..copies {
            if of_subject && copy > 0 {
                cells.iter_mut().flatten().for_each(|subject| *subject = format!("{subject}x"));
            }
            let values = cells.iter().map(Option::as_deref);
            builder.push_column(place, column, values).expect("a column");
        }
    }
}
