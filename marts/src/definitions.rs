//! The definitions that marts are made by: as shipped, with what a tenant and a study changed of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warehouse::snapshot::inputs_hash;

use crate::indicators::{AccrualOn, IndicatorDefinition};
use crate::tolerance::LimitDefinition;
use crate::{Error, Result, indicators, tolerance};

/// Where a change holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// In every study of the tenant.
    Tenant,
    /// In one study, over what the tenant says.
    Study,
}

impl Reach {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Study => "study",
        }
    }
}

/// What somebody changed of one definition. What is not there stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Of an indicator: ascending scores (or metrics, where the indicator is judged by itself).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<f64>>,
    /// Of an indicator: one flag, -2 to 2, for each interval that the thresholds leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<i8>>,
    /// Of an indicator: one weight in the site risk score for each flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// Of an indicator: what must reach the least before a group is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accrual_on: Option<AccrualOn>,
    /// Of an indicator: the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accrual_least: Option<f64>,
    /// Of a limit: the share expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// Of a limit: the share at which an early word is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary: Option<f64>,
    /// Of a limit: the share tolerated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated: Option<f64>,
    /// Of a limit: below so many units no verdict is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_units: Option<f64>,
    /// Whether it is computed and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<bool>,
}

impl Change {
    /// This change with another laid over it.
    #[must_use]
    pub fn with(self, over: Self) -> Self {
        Self {
            thresholds: over.thresholds.or(self.thresholds),
            flags: over.flags.or(self.flags),
            weights: over.weights.or(self.weights),
            accrual_on: over.accrual_on.or(self.accrual_on),
            accrual_least: over.accrual_least.or(self.accrual_least),
            expected: over.expected.or(self.expected),
            secondary: over.secondary.or(self.secondary),
            tolerated: over.tolerated.or(self.tolerated),
            least_units: over.least_units.or(self.least_units),
            shown: over.shown.or(self.shown),
        }
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// [`Error::Change`] with the definition's name when it is none.
    pub fn parse(id: &str, text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::Change { id: id.to_owned(), reason: error.to_string() })
    }

    /// As text, to be kept.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn speaks_of_a_limit(&self) -> bool {
        self.expected.is_some()
            || self.secondary.is_some()
            || self.tolerated.is_some()
            || self.least_units.is_some()
    }

    fn speaks_of_an_indicator(&self) -> bool {
        self.thresholds.is_some()
            || self.flags.is_some()
            || self.weights.is_some()
            || self.accrual_on.is_some()
            || self.accrual_least.is_some()
    }
}

/// One change that is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The indicator or limit.
    pub id: String,
    /// Where it holds.
    pub reach: Reach,
    /// How often the definition was changed there.
    pub version: i64,
    /// What is changed.
    pub change: Change,
}

/// Every definition as a build is to use it.
#[derive(Debug, Clone)]
pub struct Definitions {
    indicators: Vec<IndicatorDefinition>,
    limits: Vec<LimitDefinition>,
    /// A hash of what was changed of a definition.
    changed: BTreeMap<String, String>,
}

impl Definitions {
    /// The definitions as shipped.
    ///
    /// # Errors
    /// [`Error::Definition`] when a shipped file is not well formed, which a test rules out.
    pub fn shipped() -> Result<Self> {
        let (indicators, limits) = (indicators::definitions()?.to_vec(), tolerance::definitions()?.to_vec());
        Ok(Self { indicators, limits, changed: BTreeMap::new() })
    }

    /// The shipped definitions with these changes: the tenant's first, the study's over them.
    ///
    /// # Errors
    /// [`Error::Change`] with the first one that names no definition, or leaves one that cannot be used.
    pub fn with(overrides: &[Override]) -> Result<Self> {
        let mut all = Self::shipped()?;
        let mut sorted: Vec<&Override> = overrides.iter().collect();
        sorted.sort_by_key(|over| (over.reach, over.id.clone()));
        let mut pieces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for over in sorted {
            all.apply(over)?;
            let said = format!("{} {} {:?}", over.reach.name(), over.version, over.change);
            pieces.entry(over.id.clone()).or_default().push(said);
        }
        all.check()?;
        all.changed = pieces.into_iter().map(|(id, said)| (id, inputs_hash(&said))).collect();
        Ok(all)
    }

    /// Every indicator, in catalogue order.
    #[must_use]
    pub fn indicators(&self) -> &[IndicatorDefinition] {
        &self.indicators
    }

    /// The indicators that are computed.
    pub fn shown(&self) -> impl Iterator<Item = &IndicatorDefinition> {
        self.indicators.iter().filter(|definition| definition.shown)
    }

    /// Every tolerance limit.
    #[must_use]
    pub fn limits(&self) -> &[LimitDefinition] {
        &self.limits
    }

