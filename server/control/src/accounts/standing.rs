//! Disabling an account and enabling it again, and what must be left when access is taken away: somebody who can still
//! sign in and administer the tenant.

use kernel::{AccountId, Role, TenantId};

use super::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Resource};
use crate::order::Order;
use crate::sessions::end_sessions_of;
use crate::store::{Connection, TenantTx};

impl Control {
    /// Disables an account; its sessions and tokens end with it. Disabling it again changes nothing. For who
    /// administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`ControlError::LastAdministrator`].
    pub async fn disable_account(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        if !found.enabled {
            return Ok(());
        }
        let now = timestamp(tx.now());
        sqlx::query("UPDATE accounts SET enabled = 0, disabled_at = $1 WHERE account_id = $2")
            .bind(now)
            .bind(account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("disable the account"))?;
        self.require_administrator_left(&order, &mut tx, tenant).await?;
        let sessions = end_sessions_of(&mut tx, account, "account_disabled").await?;
        let event = order
            .event(AuditAction::AccountDisabled, Resource::account(account))
            .with("before", "enabled")
            .with("after", "disabled")
            .with("sessions_ended", sessions);
        tx.record(event).await?.commit().await
    }

    /// Lets a disabled account sign in again; its tokens open doors again until they end. Enabling it again changes
    /// nothing. For who administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`ControlError::AccountErased`].
    pub async fn enable_account(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        if found.is_erased() {
            return Err(ControlError::AccountErased);
        }
        if found.enabled {
            return Ok(());
        }
        sqlx::query("UPDATE accounts SET enabled = 1, disabled_at = NULL WHERE account_id = $1")
            .bind(account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("enable the account"))?;
        let event = order
            .event(AuditAction::AccountEnabled, Resource::account(account))
            .with("before", "disabled")
            .with("after", "enabled");
        tx.record(event).await?.commit().await
    }

    /// Refuses what would leave nobody who can sign in and administer the tenant, as the transaction sees it. The
    /// operator may, who can always make another.
    pub(crate) async fn require_administrator_left(
        &self,
        order: &Order<'_>,
        tx: &mut TenantTx,
        tenant: TenantId,
    ) -> Result<(), ControlError> {
        let mut system = self.store().system().view().await?;
        require_administrator_left(order, tx, (&mut system, tenant)).await
    }
}

/// The same, with the identities as `system` sees them.
pub(crate) async fn require_administrator_left(
    order: &Order<'_>,
    tx: &mut TenantTx,
    (system, tenant): (&mut Connection, TenantId),
) -> Result<(), ControlError> {
    const STEP: &str = "look for further administrators";
    if !matches!(order.actor, Actor::Administrator { .. }) {
        return Ok(());
    }
    let administrators: Vec<(String, String)> = sqlx::query_as(
        "SELECT accounts.account_id, accounts.password_hash
         FROM accounts JOIN grants ON grants.account_id = accounts.account_id
         WHERE accounts.enabled = 1 AND grants.role = $1 AND grants.study_id IS NULL",
    )
    .bind(Role::Administrator.name())
    .fetch_all(tx.connection())
    .await
    .map_err(storage(STEP))?;
    let linked: Vec<String> =
        sqlx::query_scalar("SELECT account_id FROM identity_directory WHERE tenant_id = $1")
            .bind(tenant.to_string())
            .fetch_all(system)
            .await
            .map_err(storage(STEP))?;
    let can_sign_in =
        |(account, password): &(String, String)| !password.is_empty() || linked.contains(account);
    if administrators.iter().any(can_sign_in) { Ok(()) } else { Err(ControlError::LastAdministrator) }
}
