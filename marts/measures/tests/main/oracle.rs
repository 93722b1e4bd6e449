//! Answers of another implementation, read from the folder that `CAIRN_ORACLES` names.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// The rows of one oracle file, with site ids as text; none if the folder is not told. In CI it has to be.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
pub(super) fn rows<Row: DeserializeOwned>(file: &str) -> Option<Vec<Row>> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set, and CI needs it");
        println!("not run: oracle data absent");
        return None;
    };
    let path = PathBuf::from(folder).join("rbqm").join(file);
    let mut reader = csv::Reader::from_path(&path).expect("the oracle file opens");
    Some(reader.deserialize().map(|row| row.expect("the oracle row has its columns")).collect())
}

/// Whether two numbers agree to a part of their size, or of one.
#[track_caller]
pub(super) fn assert_within(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let agree = (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0);
    assert!(agree, "{what}: {ours} against {theirs}");
}

/// Whether two numbers agree to nine digits after the point, or in relation to their size.
#[track_caller]
pub(super) fn assert_close(what: &str, ours: f64, theirs: f64) {
    assert_within(what, ours, theirs, 1e-9);
}
