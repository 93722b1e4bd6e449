//! `/audit?action=&actor=&study=&resource=&outcome=&from=&to=&before=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, value};

/// What the audit page was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only this action.
    pub action: Option<String>,
    /// Only what this account did.
    pub actor: Option<String>,
    /// Only events of this study.
    pub study: Option<String>,
    /// Only events about the thing of this id.
    pub resource: Option<String>,
    /// Only events that ended so.
    pub outcome: Option<String>,
    /// Only events of this day and later.
    pub from: Option<String>,
    /// Only events of this day and earlier.
    pub to: Option<String>,
    /// Only events before this place in the ledger.
    pub before: Option<u64>,
}

impl AuditQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let value = |name| value(pairs, name);
        Self {
            action: value("action"),
            actor: value("actor"),
            study: value("study"),
            resource: value("resource"),
            outcome: value("outcome"),
            from: value("from"),
            to: value("to"),
            before: value("before").and_then(|before| before.parse().ok()),
        }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("action", self.action.clone()),
            ("actor", self.actor.clone()),
            ("study", self.study.clone()),
            ("resource", self.resource.clone()),
            ("outcome", self.outcome.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
            ("before", self.before.map(|before| before.to_string())),
        ])
    }
}
