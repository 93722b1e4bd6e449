//! What can be planted in a study: the kinds of anomaly, whom one is meant for, and how one is written in a word.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::error::SimulateError;

/// Something wrong, to be found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Whom it concerns.
    pub target: Target,
    /// The first day that it concerns; without one, from the beginning of the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<NaiveDate>,
    /// Its size, in the unit of its kind; without one, [`Facts::magnitude`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<f64>,
}

/// Whom an anomaly concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The site of this id.
    Site(String),
    /// The sites of these ids.
    Sites(Vec<String>),
    /// The site that screens the most subjects (1), the second most (2), and so on.
    Rank(u32),
    /// The subjects of these ids.
    Subjects(Vec<String>),
    /// Every site of a country, by ISO 3166-1 alpha-3 code.
    Country(String),
    /// Every site of the country that has the most sites.
    LargestCountry,
    /// The whole study.
    Study,
}

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
    facts(K::AeUnderReporting, (1, "ae_under_reporting"), "share of adverse events not reported", share(0.75), &["kri0001", "S4", "S9"]),
    facts(K::AeOverReporting, (2, "ae_over_reporting"), "factor on the adverse-event rate", (1.01, 2.0, 20.0), &["kri0001", "S4"]),
    facts(K::SaeLateEntry, (3, "sae_late_entry"), "days added to the entry of a serious event", (1.0, 14.0, 365.0), &["S6", "S5"]),
    facts(K::GradeMiscoding, (4, "grade_miscoding"), "share of events of grade 2 and above recorded as grade 1", share(0.8), &["C12"]),
    facts(K::DelayedEntry, (5, "delayed_entry"), "factor on the days to entry", (1.01, 5.0, 100.0), &["kri0010", "D6"]),
    facts(K::QueryAgeing, (6, "query_ageing"), "factor on the days to answer and close", (1.01, 8.0, 100.0), &["kri0009", "D3", "D4"]),
    facts(K::HighQueryRate, (7, "high_query_rate"), "factor on the query rate", (1.01, 3.0, 50.0), &["kri0008", "D1"]),
    facts(K::ChangesBeforeMonitoring, (8, "changes_before_monitoring"), "share of points changed in the three days before the monitor comes", share(0.4), &["kri0011", "D7"]),
    facts(K::MissedVisits, (9, "missed_visits"), "share of due visits missed within twelve weeks", share(0.5), &["P5", "D8", "Q5"]),
    facts(K::WindowDrift, (10, "window_drift"), "days of delay at the last visit, growing from 0", (1.0, 10.0, 60.0), &["P6", "C1"]),
    facts(K::EligibilityLapses, (11, "eligibility_lapses"), "share of enrolled subjects who break a criterion", share(0.3), &["kri0014", "P4", "Q1"]),
    facts(K::HiddenImportantDeviations, (12, "hidden_important_deviations"), "share of important deviations recorded as minor", share(0.9), &["kri0004", "kri0003", "Q6"]),
    facts(K::DigitPreference, (13, "digit_preference"), "share of vital signs rounded to tens", share(0.8), &["C3", "C4"]),
    facts(K::CopiedVitals, (14, "copied_vitals"), "factor on the within-subject standard deviation of vital signs", (0.0, 0.1, 0.9), &["C5", "C2", "C8"]),
    facts(K::DuplicateSubjects, (15, "duplicate_subjects"), "first subjects of the site that are copies", (1.0, 5.0, 1000.0), &["C8"]),
    facts(K::WeekdayVisits, (16, "weekday_visits"), "share of visits on a Sunday", share(0.5), &["C9"]),
    facts(K::UnitSwitch, (17, "unit_switch"), "factor on blood sugar (18.016: mmol/L become mg/dL)", (0.001, 18.016, 1000.0), &["C1", "C14", "kri0005"]),
    facts(K::InformativeDropout, (18, "informative_dropout"), "hazard ratio of dropout for the iller half of the active arm", (1.01, 4.0, 50.0), &["kri0006", "E3", "Q2"]),
    facts(K::MnarMissingness, (19, "mnar_missingness"), "log odds ratio of missingness for one standard deviation of the value", (0.1, 2.0, 10.0), &["C11", "D9"]),
    facts(K::LateConsent, (20, "late_consent"), "share of subjects who consent after the first procedure", share(0.3), &["P11", "Q7"]),
    facts(K::SiteTransfer, (21, "site_transfer"), "share of enrolled subjects who move", share(0.3), &["identity"]),
    facts(K::PerfectAdherence, (22, "perfect_adherence"), "share of visits that are made up", share(1.0), &["C10", "C11", "P9"]),
    facts(K::CountryShift, (23, "country_shift"), "factor on the country's adverse-event rate", (0.05, 1.8, 20.0), &["cou0001", "S1"]),
    facts(K::TimezoneError, (24, "timezone_error"), "days added to sample dates", (1.0, 1.0, 2.0), &["C9", "date_order"]),
    facts(K::DuplicateBatch, (25, "duplicate_batch"), "copies of the last delivery", (1.0, 1.0, 5.0), &["ingest"]),
    facts(K::ReorderedBatch, (25, "reordered_batch"), "deliveries with reversed rows", (1.0, 1.0, 1.0), &["ingest"]),
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

