//! `/jobs?state=&study=&before=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, value};

/// What the page of jobs was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobsQuery {
    /// Only jobs in this state.
    pub state: Option<String>,
    /// Only jobs of this study.
    pub study: Option<String>,
    /// Only jobs older than this one.
    pub before: Option<String>,
}

impl JobsQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let value = |name| value(pairs, name);
        Self { state: value("state"), study: value("study"), before: value("before") }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("state", self.state.clone()),
            ("study", self.study.clone()),
            ("before", self.before.clone()),
        ])
    }
}
