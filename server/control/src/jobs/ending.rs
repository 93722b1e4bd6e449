//! How a job ends: once, by the worker that has it, together with what it changes and with its events.

use serde_json::Value;

use super::row::integer;
use super::{Claim, Fence, JobKind, JobState, NewJob, Quota, enqueue, event};
use crate::control::Control;
use crate::deliveries::{self, DeliveryState};
use crate::error::{ControlError, corrupt, storage};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Outcome};
use crate::store::TenantTx;
use crate::text::shortened;

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It was done.
    Done {
        /// What came of it: ids alone.
        result: Value,
        /// The jobs that follow from it.
        then: Vec<NewJob>,
    },
    /// What it was to work on cannot be used, however often it is tried.
    Refused {
        /// Why.
        problem: String,
    },
    /// It failed for good.
    Failed {
        /// Why.
        problem: String,
    },
    /// It was given up because somebody asked for that.
    Cancelled,
}

impl Ending {
    const fn state(&self) -> JobState {
        match self {
            Self::Done { .. } => JobState::Succeeded,
            Self::Refused { .. } | Self::Failed { .. } => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
        }
    }

    fn problem(&self) -> Option<String> {
        match self {
            Self::Refused { problem } | Self::Failed { problem } => Some(shortened(problem, 2000)),
            Self::Done { .. } | Self::Cancelled => None,
        }
    }
}

impl Control {
    /// Ends a job, with what it changes: the state of its delivery, and the jobs that follow.
    ///
    /// # Errors
    /// [`ControlError::LeaseLost`] when the job is not this worker's any more; then nothing of it is kept.
    pub async fn end_job(&self, claim: &Claim, ending: Ending) -> Result<(), ControlError> {
        let mut tx = self.store().tenant(claim.tenant).await?.begin().await?;
        mark_ended(&mut tx, claim, &ending).await?;
        let mut events = Vec::new();
        events.extend(end_delivery(&mut tx, claim, &ending).await?);
        let mut follows = false;
        if let Ending::Done { then, .. } = &ending {
            for job in then {
                let asked = (&claim.actor, &claim.job.trace);
                let (_, enqueued) = enqueue(&mut tx, job, asked, Quota::Waived).await?;
                follows |= enqueued.is_some();
                events.extend(enqueued);
            }
        }
        let mut recorded = tx.record(ended(claim, &ending)).await?;
        for event in events {
            recorded = recorded.and(event).await?;
        }
        recorded.commit().await?;
        if follows {
            self.ring();
        }
        Ok(())
    }

    /// Ends a job that failed too often, or one that somebody wanted given up when it failed.
    pub(super) async fn give_up(&self, claim: &Claim, problem: &str) -> Result<(), ControlError> {
        let too_often = claim.job.failures + 1 >= claim.job.max_failures;
        let ending =
            if too_often { Ending::Failed { problem: problem.to_owned() } } else { Ending::Cancelled };
        self.end_job(claim, ending).await
    }
}

async fn mark_ended(tx: &mut TenantTx, claim: &Claim, ending: &Ending) -> Result<(), ControlError> {
    let (now, Fence { job, attempt }) = (timestamp(tx.now()), claim.fence());
    let result = match ending {
        Ending::Done { result, .. } => Some(result.to_string()),
        _ => None,
    };
    let failures = claim.job.failures + u64::from(ending.state() == JobState::Failed);
    let ended = sqlx::query(
        "UPDATE jobs SET state = $1, problem = $2, result = $3, failures = $4, changed_at = $5, ended_at = $5,
                         lease_until = NULL
         WHERE job_id = $6 AND attempt = $7 AND state = 'RUNNING'",
    )
    .bind(ending.state().name())
    .bind(ending.problem())
    .bind(result)
    .bind(integer(failures))
    .bind(now)
    .bind(job.to_string())
    .bind(integer(attempt))
    .execute(tx.connection())
    .await
    .map_err(storage("end the job"))?;
    if ended.rows_affected() == 0 { Err(ControlError::LeaseLost) } else { Ok(()) }
}

/// What the job means for the delivery that it was to take in. One that was given up, or failed for no fault of the
/// sender's, stays staged.
async fn end_delivery(
    tx: &mut TenantTx,
    claim: &Claim,
    ending: &Ending,
) -> Result<Option<Event>, ControlError> {
    let state = match ending {
        Ending::Done { .. } => DeliveryState::Committed,
        Ending::Refused { .. } => DeliveryState::Rejected,
        Ending::Failed { .. } | Ending::Cancelled => return Ok(None),
    };
    let (JobKind::Ingest, Some(batch)) = (claim.job.kind, &claim.job.subject) else { return Ok(None) };
    let batch = batch.parse().map_err(corrupt("job"))?;
    let problem = ending.problem();
    deliveries::place(tx, batch, (state, problem.as_deref()), (&claim.actor, &claim.job.trace)).await
}

fn ended(claim: &Claim, ending: &Ending) -> Event {
    let action = match ending {
        Ending::Done { .. } => AuditAction::JobFinished,
        _ => AuditAction::JobFailed,
    };
    let event = event(action, &claim.actor, &claim.job)
        .with("state", ending.state().name())
        .with("attempt", claim.job.attempt);
    match ending {
        Ending::Done { .. } => event,
        Ending::Cancelled => event.ended(Outcome::Denied),
        Ending::Refused { .. } | Ending::Failed { .. } => event.ended(Outcome::Failed),
    }
}
