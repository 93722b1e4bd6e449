//! What the buttons on the page of one account do. Each sends the reason that the page asks for once, and comes back to
//! the page, or to where the form says.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use control::{Control, ControlError, Identity, Order, TraceId, Unblinding};
use frontend::link;
use kernel::{AccountId, Grant, Role, TenantId};
use serde::Deserialize;

use super::account::not_there;
use super::accounts::{Filled, admin, is_mendable, page, sentence};
use super::{Answer, Visit};
use crate::http::State;
use crate::http::api::accounts::grant as grant_of;
use crate::http::caller::Reader;

/// What the form sends with each of its buttons.
#[derive(Default, Deserialize)]
pub(crate) struct ChangeForm {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    study: String,
    /// The identity that is to be linked: the provider,
    #[serde(default)]
    issuer: String,
    /// and its name for the person.
    #[serde(default)]
    subject: String,
    /// The linked identity that a button stands beside, by its SHA-256.
    #[serde(default)]
    identity: String,
    /// The page that the button stands on, when it is not that of the account.
    #[serde(default)]
    back: String,
}

/// Everything that a button comes with.
struct Pressed {
    state: State,
    reader: Reader,
    headers: HeaderMap,
    uri: axum::http::Uri,
    form: ChangeForm,
}

type Parts = (Extract<State>, Reader, HeaderMap, OriginalUri);

impl Pressed {
    fn new((Extract(state), reader, headers, OriginalUri(uri)): Parts, form: ChangeForm) -> Self {
        Self { state, reader, headers, uri, form }
    }

    /// Does what the button is for, and goes back to the page.
    async fn make(self, account: &str, change: Change) -> Answer {
        let visit = Visit::new(&self.state, &self.reader, &self.headers, &self.uri);
        let actor = admin(&visit).await?;
        let Ok(account) = account.parse() else { return not_there(&visit, "no_such_account").await };
        let order =
            Order { actor: &actor, reason: Some(&self.form.reason), trace: Some(&visit.caller.trace) };
        let tenant = visit.caller.principal.tenant();
        let words = match change
            .apply(&self.state.app.control, (order, &visit.caller.trace), (tenant, account))
            .await
        {
            Ok(()) => return Ok(self.back(account)),
            Err(Refused::Words(words)) => words,
            Err(Refused::Control(ControlError::Denied)) => return not_there(&visit, "no_such_thing").await,
            Err(Refused::Control(error)) if is_mendable(&error) => sentence(&error),
            Err(Refused::Control(error)) => return Err(visit.fail(error)),
        };
        let Self { form: ChangeForm { reason, issuer, subject, .. }, .. } = &self;
        let filled = Filled { reason: reason.clone(), issuer: issuer.clone(), subject: subject.clone() };
        page(&visit, (&actor, account), (Some(words), filled)).await
    }

    fn back(&self, account: AccountId) -> Response {
        let back = match self.form.back.as_str() {
            "admin" => link::ADMIN.to_owned(),
            "review" => link::ACCESS_REVIEW.to_owned(),
            _ => link::admin_account(&account.to_string()),
        };
        Redirect::to(&back).into_response()
    }
}

/// What a button does.
enum Change {
    Give { role: String, study: String },
    Take { role: String, study: String },
    Disable,
    Enable,
    ResetSecondFactor,
    Link(Identity),
    Unlink { sha256: String },
    EndSessions,
    EndSession(String),
    RevokeToken(String),
}

