//! People whom an identity provider vouches for (OpenID Connect). Nothing here talks to a provider: `attempt` is what a
//! browser carries to it and back, `id_token` is how its word is checked, and this module knows whose account an
//! identity is. Who somebody is, is the issuer and the subject, and never an e-mail address.
mod attempt;
pub(crate) mod directory;
mod id_token;
mod issuer_keys;

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};

use crate::accounts::standing::require_administrator_left;
use crate::accounts::{AccountRow, NewAccount};
use crate::control::Control;
use crate::error::{ControlError, GovernedError, storage};
use crate::gate::Caller;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, LeafActor, Outcome, Resource, hex_sha256};
use crate::login::Proved;
use crate::order::Order;
use crate::sessions::{BrowserSession, Method, end_sessions_of};
use crate::text::require_text;
use crate::trace::TraceId;

pub use attempt::{Attempt, CarriedAttempt};
pub use id_token::{Expected, OidcError, verify_id_token};
pub use issuer_keys::IssuerKeys;

/// Somebody, as an identity provider knows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its name for the person, which it gives to nobody else, ever.
    pub subject: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Identity {
    /// What the ledger says of it, and forms that must name one of several: enough to recognise it, and nobody's name.
    /// The SHA-256, in hex, of the issuer and the subject with a line feed between them.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex_sha256(format!("{}\n{}", self.issuer, self.subject).as_bytes())
    }
}

/// An identity that may sign in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// Who.
    pub identity: Identity,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

impl Control {
    /// Creates an account that somebody whom a provider vouches for may sign in to, if one is named. For who
    /// administers the tenant.
    ///
    /// # Errors
    /// As [`Control::create_account`] and [`Control::link_identity`]; an identity that is taken is refused before
    /// anything is made.
    pub async fn create_account_with(
        &self,
        order: Order<'_>,
        tenant: TenantId,
        account: NewAccount,
        identity: Option<Identity>,
    ) -> Result<AccountId, ControlError> {
        let Some(identity) = identity else { return self.create_account(order, tenant, account).await };
        order.actor.require_administrator(tenant)?;
        require_text("issuer", &identity.issuer, 500)?;
        require_text("subject", &identity.subject, 255)?;
        let mut system = self.store().system().view().await?;
        let taken = directory::find(&mut system, self.index(), &identity).await?;
        drop(system);
        if taken.is_some() {
            return Err(ControlError::IdentityTaken);
        }
        let id = self.create_account(order, tenant, account).await?;
        self.link_identity(order, tenant, id, &identity).await?;
        Ok(id)
    }

    /// Lets an identity sign in to an account. For who administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`ControlError::AccountErased`] for one that was
    /// erased; [`ControlError::IdentityTaken`] when an account of the deployment has the identity already.
    pub async fn link_identity(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
        identity: &Identity,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        require_text("issuer", &identity.issuer, 500)?;
        require_text("subject", &identity.subject, 255)?;
        let mut system = self.store().system().begin().await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        if found.is_erased() {
            return Err(ControlError::AccountErased);
        }
        let keys = (self.subject_keys(), self.index());
        let (indexed, sealed) = directory::seal(keys, (tenant, account), identity)?;
        let now = timestamp(system.now());
        let added = sqlx::query(
            "INSERT INTO identity_directory (issuer, subject, subject_sealed, tenant_id, account_id, linked_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(&identity.issuer)
        .bind(indexed)
        .bind(sealed)
        .bind(tenant.to_string())
        .bind(account.to_string())
        .bind(now)
        .execute(system.connection())
        .await
        .map_err(storage("link the identity"))?;
        if added.rows_affected() == 0 {
            return Err(ControlError::IdentityTaken);
        }
        let event = order
            .event(AuditAction::IdentityLinked, Resource::account(account))
            .with("issuer", identity.issuer.as_str())
            .with("identity_sha256", identity.sha256());
        let recorded = tx.record(event.clone()).await?;
        system.record(event.with("tenant", tenant.to_string())).await?.commit().await?;
        recorded.commit().await
    }

    /// Takes an identity from an account; its sessions end. Taking it again changes nothing. For who administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`ControlError::LastAdministrator`] when nobody could
    /// sign in any more who administers it.
    pub async fn unlink_identity(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
        identity: &Identity,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let mut system = self.store().system().begin().await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        let removed = sqlx::query(
            "DELETE FROM identity_directory
             WHERE issuer = $1 AND subject = $2 AND tenant_id = $3 AND account_id = $4",
        )
        .bind(&identity.issuer)
        .bind(self.index().identity(&identity.issuer, &identity.subject))
        .bind(tenant.to_string())
        .bind(account.to_string())
        .execute(system.connection())
        .await
        .map_err(storage("take the identity from the account"))?;
        if removed.rows_affected() == 0 {
            return Ok(());
        }
        require_administrator_left(&order, &mut tx, (system.connection(), tenant)).await?;
        let sessions = end_sessions_of(&mut tx, account, "identity_unlinked").await?;
        let event = order
            .event(AuditAction::IdentityUnlinked, Resource::account(account))
            .with("issuer", identity.issuer.as_str())
            .with("identity_sha256", identity.sha256())
            .with("sessions_ended", sessions);
        let recorded = tx.record(event.clone()).await?;
        system.record(event.with("tenant", tenant.to_string())).await?.commit().await?;
        recorded.commit().await
    }

    /// Begins a browser's session for somebody whose identity was proved.
    ///
    /// # Errors
    /// [`ControlError::UnknownIdentity`] when it belongs to no account in use: nobody gets one by signing in;
    /// [`GovernedError::TenantDisabled`].
    pub async fn sign_in_identity(
        &self,
        identity: &Identity,
        peer: Option<IpAddr>,
        trace: &TraceId,
    ) -> Result<BrowserSession, ControlError> {
        let mut system = self.store().system().view().await?;
        let listed = directory::find(&mut system, self.index(), identity).await?;
        drop(system);
        let Some((tenant, account)) = listed else {
            self.refuse_oidc("unknown_identity", Some(identity), trace).await?;
            return Err(ControlError::UnknownIdentity);
        };
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let found = AccountRow::find(&mut view, account).await?;
        drop(view);
        if !found.is_some_and(|found| found.enabled) {
            self.refuse_oidc("account_disabled", Some(identity), trace).await?;
            return Err(ControlError::UnknownIdentity);
        }
        if self.is_tenant_disabled(tenant).await? {
            self.refuse_oidc("tenant_disabled", Some(identity), trace).await?;
            return Err(GovernedError::TenantDisabled.into());
        }
        let caller = Caller::new(tenant, account);
        self.begin_session(Proved { caller, method: Method::Oidc, peer, used: None }, trace).await
    }

    /// Records that a sign-in through a provider was refused, with a stable word on why.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn refuse_oidc(
        &self,
        reason: &str,
        identity: Option<&Identity>,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let nobody = Resource::new("account", "unknown");
        let mut event = Event::success(AuditAction::LoginFailed, LeafActor::anonymous(), nobody)
            .ended(Outcome::Denied)
            .with("audience", "browser")
            .with("method", Method::Oidc.name())
            .with("reason", reason);
        if let Some(identity) = identity {
            event = event.with("identity_sha256", identity.sha256());
        }
        self.store().system().begin().await?.record(event.traced(trace)).await?.commit().await
    }
}
