//! Erasing what is known of a person. The ledger keeps that an account existed and what it did, and never a value:
//! the account's e-mail and name go from the tables, and the key of what lies encrypted beside its events is
//! destroyed. That this was done, why, and who agreed is an event.

use std::collections::BTreeMap;

use kernel::{AccountId, Audit, Grants, TenantId};

use crate::accounts::AccountRow;
use crate::accounts::person::placeholder;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Leaf, Log, Resource, reveal, rows};
use crate::second_factor::remove_second_factor;
use crate::sessions::end_sessions_of;
use crate::store::{SystemTx, TenantTx};
use crate::text::require_text;

const STEP: &str = "erase the account";

/// Whose data are to be erased, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose.
    pub account: AccountId,
    /// Why, without naming the person: this is recorded for ever.
    pub reason: String,
    /// The second person: another account of the tenant that is in use.
    pub approved_by: AccountId,
}

impl Control {
    /// Erases the personal data of an account, which is disabled with it. For the operator, together with a
    /// second person. Erasing again finishes what a crash cut off.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the tenant has no such account; [`ControlError::ApproverUnfit`] when the
    /// second person is the first, or no account in use.
    pub async fn erase_account(
        &self,
        actor: &Actor,
        tenant: TenantId,
        erasure: Erasure,
    ) -> Result<(), ControlError> {
        actor.require_operator()?;
        require_text("reason", &erasure.reason, 200)?;
        let mut system = self.store().system().begin().await?;
        let database = self.store().tenant(tenant).await?;
        let mut tx = database.begin().await?;
        AccountRow::find(tx.connection(), erasure.account).await?.ok_or(ControlError::Denied)?;
        let approver = AccountRow::find(tx.connection(), erasure.approved_by).await?;
        if erasure.approved_by == erasure.account || !approver.is_some_and(|approver| approver.enabled) {
            return Err(ControlError::ApproverUnfit);
        }
        let placeholder = placeholder(erasure.account);
        let now = timestamp(tx.now());
        sqlx::query(
            "UPDATE accounts SET email = $1, email_sealed = NULL, display_name_sealed = NULL, password_hash = '',
                                 enabled = 0, disabled_at = COALESCE(disabled_at, $2)
             WHERE account_id = $3",
        )
        .bind(&placeholder)
        .bind(now)
        .bind(erasure.account.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        sqlx::query("UPDATE account_directory SET email = $1 WHERE account_id = $2")
            .bind(&placeholder)
            .bind(erasure.account.to_string())
            .execute(system.connection())
            .await
            .map_err(storage(STEP))?;
        forget_proofs(&mut system, &mut tx, erasure.account).await?;
        let event =
            Event::success(AuditAction::PersonalDataErased, actor, Resource::account(erasure.account))
                .with("reason", erasure.reason)
                .with("approved_by", erasure.approved_by.to_string())
                .with("tenant", tenant.to_string());
        let recorded = tx.record(event.clone()).await?;
        system.record(event).await?.commit().await?;
        recorded.commit().await?;
        // The record comes first: a key that is destroyed without one would look like tampering, whereas one
        // that outlives its record for a moment is destroyed by erasing again.
        self.subject_keys().destroy(erasure.account)?;
        database.forget().await?;
        self.store().system().forget().await
    }

    /// The personal data of one event of the grants' tenant, for those who may read its ledger. `None` when the
    /// event has none, or they were erased.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else; [`ControlError::Corrupt`] when they are not what the event
    /// commits to.
    pub async fn personal_data(
        &self,
        grants: &Grants,
        seq: u64,
    ) -> Result<Option<BTreeMap<String, String>>, ControlError> {
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        let mut view = self.store().tenant(grants.tenant()).await?.view().await?;
        let leaf = rows::leaf(&mut view, Log::Tenant(grants.tenant()), seq).await?;
        let leaf = Leaf::parse(&leaf.ok_or(ControlError::Denied)?).ok_or(());
        reveal(&mut view, self.subject_keys(), &leaf.map_err(corrupt("ledger entry"))?).await
    }
}

/// Takes away by what the account was signed in to, and what that says of its owner.
async fn forget_proofs(
    system: &mut SystemTx,
    tx: &mut TenantTx,
    account: AccountId,
) -> Result<(), ControlError> {
    end_sessions_of(tx, account, "account_erased").await?;
    remove_second_factor(tx, account).await?;
    let now = timestamp(tx.now());
    sqlx::query("UPDATE sessions SET peer_hash = '' WHERE account_id = $1")
        .bind(account.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
    sqlx::query(
        "UPDATE access_tokens SET label = 'erased', revoked_at = COALESCE(revoked_at, $1) WHERE account_id = $2",
    )
    .bind(now)
    .bind(account.to_string())
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    sqlx::query("DELETE FROM identity_directory WHERE account_id = $1")
        .bind(account.to_string())
        .execute(system.connection())
        .await
        .map(|_| ())
        .map_err(storage(STEP))
}
