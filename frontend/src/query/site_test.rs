//! `/studies/{study}/site-tests/{site}?test=&variable=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, value};

/// What the page of one site's tests was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SiteTestQuery {
    /// Only tests of this kind.
    pub test: Option<String>,
    /// The variable whose values are shown.
    pub variable: Option<String>,
}

impl SiteTestQuery {
    /// Reads the address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        Self { test: value(pairs, "test"), variable: value(pairs, "variable") }
    }

    /// Writes it back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[("test", self.test.clone()), ("variable", self.variable.clone())])
    }
}
