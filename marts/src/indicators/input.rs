//! `mart_indicator_input`: what each subject adds to the numerator and the denominator of each risk indicator.
//!
//! Every fact is counted by subject in a query of its own (`input/*.sql`), and each indicator is stated once, below: which
//! of those counts are its numerator and denominator, which subjects count, and which counts show that the study's sources
//! tell anything about it. From that come both the mart's query, and the function that asks the small queries alone and
//! puts the rows together: to plan the whole query takes longer than to answer it.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use warehouse::engine::Engine;
use warehouse::{Error, Result};

use crate::columns;
use crate::mart::Give;

mod counts;

use counts::{Counts, Site};

/// Rows that are given on at a time.
const ROWS_AT_ONCE: usize = 1 << 16;
/// Stands for no subject: the indicator is about sites.
const NO_SUBJECT: i64 = -2;

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

macro_rules! indicators {
    ($($id:literal: $numerator:literal / $denominator:literal, each $each:literal, told $($told:literal)or+;)+) => {
        const INDICATORS: &[Indicator] = &[$(Indicator {
            id: $id,
            numerator: $numerator,
            denominator: $denominator,
            each: $each,
            told: &[$($told),+],
        }),+];
        /// What it is, as a query.
        pub(crate) const QUERY: &str = concat!(
            "WITH study AS (\n", include_str!("input/study.sql"),
            "),\ncurrent_subjects AS (\n", include_str!("input/subjects.sql"),
            "),\nae AS (\n", include_str!("input/ae.sql"),
            "),\ndeviation AS (\n", include_str!("input/deviation.sql"),
            "),\ndisposition AS (\n", include_str!("input/disposition.sql"),
            "),\nquery AS (\n", include_str!("input/query.sql"),
            "),\npage AS (\n", include_str!("input/page.sql"),
            "),\nvisit AS (\n", include_str!("input/visit.sql"),
            "),\nresult AS (\n", include_str!("input/result.sql"),
            "),\nsite AS (\n", include_str!("input/site.sql"),
            ")\n", include_str!("input/joined.sql"),
            $("    SELECT '", $id, "' AS indicator_id, s.subject_sk, s.site_sk, CAST(s.", $numerator,
            " AS DOUBLE) AS numerator, CAST(s.", $denominator, " AS DOUBLE) AS denominator\n",
            "    FROM subjects s, told t WHERE s.", $each, " > 0 AND (false", $(" OR t.", $told, " > 0",)+ ")\n",
            "    UNION ALL\n",)+
            include_str!("input/sites.sql")
        );
    };
}

// `itself` is 1 for every subject; `is_enrolled` and `is_screened` are 1 or 0, and facts count for those enrolled.
indicators! {
    "kri0001": "n_ae" / "days_on_study", each "is_enrolled", told "n_ae";
    "kri0002": "n_sae" / "days_on_study", each "is_enrolled", told "n_ae";
    "kri0003": "n_not_important" / "days_on_study", each "is_enrolled", told "n_deviations";
    "kri0004": "n_important" / "days_on_study", each "is_enrolled", told "n_deviations";
    "kri0005": "n_grade_3_4" / "n_graded", each "n_graded", told "itself";
    "kri0006": "left_study" / "itself", each "is_enrolled", told "n_study_told";
    "kri0007": "left_treatment" / "itself", each "is_enrolled", told "n_treatment_told";
    "kri0008": "n_queries" / "n_points", each "has_points_or_queries", told "n_queries_told";
    "kri0009": "n_overdue" / "n_queries", each "n_queries", told "itself";
    "kri0010": "n_late" / "n_pages", each "n_pages", told "itself";
    "kri0011": "n_changed" / "n_points", each "n_points", told "itself";
    "kri0012": "is_screen_failure" / "itself", each "is_screened", told "itself";
    "kri0013": "n_samples" / "n_samples_due", each "n_samples_due", told "itself";
    "kri0014": "is_ineligible" / "itself", each "is_enrolled", told "ineligible" or "n_criteria_told";
    "kri0015": "has_died_early" / "itself", each "is_enrolled", told "has_died" or "n_reasons";
    "s03": "n_sae" / "n_ae", each "n_ae", told "itself";
    "s05": "n_ae_late" / "n_lags", each "n_lags", told "itself";
    "s06": "n_sae_late" / "n_sae_lags", each "n_sae_lags", told "itself";
    "s09": "is_without_ae" / "itself", each "is_enrolled", told "n_ae";
    "s10": "n_special" / "days_on_study", each "is_enrolled", told "n_special_told";
    "d01": "n_queries" / "n_pages", each "has_pages_or_queries", told "n_queries_told";
    "d03": "answer_days" / "n_answered", each "n_answered", told "itself";
    "d04": "n_unclosed" / "n_queries", each "n_queries", told "itself";
    "d05": "n_late_5" / "n_pages", each "n_pages", told "itself";
    "d06": "recent_lag_days" / "n_recent", each "n_recent", told "itself";
    "d08": "n_missing" / "n_points", each "n_points", told "n_missing";
    "d10": "n_unverified" / "n_to_verify", each "n_to_verify", told "itself";
    "d11": "n_unsigned" / "n_submitted", each "n_submitted", told "n_signed";
    "d12": "n_system" / "n_queries", each "n_queries", told "itself";
    "p03": "n_deviations" / "n_visits", each "n_visits", told "n_deviations";
    "p05": "n_missed" / "n_due", each "n_due", told "itself";
    "p06": "n_outside" / "n_windows", each "n_windows", told "itself";
    "p07": "n_empty" / "n_assessments", each "n_assessments", told "itself";
    "p08": "misdosed" / "itself", each "is_enrolled", told "misdosed";
    "p11": "has_consent_defect" / "itself", each "is_enrolled", told "consent_defect" or "n_consents_told";
    "p12": "prohibited" / "itself", each "is_enrolled", told "prohibited";
    "e05": "interrupted" / "itself", each "is_enrolled", told "n_actions_told";
    "e06": "withdrew" / "itself", each "is_enrolled", told "n_reasons";
    "e07": "lost" / "itself", each "is_enrolled", told "n_reasons";
    "e09": "left_for_ae" / "itself", each "is_enrolled", told "n_reasons";
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

/// Gives the rows of [`QUERY`], in its order.
///
/// # Errors
/// When the engine refuses, or whoever takes the rows does.
pub(crate) fn rows(engine: &Engine, give: &mut Give<'_>) -> Result<()> {
    let counts = Counts::read(engine)?;
    let mut rows = Rows::default();
    let of_subjects = INDICATORS.iter().map(|indicator| (indicator.id, Of::Subjects(indicator)));
    let indicators: BTreeMap<&str, Of> = of_subjects.chain(OF_SITES).collect();
    for (id, of) in indicators {
        if rows.subjects.len() >= ROWS_AT_ONCE {
            give(&rows.batch()?)?;
        }
        match of {
            Of::Subjects(indicator) => rows.add_subjects(indicator, &counts),
            Of::Sites(of) => rows.add_sites(id, &counts, of),
        }
    }
    // An empty table has its columns.
    give(&rows.batch()?)
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
        let or_nothing = |number: f64| if number.is_nan() { 0.0 } else { number };
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
