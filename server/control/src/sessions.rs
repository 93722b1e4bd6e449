//! Sessions: one for each login. A browser's has a secret, which is its cookie; a client's has none, and lives in the
//! tokens that were made from it. Whatever was made from a session ends with it, in every process at its next request.
mod row;

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{AuthError, ControlError};
use crate::gate::{Caller, Principal, Proof, account_of};
use crate::ids::SessionId;
use crate::ledger::{AuditAction, Event, Resource};
use crate::order::Order;
use crate::store::InUse;
use crate::trace::TraceId;

pub use row::{ABSOLUTE, IDLE, Method};
pub(crate) use row::{NewSession, Secret, SessionRow, end_sessions_of, is_known_peer};

/// A session that a browser has just begun, or whose secret was just changed.
#[derive(Clone)]
pub struct BrowserSession {
    /// The value of the cookie, to be kept like a password.
    pub secret: String,
    /// Whom it lets in.
    pub principal: Principal,
}

impl fmt::Debug for BrowserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserSession").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// A session as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, which opens nothing.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Whether it is a browser's, or a client's.
    pub is_browser: bool,
    /// How its holder proved who they are.
    pub method: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was last used, give or take half a minute; a client's is not followed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// When and why it was ended before that.
    pub ended: Option<(DateTime<Utc>, String)>,
}

impl Session {
    /// Whether it lets anybody in at this instant.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        let idle = self.is_browser && now - self.last_used_at >= IDLE;
        self.ended.is_none() && now < self.ends_at && !idle
    }
}

impl Control {
    /// Lets the bearer of a session's cookie in.
    ///
    /// # Errors
    /// Why it was not let in. Record it with [`Control::record_denial`], and show nobody the reason.
    pub async fn authenticate_session(&self, cookie: &str) -> Result<Principal, AuthError> {
        let secret = Secret::parse(cookie).ok_or(AuthError::Malformed)?;
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoSession,
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(secret.tenant()).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let found = SessionRow::by_secret(&mut view, &secret).await.map_err(unavailable)?;
        drop(view);
        self.let_in(secret.tenant(), found.ok_or(AuthError::NoSession)?).await
    }

    /// The principal of an account's session, however that was found.
    pub(crate) async fn principal_of_session(
        &self,
        tenant: TenantId,
        (session, account): (SessionId, AccountId),
    ) -> Result<Principal, AuthError> {
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoSession,
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(tenant).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let found = SessionRow::find(&mut view, session).await.map_err(unavailable)?;
        drop(view);
        let row = found.filter(|row| row.session.account == account).ok_or(AuthError::NoSession)?;
        self.let_in(tenant, row).await
    }

    async fn let_in(&self, tenant: TenantId, row: SessionRow) -> Result<Principal, AuthError> {
        let unavailable = |source| match source {
            ControlError::Denied => AuthError::NoSession,
            source => AuthError::Unavailable { source },
        };
        let database = self.store().tenant(tenant).await.map_err(unavailable)?;
        let mut view = database.view().await.map_err(unavailable)?;
        let (caller, now) = (Caller::new(tenant, row.session.account), self.clock().now());
        if !row.session.is_live(now) {
            return Err(AuthError::SessionEnded { caller });
        }
        let standing = account_of(self.subject_keys(), &mut view, caller, now).await?;
        drop(view);
        if row.is_due_for_use(now) {
            let tx = database.begin().await.map_err(unavailable)?;
            tx.commit_use(InUse::Session(row.session.id)).await.map_err(unavailable)?;
        }
        let proof = Proof::Session { session: row.session.id, ends_at: row.session.ends_at };
        Ok(self.admit(standing, caller, proof))
    }

    /// Ends the session of the principal, with everything that was made from it. Ending it again changes nothing.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the principal has no session, but a token that has to be revoked; and when it
    /// cannot be written.
    pub async fn logout(&self, principal: &Principal, trace: &TraceId) -> Result<(), ControlError> {
        let session = principal.session().ok_or(ControlError::Denied)?;
        let mut tx = self.store().tenant(principal.tenant()).await?.begin().await?;
        if !row::end(&mut tx, session, "logout").await? {
            return Ok(());
        }
        let event =
            Event::success(AuditAction::Logout, &principal.actor(), Resource::account(principal.account()))
                .with("session", session.to_string())
                .traced(trace);
        tx.record(event).await?.commit().await
    }

    /// Gives the principal's browser session a new secret; the old one is of no use from now on. For whenever what the
    /// session may do, or how it was proved, has changed.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the session has ended, or is not a browser's.
    pub async fn rotate_session(
        &self,
        principal: &Principal,
        trace: &TraceId,
    ) -> Result<BrowserSession, ControlError> {
        let session = principal.session().ok_or(ControlError::Denied)?;
        let mut tx = self.store().tenant(principal.tenant()).await?.begin().await?;
        let secret = Secret::new(principal.tenant())?;
        row::replace_secret(&mut tx, session, &secret).await?;
        let event = Event::success(
            AuditAction::SessionRotated,
            &principal.actor(),
            Resource::account(principal.account()),
        );
        let event = event.with("session", session.to_string()).traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(BrowserSession { secret: secret.to_string(), principal: principal.clone() })
    }

    /// The sessions of a tenant, or of one of its accounts, newest first. An account sees its own; who administers the
    /// tenant, all.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another tenant's or another account's.
    pub async fn sessions(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> Result<Vec<Session>, ControlError> {
        actor.require_self_or_administrator(tenant, account)?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let rows = SessionRow::list(&mut view, account).await?;
        Ok(rows.into_iter().map(|row| row.session).collect())
    }

    /// Ends a session, with everything that was made from it. An account ends its own; who administers the tenant, any,
    /// with a reason. Ending it again changes nothing.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none, or it is another account's.
    pub async fn end_session(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_tenant(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = SessionRow::find(tx.connection(), session).await?.ok_or(ControlError::Denied)?;
        order.actor.require_self_or_administrator(tenant, Some(found.session.account))?;
        if !row::end(&mut tx, session, "ended_by_hand").await? {
            return Ok(());
        }
        let resource = Resource::account(found.session.account);
        let event = order.event(AuditAction::SessionEnded, resource);
        tx.record(event.with("session", session.to_string())).await?.commit().await
    }

    /// Ends every session of an account, with everything that was made from them; how many there were. For who
    /// administers the tenant. Nothing is recorded when there was none.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account.
    pub async fn end_sessions(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<u64, ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        let ended = end_sessions_of(&mut tx, account, "ended_by_hand").await?;
        if ended > 0 {
            let event = order.event(AuditAction::SessionEnded, Resource::account(account));
            tx.record(event.with("sessions_ended", ended)).await?.commit().await?;
        }
        Ok(ended)
    }
}
