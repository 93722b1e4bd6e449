//! What a person keeps here.

use serde::{Deserialize, Serialize};

use super::{Choice, Frame};

/// What the account page needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccountView {
    /// The frame of the page.
    pub frame: Frame,
    /// The person's e-mail address.
    pub email: String,
    /// A token that was just made; it is shown this once.
    pub issued: Option<String>,
    /// What was wrong with the last form.
    pub problem: Option<String>,
    /// Tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// Sessions that let the person in at present, newest first.
    pub sessions: Vec<SessionLine>,
    /// The roles that a token can be given.
    pub roles: Vec<Choice>,
    /// The studies that a token can be limited to.
    pub studies: Vec<Choice>,
}

/// A token to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenLine {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What it may do, in words.
    pub scope: String,
    /// When it ends.
    pub ends_unix_s: i64,
    /// When it was last used.
    pub used_unix_s: Option<i64>,
    /// `in use`, `revoked` or `ended`.
    pub state: String,
    /// Whether it can still be revoked.
    pub is_live: bool,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionLine {
    /// Its id.
    pub id: String,
    /// `browser` or `client`.
    pub kind: String,
    /// How the person proved who they are.
    pub method: String,
    /// When it began.
    pub started_unix_s: i64,
    /// When it was last used.
    pub used_unix_s: i64,
    /// Whether it is the one that shows this page.
    pub is_this: bool,
}
