//! What there is of a tenant, in numbers, and how its keys and copies stand.

use chrono::{DateTime, Utc};
use kernel::TenantId;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::parse_timestamp;
use crate::keys::DataKeyRow;
use crate::ledger::{AuditAction, Log, rows};
use crate::store::Connection;
use crate::tenants::standing::{DisabledTenant, disabling};

const STEP: &str = "count what a tenant has";

/// What there is of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantOverview {
    /// Since when it is disabled, and why; `None` while it is in use.
    pub disabled: Option<DisabledTenant>,
    /// Accounts that may sign in,
    pub accounts_enabled: u64,
    /// and those that may not.
    pub accounts_disabled: u64,
    /// Studies.
    pub studies: u64,
    /// Published snapshots of all studies.
    pub snapshots: u64,
    /// Deliveries that were taken in.
    pub batches: u64,
    /// Jobs that wait or are being done.
    pub jobs_open: u64,
    /// Events of its log.
    pub events: u64,
    /// The bytes of its rows, where they are files of their own; `None` where the tenants share a database.
    pub control_bytes: Option<u64>,
    /// The key that protects what lies encrypted.
    pub data_key: Option<DataKeyRow>,
    /// When a copy of the deployment was last made.
    pub last_backup_at: Option<DateTime<Utc>>,
}

impl Control {
    /// What there is of a tenant. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn tenant_overview(
        &self,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<TenantOverview, ControlError> {
        actor.require_administrator(tenant)?;
        let log = Log::Tenant(tenant);
        let last_backup_at = last_backup(&mut *self.store().system().view().await?).await?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let mut keys = self.data_keys().list()?;
        keys.retain(|key| key.tenant == tenant && key.is_active);
        Ok(TenantOverview {
            disabled: disabling(&mut view).await?,
            accounts_enabled: count(&mut view, "SELECT COUNT(*) FROM accounts WHERE enabled = 1").await?,
            accounts_disabled: count(&mut view, "SELECT COUNT(*) FROM accounts WHERE enabled = 0").await?,
            studies: count(&mut view, "SELECT COUNT(*) FROM studies").await?,
            snapshots: count(&mut view, "SELECT COUNT(*) FROM snapshots").await?,
            batches: count(&mut view, "SELECT COUNT(*) FROM ingest_batches").await?,
            jobs_open: count(&mut view, "SELECT COUNT(*) FROM jobs WHERE state IN ('QUEUED', 'RUNNING')")
                .await?,
            events: rows::head(&mut view, log).await?.size,
            control_bytes: self.store().tenant_bytes(tenant)?,
            data_key: keys.pop(),
            last_backup_at,
        })
    }
}

async fn count(view: &mut Connection, statement: &'static str) -> Result<u64, ControlError> {
    let number: i64 = sqlx::query_scalar(statement).fetch_one(view).await.map_err(storage(STEP))?;
    u64::try_from(number).map_err(corrupt("number of rows"))
}

async fn last_backup(system: &mut Connection) -> Result<Option<DateTime<Utc>>, ControlError> {
    let at: Option<String> = sqlx::query_scalar(
        "SELECT at FROM audit_events WHERE log = $1 AND action = $2 ORDER BY seq DESC LIMIT 1",
    )
    .bind(Log::System.origin())
    .bind(AuditAction::BackupMade.name())
    .fetch_optional(system)
    .await
    .map_err(storage(STEP))?;
    at.map(|at| parse_timestamp(&at).ok_or(()).map_err(corrupt("event's time"))).transpose()
}
