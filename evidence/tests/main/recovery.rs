//! Each kind of anomaly is in the data where it was planted, of the planted size. A study is compared with the one of
//! the same seed in which nothing is planted: what differs is the anomaly and nothing else, so that the tolerances are
//! those of the planted chance alone (three standard errors).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate, Weekday};
use evidence::{Anomaly, AnomalyKind, KINDS, Protocol, Rates, StudyPlan, Target};

use super::extract::{Study, Table};

type Tables = BTreeMap<&'static str, Table>;

/// A study with every kind that a site can have, each at a site of its own, and the same study without.
struct Pair {
    planted: Tables,
    usual: Tables,
    truth: evidence::Truth,
}

const DATASETS: [(&str, &[&str]); 7] = [
    ("subj", &["subjid", "invid", "enrolldt", "agerep", "sex"]),
    ("visit", &["recordid", "subjid", "invid", "visit_dt", "visit_num", "planned_day"]),
    ("ae", &["recordid", "subjid", "aeser", "aetoxgr", "aest_dt", "mincreated_dts"]),
    ("lb", &["recordid", "subjid", "lbtestcd", "lbstresn", "lb_dt"]),
    ("pd", &["subjectenrollmentnumber", "deemedimportant"]),
    ("dataent", &["subjectname", "pageid", "data_entry_lag"]),
    ("query", &["subjectname", "queryage", "querystatus"]),
];
const POINTS: [&str; 6] = ["subjectname", "datapointid", "field", "value", "visit_date", "n_changes"];

fn day(text: &str) -> NaiveDate {
    text[..10].parse().expect("the column holds days")
}

fn tables(study: &Study) -> Tables {
    let mut tables: Tables =
        DATASETS.iter().map(|(dataset, columns)| (*dataset, study.columns(dataset, columns))).collect();
    tables.insert("datachg", study.columns("datachg", &POINTS));
    tables
}

/// Sites that do not differ from each other and have many events.
fn even_rates() -> Rates {
    Rates {
        enrolment_shape: 1e3,
        adverse_events_per_year: 20.0,
        adverse_events_site_variance: 0.0,
        deviations_per_visit: 3.0,
        deviations_site_variance: 0.0,
        missing_site_variance: 0.0,
        cleaning_site_variance: 0.0,
        discontinuation_site_variance: 0.0,
        screen_failure: 0.1,
        ..Rates::default()
    }
}

/// The site of a kind: every second one, so that each has a neighbour without.
fn site_of(kind: AnomalyKind) -> String {
    format!("{}", 1000 + 2 * u32::from(kind.facts().number))
}

fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let at_a_site = |kind: &AnomalyKind| {
            !kind.is_platform_test()
                && !matches!(kind, AnomalyKind::InformativeDropout | AnomalyKind::CountryShift)
        };
        let anomaly = |kind| match kind {
            AnomalyKind::MissedVisits => {
                Anomaly::of(kind, Target::Site(site_of(kind))).from_day(day("2025-07-01"))
            }
            _ => Anomaly::of(kind, Target::Site(site_of(kind))),
        };
        let anomalies = KINDS.iter().map(|facts| facts.kind).filter(at_a_site).map(anomaly).collect();
        let plan = StudyPlan {
            sites: 49,
            subjects_per_site: 25.0,
            protocol: Protocol { questionnaire_items: 2, ..Protocol::default() },
            rates: even_rates(),
            anomalies,
            ..StudyPlan::demo()
        };
        let planted = Study::make(&plan, 11);
        let usual = Study::make(&plan.without_anomalies(), 11);
        Pair { planted: tables(&planted), usual: tables(&usual), truth: planted.truth }
    })
}

/// Rows of a kind's site, as the values of some columns.
fn rows<'a>(tables: &'a Tables, dataset: &str, columns: &[&str], kind: AnomalyKind) -> Vec<Vec<&'a str>> {
    let site = site_of(kind);
    let columns: Vec<Vec<&str>> = columns.iter().map(|column| tables[dataset].column(column)).collect();
    let row = |index: usize| columns.iter().map(|column| column[index]).collect::<Vec<_>>();
    let all = (0..tables[dataset].rows.len()).map(row);
    all.filter(|row| row[0].starts_with(&site)).collect()
}

