//! The dispatcher of the outbox: it claims what is due for the webhooks of every tenant, posts it, and writes the answer
//! down. Several servers share the work; what one leaves behind when it is killed is another's after the lease.

use std::time::Duration;

use chrono::TimeDelta;
use control::{
    Actor, Answered, ControlError, Outbound, OutboundError, OutboundLimits, WebhookClaim, WebhookOutcome,
};
use kernel::TenantId;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::app::App;
use crate::error::Result;

/// How often it is looked for messages that are due.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is looked for what was not delivered in time,
const GIVE_UP: Duration = Duration::from_secs(60);
/// and how often old messages are forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// Messages that this server sends at a time.
const AT_A_TIME: usize = 8;
/// How long an endpoint has for its answer.
// Source: Standard Webhooks recommends 15 to 30 seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a message is this server's: longer than an answer takes.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Nothing is done with an answer but showing its beginning to people.
const ANSWER_BYTES: u64 = 16 * 1024;

/// Sends messages until `stop`, then waits for the answers that are under way.
pub(crate) async fn dispatch(app: App, stop: impl Future<Output = ()>) {
    let limits =
        OutboundLimits { reach: app.control.webhook_reach(), patience: PATIENCE, answer_bytes: ANSWER_BYTES };
    let mut round = Round { outbound: Outbound::new(&limits), app, sending: JoinSet::new(), last: None };
    tokio::select! {
        () = stop => {}
        () = round.go_on() => {}
    }
    // A claim that was cut off here is another's after its lease.
    while round.sending.join_next().await.is_some() {}
}

struct Round {
    app: App,
    outbound: Outbound,
    sending: JoinSet<()>,
    /// The tenant that was served last.
    last: Option<TenantId>,
}

impl Round {
    async fn go_on(&mut self) {
        let (mut given_up, mut forgotten) = (Instant::now(), Instant::now());
        loop {
            if given_up.elapsed() >= GIVE_UP {
                given_up = Instant::now();
                told("give up what was not delivered in time", self.give_up().await);
            }
            if forgotten.elapsed() >= FORGET {
                forgotten = Instant::now();
                told("forget old messages", self.forget().await);
            }
            told("claim a message", self.claim_what_is_due().await);
            let is_full = self.sending.len() >= AT_A_TIME;
            tokio::select! {
                Some(_) = self.sending.join_next() => {}
                () = tokio::time::sleep(LOOK), if !is_full => {}
            }
        }
    }

    async fn claim_what_is_due(&mut self) -> Result<()> {
        while self.sending.len() < AT_A_TIME {
            let Some(claim) = self.claim_next().await? else { return Ok(()) };
            let (app, outbound) = (self.app.clone(), self.outbound.clone());
            self.sending.spawn(async move { send(&app, outbound, claim).await });
        }
        Ok(())
    }

    /// A message of the next tenant that has one due, beginning behind the one that was served last.
    async fn claim_next(&mut self) -> Result<Option<WebhookClaim>> {
        let mut tenants = self.tenants().await?;
        let begin = self.last.map_or(0, |last| tenants.partition_point(|tenant| *tenant <= last));
        tenants.rotate_left(begin);
        for tenant in tenants {
            match self.app.control.claim_webhook(tenant, LEASE).await {
                Ok(None) => {}
                Ok(Some(claim)) => {
                    self.last = Some(tenant);
                    return Ok(Some(claim));
                }
                // One tenant's trouble is not the others'.
                Err(failure) => told("claim a message", Err(failure.into())),
            }
        }
        Ok(None)
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        let tenants = self.app.control.tenants(&Actor::System).await?;
        let mut tenants: Vec<TenantId> = tenants.into_iter().map(|tenant| tenant.id).collect();
        tenants.sort_unstable();
        Ok(tenants)
    }

    async fn give_up(&self) -> Result<()> {
        for tenant in self.tenants().await? {
            match self.app.control.give_up_webhooks(tenant).await {
                Ok(0) => {}
                Ok(messages) => warn!(tenant_id = %tenant, messages, "messages were not delivered in time"),
                Err(failure) => told("give up what was not delivered in time", Err(failure.into())),
            }
        }
        Ok(())
    }

    async fn forget(&self) -> Result<()> {
        for tenant in self.tenants().await? {
            self.app.control.forget_messages(tenant).await?;
        }
        Ok(())
    }
}

/// Posts one message and writes the answer down.
async fn send(app: &App, outbound: Outbound, claim: WebhookClaim) {
    let (tenant, delivery, endpoint) = (claim.tenant(), claim.delivery(), claim.endpoint());
    let headers = claim.headers(app.clock.now());
    let (url, payload) = (claim.url().to_owned(), claim.payload().to_owned());
    let posted = tokio::task::spawn_blocking(move || {
        let mut sent: Vec<(&str, &str)> = vec![("content-type", "application/json")];
        sent.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
        outbound.post(&url, &sent, payload.as_bytes())
    });
    let outcome = match posted.await {
        Ok(answer) => outcome(answer),
        Err(failure) => WebhookOutcome::Unreachable { problem: failure.to_string() },
    };
    let status = match &outcome {
        WebhookOutcome::Answered { status, .. } => *status,
        WebhookOutcome::Unreachable { .. } => 0,
    };
    match app.control.end_webhook(&claim, &outcome).await {
        Ok(is_delivered) => {
            let word = if is_delivered { "delivered" } else { "failed" };
            metrics::counter!("webhook_attempts_total", "outcome" => word).increment(1);
            info!(tenant_id = %tenant, delivery.id = %delivery, endpoint.id = %endpoint, http.status = status, outcome = word, "a message was sent");
        }
        Err(ControlError::LeaseLost) => {
            warn!(tenant_id = %tenant, delivery.id = %delivery, "the answer came too late, or the endpoint is gone");
        }
        Err(failure) => {
            let error = crate::error::Failure::from(failure).chain();
            error!(tenant_id = %tenant, delivery.id = %delivery, error, "an answer could not be written down; the message is sent again");
        }
    }
}

fn outcome(answer: std::result::Result<Answered, OutboundError>) -> WebhookOutcome {
    match answer {
        Ok(Answered { status, retry_after, body }) => {
            let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
            WebhookOutcome::Answered { status, retry_after, body }
        }
        Err(error) => WebhookOutcome::Unreachable { problem: error.to_string() },
    }
}

fn told(step: &'static str, outcome: Result<()>) {
    if let Err(failure) = outcome {
        error!(error = failure.chain(), "failed to {step}");
    }
}
