//! `docs/star.md` says of every table of the star what one row is and which columns it has, and of no other.

use crate::delivered::Study;

const PAGE: &str = include_str!("../../docs/star.md");

#[test]
fn the_page_names_every_table_with_its_grain_and_columns() {
    let mut study = Study::new();
    study
        .deliver("sdtm", &[("dm.csv", "STUDYID,USUBJID,SUBJID,SITEID,ARMCD\nS1,S1-1,1,001,A\n")])
        .expect("taken in");
    let mut documented: Vec<(String, String)> = Vec::new();
    for section in PAGE.split("\n### ").skip(1) {
        let name = section.lines().next().expect("a heading").trim_matches('`').to_owned();
        documented.push((name, section.to_owned()));
    }
    let names: Vec<&str> = documented.iter().map(|(name, _)| name.as_str()).collect();
    let mut built: Vec<&str> = warehouse::star::TABLES.iter().map(|table| table.name).collect();
    built.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, built);
    for (name, section) in &documented {
        let table = warehouse::star::TABLES.iter().find(|table| table.name == name).expect("a table");
        assert!(section.contains(&format!("Grain: {}.", table.grain())), "{name}: {}", table.grain());
        let columns: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| line.split_once('`').map(|(column, _)| column))
            .collect();
        let scan =
            warehouse::TableScan::open(&study.storage, &study.scope.to_read(), study.manifest(), name, 1);
        let scan = scan.expect("the table opens");
        let schema: Vec<&str> = scan.schema().fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(columns, schema, "the columns of `{name}` in docs/star.md");
    }
}
