//! Who has which access, to be looked through and signed off.

use serde::{Deserialize, Serialize};

use super::{Frame, OwnedToken};

/// What the review of access needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccessReviewView {
    /// The frame of the page.
    pub frame: Frame,
    /// When the last review was signed off, and by whom.
    pub last: Option<(i64, String)>,
    /// When the next one has to be.
    pub due_unix_s: i64,
    /// Whether that is over.
    pub is_overdue: bool,
    /// How many roles and tokens are marked.
    pub marked: u64,
    /// The hash of the list, which the sign-off names.
    pub list_sha256: String,
    /// Roles, by e-mail address.
    pub entries: Vec<AccessLine>,
    /// Tokens that were not revoked, with what speaks against them.
    pub tokens: Vec<(OwnedToken, Vec<String>)>,
    /// What was wrong with the last form.
    pub problem: Option<String>,
}

/// A role of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccessLine {
    /// The account.
    pub account: String,
    /// Its e-mail address.
    pub email: String,
    /// Whether it may sign in.
    pub is_enabled: bool,
    /// The role's key.
    pub role: String,
    /// The role in words.
    pub label: String,
    /// Its study; none for all.
    pub study: Option<String>,
    /// Since when.
    pub since_unix_s: i64,
    /// Given by whom, in words.
    pub by: String,
    /// When the account was last used.
    pub used_unix_s: Option<i64>,
    /// What speaks against leaving it, in words.
    pub marks: Vec<String>,
}
