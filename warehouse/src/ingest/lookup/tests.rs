//! A lookup holds what the delivery uses, and no more than its limit.

use super::*;

const MAPPING: &str = "
name = 'test'
description = ''
source_system = 'test'
[[lookup]]
name = 'concept'
datasets = ['CONCEPT']
key = 'ID'
only = { of = 'LEVEL', except = ['OLD'] }
[lookup.give]
name = 'NAME'
order = { occurrence = ['LEVEL'], plus = 1 }
[[dataset]]
names = ['ROWS']
entity = 'study'
[dataset.columns]
protocol_version = 'V'
title = { first = [{ from = 'CODE', lookup = 'concept', give = 'name' }, 'CODE'] }
status = { const = 'ACTIVE' }
";

const CONCEPTS: &str = "ID,NAME,LEVEL\n1,one,A\n2,two,A\n3,three,B\n3,again,B\n2,late,OLD\n4,four,OLD\n";

/// What the lookup holds for rows with two of its keys, as `key=name/order`.
fn held(limits: Limits) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder takes files");
        let dataset = formats::datasets(&path).expect("it is a CSV").remove(0);
        (path, dataset)
    };
    let (rows, rows_dataset) = write("rows.csv", "V,CODE\n1,2\n1,3\n1,9\n1,\n");
    let (concepts, concepts_dataset) = write("concept.csv", CONCEPTS);
    let mapping = Mapping::parse("test", MAPPING)?;
    let uses = [(File { path: &rows, dataset: &rows_dataset }, &mapping.datasets[0])];
    let files = vec![File { path: &concepts, dataset: &concepts_dataset }];
    let table = Reading { lookup: &mapping.lookups[0], files, limits }.table(&uses, &Context::default())?;
    let sorted: BTreeMap<String, Vec<Option<String>>> = table.rows.into_iter().collect();
    let texts = |values: Vec<Option<String>>| values.into_iter().flatten().collect::<Vec<_>>().join("/");
    Ok(sorted.into_iter().map(|(key, values)| format!("{key}={}", texts(values))).collect())
}

#[test]
fn a_small_lookup_is_held_whole_and_the_first_row_of_a_key_stands() {
    let held = held(Limits::default()).expect("it is small");
    assert_eq!(held, ["1=one/1", "2=two/2", "3=three/1"]);
}

#[test]
fn of_a_large_lookup_only_what_rows_ask_for_is_held() {
    let held = held(Limits { whole_rows: 2, most_keys: 10 }).expect("few keys are used");
    assert_eq!(held, ["2=two/2", "3=three/1"]);
}

#[test]
fn a_lookup_with_too_many_keys_is_refused_with_the_remedy() {
    let error = held(Limits { whole_rows: 2, most_keys: 1 }).expect_err("two are used");
    assert!(error.is_refusal());
    assert_eq!(
        error.to_string(),
        "lookup `concept` of dataset `CONCEPT` needs more than 1 keys; deliver the datasets that use it in parts"
    );
}
