//! `/audit?action=&before=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, value};

/// What the audit page was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only this action.
    pub action: Option<String>,
    /// Only events before this place in the ledger.
    pub before: Option<u64>,
}

impl AuditQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        Self {
            action: value(pairs, "action"),
            before: value(pairs, "before").and_then(|before| before.parse().ok()),
        }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("action", self.action.clone()),
            ("before", self.before.map(|before| before.to_string())),
        ])
    }
}
