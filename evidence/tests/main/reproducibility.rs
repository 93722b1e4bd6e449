//! The same seed gives the same bytes, and a change changes nothing else.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use evidence::{Anomaly, AnomalyKind, Format, Progress, StudyPlan, Target, simulate};
use kernel::Seed;

use super::extract::{Study, small_plan};

const PER_SUBJECT: [(&str, &str); 11] = [
    ("subj", "subjid"),
    ("enroll", "subjid"),
    ("visit", "subjid"),
    ("ae", "subjid"),
    ("lb", "subjid"),
    ("pd", "subjectenrollmentnumber"),
    ("dataent", "subjectname"),
    ("datachg", "subjectname"),
    ("query", "subjectname"),
    ("studcomp", "subjid"),
    ("sdrgcomp", "subjid"),
];

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let plan = StudyPlan::demo().resized(6, 6.0).with_all_anomalies();
    let formats = vec![Format::Edc, Format::SdtmXpt, Format::SdtmDatasetjson];
    let plan = StudyPlan { cuts: 2, formats, ..plan };
    let (first, second) = (Study::make(&plan, 7), Study::make(&plan, 7));
    let (first, second) = (first.files(), second.files());
    assert_eq!(first.len(), second.len());
    assert!(first.len() > 100, "extracts, cuts, platform tests, SDTM, truth: {}", first.len());
    for ((name, ours), (_, theirs)) in first.iter().zip(&second) {
        assert!(ours == theirs, "{} differs", name.display());
    }
}

#[test]
fn another_seed_gives_another_study() {
    let (first, second) = (Study::make(&small_plan(), 7), Study::make(&small_plan(), 8));
    for (dataset, _) in PER_SUBJECT {
        assert!(first.table(dataset).rows != second.table(dataset).rows, "{dataset}");
    }
}

/// Checks that the rows of the sites of one study are in another one, in the same order.
#[track_caller]
fn check_sites_unchanged(ours: &Study, theirs: &Study, sites: &BTreeSet<String>, datasets: &[(&str, &str)]) {
    for (dataset, key) in datasets {
        let rows_of = |study: &Study| {
            let table = study.table(dataset);
            let of_sites: Vec<bool> =
                table.column(key).iter().map(|subject| sites.contains(&subject[..4])).collect();
            let rows = table.rows.into_iter().zip(of_sites).filter(|(_, of_sites)| *of_sites);
            rows.map(|(row, _)| row).collect::<Vec<_>>()
        };
        let (ours, theirs) = (rows_of(ours), rows_of(theirs));
        assert!(!ours.is_empty(), "{dataset} has no rows");
        assert!(ours == theirs, "{dataset} differs");
    }
}

fn site_ids(study: &Study) -> BTreeSet<String> {
    study.table("site").column("pi_number").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_site_more_leaves_the_others_as_they_were() {
    let plan = small_plan();
    let before = Study::make(&plan, 3);
    let after = Study::make(&StudyPlan { sites: plan.sites + 1, ..plan }, 3);
    check_sites_unchanged(&before, &after, &site_ids(&before), &PER_SUBJECT);
    assert_eq!(after.table("site").rows.len(), before.table("site").rows.len() + 1);
}

#[test]
fn an_anomaly_leaves_the_other_sites_as_they_were() {
    let plan = small_plan();
    let target = Target::Site("1002".to_owned());
    let under_reporting = Anomaly::of(AnomalyKind::AeUnderReporting, target);
    let before = Study::make(&plan, 3);
    let after = Study::make(&StudyPlan { anomalies: vec![under_reporting], ..plan }, 3);
    let others = site_ids(&before).into_iter().filter(|site| site != "1002").collect();
    check_sites_unchanged(&before, &after, &others, &PER_SUBJECT);
    // Where it is planted, what happens before the adverse-event log is entered stays as well.
    let planted = BTreeSet::from(["1002".to_owned()]);
    check_sites_unchanged(&before, &after, &planted, &PER_SUBJECT[..3]);
}

#[test]
fn a_later_cut_off_adds_pages_and_changes_none() {
    let early =
        StudyPlan { cut_off: NaiveDate::from_ymd_opt(2025, 8, 31).expect("the day exists"), ..small_plan() };
    let (early, late) = (Study::make(&early, 3), Study::make(&small_plan(), 3));
    for dataset in ["visit", "dataent", "lb", "pd"] {
        let (early, late) = (early.table(dataset), late.table(dataset));
        let known: BTreeSet<&Vec<String>> = late.rows.iter().collect();
        assert!(early.rows.len() < late.rows.len(), "{dataset}");
        assert!(early.rows.iter().all(|row| known.contains(row)), "{dataset}");
    }
}

#[test]
fn progress_counts_every_subject_up_to_the_total() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut seen: Vec<Progress> = Vec::new();
    simulate(&small_plan(), Seed(1), folder.path(), &mut |progress| seen.push(progress))
        .expect("the study is made");
    let total = seen.len() as u64;
    let counted = (1..=total).map(|subjects_done| Progress { subjects_done, subjects_total: total });
    assert!(seen.into_iter().eq(counted));
}
