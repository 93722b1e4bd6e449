//! `mart_indicator_input`: what each subject adds to the numerator and the denominator of each risk indicator.
//!
//! What is counted of each fact by subject stands in `input/facts.rs`, and each indicator is stated once, below: which
//! of those counts are its numerator and denominator, which subjects count, and which counts show that the study's sources
//! tell anything about it. From that come both the mart's query, and the function that counts the rows of each fact as they
//! are stored and puts the mart's rows together: to plan the query takes longer than to answer it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::take;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use super::rule::or_nothing;
use crate::columns;
use crate::mart::Sink;

mod counts;
mod facts;

use counts::{Counts, Site};
use facts::FACTS;

/// Rows that are given on at a time.
const ROWS_AT_ONCE: usize = 1 << 16;
/// Stands for no subject: the indicator is about sites.
const NO_SUBJECT: i64 = -2;

const STUDY: &str = include_str!("input/study.sql");

/// An indicator as a relation of counts.
#[derive(Debug)]
struct Indicator {
    id: &'static str,
    numerator: &'static str,
    denominator: &'static str,
    /// Subjects count of whom this is above zero.
    each: &'static str,
    /// Without one of these above zero in the whole study the indicator has no rows: nothing is not zero.
    told: &'static [&'static str],
}

const fn of(
    id: &'static str,
    (numerator, denominator): (&'static str, &'static str),
    each: &'static str,
    told: &'static [&'static str],
) -> Indicator {
    Indicator { id, numerator, denominator, each, told }
}

// `itself` is 1 for every subject; `is_enrolled` and `is_screened` are 1 or 0, and facts count for those enrolled.
const INDICATORS: [Indicator; 40] = [
    of("kri0001", ("n_ae", "days_on_study"), "is_enrolled", &["n_ae"]),
    of("kri0002", ("n_sae", "days_on_study"), "is_enrolled", &["n_ae"]),
    of("kri0003", ("n_not_important", "days_on_study"), "is_enrolled", &["n_deviations"]),
    of("kri0004", ("n_important", "days_on_study"), "is_enrolled", &["n_deviations"]),
    of("kri0005", ("n_grade_3_4", "n_graded"), "n_graded", &["itself"]),
    of("kri0006", ("left_study", "itself"), "is_enrolled", &["n_study_told"]),
    of("kri0007", ("left_treatment", "itself"), "is_enrolled", &["n_treatment_told"]),
    of("kri0008", ("n_queries", "n_points"), "has_points_or_queries", &["n_queries_told"]),
    of("kri0009", ("n_overdue", "n_queries"), "n_queries", &["itself"]),
    of("kri0010", ("n_late", "n_pages"), "n_pages", &["itself"]),
    of("kri0011", ("n_changed", "n_points"), "n_points", &["itself"]),
    of("kri0012", ("is_screen_failure", "itself"), "is_screened", &["itself"]),
    of("kri0013", ("n_samples", "n_samples_due"), "n_samples_due", &["itself"]),
    of("kri0014", ("is_ineligible", "itself"), "is_enrolled", &["ineligible", "n_criteria_told"]),
    of("kri0015", ("has_died_early", "itself"), "is_enrolled", &["has_died", "n_reasons"]),
    of("s03", ("n_sae", "n_ae"), "n_ae", &["itself"]),
    of("s05", ("n_ae_late", "n_lags"), "n_lags", &["itself"]),
    of("s06", ("n_sae_late", "n_sae_lags"), "n_sae_lags", &["itself"]),
    of("s09", ("is_without_ae", "itself"), "is_enrolled", &["n_ae"]),
    of("s10", ("n_special", "days_on_study"), "is_enrolled", &["n_special_told"]),
    of("d01", ("n_queries", "n_pages"), "has_pages_or_queries", &["n_queries_told"]),
    of("d03", ("answer_days", "n_answered"), "n_answered", &["itself"]),
    of("d04", ("n_unclosed", "n_queries"), "n_queries", &["itself"]),
    of("d05", ("n_late_5", "n_pages"), "n_pages", &["itself"]),
    of("d06", ("recent_lag_days", "n_recent"), "n_recent", &["itself"]),
    of("d08", ("n_missing", "n_points"), "n_points", &["n_missing"]),
    of("d10", ("n_unverified", "n_to_verify"), "n_to_verify", &["itself"]),
    of("d11", ("n_unsigned", "n_submitted"), "n_submitted", &["n_signed"]),
    of("d12", ("n_system", "n_queries"), "n_queries", &["itself"]),
    of("p03", ("n_deviations", "n_visits"), "n_visits", &["n_deviations"]),
    of("p05", ("n_missed", "n_due"), "n_due", &["itself"]),
    of("p06", ("n_outside", "n_windows"), "n_windows", &["itself"]),
    of("p07", ("n_empty", "n_assessments"), "n_assessments", &["itself"]),
    of("p08", ("misdosed", "itself"), "is_enrolled", &["misdosed"]),
    of("p11", ("has_consent_defect", "itself"), "is_enrolled", &["consent_defect", "n_consents_told"]),
    of("p12", ("prohibited", "itself"), "is_enrolled", &["prohibited"]),
    of("e05", ("interrupted", "itself"), "is_enrolled", &["n_actions_told"]),
    of("e06", ("withdrew", "itself"), "is_enrolled", &["n_reasons"]),
    of("e07", ("lost", "itself"), "is_enrolled", &["n_reasons"]),
    of("e09", ("left_for_ae", "itself"), "is_enrolled", &["n_reasons"]),
];

