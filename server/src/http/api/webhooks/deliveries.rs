//! What was sent to an endpoint.

use axum::Json;
use axum::extract::{Path, Query, State as Extract};
use control::WebhookDelivery;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{id, problem, time};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::{Kind, Problem};

/// The most on one page.
const MOST: u32 = 200;

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveriesQuery {
    /// Only those older than this one: `next` of the page before.
    before: Option<String>,
    /// At most so many: 50 when nothing is said, up to 200.
    limit: Option<u32>,
}

/// One message on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "delivery": "019aa0b5-0a1b-7c2d-9e3f-4a5b6c7d8e9f", "webhook_id": "msg_019aa0b5-0a1a-7aaa-8bbb-0c0d0e0f1011",
    "kind": "snapshot.published", "endpoint": "019aa0b4-1f2e-7c3d-8e4f-5a6b7c8d9e0f", "state": "QUEUED", "attempts": 1,
    "failures": 1, "due_at": "2026-11-22T14:01:12.000000Z", "status": 503, "problem": "it answered 503",
    "answer": "try later", "sent_at": "2026-11-22T14:00:40.000000Z", "ended_at": null,
    "created_at": "2026-11-22T14:00:39.000000Z"
}))]
pub(crate) struct WebhookDeliveryAnswer {
    /// Its id.
    delivery: String,
    /// The header `webhook-id` of its message.
    webhook_id: String,
    /// The message's kind.
    kind: String,
    /// The endpoint.
    endpoint: String,
    /// `QUEUED`, `SENDING`, `DELIVERED`, `DEAD` or `CANCELLED`.
    state: String,
    /// How often it was sent.
    attempts: u64,
    /// How often that failed, since it was put in line or sent again.
    failures: u64,
    /// When it is sent, while it waits.
    due_at: String,
    /// The last HTTP status.
    status: Option<u16>,
    /// Why it failed last.
    problem: Option<String>,
    /// The beginning of the last answer that was no success.
    answer: Option<String>,
    /// When it was last sent.
    sent_at: Option<String>,
    /// When it ended.
    ended_at: Option<String>,
    /// When it was put in line.
    created_at: String,
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveriesAnswer {
    /// Newest first.
    deliveries: Vec<WebhookDeliveryAnswer>,
    /// Pass as `before` for the next page; absent on the last.
    next: Option<String>,
}

impl From<WebhookDelivery> for WebhookDeliveryAnswer {
    fn from(delivery: WebhookDelivery) -> Self {
        Self {
            delivery: delivery.id.to_string(),
            webhook_id: format!("msg_{}", delivery.message),
            kind: delivery.kind,
            endpoint: delivery.endpoint.to_string(),
            state: delivery.state.name().to_owned(),
            attempts: delivery.attempt,
            failures: delivery.failures,
            due_at: time(delivery.due_at),
            status: delivery.status,
            problem: delivery.problem,
            answer: delivery.answer,
            sent_at: delivery.sent_at.map(time),
            ended_at: delivery.ended_at.map(time),
            created_at: time(delivery.created_at),
        }
    }
}

/// What was put in line for an endpoint, newest first. It is known for 30 days after it has ended.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{endpoint}/deliveries", tag = "webhooks",
    params(("endpoint" = String, Path), DeliveriesQuery),
    responses((status = 200, body = DeliveriesAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(endpoint): Path<String>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<DeliveriesAnswer>, Problem> {
    let id = id(&state, &caller, &endpoint).await?;
    let bad = |detail: &str| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let limit = query.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(bad("`limit` is a number from 1 to 200."));
    }
    let before = query.before.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| bad("`before` is the id of a delivery: `next` of the page before."))?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    match state.app.control.webhook_deliveries(&actor, grants, id, (before, limit)).await {
        Ok(found) => {
            let is_full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
            let next = found.last().filter(|_| is_full).map(|last| last.id.to_string());
            let deliveries = found.into_iter().map(WebhookDeliveryAnswer::from).collect();
            Ok(Json(DeliveriesAnswer { deliveries, next }))
        }
        Err(error) => Err(problem(&state, &caller, error).await),
    }
}
