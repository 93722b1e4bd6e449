//! Every file of independent answers about risk indicators is read by a test.

use std::fs;

use super::{assert_clean, is_test, repository};
use crate::support::Need;

/// Files that are read together, by how their names begin and end, with the test that reads them.
const TOGETHER: [(&str, &str, &str); 1] = [("gsm_raw_", ".parquet", "tests/tests/edc_oracle.rs")];

#[test]
fn every_oracle_about_risk_indicators_is_read_by_a_test() {
    let Some(oracles) = Need::Oracles.path() else { return };
    let folder = fs::read_dir(oracles.join("rbqm")).expect("the folder of independent answers has `rbqm`");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    let mut tests = repository::text_files_of("rs");
    tests.retain(|file| is_test(&file.path) || file.text.contains("#[cfg(test)]"));
    let is_read = |name: &str| {
        let quoted = format!("{name}\"");
        tests.iter().any(|file| file.text.contains(&quoted))
            || TOGETHER.iter().any(|(first, last, reader)| {
                let text = tests.iter().find(|file| file.path == *reader).map(|file| &file.text);
                let reads =
                    text.is_some_and(|text| text.contains(&format!("\"{first}\"")) && text.contains(last));
                reads && name.starts_with(first) && name.ends_with(last)
            })
    };
    let unread = names.iter().filter(|name| !is_read(name));
    let said = unread.map(|name| {
        format!("{name}:1: no test reads this file; reproduce it, or say in a test why it is not reproduced")
    });
    assert_clean(&said.collect::<Vec<_>>());
}
