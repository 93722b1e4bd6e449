//! A daily cut writes what changed and nothing else, and what was known before can be read again.

use std::{fs, path::Path};

use crate::edc_oracle::{STUDY, deliver};
use crate::support::{Installation, Need, python};

const POINTS: &str = "gsm_raw_datachg.parquet";

#[test]
fn a_second_cut_with_one_row_in_a_hundred_changed_writes_those_and_keeps_the_first() {
    let (Some(oracles), Some(interpreter)) = (Need::Oracles.path(), Need::Python.path()) else { return };
    let Some(installation) = Installation::with_tenant("edc") else { return };
    deliver(&oracles.join("rbqm"), &installation.beside("january"));
    take_in(&installation, "january", "2025-01-31");
    let first = read_as_of(&installation, None, "first.parquet");
    let as_of = first.split(" as of ").nth(1).and_then(|rest| rest.split(' ').next()).expect("an instant");

    deliver(&oracles.join("rbqm"), &installation.beside("february"));
    let changed = change_points(&installation, &interpreter);
    let receipt = take_in(&installation, "february", "2025-02-28");
    let points = receipt.lines().find(|line| line.starts_with("item_value")).expect("points are counted");
    let counts: Vec<u64> =
        points.split_whitespace().skip(1).map(|count| count.parse().expect("a count")).collect();
    let [rows, new, written, unchanged, deleted, quarantined] = counts[..] else {
        unreachable!("six counts: {points}")
    };
    assert!(rows > 2_000_000, "{points}");
    assert_eq!((new, written, deleted, quarantined), (0, changed, 0, 0), "{points}");
    assert_eq!(unchanged, rows - changed, "{points}");
    check_size(&installation, rows);

    read_as_of(&installation, Some(as_of), "again.parquet");
    let bytes = |name: &str| fs::read(installation.beside(name)).expect("it was written");
    assert!(bytes("first.parquet") == bytes("again.parquet"), "the first cut reads as it did");
    read_as_of(&installation, None, "now.parquet");
    assert!(bytes("first.parquet") != bytes("now.parquet"), "the second cut shows");
}

fn take_in(installation: &Installation, folder: &str, day: &str) -> String {
    let place = ["ingest", "--tenant", "edc", "--study", STUDY, "--no-marts", "--extracted-at", day, folder];
    installation.must(&place).out
}

fn read_as_of(installation: &Installation, as_of: Option<&str>, target: &str) -> String {
    let mut arguments =
        vec!["canon", "read", "--tenant", "edc", "--study", STUDY, "item_value", "--out", target];
    arguments.extend(as_of.map(|_| "--as-of").into_iter().chain(as_of));
    installation.must(&arguments).out
}

/// Adds a change to one data point in a hundred; returns how many.
fn change_points(installation: &Installation, interpreter: &Path) -> u64 {
    let file = installation.beside("february").join(POINTS);
    let from = installation.beside("points.parquet");
    fs::rename(&file, &from).expect("the file can be moved");
    let [from, to] = [from, file].map(|path| path.to_string_lossy().into_owned());
    let arguments = ["add", &from, &to, "n_changes", "1", "--every", "100"];
    python(interpreter, "parquet_files.py", &arguments)["values"].as_u64().expect("a count")
}

/// Canon of the data points has two files, and the second holds no more than two in a hundred of the `rows`.
fn check_size(installation: &Installation, rows: u64) {
    let listed = installation.must(&["canon", "list", "--tenant", "edc", "--study", STUDY]).out;
    let points = listed.lines().find(|line| line.starts_with("item_value")).expect("points are listed");
    let [versions, files] =
        [1, 2].map(|place| points.split_whitespace().nth(place).and_then(|text| text.parse::<u64>().ok()));
    assert_eq!(files, Some(2), "{points}");
    assert!(versions.is_some_and(|versions| versions > rows && versions < rows + rows / 50), "{points}");
}
