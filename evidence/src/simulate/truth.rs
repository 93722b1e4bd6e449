//! The ledger of what was planted: what a detector is to find, and where.

use chrono::NaiveDate;
use kernel::{Seed, StudyId};
use serde::{Deserialize, Serialize};

use super::error::SimulateError;
use super::plan::{Anomaly, StudyPlan, Target};
use super::site::Site;
use super::subject::Affected;

/// What is wrong in a simulated study, and nothing else is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The study.
    pub study: StudyId,
    /// The seed it was made from.
    pub seed: Seed,
    /// The last day that the extract knows of.
    pub cut_off: NaiveDate,
    /// What was planted, in the order of the plan.
    pub anomalies: Vec<Planted>,
}

/// One planted anomaly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planted {
    /// Its name in the ledger.
    pub id: String,
    /// What it is.
    pub kind: AnomalyKind,
    /// The site.
    pub site: String,
    /// The first day that it can be seen on.
    pub start: NaiveDate,
    /// Its size: the relative change of the rate for under-reporting (-0.75), the factor on the lag for
    /// delayed entry (5).
    pub magnitude: f64,
    /// The risk indicator that is meant to show it.
    pub expected_indicator: String,
    /// How many records of the extract are missing or changed by it.
    pub affected_records: u64,
}

/// The kinds of anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// Adverse events are not reported.
    AeUnderReporting,
    /// Pages are entered late.
    DelayedEntry,
}

impl Truth {
    /// The ledger of a plan, with the anomalies assigned to sites and nothing affected yet.
    pub(super) fn of_plan(plan: &StudyPlan, seed: Seed, sites: &[Site]) -> Result<Self, SimulateError> {
        let planted = plan.anomalies.iter().enumerate().map(|(index, anomaly)| {
            let site = target(anomaly.target(), sites)?;
            let (kind, start, magnitude, indicator) = match anomaly {
                Anomaly::AeUnderReporting { reduction, .. } => {
                    (AnomalyKind::AeUnderReporting, site.activation, -reduction, "kri0001")
                }
                Anomaly::DelayedEntry { from, factor, .. } => {
                    (AnomalyKind::DelayedEntry, *from, *factor, "kri0010")
                }
            };
            Ok(Planted {
                id: format!("A{:02}", index + 1),
                kind,
                site: site.id.clone(),
                start,
                magnitude,
                expected_indicator: indicator.to_owned(),
                affected_records: 0,
            })
        });
        let anomalies = planted.collect::<Result<_, SimulateError>>()?;
        Ok(Self { study: plan.study.clone(), seed, cut_off: plan.cut_off, anomalies })
    }

    /// Adds the records of one of a site's subjects that its anomalies touched.
    pub(super) fn count(&mut self, site: &str, affected: Affected) {
        for planted in self.anomalies.iter_mut().filter(|planted| planted.site == site) {
            planted.affected_records += match planted.kind {
                AnomalyKind::AeUnderReporting => affected.events_not_reported,
                AnomalyKind::DelayedEntry => affected.pages_delayed,
            };
        }
    }
}

/// The site that a target names. Sites of one size rank by id.
fn target<'a>(target: &Target, sites: &'a [Site]) -> Result<&'a Site, SimulateError> {
    let found = match target {
        Target::Site(id) => sites.iter().find(|site| site.id == *id),
        Target::Rank(rank) => {
            let mut by_size: Vec<&Site> = sites.iter().collect();
            by_size.sort_by(|a, b| b.screenings.len().cmp(&a.screenings.len()).then(a.id.cmp(&b.id)));
            let index = usize::try_from(*rank).ok().and_then(|rank| rank.checked_sub(1));
            index.and_then(|index| by_size.get(index).copied())
        }
    };
    let named = || match target {
        Target::Site(id) => id.clone(),
        Target::Rank(rank) => format!("rank {rank}"),
    };
    found.ok_or_else(|| SimulateError::UnknownSite { site: named() })
}
