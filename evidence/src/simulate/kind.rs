//! The kinds of anomaly: numbers, names, what their magnitudes count, and what is meant to show them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::SimulateError;

/// The kinds of anomaly.
// Source: numbers 1 to 25 are those of the simulator's specification, which has three platform tests as number 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// Adverse events are not reported.
    AeUnderReporting,
    /// More adverse events are reported than there are.
    AeOverReporting,
    /// Serious adverse events are entered late.
    SaeLateEntry,
    /// Grades of adverse events are recorded as mild.
    GradeMiscoding,
    /// Pages are entered late from a day on.
    DelayedEntry,
    /// Queries stay open.
    QueryAgeing,
    /// More queries are raised.
    HighQueryRate,
    /// Data are changed in the days before the monitor comes.
    ChangesBeforeMonitoring,
    /// Visits are missed, for twelve weeks.
    MissedVisits,
    /// Visits drift out of their windows.
    WindowDrift,
    /// Subjects are enrolled against a criterion.
    EligibilityLapses,
    /// Important deviations are recorded as minor ones.
    HiddenImportantDeviations,
    /// Vital signs end in 0.
    DigitPreference,
    /// A subject's vital signs hardly vary.
    CopiedVitals,
    /// Subjects are copies of subjects of another site.
    DuplicateSubjects,
    /// Visits take place on Sundays.
    WeekdayVisits,
    /// A laboratory value changes its unit, and its label does not.
    UnitSwitch,
    /// In the active arm, those who are ill leave.
    InformativeDropout,
    /// High values are left out.
    MnarMissingness,
    /// Consent is dated after the first procedure.
    LateConsent,
    /// Subjects move to another site.
    SiteTransfer,
    /// Visits on the planned day, no tablet returned and nothing missing: too good.
    PerfectAdherence,
    /// More adverse events in a whole country.
    CountryShift,
    /// Samples bear the date of the day after.
    TimezoneError,
    /// A delivery comes twice.
    DuplicateBatch,
    /// A delivery has its rows in another order.
    ReorderedBatch,
    /// A delivery lacks a large part of its rows.
    TombstoneStorm,
}

/// What is fixed for a kind of anomaly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Its kind.
    pub kind: AnomalyKind,
    /// Its number in the specification.
    pub number: u8,
    /// Its name on the command line and in files.
    pub name: &'static str,
    /// What its magnitude counts.
    pub unit: &'static str,
    /// The magnitude where none is given.
    pub magnitude: f64,
    /// The smallest and largest magnitude.
    pub range: (f64, f64),
    /// The risk indicators, site tests and tolerance limits that are meant to move: those of the data-quality
    /// catalogue by its codes (`S5`, `C3`, `Q1`), those with a reference implementation by its (`kri0001`).
    pub indicators: &'static [&'static str],
}

const fn facts(
    kind: AnomalyKind,
    (number, name): (u8, &'static str),
    unit: &'static str,
    (least, magnitude, most): (f64, f64, f64),
    indicators: &'static [&'static str],
) -> Facts {
    Facts { kind, number, name, unit, magnitude, range: (least, most), indicators }
}

const SHARE: (f64, f64) = (1e-6, 1.0);

const fn share(magnitude: f64) -> (f64, f64, f64) {
    (SHARE.0, magnitude, SHARE.1)
}

use AnomalyKind as K;

