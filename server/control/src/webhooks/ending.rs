//! What comes of an attempt: the delivery ends or waits, and its endpoint's breaker learns of it. Only what ends badly
//! is an event: that a message is given up, and that an endpoint is turned off.

use chrono::{DateTime, Utc};
use kernel::TenantId;

use super::endpoints::{event, set_state};
use super::pace::{BACKOFF, MAX_FAILURES, OPENS_AFTER, next_due, open_for};
use super::row::{Channel, count};
use super::{MessageClaim, row};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::ids::{DeliveryId, EndpointId};
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Outcome};
use crate::store::{Connection, TenantTx, Upkeep};
use crate::text::shortened;
use crate::trace::TraceId;

const STEP: &str = "write the answer down";
/// So much of an answer is kept for people.
const MAX_ANSWER: usize = 200;
/// The endpoint says that it wants nothing any more.
// Source: Standard Webhooks, "Success and failure".
const GONE: u16 = 410;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageOutcome {
    /// The endpoint answered.
    Answered {
        /// The status of HTTP, or of SMTP.
        status: u16,
        /// The header `Retry-After`, as it came.
        retry_after: Option<String>,
        /// The beginning of the body.
        body: String,
    },
    /// It will never take this message, and works otherwise: a relay that knows no such mailbox.
    Refused {
        /// The status of the protocol.
        status: u16,
        /// What it said.
        body: String,
    },
    /// It did not.
    Unreachable {
        /// Why.
        problem: String,
    },
}

/// What becomes of the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Delivered,
    Again(DateTime<Utc>),
    Dead,
    /// Dead, and its endpoint is turned off.
    Gone,
}

impl MessageOutcome {
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } | Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. } => None,
        }
    }

    fn is_success(&self) -> bool {
        matches!(self, Self::Answered { status, .. } if (200..300).contains(status))
    }

    fn problem(&self) -> Option<String> {
        match self {
            _ if self.is_success() => None,
            Self::Answered { status, .. } if (300..400).contains(status) => {
                Some(format!("it answered {status}; redirects are not followed"))
            }
            Self::Answered { status, .. } | Self::Refused { status, .. } => {
                Some(format!("it answered {status}"))
            }
            Self::Unreachable { problem } => Some(shortened(problem, 500)),
        }
    }

    fn answer(&self) -> Option<String> {
        match self {
            Self::Answered { body, .. } | Self::Refused { body, .. } if !self.is_success() => {
                let plain: String = body.chars().filter(|letter| !letter.is_control()).collect();
                Some(shortened(&plain, MAX_ANSWER))
            }
            _ => None,
        }
    }
}

impl Control {
    /// Writes down what came of an attempt. `true` when the message was delivered.
    ///
    /// # Errors
    /// [`ControlError::LeaseLost`] when somebody else has the delivery by now; then nothing of it is kept.
    pub async fn end_message(
        &self,
        claim: &MessageClaim,
        outcome: &MessageOutcome,
    ) -> Result<bool, ControlError> {
        let database = self.store().tenant(claim.tenant).await?;
        let verdict = verdict(self.clock().now(), claim, outcome)?;
        match verdict {
            Verdict::Delivered | Verdict::Again(_) => {
                let mut tx = database.begin_upkeep().await?;
                let now = tx.now();
                keep(tx.connection(), now, claim, (outcome, &verdict)).await?;
                teach_breaker(&mut tx, claim, outcome).await?;
                tx.commit().await?;
            }
            Verdict::Dead | Verdict::Gone => {
                let mut tx = database.begin().await?;
                let now = tx.now();
                keep(tx.connection(), now, claim, (outcome, &verdict)).await?;
                match (&verdict, outcome) {
                    (Verdict::Gone, _) => turn_off(&mut tx, claim).await?,
                    (_, MessageOutcome::Refused { .. }) => {
                        close_breaker(tx.connection(), now, claim, outcome).await?;
                    }
                    _ => count_failure(tx.connection(), now, claim, outcome).await?,
                }
                bury(tx, (claim.delivery, claim.endpoint, claim.channel), &verdict).await?;
            }
        }
        Ok(verdict == Verdict::Delivered)
    }

