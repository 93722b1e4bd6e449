//! Signing in.

use serde::{Deserialize, Serialize};

use super::Frame;

/// What the sign-in page needs. The form posts `email`, `password` and `next` to `/login`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoginView {
    /// A frame without a person.
    pub frame: Frame,
    /// Where to go afterwards; a path on this server.
    pub next: String,
    /// What was typed last time, so that it need not be typed again.
    pub email: String,
    /// Whether the browser will not keep the session, since nothing protects it on its way.
    pub exposed: bool,
    /// What the identity provider is called, when there is one to sign in through.
    pub provider: Option<String>,
    /// Why the form is shown.
    pub state: LoginState,
}

/// Why the sign-in form is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginState {
    /// First visit.
    #[default]
    Fresh,
    /// The address and password do not belong together, or there is no such account.
    Refused,
    /// Too many attempts; wait.
    Throttled,
    /// The session idled out or was revoked.
    Expired,
    /// The person signed out.
    SignedOut,
    /// The person's organisation is disabled.
    OrganisationDisabled,
    /// The identity provider's answer was refused.
    ProviderRefused,
    /// The identity provider cannot be reached.
    ProviderAway,
    /// The identity provider vouches for the person, who has no account here.
    NoAccount,
}
