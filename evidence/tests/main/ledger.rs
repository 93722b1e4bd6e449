//! What the simulator writes down besides the extract: true values, touched records, cuts, and a plan that makes the
//! same study again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use evidence::{Rates, StudyPlan};
use kernel::Seed;

use super::extract::{Study, small_plan};

fn key_of(dataset: &str) -> &'static str {
    match dataset {
        "subj" | "studcomp" => "subjid",
        "dataent" => "pageid",
        "datachg" => "datapointid",
        "query" => "queryid",
        _ => "recordid",
    }
}

#[test]
fn true_values_equal_the_data_where_they_are_observed() {
    // Without slips of the pen, so that what is on record is what is so.
    let rates =
        Rates { corrections: 0.0, item_missing_mar: 0.03, item_missing_mnar: 0.02, ..Rates::default() };
    let study = Study::make(&StudyPlan { rates, ..small_plan() }, 3);
    let truth = study.table("truth/values");
    let mut mechanisms: BTreeSet<&str> = BTreeSet::new();
    for (dataset, value) in [("datachg", "value"), ("lb", "lbstresn")] {
        let data = study.table(dataset);
        let observed: BTreeMap<&str, &str> = data.pairs(key_of(dataset), value).into_iter().collect();
        let rows = truth.rows.iter().filter(|row| row[0] == dataset);
        let mut compared = 0;
        for row in rows {
            let (record, true_value, mechanism) = (row[1].as_str(), row[2].as_str(), row[3].as_str());
            let found = observed[record];
            assert_eq!(found.is_empty(), !mechanism.is_empty(), "{row:?} {found}");
            mechanisms.insert(mechanism);
            if !found.is_empty() {
                assert_eq!(found.parse::<f64>().ok(), true_value.parse::<f64>().ok(), "{row:?} {found}");
                compared += 1;
            }
        }
        assert!(compared > 500, "{dataset}: {compared}");
        let missing = observed.values().filter(|value| value.is_empty()).count();
        let explained = truth.rows.iter().filter(|row| row[0] == dataset && !row[3].is_empty()).count();
        assert_eq!(missing, explained, "{dataset}: every empty item has its true value");
    }
    assert!(mechanisms.is_superset(&BTreeSet::from(["", "mar", "mcar", "mnar"])), "{mechanisms:?}");
}

#[test]
fn the_older_miss_more_and_so_do_high_values() {
    let rates = Rates {
        item_missing_mar: 0.1,
        item_missing_mar_age: 1.0,
        item_missing_mnar: 0.1,
        item_missing_mnar_value: 1.0,
        missing_site_variance: 0.0,
        ..Rates::default()
    };
    let study = Study::make(&StudyPlan { rates, sites: 8, subjects_per_site: 20.0, ..small_plan() }, 3);
    let subjects = study.table("subj");
    let ages: BTreeMap<&str, f64> = subjects
        .pairs("subjid", "agerep")
        .into_iter()
        .map(|(subject, age)| (subject, age.parse().expect("an age")))
        .collect();
    let truth = study.table("truth/values");
    let share = |mechanism: &str, of: &dyn Fn(&[String]) -> bool| {
        let rows: Vec<_> = truth.rows.iter().filter(|row| of(row)).collect();
        rows.iter().filter(|row| row[3] == mechanism).count() as f64 / rows.len() as f64
    };
    let age = |row: &[String]| ages[&row[1][..8]];
    let (old, young) = (
        share("mar", &|row| row[0] == "datachg" && age(row) > 60.0),
        share("mar", &|row| row[0] == "datachg" && age(row) < 45.0),
    );
    assert!(old > 1.8 * young, "at random given age: {old} {young}");
    let pressure = |row: &[String]| {
        if row[1].contains("-VS-01") { row[2].parse::<f64>().expect("a pressure") } else { f64::NAN }
    };
    let (high, low) =
        (share("mnar", &|row| pressure(row) > 140.0), share("mnar", &|row| pressure(row) < 120.0));
    assert!(high > 2.0 * low, "because of the value: {high} {low}");
}

#[test]
fn the_touched_records_are_listed_and_are_where_the_list_says() {
    let plan = StudyPlan::demo().resized(24, 8.0).with_all_anomalies();
    let study = Study::make(&plan, 5);
    let affected = study.table("truth/affected");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut records: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in &affected.rows {
        *counts.entry(&row[0]).or_default() += 1;
        let [dataset, record, present] = [&row[1], &row[2], &row[3]];
        let known = records.entry(dataset).or_insert_with(|| {
            let key = key_of(dataset);
            study.columns(dataset, &[key]).column(key).into_iter().map(str::to_owned).collect()
        });
        // The records that a storm takes are taken in its own delivery.
        if present == "true" {
            assert!(known.contains(record), "{row:?}");
        } else if row[0] != "A27" {
            assert!(!known.contains(record), "{row:?}");
        }
    }
    for planted in &study.truth.anomalies {
        let listed = counts.get(planted.id.as_str()).copied().unwrap_or(0);
        assert_eq!(listed, planted.affected_records, "{planted:?}");
    }
}

#[test]
fn a_cut_is_the_extract_of_its_day() {
    let plan = small_plan();
    let study = Study::make(&StudyPlan { cuts: 3, ..plan.clone() }, 9);
    let mut days: Vec<String> = fs::read_dir(study.path().join("cuts"))
        .expect("there are cuts")
        .map(|entry| entry.expect("it reads").file_name().to_string_lossy().into_owned())
        .collect();
    days.sort();
    assert_eq!(days, ["2025-12-31", "2026-01-31", "2026-02-28"]);
    let cut_off = days[1].parse().expect("a cut is named after its day");
    let then = Study::make(&StudyPlan { cut_off, ..plan }, 9);
    for dataset in ["subj", "visit", "ae", "lb", "pd", "dataent", "datachg", "query", "studcomp"] {
        let cut = study.table(&format!("cuts/{}/{dataset}", days[1]));
        assert!(cut.rows == then.table(dataset).rows, "{dataset}");
    }
}

#[test]
fn values_are_corrected_from_one_cut_to_the_next() {
    let rates = Rates { changed: 0.5, changes_mean: 0.6, corrections: 0.9, ..Rates::default() };
    let study = Study::make(&StudyPlan { cuts: 3, rates, ..small_plan() }, 9);
    let values = |dataset: &str| {
        let table = study.columns(dataset, &["datapointid", "value"]);
        let pairs = table.pairs("datapointid", "value").into_iter();
        pairs.map(|(id, value)| (id.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    let (early, late) = (values("cuts/2025-12-31/datachg"), values("datachg"));
    let corrected = early.iter().filter(|(id, value)| late[*id] != **value).count();
    assert!(early.len() < late.len() && corrected > 5, "{corrected}");
}

#[test]
fn the_plan_that_was_kept_makes_the_same_study() {
    let plan = StudyPlan::demo().resized(6, 4.0);
    let study = Study::make(&plan, 21);
    let kept = StudyPlan::read(&study.path().join("plan.json")).expect("the plan reads");
    assert_eq!(kept.seed, Some(Seed(21)));
    let again = Study::make(&kept, 21);
    assert!(study.files() == again.files());
}
