//! `/studies/{study}/quality?rows=&variable=&visit=&site=&basis=&sort=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, unless_default, value};

/// What the missingness page was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QualityQuery {
    /// What a row of the heat map is.
    pub rows: RowsBy,
    /// Only this variable.
    pub variable: Option<String>,
    /// Only this visit.
    pub visit: Option<String>,
    /// Only this site.
    pub site: Option<String>,
    /// What missing values are a share of.
    pub basis: Basis,
    /// The order of the table.
    pub sort: QualitySort,
}

/// What a row of the heat map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowsBy {
    /// One row per variable.
    #[default]
    Variable,
    /// One row per site.
    Site,
}

/// What missing values are a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Of every value the schedule asks for: missed visits count.
    #[default]
    Expected,
    /// Of the values on pages that were received: missed visits do not count.
    Received,
}

/// The order of the missingness table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualitySort {
    /// Most missing values first.
    #[default]
    Missing,
    /// Largest share first.
    Share,
    /// By variable or site, then visit.
    Name,
    /// By visit, then most missing values.
    Visit,
}

impl RowsBy {
    /// Both, in the order of the form.
    pub const ALL: [Self; 2] = [Self::Variable, Self::Site];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Site => "site",
        }
    }
}

impl Basis {
    /// Both, in the order of the form.
    pub const ALL: [Self; 2] = [Self::Expected, Self::Received];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Received => "received",
        }
    }
}

impl QualitySort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Share, Self::Name, Self::Visit];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Share => "share",
            Self::Name => "name",
            Self::Visit => "visit",
        }
    }
}

impl QualityQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let named = |name: &str| value(pairs, name).unwrap_or_default();
        Self {
            rows: RowsBy::ALL.into_iter().find(|rows| rows.name() == named("rows")).unwrap_or_default(),
            variable: value(pairs, "variable"),
            visit: value(pairs, "visit"),
            site: value(pairs, "site"),
            basis: Basis::ALL.into_iter().find(|basis| basis.name() == named("basis")).unwrap_or_default(),
            sort: QualitySort::ALL.into_iter().find(|sort| sort.name() == named("sort")).unwrap_or_default(),
        }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("rows", unless_default(&self.rows, self.rows.name())),
            ("variable", self.variable.clone()),
            ("visit", self.visit.clone()),
            ("site", self.site.clone()),
            ("basis", unless_default(&self.basis, self.basis.name())),
            ("sort", unless_default(&self.sort, self.sort.name())),
        ])
    }
}