/// Every kind, in the order of [`AnomalyKind`].
pub const KINDS: [Facts; 27] = [
    facts(
        K::AeUnderReporting,
        (1, "ae_under_reporting"),
        "share of adverse events not reported",
        share(0.75),
        &["kri0001", "S4", "S9"],
    ),
    facts(
        K::AeOverReporting,
        (2, "ae_over_reporting"),
        "factor on the adverse-event rate",
        (1.01, 2.0, 20.0),
        &["kri0001", "S4"],
    ),
    facts(
        K::SaeLateEntry,
        (3, "sae_late_entry"),
        "days added to the entry of a serious event",
        (1.0, 14.0, 365.0),
        &["S6", "S5"],
    ),
    facts(
        K::GradeMiscoding,
        (4, "grade_miscoding"),
        "share of events of grade 2 and above recorded as grade 1",
        share(0.8),
        &["C12"],
    ),
    facts(
        K::DelayedEntry,
        (5, "delayed_entry"),
        "factor on the days to entry",
        (1.01, 5.0, 100.0),
        &["kri0010", "D6"],
    ),
    facts(
        K::QueryAgeing,
        (6, "query_ageing"),
        "factor on the days to answer and close",
        (1.01, 8.0, 100.0),
        &["kri0009", "D3", "D4"],
    ),
    facts(
        K::HighQueryRate,
        (7, "high_query_rate"),
        "factor on the query rate",
        (1.01, 3.0, 50.0),
        &["kri0008", "D1"],
    ),
    facts(
        K::ChangesBeforeMonitoring,
        (8, "changes_before_monitoring"),
        "share of points changed in the three days before the monitor comes",
        share(0.4),
        &["kri0011", "D7"],
    ),
    facts(
        K::MissedVisits,
        (9, "missed_visits"),
        "share of due visits missed within twelve weeks",
        share(0.5),
        &["P5", "D8", "Q5"],
    ),
    facts(
        K::WindowDrift,
        (10, "window_drift"),
        "days of delay at the last visit, growing from 0",
        (1.0, 10.0, 60.0),
        &["P6", "C1"],
    ),
    facts(
        K::EligibilityLapses,
        (11, "eligibility_lapses"),
        "share of enrolled subjects who break a criterion",
        share(0.3),
        &["kri0014", "P4", "Q1"],
    ),
    facts(
        K::HiddenImportantDeviations,
        (12, "hidden_important_deviations"),
        "share of important deviations recorded as minor",
        share(0.9),
        &["kri0004", "kri0003", "Q6"],
    ),
    facts(
        K::DigitPreference,
        (13, "digit_preference"),
        "share of vital signs rounded to tens",
        share(0.8),
        &["C3", "C4"],
    ),
    facts(
        K::CopiedVitals,
        (14, "copied_vitals"),
        "factor on the within-subject standard deviation of vital signs",
        (0.0, 0.1, 0.9),
        &["C5", "C2", "C8"],
    ),
    facts(
        K::DuplicateSubjects,
        (15, "duplicate_subjects"),
        "first subjects of the site that are copies",
        (1.0, 5.0, 1000.0),
        &["C8"],
    ),
    facts(K::WeekdayVisits, (16, "weekday_visits"), "share of visits on a Sunday", share(0.5), &["C9"]),
    facts(
        K::UnitSwitch,
        (17, "unit_switch"),
        "factor on blood sugar (18.016: mmol/L become mg/dL)",
        (0.001, 18.016, 1000.0),
        &["C1", "C14", "kri0005"],
    ),
    facts(
        K::InformativeDropout,
        (18, "informative_dropout"),
        "hazard ratio of dropout for the iller half of the active arm",
        (1.01, 4.0, 50.0),
        &["kri0006", "E3", "Q2"],
    ),
    facts(
        K::MnarMissingness,
        (19, "mnar_missingness"),
        "log odds ratio of missingness for one standard deviation of the value",
        (0.1, 2.0, 10.0),
        &["C11", "D9"],
    ),
    facts(
        K::LateConsent,
        (20, "late_consent"),
        "share of subjects who consent after the first procedure",
        share(0.3),
        &["P11", "Q7"],
    ),
    facts(
        K::SiteTransfer,
        (21, "site_transfer"),
        "share of enrolled subjects who move",
        share(0.3),
        &["identity"],
    ),
    facts(
        K::PerfectAdherence,
        (22, "perfect_adherence"),
        "share of visits that are made up",
        share(1.0),
        &["C10", "C11", "P9"],
    ),
    facts(
        K::CountryShift,
        (23, "country_shift"),
        "factor on the country's adverse-event rate",
        (0.05, 1.8, 20.0),
        &["cou0001", "S1"],
    ),
    facts(
        K::TimezoneError,
        (24, "timezone_error"),
        "days added to sample dates",
        (1.0, 1.0, 2.0),
        &["C9", "date_order"],
    ),
    facts(
        K::DuplicateBatch,
        (25, "duplicate_batch"),
        "copies of the last delivery",
        (1.0, 1.0, 5.0),
        &["ingest"],
    ),
    facts(
        K::ReorderedBatch,
        (25, "reordered_batch"),
        "deliveries with reversed rows",
        (1.0, 1.0, 1.0),
        &["ingest"],
    ),
    facts(K::TombstoneStorm, (25, "tombstone_storm"), "share of rows gone", (1e-6, 0.5, 0.99), &["ingest"]),
];

impl AnomalyKind {
    /// What is fixed for this kind.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        // INVARIANT: the table is in the order of the kinds; a test holds it.
        &KINDS[self as usize]
    }

    /// Whether it is planted in the delivery and not in the study.
    #[must_use]
    pub fn is_platform_test(self) -> bool {
        matches!(self, Self::DuplicateBatch | Self::ReorderedBatch | Self::TombstoneStorm)
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().name)
    }
}

impl FromStr for AnomalyKind {
    type Err = SimulateError;

    /// A kind by its name or by its number, where that names one kind.
    fn from_str(text: &str) -> Result<Self, SimulateError> {
        let name = text.trim().replace('-', "_");
        let number: Option<u8> = name.parse().ok().filter(|number| *number < 25);
        let found = KINDS.iter().find(|facts| facts.name == name || Some(facts.number) == number);
        found.map(|facts| facts.kind).ok_or_else(|| SimulateError::UnknownAnomaly { name: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (index, facts) in KINDS.iter().enumerate() {
            assert_eq!(facts.kind as usize, index, "{}", facts.name);
            assert!((facts.range.0..=facts.range.1).contains(&facts.magnitude), "{}", facts.name);
            assert_eq!(facts.kind.to_string().parse::<AnomalyKind>().ok(), Some(facts.kind));
            let json = serde_json::to_value(facts.kind).expect("a kind renders");
            assert_eq!(json, facts.name, "the name in files");
        }
        let numbers: std::collections::BTreeSet<u8> = KINDS.iter().map(|facts| facts.number).collect();
        assert!(numbers.into_iter().eq(1..=25));
    }
}