fn numbers(rows: &[Vec<&str>], column: usize) -> Vec<f64> {
    rows.iter().filter_map(|row| row[column].parse().ok()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn share<T>(items: &[T], of: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| of(item)).count() as f64 / items.len() as f64
}

#[track_caller]
fn check_share(what: &str, found: f64, expected: f64, count: usize) {
    let tolerance = 3.0 * (expected * (1.0 - expected) / count as f64).sqrt();
    assert!(count > 0 && (found - expected).abs() <= tolerance, "{what}: {found} of {count}, not {expected}");
}

#[track_caller]
fn check_between(what: &str, found: f64, least: f64, most: f64) {
    assert!((least..=most).contains(&found), "{what}: {found}, not between {least} and {most}");
}

fn both<'a>(dataset: &str, columns: &[&str], kind: AnomalyKind) -> [Vec<Vec<&'a str>>; 2] {
    let pair = pair();
    [rows(&pair.planted, dataset, columns, kind), rows(&pair.usual, dataset, columns, kind)]
}

/// The rows of both studies side by side, by the first column after the subject.
fn matched<'a>(dataset: &str, columns: &[&str], kind: AnomalyKind) -> Vec<(Vec<&'a str>, Vec<&'a str>)> {
    let [planted, usual] = both(dataset, columns, kind);
    let usual: BTreeMap<&str, Vec<&str>> = usual.into_iter().map(|row| (row[1], row)).collect();
    planted.into_iter().filter_map(|row| usual.get(row[1]).map(|other| (row, other.clone()))).collect()
}

#[test]
fn under_reporting_leaves_a_quarter_of_the_events() {
    let [planted, usual] = both("ae", &["subjid"], AnomalyKind::AeUnderReporting);
    check_share("reported", planted.len() as f64 / usual.len() as f64, 0.25, usual.len());
}

#[test]
fn over_reporting_doubles_the_events() {
    let [planted, usual] = both("ae", &["subjid"], AnomalyKind::AeOverReporting);
    let (planted, usual) = (planted.len() as f64, usual.len() as f64);
    check_between("events", planted / usual, 2.0 - 3.0 / usual.sqrt(), 2.0 + 3.0 / usual.sqrt());
}

#[test]
fn serious_events_are_entered_two_weeks_later_and_others_are_not() {
    let columns = ["subjid", "aeser", "aest_dt", "mincreated_dts"];
    let [planted, usual] = both("ae", &columns, AnomalyKind::SaeLateEntry);
    let lags = |rows: &[Vec<&str>], serious: &str| {
        let of = rows.iter().filter(|row| row[1] == serious);
        of.map(|row| (day(row[3]) - day(row[2])).num_days() as f64).collect::<Vec<f64>>()
    };
    let (late, soon) = (lags(&planted, "Y"), lags(&usual, "Y"));
    assert!(late.len() >= 5, "{} serious events", late.len());
    // The last ones may not have been entered by the cut-off.
    check_between("days", mean(&late) - mean(&soon), 13.0, 15.0);
    check_between("of others", mean(&lags(&planted, "N")) - mean(&lags(&usual, "N")), -1e-9, 1e-9);
}

#[test]
fn four_of_five_higher_grades_become_grade_1() {
    let [planted, usual] = both("ae", &["subjid", "aetoxgr"], AnomalyKind::GradeMiscoding);
    let higher = |rows: &[Vec<&str>]| numbers(rows, 1).into_iter().filter(|grade| *grade >= 2.0).count();
    check_share("left", higher(&planted) as f64 / higher(&usual) as f64, 0.2, higher(&usual));
}

#[test]
fn delayed_pages_take_five_times_as_long() {
    let [planted, usual] = both("dataent", &["subjectname", "data_entry_lag"], AnomalyKind::DelayedEntry);
    // The zeros are gone as well, which are a tenth.
    check_between("lag", mean(&numbers(&planted, 1)) / mean(&numbers(&usual, 1)), 4.5, 6.5);
}

