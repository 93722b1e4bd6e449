//! Risk indicators: definitions are data, statistics are `measures`, and this module brings them together.

use std::sync::LazyLock;

use measures::{Accrual, FlagRule, Kind, Weights};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

pub use measures::change;

pub mod bounds;
pub mod by_method;
pub(crate) mod by_visit;
pub mod defined;
mod fact;
pub mod groups;
pub(crate) mod input;
pub mod reporting;
pub(crate) mod results;
mod rule;
pub mod score;
pub mod site_risk;

/// The definitions, as shipped. They are part of what a mart is computed from.
pub(crate) const PARAMETERS: &str = include_str!("indicators/indicators.toml");

/// The open reference's method: each group against all groups.
pub const NORMAL_APPROXIMATION: &str = "normal_approximation";
/// A number is its own score.
pub const IDENTITY: &str = "identity";
/// Each group against the others, with the over-dispersion of the others.
pub const LEAVE_ONE_OUT: &str = "leave_one_out";
/// Each group against the others by the law of its count.
pub const EXACT: &str = "exact";
/// Each group against subjects who were followed as long.
pub const IN_FRAME: &str = "in_frame";
/// The number of the whole study, which is compared with nothing.
pub const METRIC: &str = "metric";

/// How an indicator's numerator relates to its denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Events per unit of exposure: the numerator may exceed the denominator.
    Rate,
    /// A share: each unit of the denominator counts or does not.
    Binary,
    /// A mean: the numerator is a sum of days, which follow no law of counts.
    Mean,
    /// Events by visit, judged by [`IN_FRAME`].
    Reporting,
}

/// One indicator as `indicators.toml` defines it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorDefinition {
    /// `kri0001`.
    pub id: String,
    /// Its place in the catalogue: `S1`. Two indicators may stand in one place.
    pub code: String,
    /// What it is about.
    pub domain: Domain,
    /// What a source has to tell, so that it ends "no source tells …".
    pub needs: String,
    /// `AE`.
    pub abbreviation: String,
    /// As it stands in a heading.
    pub title: String,
    /// What is counted.
    pub numerator: String,
    /// What it is divided by.
    pub denominator: String,
    /// What is counted, exactly.
    pub numerator_rule: String,
    /// What it is divided by, exactly.
    pub denominator_rule: String,
    /// The table the numerator's rows stand in.
    pub table: String,
    /// Rate or share.
    pub model: Model,
    /// The unit of a rate: events per so many units of the denominator.
    pub per: Option<f64>,
    /// Ascending.
    pub thresholds: Vec<f64>,
    /// One for each interval, from the lowest.
    pub flags: Vec<i8>,
    /// When a group is judged at all.
    pub accrual: AccrualRule,
    /// One for each flag.
    pub weights: Vec<f64>,
    /// The number that the thresholds are of, where that is no score.
    pub identity: Option<IdentityOn>,
    /// The column of `mart_reporting` whose events are judged by visit.
    pub events: Option<String>,
    /// Whether it is computed and shown.
    #[serde(default = "shown")]
    pub shown: bool,
    /// Who changed it last, and how often: `shipped`, `tenant 2`, `study 1`.
    #[serde(default = "as_shipped")]
    pub version: String,
}

pub(crate) const fn shown() -> bool {
    true
}

pub(crate) fn as_shipped() -> String {
    "shipped".to_owned()
}

/// What an indicator is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Safety.
    Safety,
    /// Quality and timeliness of data.
    Data,
    /// Compliance with the protocol.
    Protocol,
    /// Enrolment and retention.
    Retention,
}

impl Domain {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Data => "data",
            Self::Protocol => "protocol",
            Self::Retention => "retention",
        }
    }
}

/// The number that thresholds are of, where that is no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityOn {
    /// Numerator over denominator; low ones are flagged.
    Metric,
    /// The numerator; high ones are flagged.
    Numerator,
}

/// When a group has enough data to be judged.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccrualRule {
    /// What must reach the least.
    pub on: AccrualOn,
    /// The least.
    pub least: f64,
}

/// What accrual is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccrualOn {
    /// The numerator.
    Numerator,
    /// The denominator.
    Denominator,
    /// The denominator less the numerator.
    Difference,
}

impl AccrualOn {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Numerator => "numerator",
            Self::Denominator => "denominator",
            Self::Difference => "difference",
        }
    }
}

