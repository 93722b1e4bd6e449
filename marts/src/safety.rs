//! Adverse events by level of the dictionary, with exact limits, and the liver tests of each subject.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use measures::MeasureError;
use measures::safety::{LiverAnalyte, LiverResult, clopper_pearson, hys_law, incidence_rate};
use warehouse::engine::Engine;

use crate::columns::{numbers, some_numbers, some_texts, table, texts};
use crate::{Definitions, Error, Result};

/// Counts by level.
pub const LEVELS: &str = include_str!("safety/levels.sql");
/// Results of liver tests after baseline.
pub const LIVER: &str = include_str!("safety/liver.sql");

pub(crate) const LEVEL_MART: &str = "mart_ae_level";
pub(crate) const LIVER_MART: &str = "mart_liver";

const LEVEL: f64 = 0.95;
/// A hundred patient-years, in days.
const HUNDRED_YEARS: f64 = 36_525.0;
/// Days between the two results of Hy's law, at most.
pub const WINDOW_DAYS: f64 = 30.0;

fn refused(mart: &'static str, what: &str) -> impl Fn(MeasureError) -> Error {
    move |source| Error::Measure { mart: mart.to_owned(), indicator: what.to_owned(), source }
}

#[derive(Debug)]
struct Term {
    names: [String; 4],
    counts: [f64; 7],
    share: (f64, f64, f64),
    rate: Option<(f64, f64, f64)>,
}

/// `mart_ae_level`: events and subjects at each level of the dictionary, with Clopper-Pearson limits of the share of subjects and
/// exact Poisson limits of the events per 100 patient-years on study.
///
/// # Errors
/// [`Error::Measure`] when counts contradict each other.
pub fn by_level(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: LEVEL_MART.to_owned(), source };
    let mut terms = Vec::new();
    for batch in engine.query("count adverse events by level", LEVELS).map_err(failed)? {
        for row in 0..batch.num_rows() {
            let text = |column: usize| batch.column(column).as_string::<i32>().value(row).to_owned();
            let number = |column: usize| batch.column(column).as_primitive::<Float64Type>().value(row);
            terms.push(term([0, 1, 2, 3].map(text), [4, 5, 6, 7, 8, 9, 10].map(number))?);
        }
    }
    let columns = vec![
        texts("arm", &terms, |term| &term.names[0]),
        texts("level", &terms, |term| &term.names[1]),
        texts("soc", &terms, |term| &term.names[2]),
        texts("term", &terms, |term| &term.names[3]),
        numbers("n_events", &terms, |term| term.counts[0]),
        numbers("n_subjects", &terms, |term| term.counts[1]),
        numbers("n_serious", &terms, |term| term.counts[2]),
        numbers("n_related", &terms, |term| term.counts[3]),
        numbers("n_grade_3_and_higher", &terms, |term| term.counts[4]),
        numbers("n_enrolled", &terms, |term| term.counts[5]),
        numbers("exposure_days", &terms, |term| term.counts[6]),
        numbers("share_of_subjects", &terms, |term| term.share.0),
        numbers("share_lower", &terms, |term| term.share.1),
        numbers("share_upper", &terms, |term| term.share.2),
        some_numbers("events_per_100_patient_years", &terms, |term| term.rate.map(|rate| rate.0)),
        some_numbers("rate_lower", &terms, |term| term.rate.map(|rate| rate.1)),
        some_numbers("rate_upper", &terms, |term| term.rate.map(|rate| rate.2)),
    ];
    table(LEVEL_MART, columns)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole and not negative"
)]
fn term(names: [String; 4], counts: [f64; 7]) -> Result<Term> {
    let refused = refused(LEVEL_MART, &names[3]);
    let share = clopper_pearson(counts[1] as u64, counts[5] as u64, LEVEL).map_err(&refused)?;
    let exposure = counts[6] / HUNDRED_YEARS;
    let rate = (exposure > 0.0)
        .then(|| incidence_rate(counts[0] as u64, exposure, LEVEL))
        .transpose()
        .map_err(&refused)?;
    drop(refused);
    Ok(Term {
        names,
        counts,
        share: (share.proportion, share.lower, share.upper),
        rate: rate.map(|rate| (rate.rate, rate.lower, rate.upper)),
    })
}