#[test]
fn ageing_queries_stay_open_eight_times_as_long() {
    let [planted, usual] =
        both("query", &["subjectname", "queryage", "querystatus"], AnomalyKind::QueryAgeing);
    // The age counts the first day. The median, since a few queries are forgotten and others still open.
    let median = |rows: &[Vec<&str>]| {
        let mut ages = numbers(rows, 1);
        ages.sort_by(f64::total_cmp);
        ages[ages.len() / 2] - 1.0
    };
    check_between("age", median(&planted) / median(&usual), 4.5, 11.0);
}

#[test]
fn three_times_the_queries_are_raised() {
    let [planted, usual] = both("query", &["subjectname"], AnomalyKind::HighQueryRate);
    let (planted, usual) = (planted.len() as f64, usual.len() as f64);
    let tolerance = 3.0 * (2.0 / usual).sqrt();
    check_between("queries", planted / usual, 3.0 - tolerance, 3.0 + tolerance);
}

#[test]
fn two_of_five_points_are_changed_once_more() {
    let columns = ["subjectname", "datapointid", "n_changes"];
    let pairs = matched("datachg", &columns, AnomalyKind::ChangesBeforeMonitoring);
    let more = share(&pairs, |(planted, usual)| planted[2] != usual[2]);
    // Those whose monitoring visit is after the cut-off are still to come.
    check_between("changed once more", more, 0.37, 0.43);
}

#[test]
fn half_of_the_visits_of_twelve_weeks_are_missed_and_no_others() {
    let kind = AnomalyKind::MissedVisits;
    let [planted, usual] = both("visit", &["subjid", "recordid", "visit_dt", "planned_day"], kind);
    let due = |rows: &[Vec<&str>], inside: bool| {
        let window = day("2025-07-08")..day("2025-09-15");
        let planned = rows.iter().filter(|row| row[3].parse::<i64>().is_ok_and(|day| day > 1));
        planned.filter(|row| window.contains(&day(row[2])) == inside).count()
    };
    check_share("kept", due(&planted, true) as f64 / due(&usual, true) as f64, 0.5, due(&usual, true));
    check_between("others", due(&planted, false) as f64 / due(&usual, false) as f64, 0.9, 1.0);
}

#[test]
fn drifting_visits_are_ten_days_late_in_the_end() {
    let pairs = matched("visit", &["subjid", "recordid", "visit_dt", "visit_num"], AnomalyKind::WindowDrift);
    let late = |number: &str| {
        let of = pairs.iter().filter(|(planted, _)| planted[3].parse::<f64>() == number.parse::<f64>());
        let days =
            |(planted, usual): &(Vec<&str>, Vec<&str>)| (day(planted[2]) - day(usual[2])).num_days() as f64;
        mean(&of.map(days).collect::<Vec<_>>())
    };
    check_between("at week 24", late("9"), 9.0, 11.0);
    check_between("at week 8", late("5"), 3.3, 5.3);
    check_between("at baseline", late("2"), 0.0, 0.0);
}

#[test]
fn three_of_ten_are_enrolled_against_a_criterion() {
    let columns = ["subjectname", "field", "value"];
    let [planted, usual] = both("datachg", &columns, AnomalyKind::EligibilityLapses);
    let unmet = |rows: &[Vec<&str>]| rows.iter().filter(|row| row[1] == "IEMET" && row[2] == "N").count();
    let [subjects, _] = both("subj", &["subjid", "enrolldt"], AnomalyKind::EligibilityLapses);
    let enrolled = subjects.iter().filter(|row| !row[1].is_empty()).count();
    check_share("lapses", (unmet(&planted) - unmet(&usual)) as f64 / enrolled as f64, 0.3, enrolled);
}

#[test]
fn nine_of_ten_important_deviations_are_minor_on_paper() {
    let columns = ["subjectenrollmentnumber", "deemedimportant"];
    let [planted, usual] = both("pd", &columns, AnomalyKind::HiddenImportantDeviations);
    let important = |rows: &[Vec<&str>]| rows.iter().filter(|row| row[1] == "true").count();
    assert_eq!(planted.len(), usual.len());
    check_share("left", important(&planted) as f64 / important(&usual) as f64, 0.1, important(&usual));
}