    /// Whether there is a definition of that name.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.indicators.iter().any(|definition| definition.id == id)
            || self.limits.iter().any(|definition| definition.id == id)
    }

    /// The changed definitions, each with a hash of what was changed.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&String, &String)> {
        self.changed.iter()
    }

    fn apply(&mut self, over: &Override) -> Result<()> {
        let wrong = |reason: &str| Error::Change { id: over.id.clone(), reason: reason.to_owned() };
        let change = &over.change;
        let version = format!("{} {}", over.reach.name(), over.version);
        if let Some(definition) = self.indicators.iter_mut().find(|definition| definition.id == over.id) {
            if change.speaks_of_a_limit() {
                return Err(wrong("an indicator has thresholds, flags, weights and an accrual"));
            }
            definition.thresholds =
                change.thresholds.clone().unwrap_or_else(|| definition.thresholds.clone());
            definition.flags = change.flags.clone().unwrap_or_else(|| definition.flags.clone());
            definition.weights = change.weights.clone().unwrap_or_else(|| definition.weights.clone());
            definition.accrual.on = change.accrual_on.unwrap_or(definition.accrual.on);
            definition.accrual.least = change.accrual_least.unwrap_or(definition.accrual.least);
            definition.shown = change.shown.unwrap_or(definition.shown);
            definition.version = version;
            return Ok(());
        }
        let Some(limit) = self.limits.iter_mut().find(|definition| definition.id == over.id) else {
            return Err(wrong(
                "there is no such indicator or limit; `cairn marts definitions list` names them",
            ));
        };
        if change.speaks_of_an_indicator() {
            return Err(wrong("a limit has an expected, a secondary and a tolerated share, and least units"));
        }
        limit.expected = change.expected.unwrap_or(limit.expected);
        limit.secondary = change.secondary.or(limit.secondary);
        limit.tolerated = change.tolerated.unwrap_or(limit.tolerated);
        limit.least_units = change.least_units.unwrap_or(limit.least_units);
        limit.shown = change.shown.unwrap_or(limit.shown);
        limit.version = version;
        Ok(())
    }

    /// Whether every definition can be used.
    fn check(&self) -> Result<()> {
        for definition in &self.indicators {
            definition
                .check()
                .map_err(|reason| Error::Change { id: definition.id.clone(), reason: reason.to_owned() })?;
        }
        for limit in &self.limits {
            limit
                .check()
                .map_err(|reason| Error::Change { id: limit.id.clone(), reason: reason.to_owned() })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(id: &str, reach: Reach, change: Change) -> Override {
        Override { id: id.to_owned(), reach, version: 1, change }
    }

    #[track_caller]
    fn check_refused(id: &str, change: Change, word: &str) {
        let refused = Definitions::with(&[over(id, Reach::Study, change)]).expect_err("it is refused");
        assert!(refused.to_string().contains(word), "{refused}");
    }

    #[test]
    fn a_study_speaks_over_its_tenant_and_only_of_what_it_changes() {
        let tenant = Change {
            thresholds: Some(vec![-4.0, -3.0, 3.0, 4.0]),
            accrual_least: Some(60.0),
            ..Change::default()
        };
        let study = Change { accrual_least: Some(90.0), ..Change::default() };
        let overrides = [over("kri0001", Reach::Study, study), over("kri0001", Reach::Tenant, tenant)];
        let all = Definitions::with(&overrides).expect("both can be used");
        let definition = &all.indicators()[0];
        assert_eq!(definition.thresholds, [-4.0, -3.0, 3.0, 4.0]);
        assert_eq!((definition.accrual.least, definition.version.as_str()), (90.0, "study 1"));
        assert_eq!(all.indicators()[1].version, "shipped");
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        check_refused("kri9999", Change::default(), "no such indicator");
        check_refused(
            "kri0001",
            Change { thresholds: Some(vec![1.0]), ..Change::default() },
            "one more flag",
        );
        check_refused(
            "kri0001",
            Change { thresholds: Some(vec![2.0, 1.0, 3.0, 4.0]), ..Change::default() },
            "ascend",
        );
        check_refused("kri0001", Change { weights: Some(vec![1.0]), ..Change::default() }, "weight");
        check_refused("kri0001", Change { tolerated: Some(0.1), ..Change::default() }, "an indicator has");
        check_refused(
            "kri0001",
            Change { flags: Some(vec![-3, -1, 0, 1, 2]), ..Change::default() },
            "-2 to 2",
        );
        check_refused("qtl_ineligible", Change { tolerated: Some(1.5), ..Change::default() }, "share");
        check_refused("qtl_ineligible", Change { expected: Some(0.5), ..Change::default() }, "expected");
        check_refused("qtl_ineligible", Change { flags: Some(vec![0]), ..Change::default() }, "a limit has");
    }
}
