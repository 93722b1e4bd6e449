//! What the report says of small files, by hand.

use super::*;

/// The report on files, given as name and content.
fn report(mapping: Option<&str>, files: &[(&str, &str)]) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the folder takes files");
    }
    let mapping = mapping.map(|name| Mapping::load(name).expect("it is shipped"));
    check(&[folder.path().to_owned()], mapping.as_ref()).expect("the files are there")
}

#[test]
fn a_dataset_that_fits_is_told_block_by_block() {
    let report = report(None, &[("vs.csv", "STUDYID,DOMAIN,USUBJID,VSSEQ,VSTESTCD,VSSTRESN,VSBLFLL\n")]);
    assert_eq!((report.mapping.as_deref(), report.refused()), (Some("sdtm"), 0));
    let dataset = &report.datasets[0];
    assert_eq!((dataset.dataset.as_str(), dataset.format.as_str(), dataset.columns), ("VS", "CSV", 7));
    assert_eq!(dataset.unused, ["VSBLFLL"]);
    assert_eq!(dataset.near, [("VSBLFL".to_owned(), vec!["VSBLFLL".to_owned()])]);
    let Reading::Blocks(blocks) = &dataset.reading else { panic!("{dataset:?}") };
    let [block] = &blocks[..] else { panic!("{blocks:?}") };
    assert_eq!(block.entity, "observation");
    let fed =
        |column: &str| block.fed.iter().find(|(name, _)| name == column).map(|(_, sources)| sources.clone());
    assert_eq!(fed("test_code"), Some(vec!["VSTESTCD".to_owned()]));
    assert_eq!(fed("study_id"), Some(vec!["STUDYID".to_owned()]));
    assert_eq!(fed("not_done"), Some(Vec::new()), "the mapping states it");
    assert!(block.empty.contains(&"visit_num".to_owned()));
    assert_eq!(report.lookups_without_data, ["`reference` in `DM`"]);
}

#[test]
fn a_missing_column_is_named_with_the_one_that_is_nearly_it() {
    let report = report(Some("sdtm"), &[("ae.csv", "STUDYID,USUBJJD,AESEQ,AETERM\n")]);
    assert_eq!(report.refused(), 1);
    let dataset = &report.datasets[0];
    let Reading::Refused(reason) = &dataset.reading else { panic!("{dataset:?}") };
    assert!(reason.contains("has no column `USUBJID`"), "{reason}");
    assert_eq!(dataset.near, [("USUBJID".to_owned(), vec!["USUBJJD".to_owned()])]);
}

#[test]
fn unknown_left_out_looked_up_and_damaged_files_are_told_apart() {
    let report = report(
        Some("sdtm"),
        &[
            ("ax.csv", "A\n"),
            ("su.csv", "A\n"),
            ("te.csv", "ETCD\n"),
            ("dm.xpt", "this is no transport file"),
        ],
    );
    let reading = |name: &str| {
        let found = report.datasets.iter().find(|dataset| dataset.dataset == name);
        found.map(|dataset| dataset.reading.clone())
    };
    assert!(matches!(reading("AX"), Some(Reading::Refused(reason)) if reason.contains("`AE`")));
    assert_eq!(reading("SU"), Some(Reading::LeftOut));
    assert_eq!(reading("TE"), Some(Reading::LookedUp));
    assert_eq!(report.unreadable.len(), 1);
    assert_eq!(report.unreadable[0].0, "dm.xpt");
    assert_eq!(report.refused(), 2);
}

#[test]
fn without_a_mapping_that_fits_every_dataset_is_refused() {
    let report = report(None, &[("weather.csv", "DAY,RAIN\n")]);
    assert_eq!(
        (report.mapping, report.datasets[0].reading.clone()),
        (None, Reading::Refused("no mapping fits it".into()))
    );
    assert!(report.no_mapping.is_some_and(|reason| reason.contains("`WEATHER`")));
}