/// What it is, as a query.
pub(crate) fn query() -> &'static str {
    static QUERY: LazyLock<String> = LazyLock::new(|| {
        let mut query = format!(
            "WITH study AS (\n{}),\ncurrent_subjects AS (\n{}),\n",
            STUDY,
            include_str!("input/subjects.sql")
        );
        for fact in &FACTS {
            let _ = write!(query, "{} AS (\n{}\n),\n", fact.name, fact.query());
        }
        let _ = writeln!(
            query,
            "site AS (\n{})\n{}",
            include_str!("input/site.sql"),
            include_str!("input/joined.sql")
        );
        for Indicator { id, numerator, denominator, each, told } in &INDICATORS {
            let told: Vec<String> = told.iter().map(|count| format!("t.{count} > 0")).collect();
            let _ = write!(
                query,
                "    SELECT '{id}' AS indicator_id, s.subject_sk, s.site_sk, CAST(s.{numerator} AS DOUBLE) AS numerator, \
                 CAST(s.{denominator} AS DOUBLE) AS denominator\n    \
                 FROM subjects s, told t WHERE s.{each} > 0 AND ({})\n    UNION ALL\n",
                told.join(" OR ")
            );
        }
        query + include_str!("input/sites.sql")
    });
    &QUERY
}

/// The columns of the mart.
pub(crate) fn schema() -> SchemaRef {
    columns::schema(&[
        ("indicator_id", DataType::Utf8),
        ("subject_sk", DataType::Int64),
        ("site_sk", DataType::Int64),
        ("numerator", DataType::Float64),
        ("denominator", DataType::Float64),
    ])
}

/// Gives the rows of [`query`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, sink: &mut dyn Sink) -> Result<()> {
    let counts = Counts::read(engine)?;
    let mut rows = Rows::default();
    let of_subjects = INDICATORS.iter().map(|indicator| (indicator.id, Of::Subjects(indicator)));
    let indicators: BTreeMap<&str, Of> = of_subjects.chain(OF_SITES).collect();
    for (id, of) in indicators {
        if rows.subjects.len() >= ROWS_AT_ONCE {
            sink.write(&rows.batch()?)?;
        }
        match of {
            Of::Subjects(indicator) => rows.add_subjects(indicator, &counts),
            Of::Sites(of) => rows.add_sites(id, &counts, of),
        }
    }
    // An empty table has its columns.
    sink.write(&rows.batch()?)
}

/// What an indicator is about.
#[derive(Debug)]
enum Of {
    Subjects(&'static Indicator),
    /// The numerator and the denominator of a site, which counts where the latter is above zero.
    Sites(fn(&Site) -> (f64, f64)),
}

/// As `input/sites.sql` has them.
const OF_SITES: [(&str, Of); 2] = [
    ("e02", Of::Sites(|site| (site.n_enrolled, site.target_enrolment))),
    ("e08", Of::Sites(|site| (site.is_empty(), site.is_long_active))),
];

/// Rows on their way out, column by column.
#[derive(Debug, Default)]
struct Rows {
    indicators: Vec<&'static str>,
    subjects: Vec<i64>,
    sites: Vec<i64>,
    numerators: Vec<f64>,
    denominators: Vec<f64>,
}

impl Rows {
    fn add_subjects(&mut self, indicator: &Indicator, counts: &Counts) {
        if !indicator.told.iter().any(|name| counts.total(name) > 0.0) {
            return;
        }
        let [each, numerators, denominators] =
            [indicator.each, indicator.numerator, indicator.denominator].map(|name| counts.of(name));
        for (place, (subject, site)) in counts.subjects.iter().enumerate() {
            if each[place] > 0.0 {
                self.add(indicator.id, (*subject, *site), (numerators[place], denominators[place]));
            }
        }
    }

    fn add_sites(&mut self, indicator: &'static str, counts: &Counts, of: fn(&Site) -> (f64, f64)) {
        for site in &counts.sites {
            let (numerator, denominator) = of(site);
            if denominator > 0.0 {
                self.add(indicator, (NO_SUBJECT, site.version), (numerator, denominator));
            }
        }
    }

    /// What is not there is nothing.
    fn add(&mut self, indicator: &'static str, (subject, site): (i64, i64), (above, below): (f64, f64)) {
        self.indicators.push(indicator);
        self.subjects.push(subject);
        self.sites.push(site);
        self.numerators.push(or_nothing(above));
        self.denominators.push(or_nothing(below));
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(take(&mut self.indicators))),
            Arc::new(Int64Array::from(take(&mut self.subjects))),
            Arc::new(Int64Array::from(take(&mut self.sites))),
            Arc::new(Float64Array::from(take(&mut self.numerators))),
            Arc::new(Float64Array::from(take(&mut self.denominators))),
        ];
        RecordBatch::try_new(schema(), columns)
            .map_err(Error::arrow("lay out what subjects add to indicators"))
    }
}

#[cfg(test)]
mod tests;
