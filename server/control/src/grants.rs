//! Giving roles to accounts, and taking them away. Either ends the account's sessions: what somebody may do changes
//! with a new login and a new secret, and not under a session that was begun as somebody else.

use kernel::{AccountId, Grant, TenantId};

use crate::accounts::{AccountRow, grants_in_words};
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Resource};
use crate::order::Order;
use crate::sessions::end_sessions_of;
use crate::store::TenantTx;
use crate::unblinding::refuse_without_reason;

impl Control {
    /// Gives an account a role in a study, or in all. Giving it again changes nothing. For who administers the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`crate::GovernedError::UnblindingReason`] for the role
    /// `unblinded`, which [`Control::unblind`] gives.
    pub async fn grant(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
        grant: Grant,
    ) -> Result<(), ControlError> {
        let order = order.into();
        refuse_without_reason(std::slice::from_ref(&grant))?;
        let (mut tx, before) = self.account_of_tenant(&order, tenant, account).await?;
        if !give(&mut tx, account, &grant, &order.by()).await? {
            return Ok(());
        }
        Change { account, what: "given", grant, before }.commit(tx, &order).await
    }

    /// Takes a role from an account. Taking it again changes nothing. For who administers the tenant.
    ///
    /// # Errors
    /// As [`Control::grant`]; [`ControlError::LastAdministrator`] when nobody would be left who can administer the
    /// tenant.
    pub async fn revoke_grant(
        &self,
        order: impl Into<Order<'_>>,
        tenant: TenantId,
        account: AccountId,
        grant: Grant,
    ) -> Result<(), ControlError> {
        let order = order.into();
        let (mut tx, before) = self.account_of_tenant(&order, tenant, account).await?;
        let taken = sqlx::query(
            "DELETE FROM grants WHERE account_id = $1 AND role = $2 AND COALESCE(study_id, '') = $3",
        )
        .bind(account.to_string())
        .bind(grant.role.name())
        .bind(grant.study.clone().map_or_else(String::new, String::from))
        .execute(tx.connection())
        .await
        .map_err(storage("take the role"))?;
        if taken.rows_affected() == 0 {
            return Ok(());
        }
        self.require_administrator_left(&order, &mut tx, tenant).await?;
        Change { account, what: "taken", grant, before }.commit(tx, &order).await
    }

    async fn account_of_tenant(
        &self,
        order: &Order<'_>,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<(TenantTx, Vec<Grant>), ControlError> {
        order.actor.require_administrator(tenant)?;
        order.require_reason()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = AccountRow::find(tx.connection(), account).await?.ok_or(ControlError::Denied)?;
        let before = found.grants(tx.connection()).await?;
        Ok((tx, before))
    }
}

/// Gives an account a role; false when it has it already. The caller records it.
pub(crate) async fn give(
    tx: &mut TenantTx,
    account: AccountId,
    grant: &Grant,
    by: &str,
) -> Result<bool, ControlError> {
    let now = timestamp(tx.now());
    let added = sqlx::query(
        "INSERT INTO grants (account_id, role, study_id, granted_at, granted_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(account.to_string())
    .bind(grant.role.name())
    .bind(grant.study.clone().map(String::from))
    .bind(now)
    .bind(by)
    .execute(tx.connection())
    .await
    .map_err(storage("give the role"))?;
    Ok(added.rows_affected() == 1)
}

/// What was changed of an account's grants.
struct Change {
    account: AccountId,
    what: &'static str,
    grant: Grant,
    before: Vec<Grant>,
}

impl Change {
    /// Ends the account's sessions and records the change, with all of the account's grants before and after it.
    async fn commit(self, mut tx: TenantTx, order: &Order<'_>) -> Result<(), ControlError> {
        let found = AccountRow::find(tx.connection(), self.account).await?.ok_or(ControlError::Denied)?;
        let after = found.grants(tx.connection()).await?;
        let sessions = end_sessions_of(&mut tx, self.account, "role_changed").await?;
        let event = order
            .event(AuditAction::AccountGrantsChanged, Resource::account(self.account))
            .with("change", self.what)
            .with("role", self.grant.role.name())
            .with("study", self.grant.study.as_ref().map_or("*", |study| study.as_str()))
            .with("before", grants_in_words(&self.before))
            .with("after", grants_in_words(&after))
            .with("sessions_ended", sessions);
        tx.record(event).await?.commit().await
    }
}
