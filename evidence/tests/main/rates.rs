//! A large study shows the rates it was planned with. The tolerances are wider than chance makes them.

use std::collections::BTreeMap;

use evidence::StudyPlan;

use super::extract::Study;

#[track_caller]
fn check_near(what: &str, found: f64, planned: f64, tolerance: f64) {
    assert!((found - planned).abs() <= tolerance, "{what}: {found} against {planned}");
}

fn share<T>(items: &[T], of: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| of(item)).count() as f64 / items.len() as f64
}

#[test]
fn the_demonstration_has_about_1500_subjects_and_the_planned_rates() {
    let plan = StudyPlan::demo().without_anomalies();
    let rates = &plan.rates;
    let study = Study::make(&plan, 4);
    let subjects = study.table("subj");
    check_near("screened", subjects.rows.len() as f64, 1_500.0, 500.0);
    let enrolled = subjects.column("enrollyn").into_iter().filter(|answer| *answer == "Y").count() as f64;
    check_near("not enrolled", 1.0 - enrolled / subjects.rows.len() as f64, rates.screen_failure, 0.08);

    let lags = study.table("dataent").numbers("data_entry_lag");
    check_near("within the median lag", share(&lags, |lag| *lag <= 2.0), 0.57, 0.06);
    check_near("above ten days", share(&lags, |lag| *lag > 10.0), 0.045, 0.015);

    let points = study.table("datachg");
    let changes = points.numbers("n_changes");
    check_near("changed", share(&changes, |changes| *changes > 0.0), rates.changed, 0.03);
    check_near("changes", changes.iter().sum::<f64>() / changes.len() as f64, rates.changes_mean, 0.03);
    let queries = study.table("query").rows.len() as f64;
    check_near("queries", queries / points.rows.len() as f64, rates.queries_per_point, 0.005);
    check_near(
        "empty items",
        share(&points.column("value"), |value| value.is_empty()),
        rates.item_missing(),
        0.006,
    );

    let important = study.table("pd");
    check_near("important", share(&important.column("deemedimportant"), |flag| *flag == "true"), 0.107, 0.04);
    let leavers =
        study.table("studcomp").column("compyn").into_iter().filter(|answer| *answer == "N").count();
    check_near("discontinued", leavers as f64 / enrolled, rates.discontinuation, 0.05);
}

#[test]
fn laboratory_grades_have_the_planned_shares() {
    let study = Study::make(&StudyPlan::demo().without_anomalies(), 2026);
    let labs = study.table("lb");
    let graded: Vec<&str> = labs.column("toxgrg_nsv").into_iter().filter(|grade| !grade.is_empty()).collect();
    let mut by_grade: BTreeMap<&str, f64> = BTreeMap::new();
    for grade in &graded {
        *by_grade.entry(grade).or_default() += 1.0 / graded.len() as f64;
    }
    let planned = [("0", 0.954, 0.01), ("1", 0.034, 0.008), ("2", 0.010, 0.004), ("3", 0.0022, 0.0015)];
    for (grade, share, tolerance) in planned {
        check_near(grade, by_grade[grade], share, tolerance);
    }
    assert!(by_grade.get("4").is_none_or(|share| *share < 0.0015));
}

#[test]
fn most_visits_are_in_their_window() {
    let study = Study::make(&StudyPlan::demo().without_anomalies(), 2026);
    let subjects = study.table("subj");
    let baselines: BTreeMap<&str, &str> = subjects.pairs("subjid", "enrolldt").into_iter().collect();
    let visits = study.table("visit");
    let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("the column holds days");
    let days = |text: &str| text.parse::<i64>().expect("the column holds days");
    let dates = visits.pairs("subjid", "visit_dt");
    let plans = visits.pairs("planned_day", "window_upper");
    let after_baseline = dates.into_iter().zip(plans).filter(|(_, (planned, _))| !planned.is_empty());
    let out_of_window: Vec<bool> = after_baseline
        .filter(|(_, (planned, _))| days(planned) > 1)
        .map(|((subject, date), (planned, upper))| {
            let study_day = (day(date) - day(baselines[subject])).num_days() + 1;
            (study_day - days(planned)).abs() > days(upper)
        })
        .collect();
    let out_of_window = share(&out_of_window, |out| *out);
    assert!((0.005..0.12).contains(&out_of_window), "{out_of_window}");
}