#[test]
fn rounded_pressures_end_in_0() {
    let [planted, usual] = both("datachg", &["subjectname", "field", "value"], AnomalyKind::DigitPreference);
    let pressures = |rows: &[Vec<&str>]| {
        let of =
            rows.iter().filter(|row| matches!(row[1], "SYSBP" | "DIABP" | "PULSE") && !row[2].is_empty());
        of.map(|row| row[2].ends_with('0')).collect::<Vec<bool>>()
    };
    let (planted, usual) = (pressures(&planted), pressures(&usual));
    check_share("usual", share(&usual, |zero| *zero), 0.1, usual.len());
    check_share("rounded", share(&planted, |zero| *zero), 0.1 + 0.9 * 0.8, planted.len());
}

/// The spread of a subject's systolic pressures, over all subjects.
fn within_subject_sd(rows: &[Vec<&str>]) -> f64 {
    let mut by_subject: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row[1] == "SYSBP") {
        by_subject.entry(row[0]).or_default().extend(row[2].parse::<f64>());
    }
    let (mut squares, mut degrees) = (0.0, 0.0);
    for values in by_subject.values().filter(|values| values.len() > 1) {
        squares += values.iter().map(|value| (value - mean(values)).powi(2)).sum::<f64>();
        degrees += values.len() as f64 - 1.0;
    }
    (squares / degrees).sqrt()
}

#[test]
fn copied_vital_signs_vary_a_tenth_as_much() {
    let [planted, usual] = both("datachg", &["subjectname", "field", "value"], AnomalyKind::CopiedVitals);
    // A tenth of seven and a half, and what rounding and slips of the pen add.
    check_between("ratio", within_subject_sd(&planted) / within_subject_sd(&usual), 0.08, 0.35);
}

#[test]
fn copied_subjects_have_age_sex_and_pressures_of_the_neighbours() {
    let kind = AnomalyKind::DuplicateSubjects;
    let site = site_of(kind);
    let neighbour = (site.parse::<u32>().expect("sites are numbers") - 1).to_string();
    let points = &pair().planted["datachg"];
    let pressures = |site: &str, number: usize| {
        let subject = format!("{site}-{number:03}-");
        let rows = points.rows.iter().filter(|row| row[0].starts_with(&subject));
        rows.filter(|row| row[2] == "SYSBP").map(|row| row[3].clone()).collect::<Vec<_>>()
    };
    let alike = |number: usize| {
        let (ours, theirs) = (pressures(&site, number), pressures(&neighbour, number));
        let known: Vec<_> =
            ours.iter().zip(&theirs).filter(|(a, b)| !a.is_empty() && !b.is_empty()).collect();
        !known.is_empty() && share(&known, |(a, b)| a == b) > 0.7
    };
    assert!((1..=5).all(alike), "the first five are copies");
    assert!(!(6..=12).any(alike), "and the others are not");
}

#[test]
fn half_of_the_visits_are_on_sundays() {
    let [planted, usual] = both("visit", &["subjid", "visit_dt", "planned_day"], AnomalyKind::WeekdayVisits);
    let sundays = |rows: &[Vec<&str>]| {
        let planned = rows.iter().filter(|row| row[2].parse::<i64>().is_ok_and(|day| day > 1));
        planned.map(|row| day(row[1]).weekday() == Weekday::Sun).collect::<Vec<bool>>()
    };
    let (planted, usual) = (sundays(&planted), sundays(&usual));
    check_share("Sundays", share(&planted, |sunday| *sunday), 0.5, planted.len());
    assert!(!usual.contains(&true));
}

