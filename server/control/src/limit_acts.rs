//! What people did about the alarms of tolerance limits: took them up, closed them, opened them again. Whether the state of
//! the alarm allows it is known to whoever reads the snapshots.

use chrono::{DateTime, Utc};
use kernel::{Build, Read, SnapshotId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::definitions::reason;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, LeafActor, Resource};
use crate::studies::require_registered;
use crate::trace::TraceId;

const WHAT: &str = "act about a limit";

/// What a person does about an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitAct {
    /// Takes it up.
    Acknowledge,
    /// Closes it.
    Resolve,
    /// Opens it again.
    Reopen,
}

impl LimitAct {
    const ALL: [Self; 3] = [Self::Acknowledge, Self::Resolve, Self::Reopen];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
        }
    }

    /// The act of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }

    const fn action(self) -> AuditAction {
        match self {
            Self::Acknowledge => AuditAction::LimitAcknowledged,
            Self::Resolve => AuditAction::LimitResolved,
            Self::Reopen => AuditAction::LimitReopened,
        }
    }
}

/// An act that is asked for.
#[derive(Debug, Clone)]
pub struct NewLimitAct {
    /// The limit.
    pub limit: String,
    /// What is done.
    pub act: LimitAct,
    /// The snapshot that whoever acts has seen.
    pub snapshot: SnapshotId,
    /// How many acts about the limit were known then: another one since refuses this.
    pub after: i64,
    /// Why, or what was done.
    pub reason: String,
}

/// An act as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitActRow {
    /// The limit.
    pub limit: String,
    /// 1 for the first about the limit.
    pub number: i64,
    /// What was done.
    pub act: LimitAct,
    /// Why.
    pub reason: String,
    /// The account, or `operator`.
    pub acted_by: String,
    /// When.
    pub acted_at: DateTime<Utc>,
}

impl Control {
    /// Keeps what a person did about an alarm.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant, [`ControlError::NoReason`] without a reason, and
    /// [`ControlError::LimitActedUpon`] when somebody else was quicker.
    pub async fn act_on_limit(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        act: NewLimitAct,
        trace: &TraceId,
    ) -> Result<LimitActRow, ControlError> {
        actor.require_tenant(scope.tenant())?;
        let reason = reason(&act.reason)?;
        let study = scope.study();
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        require_registered(tx.connection(), study).await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(act_no) FROM limit_acts WHERE study_id = $1 AND limit_id = $2")
                .bind(study.as_str())
                .bind(&act.limit)
                .fetch_one(tx.connection())
                .await
                .map_err(storage("read the acts about a limit"))?;
        if last.unwrap_or(0) != act.after {
            return Err(ControlError::LimitActedUpon { limit: act.limit });
        }
        let by = LeafActor::from(actor);
        let row = LimitActRow {
            limit: act.limit,
            number: act.after + 1,
            act: act.act,
            reason,
            acted_by: if by.kind == "account" { by.id } else { by.kind },
            acted_at: tx.now(),
        };
        sqlx::query(
            "INSERT INTO limit_acts (study_id, limit_id, act_no, act, snapshot_id, reason, acted_by, acted_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(study.as_str())
        .bind(&row.limit)
        .bind(row.number)
        .bind(row.act.name())
        .bind(act.snapshot.to_string())
        .bind(&row.reason)
        .bind(&row.acted_by)
        .bind(timestamp(row.acted_at))
        .execute(tx.connection())
        .await
        .map_err(storage("keep an act about a limit"))?;
        let event = Event::success(row.act.action(), actor, Resource::new("limit", row.limit.clone()))
            .with("study", study.as_str())
            .with("snapshot", act.snapshot.to_string())
            .with("reason", row.reason.clone())
            .traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(row)
    }

    /// What was done about the limits of a study, in the order of limits and acts.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn limit_acts(&self, scope: &StudyScope<Read>) -> Result<Vec<LimitActRow>, ControlError> {
        let rows: Vec<(String, i64, String, String, String, String)> = sqlx::query_as(
            "SELECT limit_id, act_no, act, reason, acted_by, acted_at FROM limit_acts
             WHERE study_id = $1 ORDER BY limit_id, act_no",
        )
        .bind(scope.study().as_str())
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage("read the acts about limits"))?;
        let read = |(limit, number, act, reason, acted_by, acted_at): (_, _, String, _, _, String)| {
            Ok(LimitActRow {
                limit,
                number,
                act: LimitAct::from_name(&act).ok_or(()).map_err(corrupt(WHAT))?,
                reason,
                acted_by,
                acted_at: parse_timestamp(&acted_at).ok_or(()).map_err(corrupt(WHAT))?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