    /// Gives up what a tenant's endpoints did not take in time; how much that was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn give_up_messages(&self, tenant: TenantId) -> Result<u64, ControlError> {
        const STEP: &str = "look for what was not delivered in time";
        const PROBLEM: &str = "it was not delivered in five days";
        let database = self.store().tenant(tenant).await?;
        let late: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT delivery_id, place.endpoint_id, place.channel FROM webhook_deliveries AS late
             JOIN webhook_endpoints AS place ON place.endpoint_id = late.endpoint_id
             WHERE late.state = 'QUEUED' AND give_up_at <= $1 ORDER BY delivery_id LIMIT 100",
        )
        .bind(timestamp(self.clock().now()))
        .fetch_all(&mut *database.view().await?)
        .await
        .map_err(storage(STEP))?;
        let mut given_up = 0;
        for (delivery, endpoint, channel) in late {
            let mut tx = database.begin().await?;
            let now = timestamp(tx.now());
            let ended = sqlx::query(
                "UPDATE webhook_deliveries SET state = 'DEAD', ended_at = $1, problem = COALESCE(problem, $2)
                 WHERE delivery_id = $3 AND state = 'QUEUED' AND give_up_at <= $1",
            )
            .bind(now)
            .bind(PROBLEM)
            .bind(&delivery)
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
            if ended.rows_affected() == 1 {
                let ids = (delivery.parse(), endpoint.parse());
                let (Ok(delivery), Ok(endpoint)) = ids else {
                    return Err(ControlError::Corrupt { what: row::WHAT });
                };
                bury(tx, (delivery, endpoint, Channel::read(&channel)?), &Verdict::Dead).await?;
                given_up += 1;
            }
        }
        Ok(given_up)
    }
}

fn verdict(
    now: DateTime<Utc>,
    claim: &MessageClaim,
    outcome: &MessageOutcome,
) -> Result<Verdict, ControlError> {
    let failures = claim.failures + 1;
    Ok(match outcome {
        _ if outcome.is_success() => Verdict::Delivered,
        MessageOutcome::Answered { status: GONE, .. } => Verdict::Gone,
        MessageOutcome::Refused { .. } => Verdict::Dead,
        _ if failures >= MAX_FAILURES => Verdict::Dead,
        MessageOutcome::Answered { retry_after, .. } => {
            Verdict::Again(next_due(now, BACKOFF.wait(failures)?, retry_after.as_deref()))
        }
        MessageOutcome::Unreachable { .. } => Verdict::Again(next_due(now, BACKOFF.wait(failures)?, None)),
    })
}

/// The delivery's row, as long as it is this attempt's.
async fn keep(
    connection: &mut Connection,
    now: DateTime<Utc>,
    claim: &MessageClaim,
    (outcome, verdict): (&MessageOutcome, &Verdict),
) -> Result<(), ControlError> {
    let (state, due) = match verdict {
        Verdict::Delivered => ("DELIVERED", None),
        Verdict::Again(due) => ("QUEUED", Some(timestamp(*due))),
        Verdict::Dead | Verdict::Gone => ("DEAD", None),
    };
    let kept = sqlx::query(
        "UPDATE webhook_deliveries SET state = $1, due_at = COALESCE($2, due_at), failures = failures + $3,
                                       status = $4, problem = $5, answer = $6, ended_at = $7, lease_until = NULL
         WHERE delivery_id = $8 AND attempt = $9 AND state = 'SENDING'",
    )
    .bind(state)
    .bind(due)
    .bind(i64::from(!outcome.is_success()))
    .bind(outcome.status().map(i64::from))
    .bind(outcome.problem())
    .bind(outcome.answer())
    .bind((!matches!(verdict, Verdict::Again(_))).then(|| timestamp(now)))
    .bind(claim.delivery.to_string())
    .bind(claim.attempt)
    .execute(connection)
    .await
    .map_err(storage(STEP))?;
    if kept.rows_affected() == 0 { Err(ControlError::LeaseLost) } else { Ok(()) }
}

