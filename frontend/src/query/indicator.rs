//! `/studies/{study}/rbqm/{indicator}?level=&method=&site=&sort=&bars=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, unless_default, value};
use super::rbqm::Level;

/// What the page of one indicator was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IndicatorQuery {
    /// What is compared: sites unless said. Never the whole study, which is compared with nothing.
    pub level: Level,
    /// By which method; the indicator's own when none is said.
    pub method: Option<String>,
    /// The site, or other group, to point out.
    pub site: Option<String>,
    /// The order of the table.
    pub sort: IndicatorSort,
    /// What the bars show.
    pub bars: IndicatorBars,
}

/// The order of an indicator's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorSort {
    /// Red before amber before the rest, then the largest score.
    #[default]
    Flag,
    /// Largest score first.
    Score,
    /// Largest metric first.
    Metric,
    /// Largest numerator first.
    Numerator,
    /// Largest denominator first.
    Denominator,
    /// By site number.
    Site,
}

/// What the bars of an indicator show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorBars {
    /// The score, with the thresholds.
    #[default]
    Score,
    /// The metric, with the study's own value.
    Metric,
}

impl IndicatorSort {
    /// Every order.
    pub const ALL: [Self; 6] =
        [Self::Flag, Self::Score, Self::Metric, Self::Numerator, Self::Denominator, Self::Site];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Score => "score",
            Self::Metric => "metric",
            Self::Numerator => "numerator",
            Self::Denominator => "denominator",
            Self::Site => "site",
        }
    }
}

impl IndicatorBars {
    /// Both, in the order of the form.
    pub const ALL: [Self; 2] = [Self::Score, Self::Metric];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Metric => "metric",
        }
    }
}

impl IndicatorQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let named = |name: &str| value(pairs, name).unwrap_or_default();
        Self {
            level: Some(Level::named(&named("level")))
                .filter(|level| *level != Level::Study)
                .unwrap_or_default(),
            method: value(pairs, "method"),
            site: value(pairs, "site"),
            sort: IndicatorSort::ALL
                .into_iter()
                .find(|sort| sort.name() == named("sort"))
                .unwrap_or_default(),
            bars: IndicatorBars::ALL
                .into_iter()
                .find(|bars| bars.name() == named("bars"))
                .unwrap_or_default(),
        }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("level", unless_default(&self.level, self.level.name())),
            ("method", self.method.clone()),
            ("site", self.site.clone()),
            ("sort", unless_default(&self.sort, self.sort.name())),
            ("bars", unless_default(&self.bars, self.bars.name())),
        ])
    }
}
