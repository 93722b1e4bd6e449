//! Records refer to records that are there, and to days that have been.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};

use super::extract::{Study, Table, small_plan};

#[track_caller]
fn check_refers(study: &Study, from: (&str, &str), to: (&str, &str)) {
    let (table, other) = (study.table(from.0), study.table(to.0));
    let known: BTreeSet<&str> = other.column(to.1).into_iter().collect();
    assert!(!table.rows.is_empty(), "{} has no rows", from.0);
    for key in table.column(from.1) {
        assert!(known.contains(key), "{}.{} `{key}` is not in {}", from.0, from.1, to.0);
    }
}

#[test]
fn every_record_belongs_to_a_subject_page_or_site_that_is_there() {
    let study = Study::make(&small_plan(), 11);
    for dataset in ["enroll", "visit", "ae", "lb", "studcomp", "sdrgcomp"] {
        check_refers(&study, (dataset, "subjid"), ("subj", "subjid"));
    }
    check_refers(&study, ("pd", "subjectenrollmentnumber"), ("subj", "subjid"));
    for dataset in ["dataent", "datachg", "query"] {
        check_refers(&study, (dataset, "subjectname"), ("subj", "subject_nsv"));
    }
    check_refers(&study, ("datachg", "pageid"), ("dataent", "pageid"));
    check_refers(&study, ("query", "datapointid"), ("datachg", "datapointid"));
    for dataset in ["subj", "enroll", "visit", "studcomp"] {
        check_refers(&study, (dataset, "invid"), ("site", "pi_number"));
    }
}

#[test]
fn a_key_names_one_record() {
    let study = Study::make(&small_plan(), 11);
    let keys = [("subj", "subjid"), ("dataent", "pageid"), ("datachg", "datapointid"), ("query", "queryid")];
    for (dataset, key) in keys {
        let table = study.table(dataset);
        let known: BTreeSet<&str> = table.column(key).into_iter().collect();
        assert_eq!(known.len(), table.rows.len(), "{dataset}.{key}");
    }
    let visits = study.table("visit");
    let known: BTreeSet<(&str, &str)> = visits.pairs("subjid", "visit_num").into_iter().collect();
    assert_eq!(known.len(), visits.rows.len());
}

#[test]
fn every_site_screens_at_least_one_subject() {
    let study = Study::make(&small_plan(), 12);
    check_refers(&study, ("site", "pi_number"), ("subj", "invid"));
}

#[test]
fn deviations_and_adverse_events_are_of_enrolled_subjects() {
    let study = Study::make(&small_plan(), 11);
    let subjects = study.table("subj");
    let enrolled: BTreeSet<&str> = subjects
        .pairs("subjid", "enrollyn")
        .into_iter()
        .filter_map(|(subject, answer)| (answer == "Y").then_some(subject))
        .collect();
    for (dataset, key) in [("pd", "subjectenrollmentnumber"), ("ae", "subjid"), ("studcomp", "subjid")] {
        assert!(
            study.table(dataset).column(key).iter().all(|subject| enrolled.contains(subject)),
            "{dataset}"
        );
    }
}

fn days(table: &Table, column: &str) -> Vec<NaiveDate> {
    let texts = table.column(column).into_iter().filter(|text| !text.is_empty());
    texts.map(|text| text[..10].parse().expect("the column holds days")).collect()
}

#[test]
fn nothing_happens_after_the_cut_off() {
    let plan = small_plan();
    let study = Study::make(&plan, 11);
    let columns = [
        ("subj", "enrolldt"),
        ("visit", "visit_dt"),
        ("ae", "aest_dt"),
        ("ae", "aeen_dt"),
        ("ae", "mincreated_dts"),
        ("lb", "lb_dt"),
        ("pd", "deviationdate"),
        ("dataent", "visit_date"),
        ("query", "created"),
        ("query", "resolved"),
        ("studcomp", "mincreated_dts"),
        ("sdrgcomp", "mincreated_dts"),
    ];
    for (dataset, column) in columns {
        let days = days(&study.table(dataset), column);
        assert!(!days.is_empty(), "{dataset}.{column} is empty");
        assert!(days.iter().all(|day| *day <= plan.cut_off), "{dataset}.{column}");
    }
}

#[test]
fn visits_are_in_order_and_on_working_days() {
    let study = Study::make(&small_plan(), 11);
    let visits = study.table("visit");
    let rows: Vec<(&str, NaiveDate)> =
        visits.column("subjid").into_iter().zip(days(&visits, "visit_dt")).collect();
    assert!(rows.iter().all(|(_, day)| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)));
    assert!(rows.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 < pair[1].1));
}
