//! Platform tests are deliveries of the same study: once more, in another order, or with a part of it gone.

use std::collections::BTreeSet;
use std::fs;

use evidence::{Anomaly, AnomalyKind, StudyPlan, Target};

use super::extract::{Study, small_plan};

fn study_with(kind: AnomalyKind) -> Study {
    Study::make(&StudyPlan { anomalies: vec![Anomaly::of(kind, Target::Study)], ..small_plan() }, 2)
}

#[test]
fn a_duplicate_batch_is_the_same_bytes() {
    let study = study_with(AnomalyKind::DuplicateBatch);
    let copies = fs::read_dir(study.path().join("platform/duplicate_batch/1")).expect("there is a copy");
    let mut count = 0;
    for copy in copies {
        let copy = copy.expect("it reads").path();
        let original = study.path().join(copy.file_name().expect("it has a name"));
        assert!(
            fs::read(&copy).expect("it reads") == fs::read(original).expect("it reads"),
            "{}",
            copy.display()
        );
        count += 1;
    }
    assert_eq!(count, 14);
}

#[test]
fn a_reordered_batch_has_the_same_rows_from_last_to_first() {
    let study = study_with(AnomalyKind::ReorderedBatch);
    for dataset in ["subj", "ae", "datachg", "query"] {
        let (mut rows, reversed) =
            (study.table(dataset).rows, study.table(&format!("platform/reordered_batch/{dataset}")).rows);
        rows.reverse();
        assert!(rows == reversed, "{dataset}");
    }
}

#[test]
fn a_storm_takes_the_records_that_the_ledger_lists() {
    let study = study_with(AnomalyKind::TombstoneStorm);
    let affected = study.table("truth/affected");
    for (dataset, key) in [("ae", "recordid"), ("dataent", "pageid"), ("datachg", "datapointid")] {
        let (before, after) =
            (study.table(dataset), study.table(&format!("platform/tombstone_storm/{dataset}")));
        let left: BTreeSet<&str> = after.column(key).into_iter().collect();
        let gone: BTreeSet<&str> = before.column(key).into_iter().filter(|id| !left.contains(id)).collect();
        let listed = affected.rows.iter().filter(|row| row[1] == dataset).map(|row| row[2].as_str());
        assert_eq!(gone, listed.collect(), "{dataset}");
    }
    let (before, after) =
        (study.table("datachg").rows.len(), study.table("platform/tombstone_storm/datachg").rows.len());
    let share = after as f64 / before as f64;
    assert!((share - 0.5).abs() < 3.0 * (0.25 / before as f64).sqrt(), "{share}");
}
