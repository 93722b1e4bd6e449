//! What was put in line for one endpoint.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use control::{WebhookDelivery, WebhookDeliveryState};
use frontend::link;
use frontend::view::{DeliveryLine, Tab, WebhookView};

use super::{back, failed, id, line};
use crate::http::State;
use crate::http::caller::Reader;
use crate::http::page::{Answer, Visit, pairs};

const PER_PAGE: u32 = 50;

/// `GET /webhooks/{endpoint}`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(endpoint): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let id = id(&visit, &endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let before = pairs(&uri).into_iter().find(|(key, _)| key == "before");
    let before = before.and_then(|(_, before)| before.parse().ok());
    let control = &state.app.control;
    let row = match control.webhook(&actor, grants, id).await {
        Ok(row) => row,
        Err(error) => return Err(failed(&visit, error).await),
    };
    let found = control.webhook_deliveries(&actor, grants, id, (before, PER_PAGE)).await;
    let found = found.map_err(|error| visit.fail(error))?;
    let older = found.last().map(|last| last.id.to_string());
    let view = WebhookView {
        frame: visit.frame(Some(Tab::Webhooks), None).await?,
        endpoint: line(&visit, row),
        older_before: older.filter(|_| found.len() == PER_PAGE as usize),
        deliveries: found.into_iter().map(delivery_line).collect(),
    };
    Ok(visit.page(frontend::page::webhook(&view)))
}

/// `POST /webhooks/{endpoint}/deliveries/{delivery}/retry`.
pub(crate) async fn retry(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    id(&visit, &endpoint).await?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let retried = match delivery.parse() {
        Ok(delivery) => state.app.control.retry_webhook(&actor, grants, delivery, &visit.caller.trace).await,
        Err(_) => Err(control::ControlError::Denied),
    };
    back(&visit, retried.map(drop), &link::webhook(&endpoint)).await
}

fn delivery_line(delivery: WebhookDelivery) -> DeliveryLine {
    let waits = delivery.state == WebhookDeliveryState::Queued && delivery.failures > 0;
    let status = delivery.status.map(|status| status.to_string());
    let told = [delivery.problem.or(status), delivery.answer.filter(|answer| !answer.is_empty())];
    DeliveryLine {
        id: delivery.id.to_string(),
        webhook_id: format!("msg_{}", delivery.message),
        kind: delivery.kind,
        state: state_in_words(delivery.state).to_owned(),
        is_dead: delivery.state == WebhookDeliveryState::Dead,
        since_unix_s: delivery.created_at.timestamp(),
        due_unix_s: waits.then_some(delivery.due_at.timestamp()),
        attempts: delivery.attempt,
        answer: told.into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}

const fn state_in_words(state: WebhookDeliveryState) -> &'static str {
    match state {
        WebhookDeliveryState::Queued => "waiting",
        WebhookDeliveryState::Sending => "being sent",
        WebhookDeliveryState::Delivered => "delivered",
        WebhookDeliveryState::Dead => "given up",
        WebhookDeliveryState::Cancelled => "cancelled",
    }
}
