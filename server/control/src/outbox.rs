//! The outbox: what is told to others about events, written in the transaction of the event, so that an event that is
//! kept is told of, and one that is rolled back is not. A [`Draft`] becomes one message with a delivery for each
//! endpoint that asked for its [`Announcement`], and a notice for each account that it concerns, which goes to it by
//! e-mail too when it chose that. Nothing is written
//! when it concerns nobody. What sends the deliveries is `webhooks::claim`.
//!
//! INVARIANT: a message holds ids and words of closed lists, never data of a study, a name or an address.
mod announcement;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, TenantId};
use serde::Serialize;

use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::ids::{DeliveryId, EndpointId, MessageId};
use crate::inbox::{self, Concern, Concerned, Notice};
use crate::instant::timestamp;
use crate::ledger::{Canon, Event, LeafActor, Log};
use crate::mail::choice as mail;
use crate::store::Connection;
use crate::trace::TraceId;

pub use announcement::Announcement;

/// A delivery that has not succeeded after this time is given up.
pub(crate) const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(5);
/// Endpoints and their libraries take messages of at most 20 kB.
// Source: Standard Webhooks, "Payload size".
const MAX_PAYLOAD_BYTES: usize = 20_000;
/// The facts of events that may leave the house: ids, counts, and words of closed lists.
const FACTS: [&str; 16] = [
    "attempt",
    "based_on",
    "batch",
    "change",
    "errors",
    "first_bad_event",
    "found",
    "has_marts",
    "kind",
    "made",
    "replaces",
    "role",
    "snapshot",
    "state",
    "status",
    "study",
];

/// A message that has no recipients yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    tenant: TenantId,
    kind: &'static str,
    announcement: Option<Announcement>,
    notice: Option<(Notice, LeafActor)>,
    /// The resource that it is about.
    about: (String, String),
    outcome: &'static str,
    facts: BTreeMap<String, Canon>,
    event_id: Option<String>,
    trace: Option<TraceId>,
}

/// What is posted.
// Source: Standard Webhooks, "Payload structure".
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    tenant: String,
    /// The event's id in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    outcome: &'a str,
    resource_type: &'a str,
    resource_id: &'a str,
    #[serde(flatten)]
    facts: &'a BTreeMap<String, Canon>,
}

impl Draft {
    /// The message about an event of a tenant's log; `None` when nobody can have asked to be told of it.
    pub(crate) fn of_event(log: Log, event: &Event) -> Option<Self> {
        let tenant = log.tenant()?;
        let announcement = Announcement::of(event.action);
        let notice = Notice::of(event.action, event.outcome).map(|notice| (notice, event.actor.clone()));
        if announcement.is_none() && notice.is_none() {
            return None;
        }
        let mut facts = event.data.clone();
        // A job's subject is a batch, or nothing; the word means something else to whoever reads of a trial.
        if let Some(batch @ Canon::Text(_)) = facts.remove("subject") {
            facts.insert("batch".to_owned(), batch);
        }
        facts.retain(|name, value| FACTS.contains(&name.as_str()) && *value != Canon::Null);
        Some(Self {
            tenant,
            kind: event.action.name(),
            announcement,
            notice,
            about: (event.resource.kind.clone(), event.resource.id.clone()),
            outcome: event.outcome.name(),
            facts,
            event_id: None,
            trace: event.trace.clone(),
        })
    }

    /// The message that a tenant's log does not verify. Its event stands in the system's log, since the tenant's is the
    /// one that cannot be trusted.
    pub(crate) fn of_broken_log(tenant: TenantId, (index, found): (u64, &str)) -> Self {
        let facts = [("first_bad_event", Canon::from(index)), ("found", Canon::from(found))];
        Self {
            tenant,
            kind: Announcement::VerificationFailed.name(),
            announcement: Some(Announcement::VerificationFailed),
            notice: Some((Notice::VerificationFailed, LeafActor::anonymous())),
            about: ("ledger".to_owned(), tenant.to_string()),
            outcome: "failed",
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            event_id: None,
            trace: None,
        }
    }

    /// A message that one endpoint is sent because somebody wants to see it arrive.
    pub(crate) fn of_test(tenant: TenantId, endpoint: EndpointId, trace: &TraceId) -> Self {
        Self {
            tenant,
            kind: Announcement::TEST,
            announcement: None,
            notice: None,
            about: ("webhook_endpoint".to_owned(), endpoint.to_string()),
            outcome: "success",
            facts: BTreeMap::new(),
            event_id: None,
            trace: Some(trace.clone()),
        }
    }

    /// The same, with the event's id in the ledger.
    pub(crate) fn about(self, event_id: &str) -> Self {
        Self { event_id: Some(event_id.to_owned()), ..self }
    }

    /// Writes the message with a delivery for each endpoint that wants it and a notice for each account that it
    /// concerns, within the caller's transaction.
    pub(crate) async fn send(
        self,
        connection: &mut Connection,
        now: DateTime<Utc>,
    ) -> Result<(), ControlError> {
        let endpoints = match self.announcement {
            Some(announcement) => asking(connection, announcement).await?,
            None => Vec::new(),
        };
        let concerned = match &self.notice {
            Some((notice, actor)) => {
                let concern = Concern { notice: *notice, actor, about: &self.about.1 };
                inbox::concerned(connection, &concern).await?
            }
            None => Vec::new(),
        };
        if endpoints.is_empty() && concerned.is_empty() {
            return Ok(());
        }
        let message = self.write(connection, now).await?;
        for endpoint in endpoints {
            deliver(connection, message, (endpoint, None), now).await?;
        }
        let by_mail = concerned.iter().any(|concerned| concerned.by_mail);
        let relay = if by_mail { mail::relay(connection).await? } else { None };
        for Concerned { account, by_mail } in concerned {
            inbox::put(connection, (account, message), &self.about.1, now).await?;
            if let Some(relay) = relay.filter(|_| by_mail) {
                deliver(connection, message, (relay, Some(account)), now).await?;
            }
        }
        Ok(())
    }

