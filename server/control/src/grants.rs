//! Giving roles to accounts, and taking them away. Either ends the account's sessions: what somebody may do changes
//! with a new login and a new secret, and not under a session that was begun as somebody else.

use kernel::{AccountId, Grant, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::sessions::end_sessions_of;
use crate::store::TenantTx;
use crate::unblinding::refuse_without_reason;

impl Control {
    /// Gives an account a role in a study, or in all. Giving it again changes nothing. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`crate::GovernedError::UnblindingReason`] for the role
    /// `unblinded`, which [`Control::unblind`] gives.
    pub async fn grant(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
        grant: Grant,
    ) -> Result<(), ControlError> {
        refuse_without_reason(std::slice::from_ref(&grant))?;
        let mut tx = self.account_of_tenant(actor, tenant, account).await?;
        let given = give(&mut tx, account, &grant).await?;
        changed(tx, actor, account, ("given", &grant), u64::from(given)).await
    }

    /// Takes a role from an account. Taking it again changes nothing. For the operator.
    ///
    /// # Errors
    /// As [`Control::grant`].
    pub async fn revoke_grant(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
        grant: Grant,
    ) -> Result<(), ControlError> {
        let mut tx = self.account_of_tenant(actor, tenant, account).await?;
        let taken = sqlx::query(
            "DELETE FROM grants WHERE account_id = $1 AND role = $2 AND COALESCE(study_id, '') = $3",
        )
        .bind(account.to_string())
        .bind(grant.role.name())
        .bind(grant.study.clone().map_or_else(String::new, String::from))
        .execute(tx.connection())
        .await
        .map_err(storage("take the role"))?;
        changed(tx, actor, account, ("taken", &grant), taken.rows_affected()).await
    }

    async fn account_of_tenant(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<TenantTx, ControlError> {
        actor.require_operator()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        Ok(tx)
    }
}

/// Gives an account a role; false when it has it already. The caller records it.
pub(crate) async fn give(tx: &mut TenantTx, account: AccountId, grant: &Grant) -> Result<bool, ControlError> {
    let now = timestamp(tx.now());
    let added = sqlx::query(
        "INSERT INTO grants (account_id, role, study_id, granted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(account.to_string())
    .bind(grant.role.name())
    .bind(grant.study.clone().map(String::from))
    .bind(now)
    .execute(tx.connection())
    .await
    .map_err(storage("give the role"))?;
    Ok(added.rows_affected() == 1)
}

async fn changed(
    mut tx: TenantTx,
    actor: &Actor,
    account: AccountId,
    (what, grant): (&'static str, &Grant),
    rows: u64,
) -> Result<(), ControlError> {
    if rows == 0 {
        return Ok(());
    }
    let sessions = end_sessions_of(&mut tx, account, "role_changed").await?;
    let event = Event::success(AuditAction::AccountGrantsChanged, actor, Resource::account(account))
        .with("change", what)
        .with("role", grant.role.name())
        .with("study", grant.study.as_ref().map_or("*", |study| study.as_str()))
        .with("sessions_ended", sessions);
    tx.record(event).await?.commit().await
}
