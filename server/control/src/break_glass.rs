//! Emergency access: somebody without a grant reads one study of their own tenant, for an hour at most, with a reason.
//! It ends by itself, changes nothing, unblinds nobody, and is judged by another person within a day. What is done under
//! it carries the actor `break_glass` in the ledger.
mod row;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, ActionKind, StudyId, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, GovernedError};
use crate::fresh;
use crate::gate::Principal;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Resource};
use crate::policy::{Asker, Resource as About};
use crate::reasons::require_reason;
use crate::store::Connection;
use crate::studies::require_registered;
use crate::text::shortened;
use crate::trace::TraceId;

pub use crate::ids::BreakGlassId;
pub(crate) use row::emergencies_of;
pub use row::{BreakGlassReview, BreakGlassRow, Verdict};

/// The longest emergency access.
pub const LONGEST: TimeDelta = TimeDelta::minutes(60);
/// Within what it has to be reviewed.
pub const REVIEW_WITHIN: TimeDelta = TimeDelta::hours(24);

/// An emergency access that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBreakGlass {
    /// Who.
    pub account: AccountId,
    /// To which study of their tenant.
    pub study: StudyId,
    /// Why, in at most 500 characters. The ledger holds a commitment to it.
    pub reason: String,
    /// For how long, up to [`LONGEST`].
    pub lasting: TimeDelta,
}

/// How many there are to look after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BreakGlassCount {
    /// Emergency accesses that have not ended.
    pub open: u64,
    /// Reviews that should have been done.
    pub overdue: u64,
}

/// What somebody found about an emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    /// Who judges.
    pub by: AccountId,
    /// What they found.
    pub verdict: Verdict,
    /// In their words, at most 500 characters. The ledger holds a commitment to it.
    pub note: String,
}

impl Control {
    /// Opens an emergency access. It holds from the next request on, in the sessions that the account has. An account
    /// opens its own.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another's, and when the tenant has no such study;
    /// [`GovernedError::BreakGlassLength`], [`GovernedError::BreakGlassNeedless`] when a role lets the account read the
    /// study anyway, and [`GovernedError::BreakGlassOpen`] when it has one to that study that has not ended.
    pub async fn open_break_glass(
        &self,
        actor: &Actor,
        tenant: TenantId,
        new: &NewBreakGlass,
        trace: &TraceId,
    ) -> Result<BreakGlassRow, ControlError> {
        actor.require_self_or_operator(tenant, Some(new.account))?;
        require_reason(&new.reason)?;
        if new.lasting < TimeDelta::minutes(1) || new.lasting > LONGEST {
            return Err(GovernedError::BreakGlassLength { minutes: LONGEST.num_minutes() }.into());
        }
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let about = About::Study(tenant, &new.study);
        if !self.may(tx.connection(), new.account, ActionKind::BreakGlass, about).await? {
            return Err(ControlError::Denied);
        }
        require_registered(tx.connection(), &new.study).await.map_err(|error| match error {
            ControlError::StudyNotRegistered { .. } => ControlError::Denied,
            error => error,
        })?;
        if self.may(tx.connection(), new.account, ActionKind::Read, about).await? {
            return Err(GovernedError::BreakGlassNeedless { study: new.study.clone() }.into());
        }
        let now = tx.now();
        if emergencies_of(tx.connection(), new.account, now).await?.contains(&new.study) {
            return Err(GovernedError::BreakGlassOpen { study: new.study.clone() }.into());
        }
        let opened = BreakGlassRow {
            id: BreakGlassId::from_uuid(fresh::uuid(now)?),
            account: new.account,
            study: new.study.clone(),
            reason: Some(new.reason.clone()),
            opened_at: now,
            ends_at: now + new.lasting,
            ended_at: None,
            review_due_at: now + REVIEW_WITHIN,
            review: None,
        };
        row::insert(&mut tx, &opened, &self.key_of(new.account)?).await?;
        let event = event(AuditAction::BreakGlassOpened, actor, &opened)
            .with("ends_at", timestamp(opened.ends_at))
            .with("review_due_at", timestamp(opened.review_due_at))
            .traced(trace);
        let event = self.with_reason(&mut tx, event, new.account, &new.reason).await?;
        tx.record(event).await?.commit().await?;
        Ok(opened)
    }

    /// Ends an emergency access before its time; the account's next request is refused. Ending it again changes nothing.
    /// For its holder, for who may review it, and for the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else, and when there is none.
    pub async fn end_break_glass(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: BreakGlassId,
        trace: &TraceId,
    ) -> Result<BreakGlassRow, ControlError> {
        actor.require_tenant(tenant)?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let found = row::find(tx.connection(), self.subject_keys(), id).await?.ok_or(ControlError::Denied)?;
        if let Actor::Account { id, .. } = actor
            && *id != found.account
            && !self.may(tx.connection(), *id, ActionKind::Review, About::Tenant(tenant)).await?
        {
            return Err(ControlError::Denied);
        }
        let now = tx.now();
        if !found.is_open(now) {
            return Ok(found);
        }
        row::end(&mut tx, id).await?;
        let event = event(AuditAction::BreakGlassEnded, actor, &found).traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(BreakGlassRow { ended_at: Some(now), ..found })
    }

