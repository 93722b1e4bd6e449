//! In a study in which nothing is planted and sites do not differ, sites' scores are as chance makes them: p-values
//! are uniform by the Kolmogorov-Smirnov test at 1 %.

use std::collections::BTreeMap;

use evidence::{Protocol, Rates, StudyPlan};
use measures::{Kind, normal_approximation};

use super::extract::Study;

const SEEDS: u64 = 6;

fn null_plan() -> StudyPlan {
    let rates = Rates {
        enrolment_shape: 1e3,
        adverse_events_per_year: 8.0,
        adverse_events_subject_variance: 0.3,
        adverse_events_site_variance: 0.0,
        deviations_site_variance: 0.0,
        missing_site_variance: 0.0,
        cleaning_site_variance: 0.0,
        discontinuation_site_variance: 0.0,
        entry_lag_site_sd: 0.0,
        screen_failure_concentration: 1e5,
        ..Rates::default()
    };
    StudyPlan {
        sites: 20,
        subjects_per_site: 40.0,
        protocol: Protocol { visit_weeks: vec![8, 24], questionnaire_items: 0 },
        rates,
        ..StudyPlan::default()
    }
}

/// Numerators and denominators by site.
type BySite = BTreeMap<String, (f64, f64)>;

fn tally<'a>(rows: impl Iterator<Item = (&'a str, f64, f64)>) -> BySite {
    let mut by_site = BySite::new();
    for (subject, numerator, denominator) in rows {
        let site = by_site.entry(subject[..4].to_owned()).or_default();
        *site = (site.0 + numerator, site.1 + denominator);
    }
    by_site
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

fn indicator(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn events(study: &Study) -> BySite {
    let (subjects, events) = (study.table("subj"), study.table("ae"));
    let days = subjects.pairs("subjid", "timeonstudy").into_iter().map(|(id, days)| (id, 0.0, number(days)));
    tally(days.chain(events.column("subjid").into_iter().map(|id| (id, 1.0, 0.0))))
}

fn failures(study: &Study) -> BySite {
    let subjects = study.table("enroll");
    let answered = subjects.pairs("subjid", "enrollyn").into_iter().filter(|(_, answer)| !answer.is_empty());
    tally(answered.map(|(id, answer)| (id, indicator(answer == "N"), 1.0)))
}

fn late_pages(study: &Study) -> BySite {
    let pages = study.columns("dataent", &["subjectname", "data_entry_lag"]);
    let rows = pages.pairs("subjectname", "data_entry_lag").into_iter();
    tally(rows.map(|(id, lag)| (id, indicator(number(lag) > 5.0), 1.0)))
}

fn queries(study: &Study) -> BySite {
    let points = study.columns("datachg", &["subjectname"]);
    let queries = study.columns("query", &["subjectname"]);
    let rows = points.column("subjectname").into_iter().map(|id| (id, 0.0, 1.0));
    tally(rows.chain(queries.column("subjectname").into_iter().map(|id| (id, 1.0, 0.0))))
}

/// The two-sided p-values of the sites' scores.
fn p_values(by_site: &BySite, kind: Kind) -> Vec<f64> {
    let (numerators, denominators): (Vec<f64>, Vec<f64>) = by_site.values().copied().unzip();
    let fit = normal_approximation(&numerators, &denominators, kind).expect("every site has exposure");
    fit.groups.iter().map(|group| complementary_error(group.score.abs() / std::f64::consts::SQRT_2)).collect()
}

/// The complementary error function.
// Source: Abramowitz M, Stegun IA, "Handbook of mathematical functions", 7.1.26; its error is below 1.5e-7.
fn complementary_error(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    poly.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * t) * (-x * x).exp()
}

/// The distance between the p-values and the uniform distribution, times the root of their number.
fn kolmogorov_smirnov(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let count = p.len() as f64;
    let distance = |(index, p): (usize, &f64)| {
        let (below, above) = (index as f64 / count, (index + 1) as f64 / count);
        (p - below).abs().max((above - p).abs())
    };
    p.iter().enumerate().map(distance).fold(0.0, f64::max) * count.sqrt()
}

#[test]
fn scores_of_sites_are_as_chance_makes_them() {
    type Metric = (&'static str, fn(&Study) -> BySite, Kind);
    let metrics: [Metric; 4] = [
        ("adverse events", events, Kind::Rate),
        ("screen failures", failures, Kind::Binary),
        ("late pages", late_pages, Kind::Binary),
        ("queries", queries, Kind::Rate),
    ];
    let mut found: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for seed in 1..=SEEDS {
        let study = Study::make(&null_plan(), seed);
        for (name, metric, kind) in metrics {
            found.entry(name).or_default().extend(p_values(&metric(&study), kind));
        }
    }
    for (name, p) in found {
        // Source: the Kolmogorov distribution: 1.628 is exceeded with a probability of 1 %.
        let distance = kolmogorov_smirnov(p);
        assert!(distance < 1.628, "{name}: {distance}");
    }
}
