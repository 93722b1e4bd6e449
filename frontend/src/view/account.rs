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
    /// Where the person stands with the authenticator app.
    pub second_factor: SecondFactorState,
    /// What the app is told, when it was just begun: the secret and its address.
    pub enrolment: Option<(String, String)>,
    /// Recovery codes, when they were just made; they are shown this once.
    pub recovery_codes: Vec<String>,
    /// Tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// Sessions that let the person in at present, newest first.
    pub sessions: Vec<SessionLine>,
    /// The roles that a token can be given.
    pub roles: Vec<Choice>,
    /// The studies that a token can be limited to.
    pub studies: Vec<Choice>,
}

/// Where somebody stands with their authenticator app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorState {
    /// There is none.
    #[default]
    Absent,
    /// It was told the secret, and has not shown a code.
    Enrolled,
    /// Every sign-in asks for a code; so many recovery codes are left.
    Confirmed(u64),
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
