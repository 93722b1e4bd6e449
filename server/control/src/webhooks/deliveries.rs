//! Looking at what was sent, sending what was given up again, and forgetting what is long done.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Grants, TenantId};

use super::endpoints::{event, find, half_open, refuse_disabled};
use super::require_administrator;
use super::row::{count, instant, instant_or_none, status_of};
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::ids::{DeliveryId, EndpointId, MessageId};
use crate::instant::timestamp;
use crate::ledger::AuditAction;
use crate::outbox::GIVE_UP_AFTER;
use crate::store::Connection;
use crate::trace::TraceId;

const WHAT: &str = "delivery to a webhook";
/// How long it is known what was delivered.
const KEPT: TimeDelta = TimeDelta::days(30);

const COLUMNS: &str = "delivery_id, webhook_deliveries.message_id, outbox.kind, endpoint_id, state, attempt, failures, \
     due_at, status, problem, answer, sent_at, ended_at, webhook_deliveries.created_at";

type Columns = (
    String,
    String,
    String,
    String,
    String,
    i64,
    i64,
    String,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
);

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookDeliveryState {
    /// It waits for its turn, or for the time at which it is tried again.
    Queued,
    /// It is being sent.
    Sending,
    /// The endpoint took it.
    Delivered,
    /// It was given up. It can be sent again.
    Dead,
    /// Its endpoint was removed.
    Cancelled,
}

impl WebhookDeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Sending, Self::Delivered, Self::Dead, Self::Cancelled];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Sending => "SENDING",
            Self::Delivered => "DELIVERED",
            Self::Dead => "DEAD",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One message on its way to one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The message.
    pub message: MessageId,
    /// The message's kind.
    pub kind: String,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// How often it was sent,
    pub attempt: u64,
    /// and how often that failed.
    pub failures: u64,
    /// Not before.
    pub due_at: DateTime<Utc>,
    /// The last HTTP status.
    pub status: Option<u16>,
    /// Why it failed last.
    pub problem: Option<String>,
    /// The beginning of the answer to the attempt that failed last.
    pub answer: Option<String>,
    /// When it was last sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was put in line.
    pub created_at: DateTime<Utc>,
}

impl WebhookDelivery {
    fn read(columns: &Columns) -> Result<Self, ControlError> {
        let (id, message, kind, endpoint, state, attempt, failures, ..) = columns;
        let (.., due, status, problem, answer, sent, ended, created) = columns;
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            message: message.parse().map_err(corrupt(WHAT))?,
            kind: kind.clone(),
            endpoint: endpoint.parse().map_err(corrupt(WHAT))?,
            state: WebhookDeliveryState::from_name(state).ok_or(()).map_err(corrupt(WHAT))?,
            attempt: count(*attempt)?,
            failures: count(*failures)?,
            due_at: instant(due)?,
            status: status.map(status_of).transpose()?,
            problem: problem.clone(),
            answer: answer.clone(),
            sent_at: instant_or_none(sent.as_deref())?,
            ended_at: instant_or_none(ended.as_deref())?,
            created_at: instant(created)?,
        })
    }
}

impl Control {
    /// What was put in line for an endpoint, newest first: at most `limit` deliveries older than `before`.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such endpoint that these grants reach.
    pub async fn webhook_deliveries(
        &self,
        actor: &Actor,
        grants: &Grants,
        endpoint: EndpointId,
        (before, limit): (Option<DeliveryId>, u32),
    ) -> Result<Vec<WebhookDelivery>, ControlError> {
        require_administrator(actor, grants)?;
        let mut view = self.store().tenant(grants.tenant()).await?.view().await?;
        find(&mut view, endpoint).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_deliveries
             JOIN outbox ON outbox.message_id = webhook_deliveries.message_id
             WHERE endpoint_id = $1 AND ($2 = '' OR delivery_id < $2) ORDER BY delivery_id DESC LIMIT $3"
        );
        let rows: Vec<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(endpoint.to_string())
            .bind(before.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&mut *view)
            .await
            .map_err(storage("read the deliveries"))?;
        rows.iter().map(WebhookDelivery::read).collect()
    }

    /// Sends a message that was given up again, with nothing of its failures counted, and at once even while the
    /// endpoint's breaker is open.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when these grants do not reach it, and [`ControlError::WebhookState`] when it is not dead,
    /// or its endpoint is turned off.
    pub async fn retry_webhook(
        &self,
        actor: &Actor,
        grants: &Grants,
        id: DeliveryId,
        trace: &TraceId,
    ) -> Result<WebhookDelivery, ControlError> {
        require_administrator(actor, grants)?;
        let mut tx = self.store().tenant(grants.tenant()).await?.begin().await?;
        let delivery = by_id(tx.connection(), id).await?;
        refuse_disabled(&find(tx.connection(), delivery.endpoint).await?)?;
        if delivery.state != WebhookDeliveryState::Dead {
            let remedy = "only what was given up can be sent again";
            return Err(ControlError::WebhookState { state: delivery.state.name(), remedy });
        }
        let now = tx.now();
        sqlx::query(
            "UPDATE webhook_deliveries SET state = 'QUEUED', failures = 0, due_at = $1, give_up_at = $2, ended_at = NULL
             WHERE delivery_id = $3 AND state = 'DEAD'",
        )
        .bind(timestamp(now))
        .bind(timestamp(now + GIVE_UP_AFTER))
        .bind(id.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage("put the message back in line"))?;
        half_open(&mut tx, delivery.endpoint).await?;
        let delivery = by_id(tx.connection(), id).await?;
        let event = event(AuditAction::WebhookDeliveryRetried, actor, delivery.endpoint, trace);
        tx.record(event.with("delivery", id.to_string())).await?.commit().await?;
        Ok(delivery)
    }

    /// Forgets what was delivered, or read in an inbox, long ago; how many messages that were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_messages(&self, tenant: TenantId) -> Result<u64, ControlError> {
        const STEP: &str = "forget old messages";
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let old = timestamp(tx.now() - KEPT);
        for statement in
            ["DELETE FROM webhook_deliveries WHERE ended_at < $1", "DELETE FROM inbox WHERE read_at < $1"]
        {
            sqlx::query(statement).bind(&old).execute(tx.connection()).await.map_err(storage(STEP))?;
        }
        let forgotten = sqlx::query(
            "DELETE FROM outbox WHERE created_at < $1
             AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS sent WHERE sent.message_id = outbox.message_id)
             AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.message_id = outbox.message_id)",
        )
        .bind(old)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        tx.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

async fn by_id(connection: &mut Connection, id: DeliveryId) -> Result<WebhookDelivery, ControlError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         JOIN outbox ON outbox.message_id = webhook_deliveries.message_id WHERE delivery_id = $1"
    );
    let found: Option<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage("look the delivery up"))?;
    found.as_ref().map(WebhookDelivery::read).transpose()?.ok_or(ControlError::Denied)
}