/// The liver tests of one subject.
#[derive(Debug, Default)]
struct Liver {
    subject: String,
    site: String,
    results: Vec<LiverResult>,
    highest: [Option<f64>; 4],
    case_day: Option<f64>,
    cholestasis: Option<&'static str>,
}

/// `mart_liver`: the highest liver tests of each subject after baseline, over the upper limits of normal, and whether two of
/// them within 30 days meet the laboratory part of Hy's law.
///
/// # Errors
/// [`Error::Measure`] when results cannot be used.
pub fn liver(engine: &Engine, _: &Definitions) -> Result<RecordBatch> {
    let failed = |source| Error::Build { mart: LIVER_MART.to_owned(), source };
    let mut subjects: BTreeMap<String, Liver> = BTreeMap::new();
    for batch in engine.query("read liver tests", LIVER).map_err(failed)? {
        let [days, values] = [3, 4].map(|column| batch.column(column).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let text = |column: usize| {
                let texts = batch.column(column).as_string::<i32>();
                if texts.is_valid(row) { texts.value(row).to_owned() } else { String::new() }
            };
            let (place, analyte) = match text(2).as_str() {
                "ALT" => (0, LiverAnalyte::Alanine),
                "AST" => (1, LiverAnalyte::Aspartate),
                "BILI" => (2, LiverAnalyte::Bilirubin),
                _ => (3, LiverAnalyte::AlkalinePhosphatase),
            };
            let subject = subjects.entry(text(0)).or_insert_with(|| Liver {
                subject: text(0),
                site: text(1),
                ..Liver::default()
            });
            let of_upper_limit = values.value(row);
            subject.results.push(LiverResult { analyte, day: days.value(row), of_upper_limit });
            let highest = subject.highest[place].get_or_insert(of_upper_limit);
            *highest = highest.max(of_upper_limit);
        }
    }
    let mut subjects: Vec<Liver> = subjects.into_values().collect();
    for subject in &mut subjects {
        let first = subject.results.iter().map(|result| result.day).fold(f64::INFINITY, f64::min);
        if let Some(case) = hys_law(&subject.results, WINDOW_DAYS).map_err(refused(LIVER_MART, "Hy's law"))? {
            subject.case_day = Some(case.transaminase_day.max(case.bilirubin_day) - first);
            subject.cholestasis = Some(match case.without_cholestasis() {
                Some(true) => "ruled out",
                Some(false) => "present",
                None => "not known",
            });
        }
    }
    into_batch(&subjects)
}

fn into_batch(subjects: &[Liver]) -> Result<RecordBatch> {
    let transaminase = |subject: &Liver| match (subject.highest[0], subject.highest[1]) {
        (Some(left), Some(right)) => Some(left.max(right)),
        (left, right) => left.or(right),
    };
    let columns = vec![
        texts("subject_id", subjects, |subject| &subject.subject),
        texts("site_id", subjects, |subject| &subject.site),
        some_numbers("alt_x_uln", subjects, |subject| subject.highest[0]),
        some_numbers("ast_x_uln", subjects, |subject| subject.highest[1]),
        some_numbers("transaminase_x_uln", subjects, transaminase),
        some_numbers("bilirubin_x_uln", subjects, |subject| subject.highest[2]),
        some_numbers("alkaline_phosphatase_x_uln", subjects, |subject| subject.highest[3]),
        texts("hys_law", subjects, |subject| if subject.case_day.is_some() { "Y" } else { "N" }),
        some_numbers("hys_law_day", subjects, |subject| subject.case_day),
        some_texts("cholestasis", subjects, |subject| subject.cholestasis),
    ];
    table(LIVER_MART, columns)
}