    /// Judges an emergency access, which ends with it if it has not. For a steward or an administrator who is not the
    /// one; the operator names such an account.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another actor, and when there is none; [`GovernedError::ReviewerUnfit`] when the
    /// reviewer is the one reviewed, or has not the role; [`GovernedError::Reviewed`] the second time.
    pub async fn review_break_glass(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: BreakGlassId,
        new: &NewReview,
        trace: &TraceId,
    ) -> Result<BreakGlassRow, ControlError> {
        actor.require_self_or_operator(tenant, Some(new.by))?;
        require_reason(&new.note)?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        let may = self.may(tx.connection(), new.by, ActionKind::Review, About::Tenant(tenant)).await?;
        if !may && matches!(actor, Actor::Account { .. }) {
            return Err(ControlError::Denied);
        }
        let found = row::find(tx.connection(), self.subject_keys(), id).await?.ok_or(ControlError::Denied)?;
        if !may || new.by == found.account {
            return Err(GovernedError::ReviewerUnfit.into());
        }
        if found.review.is_some() {
            return Err(GovernedError::Reviewed.into());
        }
        let now = tx.now();
        let review = BreakGlassReview { by: new.by, at: now, verdict: new.verdict };
        row::review(&mut tx, id, &review).await?;
        let event = event(AuditAction::BreakGlassReviewed, actor, &found)
            .with("reviewed_by", new.by.to_string())
            .with("verdict", new.verdict.name())
            .with("is_late", now > found.review_due_at)
            .traced(trace);
        let event = self.with_reason(&mut tx, event, new.by, &new.note).await?;
        tx.record(event).await?.commit().await?;
        let ended_at = if found.is_open(now) { Some(now) } else { found.ended_at };
        Ok(BreakGlassRow { review: Some(review), ended_at, ..found })
    }

    /// The emergency accesses of a tenant, newest first. An account that may review sees all, any other its own.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for another tenant's.
    pub async fn break_glasses(
        &self,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Vec<BreakGlassRow>, ControlError> {
        actor.require_tenant(tenant)?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let only = match actor {
            Actor::Account { id, .. }
                if !self.may(&mut view, *id, ActionKind::Review, About::Tenant(tenant)).await? =>
            {
                Some(*id)
            }
            _ => None,
        };
        row::list(&mut view, self.subject_keys(), only).await
    }

    /// How many emergency accesses of all tenants are open, and how many reviews are late. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn count_break_glasses(&self, actor: &Actor) -> Result<BreakGlassCount, ControlError> {
        actor.require_operator()?;
        let (mut count, now) = (BreakGlassCount::default(), self.clock().now());
        for tenant in self.tenant_ids().await? {
            let mut view = self.store().tenant(tenant).await?.view().await?;
            let (open, overdue) = row::count(&mut view, now).await?;
            count.open += open;
            count.overdue += overdue;
        }
        Ok(count)
    }

    /// Writes down that a door was asked for something of a study which the principal may read in an emergency alone.
    /// Nothing may be shown before this returns.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn record_emergency(
        &self,
        principal: &Principal,
        study: &StudyId,
        door: &str,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let actor = principal.reader_of(study);
        let event = Event::success(AuditAction::BreakGlassUsed, &actor, Resource::study(study))
            .with("door", shortened(door, 200))
            .traced(trace);
        self.record_together(principal.tenant(), event, None).await
    }

    /// What Cedar says about an account in use, as the transaction sees it; no emergency is counted.
    pub(crate) async fn may(
        &self,
        connection: &mut Connection,
        account: AccountId,
        action: ActionKind,
        about: About<'_>,
    ) -> Result<bool, ControlError> {
        let found = AccountRow::find(&mut *connection, account).await?.filter(|found| found.enabled);
        let Some(found) = found else { return Ok(false) };
        let grants = found.grants(connection).await?;
        let (About::Tenant(tenant) | About::Study(tenant, _)) = about;
        let asker = Asker { tenant, account, grants: &grants, emergencies: &[] };
        Ok(self.policies().allow(&asker, action, about))
    }
}

impl BreakGlassRow {
    /// Whether it opens the study at this instant.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.ends_at
    }

    /// Whether its review should have been done.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.review.is_none() && now > self.review_due_at
    }
}

fn event(action: AuditAction, actor: &Actor, row: &BreakGlassRow) -> Event {
    // Whoever works under an emergency access acts as such, from opening it on.
    let actor = match actor {
        Actor::Account { id, tenant } if *id == row.account => Actor::BreakGlass { id: *id, tenant: *tenant },
        actor => *actor,
    };
    Event::success(action, &actor, Resource::new("break_glass", row.id.to_string()))
        .with("account", row.account.to_string())
        .with("study", row.study.as_str())
}
