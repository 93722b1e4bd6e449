//! What the ledger says is in the data, at the planted size, and a detector can see it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use evidence::{Anomaly, AnomalyKind, Rates, SimulateError, StudyPlan, Target, simulate};
use kernel::Seed;
use measures::{Kind, normal_approximation};

use super::extract::{Study, small_plan};

#[test]
fn a_null_study_has_an_empty_ledger() {
    for seed in 1..=5 {
        let study = Study::make(&small_plan(), seed);
        assert!(study.truth.anomalies.is_empty() && study.table("truth/affected").rows.is_empty(), "{seed}");
        assert!(study.table("truth/values").column("anomaly").iter().all(|anomaly| anomaly.is_empty()));
    }
}

#[test]
fn the_ledger_names_site_start_size_and_indicator() {
    let plan = StudyPlan::demo();
    let truth = Study::make(&plan, 2026).truth;
    let [under_reporting, delayed, ..] = truth.anomalies.as_slice() else { panic!("{truth:?}") };
    assert_eq!(
        (under_reporting.kind, delayed.kind),
        (AnomalyKind::AeUnderReporting, AnomalyKind::DelayedEntry)
    );
    assert_eq!((under_reporting.magnitude, delayed.magnitude), (0.75, 5.0));
    assert_ne!(under_reporting.site, delayed.site);
    assert_eq!(Some(delayed.start), NaiveDate::from_ymd_opt(2025, 9, 1));
    assert!(truth.anomalies.iter().all(|planted| planted.affected_records > 10), "{truth:?}");
}

#[test]
fn an_anomaly_without_a_site_is_refused() {
    let target = Target::Site("9999".to_owned());
    let plan = StudyPlan {
        anomalies: vec![Anomaly::of(AnomalyKind::AeUnderReporting, target).sized(0.5)],
        ..small_plan()
    };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let refused = simulate(&plan, Seed(1), folder.path(), &mut |_| {});
    assert!(matches!(refused, Err(SimulateError::UnknownSite { site }) if site == "9999"));
}

/// Adverse events and days on study of every enrolled subject.
fn events_by_subject(study: &Study) -> BTreeMap<String, (f64, f64)> {
    let subjects = study.table("subj");
    let mut counts: BTreeMap<String, (f64, f64)> = subjects
        .pairs("subjid", "timeonstudy")
        .into_iter()
        .filter_map(|(subject, days)| Some((subject.to_owned(), (0.0, days.parse().ok()?))))
        .collect();
    for subject in study.table("ae").column("subjid") {
        counts.get_mut(subject).expect("the subject is enrolled").0 += 1.0;
    }
    counts
}

/// The rate of a group and the variance of its logarithm, from the spread between subjects.
fn rate<'a>(subjects: impl Iterator<Item = &'a (f64, f64)> + Clone) -> (f64, f64) {
    let events: f64 = subjects.clone().map(|(events, _)| events).sum();
    let days: f64 = subjects.clone().map(|(_, days)| days).sum();
    let rate = events / days;
    let spread: f64 = subjects.map(|(events, days)| (events - rate * days).powi(2)).sum();
    (rate, spread / (events * events))
}

#[test]
fn an_under_reporting_site_reports_the_planned_share() {
    let rates = Rates { adverse_events_site_variance: 0.0, enrolment_shape: 100.0, ..Rates::default() };
    let target = Target::Site("1003".to_owned());
    let anomalies = vec![Anomaly::of(AnomalyKind::AeUnderReporting, target)];
    let plan = StudyPlan { sites: 6, subjects_per_site: 250.0, rates, anomalies, ..StudyPlan::demo() };
    let counts = events_by_subject(&Study::make(&plan, 5));
    let of_site = |subject: &str| subject.starts_with("1003");
    let (site_rate, site_variance) =
        rate(counts.iter().filter(|(id, _)| of_site(id)).map(|(_, counts)| counts));
    let (other_rate, other_variance) =
        rate(counts.iter().filter(|(id, _)| !of_site(id)).map(|(_, counts)| counts));
    let standard_error = (site_variance + other_variance).sqrt();
    let error = (site_rate / other_rate / 0.25).ln();
    assert!(
        error.abs() <= 3.0 * standard_error,
        "ratio {}, standard error {standard_error}",
        site_rate / other_rate
    );
    assert!(standard_error < 0.25, "the study is too small to tell: {standard_error}");
}

/// Pages of a site and those among them entered after more than ten days, before and from a day on.
fn late_pages(study: &Study, site: &str, from: NaiveDate) -> [(f64, f64); 2] {
    let pages = study.table("dataent");
    let mut counts = [(0.0, 0.0); 2];
    for ((subject, date), lag) in
        pages.pairs("subjectname", "visit_date").into_iter().zip(pages.numbers("data_entry_lag"))
    {
        if subject.starts_with(site) {
            let date: NaiveDate = date.parse().expect("the column holds days");
            let half = &mut counts[usize::from(date >= from)];
            half.0 += 1.0;
            half.1 += f64::from(u8::from(lag > 10.0));
        }
    }
    counts
}

#[test]
fn a_delayed_site_is_late_from_the_planted_day_on() {
    let study = Study::make(&StudyPlan::demo(), 2026);
    let delayed = &study.truth.anomalies[1];
    let [before, after] = late_pages(&study, &delayed.site, delayed.start);
    assert!(before.0 > 50.0 && after.0 > 50.0, "{before:?} {after:?}");
    assert!(before.1 / before.0 < 0.12, "{before:?}");
    // Five times a median of two days is about ten.
    assert!((0.35..0.65).contains(&(after.1 / after.0)), "{after:?}");
    assert_eq!(after.0, delayed.affected_records as f64);
}

#[test]
fn both_planted_sites_of_the_demonstration_stand_out() {
    // The study of `cairn demo`.
    let code = "SIM-001".parse().expect("the code is a study's");
    let study = Study::make(&StudyPlan { study: code, ..StudyPlan::demo() }, 6);
    let mut by_site: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (subject, (events, days)) in events_by_subject(&study) {
        let site = by_site.entry(subject[..4].to_owned()).or_default();
        *site = (site.0 + events, site.1 + days);
    }
    let score = score_of(&by_site, &study.truth.anomalies[0].site, Kind::Rate);
    assert!(score < -2.0, "adverse events: {score}");

    let pages = study.table("dataent");
    let mut by_site: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (subject, lag) in pages.column("subjectname").into_iter().zip(pages.numbers("data_entry_lag")) {
        let site = by_site.entry(subject[..4].to_owned()).or_default();
        *site = (site.0 + f64::from(u8::from(lag > 10.0)), site.1 + 1.0);
    }
    let score = score_of(&by_site, &study.truth.anomalies[1].site, Kind::Binary);
    assert!(score > 3.0, "late pages: {score}");
}

fn score_of(by_site: &BTreeMap<String, (f64, f64)>, site: &str, kind: Kind) -> f64 {
    let (numerators, denominators): (Vec<f64>, Vec<f64>) = by_site.values().copied().unzip();
    let fit = normal_approximation(&numerators, &denominators, kind).expect("every site has exposure");
    let position = by_site.keys().position(|id| id == site).expect("the planted site is in the study");
    fit.groups[position].score
}