#[test]
fn blood_sugar_is_eighteen_times_as_high_and_nothing_else_is() {
    let columns = ["subjid", "recordid", "lbtestcd", "lbstresn"];
    for (planted, usual) in matched("lb", &columns, AnomalyKind::UnitSwitch) {
        let (Ok(planted_value), Ok(usual_value)) = (planted[3].parse::<f64>(), usual[3].parse::<f64>())
        else {
            assert_eq!(planted[3], usual[3]);
            continue;
        };
        let factor = if planted[2] == "GLUC" { 18.016 } else { 1.0 };
        assert!((planted_value - factor * usual_value).abs() <= 0.006, "{planted:?} {usual:?}");
    }
}

#[test]
fn high_values_are_left_out() {
    let columns = ["subjectname", "datapointid", "field", "value"];
    let pairs = matched("datachg", &columns, AnomalyKind::MnarMissingness);
    let pressures: Vec<(f64, bool)> = pairs
        .iter()
        .filter(|(_, usual)| usual[2] == "SYSBP")
        .filter_map(|(planted, usual)| Some((usual[3].parse().ok()?, planted[3].is_empty())))
        .collect();
    let of = |missing: bool| {
        let values = pressures.iter().filter(|(_, is_missing)| *is_missing == missing);
        values.map(|(value, _)| *value).collect::<Vec<f64>>()
    };
    let (gone, left) = (of(true), of(false));
    // Source: numerical integration of logistic(-3.5 + 2 z) over the normal density: 0.098; the missing have a mean z
    // of 1.2, which is 17 mmHg.
    check_share("gone", gone.len() as f64 / pressures.len() as f64, 0.098, pressures.len() / 3);
    check_between("mmHg", mean(&gone) - mean(&left), 8.0, 30.0);
}

#[test]
fn three_of_ten_consent_after_screening() {
    let columns = ["subjectname", "field", "value", "visit_date"];
    let [planted, usual] = both("datachg", &columns, AnomalyKind::LateConsent);
    let late = |rows: &[Vec<&str>]| {
        let of = rows.iter().filter(|row| row[1] == "ICDAT");
        of.map(|row| day(row[2]) > day(row[3])).collect::<Vec<bool>>()
    };
    let (planted, usual) = (late(&planted), late(&usual));
    check_share("late", share(&planted, |late| *late), 0.3, planted.len());
    assert!(!usual.contains(&true));
}

#[test]
fn three_of_ten_move_to_another_site_and_stay_there() {
    let kind = AnomalyKind::SiteTransfer;
    let site = site_of(kind);
    let [subjects, _] = both("subj", &["subjid", "invid", "enrolldt"], kind);
    let enrolled: Vec<_> = subjects.iter().filter(|row| !row[2].is_empty()).collect();
    let moved = share(&enrolled, |row| row[1] != site);
    check_share("moved", moved, 0.3, enrolled.len());
    let [mut visits, _] = both("visit", &["subjid", "visit_dt", "invid"], kind);
    visits.sort_by_key(|row| (row[0], day(row[1])));
    assert!(visits.iter().any(|row| row[2] != site), "visits follow");
    let returns = |pair: &[Vec<&str>]| pair[0][0] == pair[1][0] && pair[0][2] != site && pair[1][2] == site;
    assert!(!visits.windows(2).any(returns), "nobody comes back");
}

#[test]
fn perfect_subjects_come_on_the_day_return_nothing_and_lack_nothing() {
    let kind = AnomalyKind::PerfectAdherence;
    let [visits, _] = both("visit", &["subjid", "visit_dt", "planned_day"], kind);
    let [subjects, _] = both("subj", &["subjid", "enrolldt"], kind);
    let baselines: BTreeMap<&str, &str> = subjects.iter().map(|row| (row[0], row[1])).collect();
    for row in visits.iter().filter(|row| row[2].parse::<i64>().is_ok_and(|day| day > 1)) {
        let study_day = (day(row[1]) - day(baselines[row[0]])).num_days() + 1;
        assert_eq!(study_day.to_string(), row[2], "{row:?}");
    }
    let [points, _] = both("datachg", &["subjectname", "field", "value", "visit_date"], kind);
    let after_baseline = |row: &&Vec<&str>| {
        let baseline = baselines[&row[0][..8]];
        !baseline.is_empty() && day(row[3]) > day(baseline)
    };
    let returned: Vec<_> = points.iter().filter(|row| row[1] == "EXRET").filter(after_baseline).collect();
    assert!(returned.len() > 20);
    // A slip of the pen that is not corrected yet reads 1.
    assert!(share(&returned, |row| row[2] == "0") > 0.9);
    assert!(!points.iter().filter(after_baseline).any(|row| row[2].is_empty()));
}