impl IndicatorDefinition {
    /// The kind of group score that `measures` computes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.model {
            Model::Binary => Kind::Binary,
            Model::Rate | Model::Mean | Model::Reporting => Kind::Rate,
        }
    }

    /// The methods that can judge it, its own first. Days follow no law of counts, so a mean has no exact method.
    #[must_use]
    pub const fn methods(&self) -> &'static [&'static str] {
        match (self.model, self.identity) {
            (Model::Reporting, _) => &[IN_FRAME],
            (Model::Mean, _) => &[NORMAL_APPROXIMATION, LEAVE_ONE_OUT],
            (_, None) => &[NORMAL_APPROXIMATION, LEAVE_ONE_OUT, EXACT],
            (_, Some(_)) => &[IDENTITY, NORMAL_APPROXIMATION, LEAVE_ONE_OUT, EXACT],
        }
    }

    /// The rule of a method that has scores: the indicator's own, but for one whose thresholds are of another number.
    ///
    /// # Errors
    /// As [`Self::flag_rule`].
    pub(crate) fn rule_for(&self, method: &str) -> Result<FlagRule> {
        let (thresholds, flags) = self.thresholds_for(method);
        self.rule(thresholds, flags)
    }

    /// The thresholds of a method and the flags of the intervals that they leave: the indicator's own, but for a method
    /// that has scores where the indicator's thresholds are of another number.
    #[must_use]
    pub fn thresholds_for(&self, method: &str) -> (&[f64], &[i8]) {
        match self.identity.filter(|_| method != IDENTITY) {
            None => (&self.thresholds, &self.flags),
            Some(IdentityOn::Metric) => (&[-3.0, -2.0], &[-2, -1, 0]),
            Some(IdentityOn::Numerator) => (&[2.0, 3.0], &[0, 1, 2]),
        }
    }

    /// Why it cannot be used, if it cannot.
    pub(crate) fn check(&self) -> std::result::Result<(), &'static str> {
        let ascend = self.thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend || self.thresholds.iter().any(|threshold| !threshold.is_finite()) {
            return Err("thresholds must be numbers that ascend");
        }
        if self.flags.len() != self.thresholds.len() + 1 {
            return Err("there must be one more flag than thresholds");
        }
        if self.flags.iter().any(|flag| !(-2..=2).contains(flag)) {
            return Err("flags are whole numbers from -2 to 2");
        }
        if self.weights.len() != self.flags.len() || self.risk_weights().is_err() {
            return Err("there must be one weight, zero or above, for each flag");
        }
        if !self.accrual.least.is_finite() || self.accrual.least < 0.0 {
            return Err("the least of the accrual must be zero or above");
        }
        Ok(())
    }

    /// The rule that turns scores into flags.
    ///
    /// # Errors
    /// [`Error::Measure`] when thresholds and flags do not belong together.
    pub fn flag_rule(&self) -> Result<FlagRule> {
        self.rule(&self.thresholds, &self.flags)
    }

    fn rule(&self, thresholds: &[f64], flags: &[i8]) -> Result<FlagRule> {
        let accrual = match self.accrual.on {
            AccrualOn::Numerator => Accrual::Numerator(self.accrual.least),
            AccrualOn::Denominator => Accrual::Denominator(self.accrual.least),
            AccrualOn::Difference => Accrual::Difference(self.accrual.least),
        };
        FlagRule::new(thresholds, flags, Some(accrual)).map_err(|source| self.refused("mart_kri", source))
    }

    /// What each flag weighs in the site risk score; none when no flag weighs anything.
    ///
    /// # Errors
    /// [`Error::Measure`] when a weight is not usable.
    pub fn risk_weights(&self) -> Result<Option<Weights>> {
        if self.weights.iter().all(|weight| weight.abs() <= 0.0) {
            return Ok(None);
        }
        let weights: Vec<(i8, f64)> = self.flags.iter().copied().zip(self.weights.iter().copied()).collect();
        Weights::new(&weights).map(Some).map_err(|source| self.refused("mart_site_risk", source))
    }

    pub(crate) fn refused(&self, mart: &str, source: measures::MeasureError) -> Error {
        Error::Measure { mart: mart.to_owned(), indicator: self.id.clone(), source }
    }
}

/// Every indicator, in catalogue order.
///
/// # Errors
/// [`Error::Definition`] when the shipped file is not well formed, which a test rules out.
pub fn definitions() -> Result<&'static [IndicatorDefinition]> {
    #[derive(Deserialize)]
    struct Catalogue {
        indicator: Vec<IndicatorDefinition>,
    }
    static CATALOGUE: LazyLock<Result<Vec<IndicatorDefinition>, String>> = LazyLock::new(|| {
        toml::from_str::<Catalogue>(PARAMETERS)
            .map(|catalogue| catalogue.indicator)
            .map_err(|error| error.to_string())
    });
    let wrong = |reason: &String| Error::Definition { mart: "mart_kri".to_owned(), reason: reason.clone() };
    CATALOGUE.as_deref().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_43_places_of_the_catalogue_are_defined_and_usable() {
        let definitions = definitions().expect("the catalogue is well formed");
        let places: std::collections::BTreeSet<&str> =
            definitions.iter().map(|definition| definition.code.as_str()).collect();
        let wanted = [("S", 10), ("D", 12), ("P", 12), ("E", 9)]
            .into_iter()
            .flat_map(|(group, last)| (1..=last).map(move |place| format!("{group}{place}")));
        assert!(wanted.into_iter().all(|place| places.contains(place.as_str())));
        assert_eq!(places.len(), 43);
        for definition in definitions {
            assert_eq!(definition.check(), Ok(()), "{}", definition.id);
            definition.flag_rule().expect("thresholds and flags belong together");
            definition.risk_weights().expect("the weights are usable");
        }
    }

    // Source: the gsm.kri vignette: the largest sum of weights over the twelve indicators is 178.
    #[test]
    fn the_largest_weights_add_up_to_178() {
        let largest = |weights: &[f64]| weights.iter().copied().fold(0.0, f64::max);
        let twelve = definitions()
            .expect("well formed")
            .iter()
            .filter(|definition| definition.id.as_str() <= "kri0012" && definition.id.starts_with("kri"));
        let sum: f64 = twelve.map(|definition| largest(&definition.weights)).sum();
        assert!((sum - 178.0).abs() < 1e-12);
    }
}