    /// Writes the message and its one delivery; by e-mail it goes to an account.
    pub(crate) async fn send_to(
        self,
        connection: &mut Connection,
        target: (EndpointId, Option<AccountId>),
        now: DateTime<Utc>,
    ) -> Result<DeliveryId, ControlError> {
        let message = self.write(connection, now).await?;
        deliver(connection, message, target, now).await
    }

    async fn write(
        &self,
        connection: &mut Connection,
        now: DateTime<Utc>,
    ) -> Result<MessageId, ControlError> {
        let id = MessageId::from_uuid(fresh::uuid(now)?);
        sqlx::query(
            "INSERT INTO outbox (message_id, kind, payload, trace_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.to_string())
        .bind(self.kind)
        .bind(self.payload(now))
        .bind(self.trace.as_ref().map(TraceId::as_str))
        .bind(timestamp(now))
        .execute(connection)
        .await
        .map(|_| id)
        .map_err(storage("write the message"))
    }

    fn payload(&self, now: DateTime<Utc>) -> String {
        let text = self.payload_with(&self.facts, now);
        if text.len() <= MAX_PAYLOAD_BYTES { text } else { self.payload_with(&BTreeMap::new(), now) }
    }

    fn payload_with(&self, facts: &BTreeMap<String, Canon>, now: DateTime<Utc>) -> String {
        let payload = Payload {
            kind: self.kind,
            timestamp: &timestamp(now),
            data: Data {
                tenant: self.tenant.to_string(),
                event: self.event_id.as_deref(),
                outcome: self.outcome,
                resource_type: &self.about.0,
                resource_id: &self.about.1,
                facts,
            },
        };
        // INVARIANT: texts and maps with text keys always have a JSON form.
        serde_json::to_string(&payload).expect("a message has a JSON form")
    }
}

/// The endpoints that are turned on and asked for these messages.
async fn asking(
    connection: &mut Connection,
    announcement: Announcement,
) -> Result<Vec<EndpointId>, ControlError> {
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT endpoint_id, kinds FROM webhook_endpoints
         WHERE state = 'ENABLED' AND channel = 'WEBHOOK' ORDER BY endpoint_id",
    )
    .fetch_all(connection)
    .await
    .map_err(storage("look for endpoints"))?;
    let asks = |kinds: &str| kinds.split(' ').any(|kind| kind == announcement.name());
    let found = found.into_iter().filter(|(_, kinds)| asks(kinds));
    found.map(|(id, _)| id.parse().map_err(corrupt("endpoint"))).collect()
}

async fn deliver(
    connection: &mut Connection,
    message: MessageId,
    (endpoint, account): (EndpointId, Option<AccountId>),
    now: DateTime<Utc>,
) -> Result<DeliveryId, ControlError> {
    let id = DeliveryId::from_uuid(fresh::uuid(now)?);
    sqlx::query(
        "INSERT INTO webhook_deliveries (delivery_id, message_id, endpoint_id, state, attempt, failures, due_at,
                                         give_up_at, created_at, account_id)
         VALUES ($1, $2, $3, 'QUEUED', 0, 0, $4, $5, $4, $6)",
    )
    .bind(id.to_string())
    .bind(message.to_string())
    .bind(endpoint.to_string())
    .bind(timestamp(now))
    .bind(timestamp(now + GIVE_UP_AFTER))
    .bind(account.map(|account| account.to_string()))
    .execute(connection)
    .await
    .map(|_| id)
    .map_err(storage("put the message in line"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ledger::{AuditAction, Resource};

    #[test]
    fn a_message_holds_the_listed_facts_and_no_others() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        let event =
            Event::success(AuditAction::JobFailed, LeafActor::anonymous(), Resource::new("job", "0198-job"))
                .with("kind", "ingest")
                .with("study", "TRIAL01")
                .with("subject", "0198-batch")
                .with("problem", "row 7 of dm.csv is not a date");
        let draft =
            Draft::of_event(Log::Tenant(tenant), &event).expect("it is announced").about("0198-event");
        let at = DateTime::from_timestamp(1_795_000_000, 0).expect("the time is valid");
        // By hand, from the list of facts and the structure of the standard.
        let expected = concat!(
            r#"{"type":"job.failed","timestamp":"2026-11-18T11:06:40.000000Z","data":{"#,
            r#""tenant":"00000000-0000-0000-0000-000000000001","event":"0198-event","outcome":"success","#,
            r#""resource_type":"job","resource_id":"0198-job","batch":"0198-batch","kind":"ingest","study":"TRIAL01"}}"#,
        );
        assert_eq!(draft.payload(at), expected);
    }

    #[test]
    fn what_the_deployment_does_is_told_to_no_tenant() {
        let event =
            Event::success(AuditAction::JobFailed, LeafActor::anonymous(), Resource::new("job", "0198-job"));
        assert!(Draft::of_event(Log::System, &event).is_none());
    }
}