impl Anomaly {
    /// An anomaly of a kind, of its usual size and from the beginning.
    #[must_use]
    pub fn of(kind: AnomalyKind, target: Target) -> Self {
        Self { kind, target, start: None, magnitude: None }
    }

    /// The same anomaly from a day on.
    #[must_use]
    pub fn from_day(self, start: NaiveDate) -> Self {
        Self { start: Some(start), ..self }
    }

    /// The same anomaly of another size.
    #[must_use]
    pub fn sized(self, magnitude: f64) -> Self {
        Self { magnitude: Some(magnitude), ..self }
    }

    /// Its size.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.magnitude.unwrap_or(self.kind.facts().magnitude)
    }

    pub(super) fn check(&self) -> Result<(), SimulateError> {
        let Facts { name, unit, range, .. } = *self.kind.facts();
        let magnitude = self.size();
        if (range.0..=range.1).contains(&magnitude) {
            return Ok(());
        }
        Err(SimulateError::Magnitude { name, unit, magnitude, least: range.0, most: range.1 })
    }
}

/// `TYPE@TARGET`, `TYPE@TARGET:MAGNITUDE` or `TYPE@TARGET:MAGNITUDE:START`, the magnitude empty for the usual one.
impl FromStr for Anomaly {
    type Err = SimulateError;

    fn from_str(text: &str) -> Result<Self, SimulateError> {
        let broken = |part: &'static str| SimulateError::AnomalySyntax { text: text.to_owned(), part };
        let (kind, rest) = text.split_once('@').ok_or_else(|| broken("an `@` before the target"))?;
        let mut parts = rest.split(':');
        let target = parts.next().unwrap_or_default().parse()?;
        let magnitude = match parts.next().filter(|part| !part.is_empty()) {
            Some(part) => Some(part.parse().map_err(|_| broken("a number as its magnitude"))?),
            None => None,
        };
        let start = match parts.next() {
            Some(part) => Some(part.parse().map_err(|_| broken("a day such as 2025-09-01 as its start"))?),
            None => None,
        };
        if parts.next().is_some() {
            return Err(broken("no more than a magnitude and a start"));
        }
        Ok(Self { kind: kind.parse()?, target, start, magnitude })
    }
}

/// A site (`1003`), several (`1003+1007`), a rank (`rank1`), subjects (`1003-004+1003-007`), a country (`DEU`), the largest
/// `country`, or the whole `study`.
impl FromStr for Target {
    type Err = SimulateError;

    fn from_str(text: &str) -> Result<Self, SimulateError> {
        let all = |mut of: std::str::Chars<'_>, is: fn(&char) -> bool| of.all(|letter| is(&letter));
        let names: Vec<String> = text.split('+').map(str::to_owned).collect();
        match text {
            "study" => return Ok(Self::Study),
            "country" => return Ok(Self::LargestCountry),
            _ => {}
        }
        if let Some(rank) = text.strip_prefix("rank").and_then(|rank| rank.parse().ok()) {
            return Ok(Self::Rank(rank));
        }
        if text.len() == 3 && all(text.chars(), char::is_ascii_uppercase) {
            return Ok(Self::Country(text.to_owned()));
        }
        let sites = names.iter().all(|name| !name.is_empty() && all(name.chars(), char::is_ascii_digit));
        let subjects = names.iter().all(|name| {
            name.split_once('-').is_some_and(|(site, number)| {
                !number.is_empty() && all(site.chars(), char::is_ascii_digit)
            })
        });
        match (sites, subjects, names.as_slice()) {
            (true, _, [site]) => Ok(Self::Site(site.clone())),
            (true, ..) => Ok(Self::Sites(names)),
            (_, true, _) => Ok(Self::Subjects(names)),
            _ => Err(SimulateError::AnomalySyntax {
                text: text.to_owned(),
                part: "a target such as `1003`, `1003+1007`, `rank1`, `1003-004`, `DEU`, `country` or `study`",
            }),
        }
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

    #[track_caller]
    fn check_parse(text: &str, anomaly: Anomaly) {
        assert_eq!(text.parse::<Anomaly>().ok(), Some(anomaly), "{text}");
    }

    #[test]
    fn an_anomaly_is_written_as_type_at_target() {
        let site = || Target::Site("1003".to_owned());
        check_parse("ae_under_reporting@1003", Anomaly::of(K::AeUnderReporting, site()));
        check_parse("1@1003:0.5", Anomaly::of(K::AeUnderReporting, site()).sized(0.5));
        let day = NaiveDate::from_ymd_opt(2025, 9, 1).expect("the day exists");
        check_parse("delayed-entry@rank2::2025-09-01", Anomaly::of(K::DelayedEntry, Target::Rank(2)).from_day(day));
        check_parse("country_shift@DEU:2", Anomaly::of(K::CountryShift, Target::Country("DEU".to_owned())).sized(2.0));
        let both = vec!["1003-004".to_owned(), "1004-001".to_owned()];
        check_parse("copied_vitals@1003-004+1004-001", Anomaly::of(K::CopiedVitals, Target::Subjects(both)));
    }

    #[test]
    fn a_word_that_is_no_anomaly_is_refused() {
        for text in ["ae_under_reporting", "nothing@1003", "25@1003", "1@", "1@x", "1@1003:much", "1@1003:1:soon", "1@1:1:2025-01-01:2"] {
            assert!(text.parse::<Anomaly>().is_err(), "{text}");
        }
    }
}
