//! Letting an account see who gets which treatment. It is given with a reason, by another person than the one who gets
//! it, and by no other way.

use kernel::{AccountId, ActionKind, Grant, Role, StudyId, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, GovernedError};
use crate::grants::give;
use crate::ledger::{AuditAction, Event, Resource};
use crate::order::Order;
use crate::policy::Resource as About;
use crate::reasons::require_reason;
use crate::sessions::end_sessions_of;
use crate::trace::TraceId;

/// Who is to be unblinded, where and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unblinding {
    /// Whose account.
    pub account: AccountId,
    /// In which study; `None` is every study of the tenant.
    pub study: Option<StudyId>,
    /// Why, in at most 500 characters. The ledger holds a commitment to it.
    pub reason: String,
}

impl Unblinding {
    fn grant(&self) -> Grant {
        Grant { role: Role::Unblinded, study: self.study.clone() }
    }
}

/// Refuses to give the role that unblinds without a reason.
pub(crate) fn refuse_without_reason(grants: &[Grant]) -> Result<(), ControlError> {
    let unblinds = grants.iter().any(|grant| grant.role == Role::Unblinded);
    if unblinds { Err(GovernedError::UnblindingReason.into()) } else { Ok(()) }
}

impl Control {
    /// Unblinds an account in a study, or in all: the role `unblinded`, with the reason. Its sessions end. Doing it again
    /// changes nothing. For the operator, and for an administrator of the tenant who is not the one.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else, and when the tenant has no such account;
    /// [`ControlError::InvalidText`] without a reason.
    pub async fn unblind(
        &self,
        actor: &Actor,
        tenant: TenantId,
        unblinding: &Unblinding,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        require_reason(&unblinding.reason)?;
        actor.require_tenant(tenant)?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let account = unblinding.account;
        if let Actor::Account { id, .. } | Actor::Administrator { id, .. } = actor {
            let asked = self.may(tx.connection(), *id, ActionKind::Administer, About::Tenant(tenant)).await?;
            if !asked || *id == account {
                return Err(ControlError::Denied);
            }
        }
        let found = AccountRow::find(tx.connection(), account).await?;
        found.filter(|found| found.enabled).ok_or(ControlError::Denied)?;
        if !give(&mut tx, account, &unblinding.grant(), &Order::from(actor).by()).await? {
            return Ok(());
        }
        let sessions = end_sessions_of(&mut tx, account, "role_changed").await?;
        let event = Event::success(AuditAction::Unblinded, actor, Resource::account(account))
            .with("study", unblinding.study.as_ref().map_or("*", StudyId::as_str))
            .with("sessions_ended", sessions)
            .traced(trace);
        let event = self.with_reason(&mut tx, event, account, &unblinding.reason).await?;
        tx.record(event).await?.commit().await
    }
}
