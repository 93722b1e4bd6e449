//! What can be planted in a study: an anomaly of a kind, whom it is meant for, and how one is written in a word.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::error::SimulateError;
pub use super::kind::{AnomalyKind, Facts, KINDS};

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
            name.split_once('-')
                .is_some_and(|(site, number)| !number.is_empty() && all(site.chars(), char::is_ascii_digit))
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

    use AnomalyKind as K;

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
        check_parse(
            "delayed-entry@rank2::2025-09-01",
            Anomaly::of(K::DelayedEntry, Target::Rank(2)).from_day(day),
        );
        check_parse(
            "country_shift@DEU:2",
            Anomaly::of(K::CountryShift, Target::Country("DEU".to_owned())).sized(2.0),
        );
        let both = vec!["1003-004".to_owned(), "1004-001".to_owned()];
        check_parse("copied_vitals@1003-004+1004-001", Anomaly::of(K::CopiedVitals, Target::Subjects(both)));
    }

    #[test]
    fn a_word_that_is_no_anomaly_is_refused() {
        for text in [
            "ae_under_reporting",
            "nothing@1003",
            "25@1003",
            "1@",
            "1@x",
            "1@1003:much",
            "1@1003:1:soon",
            "1@1:1:2025-01-01:2",
        ] {
            assert!(text.parse::<Anomaly>().is_err(), "{text}");
        }
    }
}