async fn teach_breaker(
    tx: &mut Upkeep,
    claim: &MessageClaim,
    outcome: &MessageOutcome,
) -> Result<(), ControlError> {
    let now = tx.now();
    if !outcome.is_success() {
        return count_failure(tx.connection(), now, claim, outcome).await;
    }
    close_breaker(tx.connection(), now, claim, outcome).await
}

/// The endpoint works, whether or not it took this message.
async fn close_breaker(
    connection: &mut Connection,
    now: DateTime<Utc>,
    claim: &MessageClaim,
    outcome: &MessageOutcome,
) -> Result<(), ControlError> {
    sqlx::query(
        "UPDATE webhook_endpoints SET failures = 0, openings = 0, open_until = NULL, last_status = $1,
                                      last_delivered_at = COALESCE($2, last_delivered_at)
         WHERE endpoint_id = $3",
    )
    .bind(outcome.status().map(i64::from))
    .bind(outcome.is_success().then(|| timestamp(now)))
    .bind(claim.endpoint.to_string())
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}

/// One more failure in a row; the one that is too much opens the breaker, and so does every probe.
async fn count_failure(
    connection: &mut Connection,
    now: DateTime<Utc>,
    claim: &MessageClaim,
    outcome: &MessageOutcome,
) -> Result<(), ControlError> {
    let (failures, openings): (i64, i64) = sqlx::query_as(
        "UPDATE webhook_endpoints SET failures = failures + 1, last_status = $1 WHERE endpoint_id = $2
         RETURNING failures, openings",
    )
    .bind(outcome.status().map(i64::from))
    .bind(claim.endpoint.to_string())
    .fetch_one(&mut *connection)
    .await
    .map_err(storage(STEP))?;
    // Attempts that were under way when it opened tell nothing new.
    let opens = claim.is_probe || (openings == 0 && count(failures)? >= OPENS_AFTER);
    if !opens {
        return Ok(());
    }
    let openings = openings + 1;
    sqlx::query("UPDATE webhook_endpoints SET openings = $1, open_until = $2 WHERE endpoint_id = $3")
        .bind(openings)
        .bind(timestamp(now + open_for(count(openings)?)))
        .bind(claim.endpoint.to_string())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(storage(STEP))
}

async fn turn_off(tx: &mut TenantTx, claim: &MessageClaim) -> Result<(), ControlError> {
    set_state(tx, claim.endpoint, "DISABLED", Some("it answered 410: it wants no messages any more")).await
}

/// Records that a message is given up, and commits.
async fn bury(
    mut tx: TenantTx,
    (delivery, endpoint, channel): (DeliveryId, EndpointId, Channel),
    verdict: &Verdict,
) -> Result<(), ControlError> {
    let trace = trace_of(&mut tx, delivery).await?;
    let trace = trace.map_or_else(TraceId::random, Ok)?;
    let action = match channel {
        Channel::Webhook => AuditAction::WebhookDeliveryFailed,
        Channel::Mail => AuditAction::MailDeliveryFailed,
    };
    let failed = event(action, &Actor::System, endpoint, &trace)
        .ended(Outcome::Failed)
        .with("delivery", delivery.to_string());
    let mut recorded = tx.record(failed).await?;
    if *verdict == Verdict::Gone {
        let off = event(AuditAction::WebhookChanged, &Actor::System, endpoint, &trace);
        recorded = recorded.and(off.with("state", "DISABLED").with("reason", "gone")).await?;
    }
    recorded.commit().await
}

/// The trace of what the message tells of.
async fn trace_of(tx: &mut TenantTx, delivery: DeliveryId) -> Result<Option<TraceId>, ControlError> {
    let found: Option<Option<String>> = sqlx::query_scalar(
        "SELECT trace_id FROM outbox JOIN webhook_deliveries ON webhook_deliveries.message_id = outbox.message_id
         WHERE delivery_id = $1",
    )
    .bind(delivery.to_string())
    .fetch_optional(tx.connection())
    .await
    .map_err(storage(STEP))?;
    found.flatten().map(|trace| trace.parse().map_err(corrupt(row::WHAT))).transpose()
}
