//! `.../rbqm/{indicator}/sites/{site}?sort=` and `.../subjects/{subject}?page=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, unless_default, value};

/// What the subjects of a site were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubjectsQuery {
    /// The order of the table.
    pub sort: SubjectsSort,
}

/// The order of the subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectsSort {
    /// Largest contribution to the numerator first.
    #[default]
    Numerator,
    /// Largest contribution to the denominator first.
    Denominator,
    /// Largest share of both first.
    Metric,
    /// By the subject's key.
    Subject,
}

/// What the rows of a subject were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsQuery {
    /// The page, from 1.
    pub page: u64,
    /// Whether to show what the rows said before.
    pub corrections: bool,
}

impl Default for RowsQuery {
    fn default() -> Self {
        Self { page: 1, corrections: false }
    }
}

impl SubjectsSort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Numerator, Self::Denominator, Self::Metric, Self::Subject];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Numerator => "numerator",
            Self::Denominator => "denominator",
            Self::Metric => "metric",
            Self::Subject => "subject",
        }
    }
}

impl SubjectsQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let named = value(pairs, "sort").unwrap_or_default();
        Self { sort: SubjectsSort::ALL.into_iter().find(|sort| sort.name() == named).unwrap_or_default() }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[("sort", unless_default(&self.sort, self.sort.name()))])
    }
}

impl RowsQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let page = value(pairs, "page").and_then(|page| page.parse().ok()).filter(|page| *page > 0);
        Self { page: page.unwrap_or(1), corrections: value(pairs, "corrections").as_deref() == Some("yes") }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("page", (self.page > 1).then(|| self.page.to_string())),
            ("corrections", self.corrections.then(|| "yes".to_owned())),
        ])
    }
}