#[test]
fn samples_are_dated_a_day_later() {
    for (planted, usual) in matched("lb", &["subjid", "recordid", "lb_dt"], AnomalyKind::TimezoneError) {
        assert_eq!((day(planted[2]) - day(usual[2])).num_days(), 1, "{planted:?}");
    }
}

#[test]
fn every_planting_touches_records_and_can_be_seen() {
    for planted in &pair().truth.anomalies {
        assert!(planted.affected_records > 0, "{planted:?}");
        assert!(planted.first_detectable_cut.is_some(), "{planted:?}");
        assert!(planted.power_at_cut_off.is_some_and(|power| power > 0.8), "{planted:?}");
    }
}

#[test]
fn a_country_has_more_events_and_the_others_do_not() {
    let shift = Anomaly::of(AnomalyKind::CountryShift, Target::LargestCountry);
    let plan = StudyPlan {
        sites: 12,
        subjects_per_site: 15.0,
        rates: even_rates(),
        anomalies: vec![shift],
        ..StudyPlan::demo()
    };
    let (planted, usual) = (Study::make(&plan, 5), Study::make(&plan.without_anomalies(), 5));
    let sites: Vec<String> = planted.truth.anomalies[0].site.split('+').map(str::to_owned).collect();
    let count = |study: &Study, inside: bool| {
        let events = study.columns("ae", &["subjid"]);
        let of = |id: &&str| sites.iter().any(|site| id.starts_with(site)) == inside;
        events.column("subjid").into_iter().filter(of).count() as f64
    };
    let (more, before) = (count(&planted, true), count(&usual, true));
    check_between(
        "events",
        more / before,
        1.8 - 3.0 * (0.8 / before).sqrt(),
        1.8 + 3.0 * (0.8 / before).sqrt(),
    );
    assert!((count(&planted, false) - count(&usual, false)).abs() < 0.5);
}

#[test]
fn the_ill_of_the_active_arm_leave_four_times_as_readily() {
    let dropout = Anomaly::of(AnomalyKind::InformativeDropout, Target::Study);
    let plan = StudyPlan {
        sites: 8,
        subjects_per_site: 120.0,
        protocol: Protocol { visit_weeks: vec![24], questionnaire_items: 1 },
        rates: Rates { adverse_events_per_year: 1.0, ..even_rates() },
        anomalies: vec![dropout],
        ..StudyPlan::demo()
    };
    let leave = plan.rates.discontinuation;
    let study = Study::make(&plan, 5);
    let subjects = study.columns("truth/subjects", &["subjid", "arm", "severity", "left_dt"]);
    let enrolled = study.columns("subj", &["subjid", "enrollyn"]);
    let enrolled: BTreeMap<&str, &str> = enrolled.pairs("subjid", "enrollyn").into_iter().collect();
    let check = |arm: &str, ill: bool, expected: f64| {
        let of = subjects.rows.iter().filter(|row| {
            row[1] == arm
                && (row[2].parse::<f64>().expect("a number") > 0.0) == ill
                && enrolled[row[0].as_str()] == "Y"
        });
        let left: Vec<bool> = of.map(|row| !row[3].is_empty()).collect();
        // Half of the subjects cannot be pregnant, which is a cause of a tenth.
        let found = share(&left, |left| *left);
        let tolerance = 3.0 * (expected * (1.0 - expected) / left.len() as f64).sqrt() + 0.05 * expected;
        check_between(&format!("{arm} {ill}"), found, expected - tolerance, expected + tolerance);
    };
    check("A", true, 1.0 - (1.0 - leave).powi(4));
    check("A", false, leave);
    check("P", true, leave);
    check("P", false, leave);
}
