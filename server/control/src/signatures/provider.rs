//! Signing by who signs in through an identity provider and has no password here: the provider asks them once more who they
//! are. What they want to sign travels with the attempt, sealed, and so does the session that it was asked from.
// Source: OpenID Connect Core 1.0, section 3.1.2.1 (`prompt`, `max_age`) and section 2 (`auth_time`).

use kernel::{AccountId, Sign, StudyId, StudyScope, TenantId};
use serde::{Deserialize, Serialize};

use super::{Meaning, Record, RecordKind, SignatureRow, Signer};
use crate::control::Control;
use crate::error::{AuthError, ControlError, GovernedError, storage};
use crate::gate::Principal;
use crate::ids::SessionId;
use crate::oidc::directory;
use crate::oidc::{CarriedAttempt, Identity};
use crate::sessions::Method;
use crate::trace::TraceId;

/// What somebody went to their provider for. Only [`Control::begin_signing`] makes one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    tenant: TenantId,
    account: AccountId,
    session: SessionId,
    study: StudyId,
    record_type: String,
    record: String,
    record_sha256: String,
    meaning: String,
}

impl Signing {
    /// The study whose record it is.
    #[must_use]
    pub const fn study(&self) -> &StudyId {
        &self.study
    }

    /// What the record is, and which.
    #[must_use]
    pub fn record(&self) -> Option<(RecordKind, &str)> {
        RecordKind::from_name(&self.record_type).map(|kind| (kind, self.record.as_str()))
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("study", &self.study).finish_non_exhaustive()
    }
}

impl Control {
    /// Whether a provider vouches for an account.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_vouched_for(&self, principal: &Principal, issuer: &str) -> Result<bool, ControlError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM identity_directory WHERE issuer = $1 AND tenant_id = $2 AND account_id = $3 LIMIT 1",
        )
        .bind(issuer)
        .bind(principal.tenant().to_string())
        .bind(principal.account().to_string())
        .fetch_optional(&mut *self.store().system().view().await?)
        .await
        .map_err(storage("look for the account's identities"))?;
        Ok(found.is_some())
    }

    /// Begins an attempt at the provider by which a record is to be signed.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for a principal of another tenant and for one without a session;
    /// [`GovernedError::RecordDiffers`] when the record is not the one that was shown.
    pub fn begin_signing(
        &self,
        principal: &Principal,
        scope: &StudyScope<Sign>,
        (record, shown_sha256): (&Record, &str),
        meaning: Meaning,
    ) -> Result<CarriedAttempt, ControlError> {
        principal.actor().require_tenant(scope.tenant())?;
        if record.sha256 != shown_sha256 {
            return Err(GovernedError::RecordDiffers.into());
        }
        let signing = Signing {
            tenant: scope.tenant(),
            account: principal.account(),
            session: principal.session().ok_or(ControlError::Denied)?,
            study: scope.study().clone(),
            record_type: record.kind.name().to_owned(),
            record: record.id.clone(),
            record_sha256: record.sha256.clone(),
            meaning: meaning.name().to_owned(),
        };
        self.begin_at_provider("/", Some(signing))
    }

    /// Who went to the provider, by the session that they went from: a browser keeps its secret from requests that begin
    /// elsewhere, as the way back from a provider does.
    ///
    /// # Errors
    /// As [`Control::authenticate_session`].
    pub async fn resume_signing(&self, signing: &Signing) -> Result<Principal, AuthError> {
        self.principal_of_session(signing.tenant, (signing.session, signing.account)).await
    }

    /// Signs a record for somebody whom their provider has just asked again who they are.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when it is not what the principal went for; [`ControlError::LoginRefused`] when the
    /// provider vouches for somebody else, which is recorded; [`GovernedError::RecordDiffers`].
    pub async fn sign_vouched(
        &self,
        principal: &Principal,
        scope: &StudyScope<Sign>,
        (record, signing): (&Record, &Signing),
        identity: &Identity,
        trace: &TraceId,
    ) -> Result<SignatureRow, ControlError> {
        principal.actor().require_tenant(scope.tenant())?;
        let is_theirs = signing.tenant == principal.tenant()
            && signing.account == principal.account()
            && principal.session() == Some(signing.session)
            && signing.study == *scope.study();
        let is_meant = signing.record() == Some((record.kind, record.id.as_str()));
        let meaning = Meaning::from_name(&signing.meaning).filter(|_| is_theirs && is_meant);
        let meaning = meaning.ok_or(ControlError::Denied)?;
        if record.sha256 != signing.record_sha256 {
            return Err(GovernedError::RecordDiffers.into());
        }
        let mut system = self.store().system().view().await?;
        let owner = directory::find(&mut system, self.index(), identity).await?;
        drop(system);
        let own = (principal.tenant(), principal.account());
        if owner != Some(own) {
            self.refuse_oidc("another_identity", Some(identity), trace).await?;
            return Err(ControlError::LoginRefused);
        }
        let signer = Signer { principal, method: Method::Oidc, used: None };
        self.seal(signer, scope, (record, meaning), trace).await
    }
}
