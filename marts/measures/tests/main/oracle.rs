//! Answers of another implementation, read from the folder that `CAIRN_ORACLES` names.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// Where an oracle file is; none, said in a line, if the folder is not told. In CI it has to be.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
fn place(path: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set, and CI needs it");
        println!("not run: oracle data absent");
        return None;
    };
    Some(PathBuf::from(folder).join(path))
}

/// The rows of one oracle file about risk indicators, with site ids as text; none if the folder is not there.
pub(super) fn rows<Row: DeserializeOwned>(file: &str) -> Option<Vec<Row>> {
    rows_of(&format!("rbqm/{file}"))
}

/// The rows of one oracle file, by its path in the folder; none if the folder is not there.
pub(super) fn rows_of<Row: DeserializeOwned>(path: &str) -> Option<Vec<Row>> {
    let mut reader = csv::Reader::from_path(place(path)?).expect("the oracle file opens");
    Some(reader.deserialize().map(|row| row.expect("the oracle row has its columns")).collect())
}

/// Whether two numbers agree to a part of their size, or of one.
#[track_caller]
pub(super) fn assert_within(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let agree = (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0);
    assert!(agree, "{what}: {ours} against {theirs}");
}

/// What one oracle file in JSON says; none if the folder is not there.
pub(super) fn json<Answer: DeserializeOwned>(path: &str) -> Option<Answer> {
    let text = std::fs::read_to_string(place(path)?).expect("the oracle file opens");
    Some(serde_json::from_str(&text).expect("the oracle has the fields that are read"))
}

/// Whether two numbers agree to nine digits after the point, or in relation to their size.
#[track_caller]
pub(super) fn assert_close(what: &str, ours: f64, theirs: f64) {
    assert_within(what, ours, theirs, 1e-9);
}
