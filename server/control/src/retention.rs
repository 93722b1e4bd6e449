//! How long a study's data are kept, what holds them beyond that, and the end of them. Nothing is removed before its day,
//! none without a decision about that day, and none under a hold. What was removed is an event with counts and a hash; the
//! ledger, and the rows that say what was published and who received it, stay whole.
mod row;

use chrono::NaiveDate;
use kernel::{AccountId, ActionKind, StudyId, TenantId};

use crate::accounts::AccountRow;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, GovernedError, storage};
use crate::fresh;
use crate::ledger::{AuditAction, Event, Outcome, Resource};
use crate::policy::Resource as About;
use crate::store::{Connection, TenantTx};
use crate::studies::require_registered;
use crate::text::require_text;
use crate::trace::TraceId;

pub use crate::ids::HoldId;
pub(crate) use row::removed_studies;
pub use row::{HoldRow, StudyRetention};

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

/// From which day on a study's data may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRetention {
    /// The first day, in UTC, on which they may be removed.
    pub not_before: NaiveDate,
    /// Why, without naming a person: this is recorded for ever.
    pub reason: String,
    /// A second person, another account of the tenant that is in use; it takes one to choose an earlier day than before.
    pub approved_by: Option<AccountId>,
}

/// The removal of a study's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRemoval {
    /// Why, without naming a person: this is recorded for ever.
    pub reason: String,
    /// The second person: an account of the tenant that is in use.
    pub approved_by: AccountId,
    /// What is there.
    pub files: Removed,
}

/// Files, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// How many.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The BLAKE3 of the list of them.
    pub blake3: String,
}

impl Control {
    /// Decides from which day on a study's data may be removed. For the operator, and for administrators of the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else and when there is no such study; [`GovernedError::RetentionShortened`]
    /// for an earlier day than before without a second person.
    pub async fn set_retention(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
        new: &NewRetention,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        require_text("reason", &new.reason, REASON_MAX)?;
        let mut tx = self.keeper(actor, tenant, study).await?;
        let known = row::not_before(tx.connection(), study).await?;
        if known.is_some_and(|known| new.not_before < known) {
            let by = new.approved_by.ok_or(GovernedError::RetentionShortened)?;
            require_second(tx.connection(), actor, by).await?;
        }
        row::insert_retention(&mut tx, study, new).await?;
        let event = Event::success(AuditAction::RetentionSet, actor, Resource::study(study))
            .with("not_before", new.not_before.to_string())
            .with("before", known.map(|day| day.to_string()))
            .with("reason", new.reason.as_str())
            .with("approved_by", new.approved_by.map(|by| by.to_string()))
            .traced(trace);
        tx.record(event).await?.commit().await
    }

    /// Holds a study's data, whatever its day is. For the operator, and for administrators of the tenant.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else and when there is no such study.
    pub async fn place_hold(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
        reason: &str,
        trace: &TraceId,
    ) -> Result<HoldRow, ControlError> {
        require_text("reason", reason, REASON_MAX)?;
        let mut tx = self.keeper(actor, tenant, study).await?;
        let (id, placed_at) = (HoldId::from_uuid(fresh::uuid(tx.now())?), tx.now());
        let hold =
            HoldRow { id, study: study.clone(), reason: reason.to_owned(), placed_at, lifted_at: None };
        row::insert_hold(&mut tx, &hold).await?;
        let event = Event::success(AuditAction::HoldPlaced, actor, Resource::study(study))
            .with("hold", id.to_string())
            .with("reason", reason)
            .traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(hold)
    }

    /// Lifts a hold, which is listed on. Lifting it again changes nothing. For whom [`Control::place_hold`] is.
    ///
    /// # Errors
    /// As [`Control::place_hold`], and [`ControlError::Denied`] when the study has no such hold.
    pub async fn lift_hold(
        &self,
        actor: &Actor,
        tenant: TenantId,
        (study, hold): (&StudyId, HoldId),
        reason: &str,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        require_text("reason", reason, REASON_MAX)?;
        let mut tx = self.keeper(actor, tenant, study).await?;
        let known = row::holds(tx.connection(), study).await?.into_iter().find(|known| known.id == hold);
        if known.ok_or(ControlError::Denied)?.lifted_at.is_some() {
            return Ok(());
        }
        row::lift_hold(&mut tx, hold, reason).await?;
        let event = Event::success(AuditAction::HoldLifted, actor, Resource::study(study))
            .with("hold", hold.to_string())
            .with("reason", reason)
            .traced(trace);
        tx.record(event).await?.commit().await
    }

