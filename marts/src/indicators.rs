//! Risk indicators: definitions are data, statistics are `measures`, and this module brings them together.

use std::sync::LazyLock;

use measures::{Accrual, FlagRule, Kind, Weights};
use serde::Deserialize;

use crate::{Error, Result};

pub mod by_method;
pub mod score;
pub mod site_risk;

/// The definitions, as shipped. They are part of what a mart is computed from.
pub(crate) const PARAMETERS: &str = include_str!("indicators/indicators.toml");

/// The name of the one method so far.
pub const NORMAL_APPROXIMATION: &str = "normal_approximation";

/// How an indicator's numerator relates to its denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Events per unit of exposure: the numerator may exceed the denominator.
    Rate,
    /// A share: each unit of the denominator counts or does not.
    Binary,
}

/// One indicator as `indicators.toml` defines it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorDefinition {
    /// `kri0001`.
    pub id: String,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccrualOn {
    /// The numerator.
    Numerator,
    /// The denominator.
    Denominator,
}

impl IndicatorDefinition {
    /// The kind of group score that `measures` computes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.model {
            Model::Rate => Kind::Rate,
            Model::Binary => Kind::Binary,
        }
    }

    /// The rule that turns scores into flags.
    ///
    /// # Errors
    /// [`Error::Measure`] when thresholds and flags do not belong together.
    pub fn flag_rule(&self) -> Result<FlagRule> {
        let accrual = match self.accrual.on {
            AccrualOn::Numerator => Accrual::Numerator(self.accrual.least),
            AccrualOn::Denominator => Accrual::Denominator(self.accrual.least),
        };
        FlagRule::new(&self.thresholds, &self.flags, Some(accrual))
            .map_err(|source| self.refused("mart_kri", source))
    }

    /// What each flag weighs in the site risk score.
    ///
    /// # Errors
    /// [`Error::Measure`] when a weight is not usable.
    pub fn risk_weights(&self) -> Result<Weights> {
        let weights: Vec<(i8, f64)> = self.flags.iter().copied().zip(self.weights.iter().copied()).collect();
        Weights::new(&weights).map_err(|source| self.refused("mart_site_risk", source))
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
    fn twelve_indicators_are_defined_and_usable() {
        let definitions = definitions().expect("the catalogue is well formed");
        assert_eq!(definitions.len(), 12);
        for definition in definitions {
            definition.flag_rule().expect("thresholds and flags belong together");
            definition.risk_weights().expect("the weights are usable");
        }
    }

    // Source: the gsm.kri vignette: the largest sum of weights over the twelve indicators is 178.
    #[test]
    fn the_largest_weights_add_up_to_178() {
        let largest = |weights: &[f64]| weights.iter().copied().fold(0.0, f64::max);
        let sum: f64 =
            definitions().expect("well formed").iter().map(|definition| largest(&definition.weights)).sum();
        assert!((sum - 178.0).abs() < 1e-12);
    }
}
