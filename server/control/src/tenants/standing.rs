//! Disabling a tenant and enabling it again. Whether it is in use stands among its own rows, so that whoever is let in,
//! and every job that is claimed, is judged by the same transaction that reads the account or the line.

use chrono::{DateTime, Utc};
use kernel::TenantId;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, GovernedError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Resource};
use crate::order::Order;
use crate::store::{Connection, TenantTx};

/// Holds in a statement on a tenant's rows while the tenant is in use.
pub(crate) const IN_USE: &str = "NOT EXISTS (SELECT 1 FROM disabled_tenant)";

/// Since when a tenant is disabled, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisabledTenant {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why, in the words of who did it.
    pub reason: String,
}

impl Control {
    /// Disables a tenant: nobody of it is let in at any door, from the next request on in every process, and none of its
    /// jobs, schedules and messages goes on. Its data stay as they are, and its ledger goes on. What its workers were
    /// at goes back to the line. Disabling it again changes nothing. For the operator, with a reason.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an account, and when there is no such tenant; [`ControlError::InvalidText`] without a
    /// reason; [`GovernedError::LastTenant`] when no other is in use.
    pub async fn disable_tenant(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_operator()?;
        order.require_reason_of_anybody()?;
        // One at a time in the deployment, so that no two take each other for the one that is left.
        let system = self.store().system().begin().await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        if is_disabled(tx.connection()).await? {
            return Ok(());
        }
        self.require_another_in_use(tenant).await?;
        let now = timestamp(tx.now());
        sqlx::query("INSERT INTO disabled_tenant (disabled_at, reason) VALUES ($1, $2)")
            .bind(now)
            .bind(order.reason.unwrap_or_default().trim())
            .execute(tx.connection())
            .await
            .map_err(storage("disable the tenant"))?;
        let given_back = give_jobs_back(&mut tx).await?;
        let event = order
            .event(AuditAction::TenantDisabled, Resource::tenant(tenant))
            .with("before", "enabled")
            .with("after", "disabled")
            .with("jobs_given_back", given_back);
        let recorded = tx.record(event.clone()).await?;
        system.record(event).await?.commit().await?;
        recorded.commit().await
    }

    /// Takes a disabled tenant into use again: sessions and tokens that have not ended let in, and what waited in line goes
    /// on. Enabling it again changes nothing. For the operator, with a reason.
    ///
    /// # Errors
    /// As [`Control::disable_tenant`], but for the last.
    pub async fn enable_tenant(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
    ) -> Result<(), ControlError> {
        let order = order.into();
        order.actor.require_operator()?;
        order.require_reason_of_anybody()?;
        let system = self.store().system().begin().await?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        if !is_disabled(tx.connection()).await? {
            return Ok(());
        }
        sqlx::query("DELETE FROM disabled_tenant")
            .execute(tx.connection())
            .await
            .map_err(storage("enable the tenant"))?;
        let event = order
            .event(AuditAction::TenantEnabled, Resource::tenant(tenant))
            .with("before", "disabled")
            .with("after", "enabled");
        let recorded = tx.record(event.clone()).await?;
        system.record(event).await?.commit().await?;
        recorded.commit().await?;
        self.ring();
        Ok(())
    }

    /// Since when a tenant is disabled, and why; `None` while it is in use. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn disabled_tenant(
        &self,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Option<DisabledTenant>, ControlError> {
        actor.require_administrator(tenant)?;
        disabling(&mut *self.store().tenant(tenant).await?.view().await?).await
    }

    /// Whether a tenant is disabled; for what goes on for longer than one request.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant.
    pub async fn is_tenant_disabled(&self, tenant: TenantId) -> Result<bool, ControlError> {
        is_disabled(&mut *self.store().tenant(tenant).await?.view().await?).await
    }

    async fn require_another_in_use(&self, tenant: TenantId) -> Result<(), ControlError> {
        // A tenant whose log does not stand lets nobody in either; that is told only when there is no other.
        let mut trouble = None;
        for other in self.tenant_ids().await?.into_iter().filter(|other| *other != tenant) {
            match self.is_tenant_disabled(other).await {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) => trouble = Some(error),
            }
        }
        Err(trouble.unwrap_or_else(|| GovernedError::LastTenant.into()))
    }
}

/// Whether the tenant whose rows are connected is disabled.
pub(crate) async fn is_disabled(connection: &mut Connection) -> Result<bool, ControlError> {
    disabling(connection).await.map(|found| found.is_some())
}

/// Since when the tenant whose rows are connected is disabled, and why; `None` while it is in use.
pub(crate) async fn disabling(connection: &mut Connection) -> Result<Option<DisabledTenant>, ControlError> {
    let found: Option<(String, String)> = sqlx::query_as("SELECT disabled_at, reason FROM disabled_tenant")
        .fetch_optional(connection)
        .await
        .map_err(storage("look whether the tenant is in use"))?;
    let Some((at, reason)) = found else { return Ok(None) };
    let since = parse_timestamp(&at).ok_or(()).map_err(corrupt("day of disabling"))?;
    Ok(Some(DisabledTenant { since, reason }))
}

/// Puts back in line what workers have: what they come to is not kept, and that a job was begun counts as no failure.
async fn give_jobs_back(tx: &mut TenantTx) -> Result<u64, ControlError> {
    let now = timestamp(tx.now());
    let given_back = sqlx::query(
        "UPDATE jobs SET state = 'QUEUED', due_at = $1, changed_at = $1, lease_until = NULL WHERE state = 'RUNNING'",
    )
    .bind(now)
    .execute(tx.connection())
    .await
    .map_err(storage("give the tenant's jobs back"))?;
    Ok(given_back.rows_affected())
}