    /// Every study of a tenant with its day and its holds, by code; also those that were removed. For the operator, and
    /// for who may review what others did.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn retentions(
        &self,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Vec<StudyRetention>, ControlError> {
        actor.require_tenant(tenant)?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        if let Actor::Account { id, .. } = actor
            && !self.may(&mut view, *id, ActionKind::Review, About::Tenant(tenant)).await?
        {
            return Err(ControlError::Denied);
        }
        row::retentions(&mut view).await
    }

    /// Removes a study: from this moment on it is not there, for anybody. Its files are still to be removed by the caller,
    /// who then calls [`Control::finish_removal`]. For the operator, with a second person. A refusal is recorded too.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such study; [`ControlError::ApproverUnfit`];
    /// [`GovernedError::RetentionUndecided`], [`GovernedError::RetentionLasts`], [`GovernedError::OnHold`] and
    /// [`GovernedError::StudyBusy`].
    pub async fn begin_removal(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
        new: &NewRemoval,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_operator()?;
        require_text("reason", &new.reason, REASON_MAX)?;
        let mut tx = self.keeper(actor, tenant, study).await?;
        require_second(tx.connection(), actor, new.approved_by).await?;
        let event = Event::success(AuditAction::StudyRemoved, actor, Resource::study(study))
            .with("reason", new.reason.as_str())
            .with("approved_by", new.approved_by.to_string())
            .traced(trace);
        if let Some(refused) = why_it_stays(&mut tx, study).await? {
            let event = event.ended(Outcome::Denied).with("why", refused.to_string());
            tx.record(event).await?.commit().await?;
            return Err(refused.into());
        }
        row::insert_removal(&mut tx, study).await?;
        let event = event
            .with("files", new.files.files)
            .with("bytes", new.files.bytes)
            .with("list_blake3", new.files.blake3.as_str());
        tx.record(event).await?.commit().await
    }

    /// Whether a study was removed and its files may still be there.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn is_being_removed(&self, tenant: TenantId, study: &StudyId) -> Result<bool, ControlError> {
        let mut view = self.store().tenant(tenant).await?.view().await?;
        row::is_being_removed(&mut view, study).await
    }

    /// Records that the files of a removed study are gone. Doing it again changes nothing. For the operator.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when no such study was removed.
    pub async fn finish_removal(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_operator()?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        if !row::is_being_removed(tx.connection(), study).await? {
            return Ok(());
        }
        row::finish_removal(&mut tx, study).await?;
        let event = Event::success(AuditAction::StudyFilesRemoved, actor, Resource::study(study));
        tx.record(event.traced(trace)).await?.commit().await
    }

    /// A transaction of somebody who keeps a tenant's studies, about one that is there.
    async fn keeper(
        &self,
        actor: &Actor,
        tenant: TenantId,
        study: &StudyId,
    ) -> Result<TenantTx, ControlError> {
        actor.require_tenant(tenant)?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        if let Actor::Account { id, .. } = actor
            && !self.may(tx.connection(), *id, ActionKind::Administer, About::Tenant(tenant)).await?
        {
            return Err(ControlError::Denied);
        }
        let registered = require_registered(tx.connection(), study).await;
        registered.map_err(|error| match error {
            ControlError::StudyNotRegistered { .. } => ControlError::Denied,
            error => error,
        })?;
        if removed_studies(tx.connection()).await?.contains(study) {
            return Err(ControlError::Denied);
        }
        Ok(tx)
    }
}

/// Why a study's data cannot go now; nothing when they can.
async fn why_it_stays(tx: &mut TenantTx, study: &StudyId) -> Result<Option<GovernedError>, ControlError> {
    let (today, study) = (tx.now().date_naive(), study.clone());
    let Some(not_before) = row::not_before(tx.connection(), &study).await? else {
        return Ok(Some(GovernedError::RetentionUndecided { study }));
    };
    if today < not_before {
        return Ok(Some(GovernedError::RetentionLasts { study, not_before }));
    }
    let holds = row::holds(tx.connection(), &study).await?;
    let standing = holds.iter().filter(|hold| hold.lifted_at.is_none()).count();
    if standing > 0 {
        return Ok(Some(GovernedError::OnHold { study, holds: standing }));
    }
    let busy: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM jobs WHERE study_id = $1 AND state IN ('QUEUED', 'RUNNING')",
    )
    .bind(study.as_str())
    .fetch_one(tx.connection())
    .await
    .map_err(storage("count the study's jobs"))?;
    Ok((busy > 0).then_some(GovernedError::StudyBusy { study, jobs: busy }))
}

/// A second person is an account in use, and not the first.
async fn require_second(
    connection: &mut Connection,
    actor: &Actor,
    by: AccountId,
) -> Result<(), ControlError> {
    let is_first = matches!(actor, Actor::Account { id, .. } if *id == by);
    let found = AccountRow::find(connection, by).await?;
    if is_first || !found.is_some_and(|found| found.enabled) {
        return Err(ControlError::ApproverUnfit);
    }
    Ok(())
}
