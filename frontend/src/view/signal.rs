//! Risk indicators and what each says about a site.

use serde::{Deserialize, Serialize};

/// What an indicator says about one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Far above: flag 2.
    HighRed,
    /// Above: flag 1.
    HighAmber,
    /// Within the limits: flag 0.
    None,
    /// Below: flag -1.
    LowAmber,
    /// Far below: flag -2.
    LowRed,
    /// The accrual threshold is not met, so that nothing is said.
    #[default]
    NotEnough,
    /// The source does not hold what the indicator needs.
    NotAvailable,
}

impl Flag {
    /// Every flag, from the one that needs action first to the one that says nothing.
    pub const ALL: [Self; 7] = [
        Self::HighRed,
        Self::LowRed,
        Self::HighAmber,
        Self::LowAmber,
        Self::None,
        Self::NotEnough,
        Self::NotAvailable,
    ];

    /// The flag of a scored group: 2, 1, 0, -1, -2; a missing flag means that accrual was not met.
    #[must_use]
    pub const fn from_scored(flag: Option<i8>) -> Self {
        match flag {
            Some(2..) => Self::HighRed,
            Some(1) => Self::HighAmber,
            Some(0) => Self::None,
            Some(-1) => Self::LowAmber,
            Some(..=-2) => Self::LowRed,
            None => Self::NotEnough,
        }
    }

    /// Whether this is red, high or low.
    #[must_use]
    pub const fn is_red(self) -> bool {
        matches!(self, Self::HighRed | Self::LowRed)
    }

    /// Whether this is amber, high or low.
    #[must_use]
    pub const fn is_amber(self) -> bool {
        matches!(self, Self::HighAmber | Self::LowAmber)
    }
}

/// One risk indicator of a study.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Indicator {
    /// As it stands in the address: `kri0001`.
    pub id: String,
    /// What it is about: `safety`, `data`, `protocol` or `retention`.
    pub domain: String,
    /// As it heads a column: `AE`.
    pub abbreviation: String,
    /// As it starts a sentence: `AE rate`.
    pub title: String,
    /// What is counted: `adverse events`.
    pub numerator: String,
    /// What it is divided by: `patient-days`.
    pub denominator: String,
    /// How the metric is shown.
    pub metric: Metric,
    /// What the thresholds apply to.
    pub scored: Scored,
    /// Thresholds in ascending order.
    pub thresholds: Vec<f64>,
    /// The flags of the intervals between them, one more than the thresholds: `-2..=2`, `0..=2` or
    /// `-2..=0`. Empty stands for `-2..=2` with four thresholds and `0..=2` with two.
    pub flags: Vec<i8>,
    /// The metric of the whole study.
    pub overall: Option<f64>,
    /// Why the source cannot feed it: `needs the table QUERY`; `None` when it can.
    pub unavailable: Option<String>,
}

/// How a metric is shown.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// A share of the denominator, as a percentage.
    #[default]
    Share,
    /// Events for so many units of the denominator: per 100 patient-days.
    RatePer(f64),
    /// The numerator alone.
    Count,
}

/// What the thresholds of an indicator apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scored {
    /// Standard deviations from the study.
    #[default]
    Z,
    /// The metric itself.
    Metric,
    /// The numerator itself.
    Numerator,
}

/// What one indicator says about one site.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Signal {
    /// The verdict.
    pub flag: Flag,
    /// What was counted.
    pub numerator: Option<f64>,
    /// What it was divided by.
    pub denominator: Option<f64>,
    /// Numerator over denominator.
    pub metric: Option<f64>,
    /// What was compared with the thresholds.
    pub score: Option<f64>,
}

/// Whom to call about a site. What no source tells is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MonitoredBy {
    /// The organisation.
    pub cro: String,
    /// The person, under a pseudonym.
    pub monitor: String,
}

/// One site with its signals.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SiteRow {
    /// The site's number, as it stands in the address.
    pub site: String,
    /// Investigator or city; may be empty.
    pub name: String,
    /// Country; may be empty.
    pub country: String,
    /// Who monitors the site; may be empty.
    pub monitored_by: MonitoredBy,
    /// Subjects enrolled.
    pub subject_count: u64,
    /// Weighted flags, 0 to 100; `None` when no indicator had enough data.
    pub risk_score: Option<f64>,
    /// One per indicator, in the order of the indicators.
    pub signals: Vec<Signal>,
}