impl Change {
    async fn apply(
        self,
        control: &Control,
        (order, trace): (Order<'_>, &TraceId),
        (tenant, account): (TenantId, AccountId),
    ) -> Result<(), Refused> {
        let granted = |role: &str, study: &str| {
            grant_of(role, Some(study).filter(|study| !study.is_empty())).map_err(Refused::Words)
        };
        match self {
            Self::Give { role, study } => match granted(&role, &study)? {
                Grant { role: Role::Unblinded, study } => {
                    let reason = order.reason.unwrap_or_default().to_owned();
                    let unblinding = Unblinding { account, study, reason };
                    control.unblind(order.actor, tenant, &unblinding, trace).await?;
                }
                grant => {
                    control.grant(order, tenant, account, grant).await?;
                }
            },
            Self::Take { role, study } => {
                control.revoke_grant(order, tenant, account, granted(&role, &study)?).await?;
            }
            Self::Disable => control.disable_account(order, tenant, account).await?,
            Self::Enable => control.enable_account(order, tenant, account).await?,
            Self::ResetSecondFactor => control.disable_second_factor(order, tenant, account, None).await?,
            Self::Link(identity) => control.link_identity(order, tenant, account, &identity).await?,
            Self::Unlink { sha256 } => {
                let found = control.account(order.actor, tenant, account).await?;
                // One that is not there was taken away before: by a second press, or by somebody else.
                if let Some(one) = found.identities.iter().find(|one| one.identity.sha256() == sha256) {
                    control.unlink_identity(order, tenant, account, &one.identity).await?;
                }
            }
            Self::EndSessions => {
                control.end_sessions(order, tenant, account).await?;
            }
            Self::EndSession(session) => {
                let session = session.parse().map_err(|_| ControlError::Denied)?;
                control.end_session(order, tenant, session).await?;
            }
            Self::RevokeToken(token) => {
                let token = token.parse().map_err(|_| ControlError::Denied)?;
                control.revoke_access_token(order, tenant, token).await?;
            }
        }
        Ok(())
    }
}

/// Why nothing was changed.
enum Refused {
    Words(String),
    Control(ControlError),
}

impl From<ControlError> for Refused {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

/// `POST /admin/accounts/{account}/grant`
pub(crate) async fn grant(parts: Parts, Path(account): Path<String>, Form(form): Form<ChangeForm>) -> Answer {
    let change = Change::Give { role: form.role.clone(), study: form.study.clone() };
    Pressed::new(parts, form).make(&account, change).await
}

/// `POST /admin/accounts/{account}/grants/{role}/revoke`
pub(crate) async fn revoke_everywhere(
    parts: Parts,
    Path((account, role)): Path<(String, String)>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::Take { role, study: String::new() }).await
}

/// `POST /admin/accounts/{account}/grants/{role}/{study}/revoke`
pub(crate) async fn revoke_in_study(
    parts: Parts,
    Path((account, role, study)): Path<(String, String, String)>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::Take { role, study }).await
}

/// `POST /admin/accounts/{account}/disable`
pub(crate) async fn disable(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::Disable).await
}

/// `POST /admin/accounts/{account}/enable`
pub(crate) async fn enable(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::Enable).await
}

/// `POST /admin/accounts/{account}/second-factor/reset`
pub(crate) async fn reset_second_factor(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::ResetSecondFactor).await
}

/// `POST /admin/accounts/{account}/identities`
pub(crate) async fn link_identity(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    let [issuer, subject] = [&form.issuer, &form.subject].map(|text| text.trim().to_owned());
    Pressed::new(parts, form).make(&account, Change::Link(Identity { issuer, subject })).await
}

/// `POST /admin/accounts/{account}/identities/unlink`
pub(crate) async fn unlink_identity(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    let change = Change::Unlink { sha256: form.identity.clone() };
    Pressed::new(parts, form).make(&account, change).await
}

/// `POST /admin/accounts/{account}/sessions/end`
pub(crate) async fn end_sessions(
    parts: Parts,
    Path(account): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::EndSessions).await
}

/// `POST /admin/accounts/{account}/sessions/{session}/end`
pub(crate) async fn end_session(
    parts: Parts,
    Path((account, session)): Path<(String, String)>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::EndSession(session)).await
}

/// `POST /admin/accounts/{account}/tokens/{token}/revoke`
pub(crate) async fn revoke_token(
    parts: Parts,
    Path((account, token)): Path<(String, String)>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    Pressed::new(parts, form).make(&account, Change::RevokeToken(token)).await
}
