//! Logging in and out. An unknown e-mail, a wrong password and a disabled account get the same answer after
//! the same work; only the ledger tells them apart.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{AccountId, TenantId};

use crate::accounts::{AccountRow, Email};
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::gate::{Caller, Principal, is_revoked};
use crate::identity::{Audience, Claims, ISSUER};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, LeafActor, Outcome, Resource, hex_sha256};
use crate::store::TenantTx;
use crate::trace::TraceId;

/// How long a logged-out token stays on the list after it would have expired anyway.
const REVOKED_KEPT_DAYS: i64 = 1;

/// A token that was just issued, and whom it lets in.
#[derive(Clone)]
pub struct Login {
    /// The token, to be kept like a password.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whom it lets in.
    pub principal: Principal,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Login");
        debug
            .field("expires_at", &self.expires_at)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Exchanges an e-mail address and a password for a token.
    ///
    /// # Errors
    /// [`ControlError::LoginRefused`] when they do not belong to an enabled account.
    pub async fn login(
        &self,
        email: &str,
        password: &str,
        audience: Audience,
        trace: &TraceId,
    ) -> Result<Login, ControlError> {
        let known = self.find_by_email(email).await?;
        let stored = known.as_ref().map(|(_, account)| account.password_hash.as_str());
        let right = self.passwords().matches(password, stored).await?;
        match known {
            Some((tenant, account)) if right && account.enabled => {
                let caller = Caller::new(tenant, account.id);
                let mut tx = self.store().tenant(tenant).await?.begin().await?;
                let login = self.mint(&mut tx, caller, audience, None).await?;
                let event = issued(AuditAction::LoginSucceeded, &login.principal, audience).traced(trace);
                tx.record(event).await?.commit().await?;
                Ok(login)
            }
            Some((tenant, account)) => {
                let reason = if right { "account_disabled" } else { "wrong_password" };
                let failure = login_failure(Resource::account(account.id), audience, reason).traced(trace);
                let tx = self.store().tenant(tenant).await?.begin().await?;
                tx.record(failure).await?.commit().await?;
                Err(ControlError::LoginRefused)
            }
            None => {
                let nobody = Resource::new("account", "unknown");
                let failure = login_failure(nobody, audience, "unknown_email").traced(trace);
                self.store().system().begin().await?.record(failure).await?.commit().await?;
                Err(ControlError::LoginRefused)
            }
        }
    }

    /// Gives a logged-in account a token for a further door. It ends no later than the token it was asked with.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the account was disabled or its token logged out in the meantime.
    pub async fn issue_token(
        &self,
        principal: &Principal,
        audience: Audience,
        trace: &TraceId,
    ) -> Result<Login, ControlError> {
        let mut tx = self.store().tenant(principal.tenant()).await?.begin().await?;
        if is_revoked(tx.connection(), principal.token_id()).await? {
            return Err(ControlError::Denied);
        }
        let login =
            self.mint(&mut tx, principal.caller(), audience, Some(principal.token_expires_at())).await?;
        let event = issued(AuditAction::TokenIssued, &login.principal, audience).traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(login)
    }

    /// Ends the principal's token. Ending it again changes nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn logout(&self, principal: &Principal, trace: &TraceId) -> Result<(), ControlError> {
        const STEP: &str = "log out";
        let mut tx = self.store().tenant(principal.tenant()).await?.begin().await?;
        let now = tx.now();
        let added = sqlx::query(
            "INSERT INTO revoked_tokens (jti, account_id, expires_at, revoked_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(principal.token_id())
        .bind(principal.account().to_string())
        .bind(timestamp(principal.token_expires_at()))
        .bind(timestamp(now))
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        if added.rows_affected() == 0 {
            return Ok(());
        }
        sqlx::query("DELETE FROM revoked_tokens WHERE expires_at < $1")
            .bind(timestamp(now - chrono::TimeDelta::days(REVOKED_KEPT_DAYS)))
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
        let resource = Resource::account(principal.account());
        let event = Event::success(AuditAction::Logout, &principal.actor(), resource)
            .with("token_sha256", hex_sha256(principal.token_id().as_bytes()))
            .traced(trace);
        tx.record(event).await?.commit().await
    }

    /// The account of an address, wherever it lives.
    async fn find_by_email(&self, email: &str) -> Result<Option<(TenantId, AccountRow)>, ControlError> {
        let Ok(email) = Email::parse(email) else { return Ok(None) };
        let listed: Option<(String, String)> =
            sqlx::query_as("SELECT tenant_id, account_id FROM account_directory WHERE email = $1")
                .bind(email.as_str())
                .fetch_optional(&mut *self.store().system().view().await?)
                .await
                .map_err(storage("look the e-mail address up"))?;
        let Some((tenant, account)) = listed else { return Ok(None) };
        let tenant: TenantId = tenant.parse().map_err(corrupt("tenant id"))?;
        let account: AccountId = account.parse().map_err(corrupt("account id"))?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let found = AccountRow::find(&mut view, account).await?;
        Ok(found.map(|account| (tenant, account)))
    }

    /// Issues a token to an account that is enabled at this very moment. The caller records it.
    async fn mint(
        &self,
        tx: &mut TenantTx,
        caller: Caller,
        audience: Audience,
        ends_by: Option<DateTime<Utc>>,
    ) -> Result<Login, ControlError> {
        let found = AccountRow::find(tx.connection(), caller.account()).await?;
        let account = found.filter(|account| account.enabled).ok_or(ControlError::Denied)?;
        let grants = account.grants(tx.connection()).await?;
        let lifetime = match audience {
            Audience::Http => self.lifetimes().http,
            Audience::Flight => self.lifetimes().flight,
        };
        let now = tx.now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: caller.account(),
            aud: audience.name().to_owned(),
            tenant_id: caller.tenant(),
            jti: fresh::uuid(now)?.to_string(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: ends_by.map_or(now + lifetime, |latest| latest.min(now + lifetime)).timestamp(),
        };
        let token = claims.sign(self.signing_key());
        Ok(Login { token, expires_at: claims.expires_at(), principal: self.admit(account, &grants, &claims) })
    }
}

fn issued(action: AuditAction, principal: &Principal, audience: Audience) -> Event {
    Event::success(action, &principal.actor(), Resource::account(principal.account()))
        .with("audience", audience.name())
        .with("expires_at", timestamp(principal.token_expires_at()))
        .with("token_sha256", hex_sha256(principal.token_id().as_bytes()))
}

/// Nobody has proved anything yet, so the actor is anonymous; the account that was tried is the resource.
fn login_failure(resource: Resource, audience: Audience, reason: &'static str) -> Event {
    Event::success(AuditAction::LoginFailed, LeafActor::anonymous(), resource)
        .ended(Outcome::Denied)
        .with("audience", audience.name())
        .with("reason", reason)
}
