//! Who has access to a tenant, and the tenant itself, for who administers it.

use serde::{Deserialize, Serialize};

use super::{Choice, Frame, TokenLine};

/// What the page of the own tenant needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AdminView {
    /// The frame of the page.
    pub frame: Frame,
    /// What there is how often: a word, a number, and a note that may be empty.
    pub counts: Vec<(String, String, String)>,
    /// Further facts: a word and what there is to say.
    pub facts: Vec<(String, String)>,
    /// How much room its data take: a word, a size, and a note that may be empty.
    pub storage: Vec<(String, String, String)>,
    /// When that was measured.
    pub storage_unix_s: i64,
    /// Whether the review of access is overdue.
    pub review_is_overdue: bool,
    /// Sessions that let somebody in at present, newest first.
    pub sessions: Vec<OwnedSession>,
    /// Tokens, newest first.
    pub tokens: Vec<OwnedToken>,
}

/// What the list of accounts needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccountsView {
    /// The frame of the page.
    pub frame: Frame,
    /// Accounts, by e-mail address.
    pub accounts: Vec<AccountLine>,
    /// What was wrong with the form for a new account.
    pub problem: Option<String>,
    /// What the form held, but for the password.
    pub filled: FilledAccount,
    /// The roles to choose from.
    pub roles: Vec<Choice>,
    /// The studies that a role can be limited to.
    pub studies: Vec<Choice>,
}

/// One account of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountLine {
    /// Its id.
    pub id: String,
    /// Its e-mail address.
    pub email: String,
    /// Its name.
    pub name: String,
    /// Its roles in words: `Researcher in CAIRN-301`.
    pub roles: Vec<String>,
    /// When it was last used.
    pub used_unix_s: Option<i64>,
    /// Whether it may sign in.
    pub is_enabled: bool,
    /// Whether a sign-in with its password asks for a code.
    pub has_second_factor: bool,
    /// How it is signed in to: `password`, `provider`, both, or `token alone`.
    pub signs_in_by: String,
}

/// What the form for a new account held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilledAccount {
    /// The e-mail address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The provider.
    pub issuer: String,
    /// The provider's name for the person.
    pub subject: String,
    /// The reason.
    pub reason: String,
}

/// What the page of one account needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AdminAccountView {
    /// The frame of the page.
    pub frame: Frame,
    /// The account.
    pub account: AccountLine,
    /// Whether it is the reader's own.
    pub is_own: bool,
    /// When it was made.
    pub created_unix_s: i64,
    /// When it was disabled.
    pub disabled_unix_s: Option<i64>,
    /// Who may sign in to it through a provider.
    pub identities: Vec<IdentityLine>,
    /// The provider that the form for a further one names.
    pub issuer: String,
    /// The provider's name for the person, as the last form held it.
    pub subject: String,
    /// What it was granted.
    pub grants: Vec<GrantLine>,
    /// Its sessions that let it in at present, newest first.
    pub sessions: Vec<OwnedSession>,
    /// Its tokens, newest first.
    pub tokens: Vec<OwnedToken>,
    /// What was wrong with the last form.
    pub problem: Option<String>,
    /// The reason that was given with it.
    pub reason: String,
    /// The roles to choose from.
    pub roles: Vec<Choice>,
    /// The studies that a role can be limited to.
    pub studies: Vec<Choice>,
}

/// Somebody who may sign in to an account through a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityLine {
    /// What its button sends: the SHA-256 by which the ledger knows it.
    pub key: String,
    /// The provider.
    pub issuer: String,
    /// The provider's name for the person.
    pub subject: String,
    /// Since when.
    pub since_unix_s: i64,
}

/// A role that an account has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GrantLine {
    /// The role's key.
    pub role: String,
    /// The role in words.
    pub label: String,
    /// Its study; none for the whole tenant.
    pub study: Option<String>,
    /// Since when.
    pub since_unix_s: i64,
    /// Given by whom, in words.
    pub by: String,
}

/// A session with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnedSession {
    /// Its id.
    pub id: String,
    /// Whose: id and e-mail address.
    pub owner: (String, String),
    /// `browser` or `client`.
    pub kind: String,
    /// How its owner proved who they are.
    pub method: String,
    /// When it began.
    pub started_unix_s: i64,
    /// When it was last used.
    pub used_unix_s: i64,
}

/// A token with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnedToken {
    /// Whose: id and e-mail address.
    pub owner: (String, String),
    /// The token.
    pub token: TokenLine,
}
