//! The dispatcher of the outbox: it claims what is due for the endpoints of every tenant, posts it or hands it to the mail
//! relay, and writes the answer down. Several servers share the work; what one leaves behind when it is killed is another's after the lease.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use control::{
    Actor, Answered, ControlError, Letter, MessageClaim, MessageOutcome, Outbound, OutboundError,
    OutboundLimits,
};
use kernel::TenantId;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::app::App;
use crate::error::Result;
use crate::notices;

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
/// Letters link to `public_url`.
pub(crate) async fn dispatch(app: App, public_url: String, stop: impl Future<Output = ()>) {
    let limits =
        OutboundLimits { reach: app.control.webhook_reach(), patience: PATIENCE, answer_bytes: ANSWER_BYTES };
    let ways = Ways { outbound: Outbound::new(&limits), public_url: public_url.into() };
    let mut round = Round { ways, app, sending: JoinSet::new(), last: None };
    tokio::select! {
        () = stop => {}
        () = round.go_on() => {}
    }
    // A claim that was cut off here is another's after its lease.
    while round.sending.join_next().await.is_some() {}
}

/// How messages leave.
#[derive(Clone)]
struct Ways {
    outbound: Outbound,
    /// Where browsers reach this server.
    public_url: Arc<str>,
}

struct Round {
    app: App,
    ways: Ways,
    sending: JoinSet<()>,
    /// The tenant that was served last.
    last: Option<TenantId>,
}

impl Round {
    async fn go_on(&mut self) {
        let (mut given_up, mut forgotten) = (Instant::now(), Instant::now());
        told("offer e-mail", self.offer_mail().await);
        loop {
            if given_up.elapsed() >= GIVE_UP {
                given_up = Instant::now();
                told("give up what was not delivered in time", self.give_up().await);
                // A tenant may be new.
                told("offer e-mail", self.offer_mail().await);
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
            let (app, ways) = (self.app.clone(), self.ways.clone());
            self.sending.spawn(async move { send(&app, ways, claim).await });
        }
        Ok(())
    }

    /// A message of the next tenant that has one due, beginning behind the one that was served last.
    async fn claim_next(&mut self) -> Result<Option<MessageClaim>> {
        let mut tenants = self.tenants().await?;
        let begin = self.last.map_or(0, |last| tenants.partition_point(|tenant| *tenant <= last));
        tenants.rotate_left(begin);
        for tenant in tenants {
            match self.app.control.claim_message(tenant, LEASE).await {
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

    async fn offer_mail(&self) -> Result<()> {
        for tenant in self.tenants().await? {
            if let Err(failure) = self.app.control.offer_mail(tenant).await {
                told("offer e-mail", Err(failure.into()));
            }
        }
        Ok(())
    }

    async fn give_up(&self) -> Result<()> {
        for tenant in self.tenants().await? {
            match self.app.control.give_up_messages(tenant).await {
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

/// Sends one message and writes the answer down.
async fn send(app: &App, ways: Ways, claim: MessageClaim) {
    let (tenant, delivery, endpoint) = (claim.tenant(), claim.delivery(), claim.endpoint());
    let (counter, outcome) = match claim.recipient() {
        None => ("webhook_attempts_total", post(app, ways.outbound, &claim).await),
        Some(to) => {
            let letter = notices::letter(&claim, to, &ways.public_url, app.clock.now());
            ("mail_attempts_total", hand_over(app, letter).await)
        }
    };
    let status = match &outcome {
        MessageOutcome::Answered { status, .. } | MessageOutcome::Refused { status, .. } => *status,
        MessageOutcome::Unreachable { .. } => 0,
    };
    match app.control.end_message(&claim, &outcome).await {
        Ok(is_delivered) => {
            let word = if is_delivered { "delivered" } else { "failed" };
            metrics::counter!(counter, "outcome" => word).increment(1);
            info!(tenant_id = %tenant, delivery.id = %delivery, endpoint.id = %endpoint, status, outcome = word, "a message was sent");
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

async fn hand_over(app: &App, letter: Letter) -> MessageOutcome {
    let Some(mailer) = app.control.mailer().cloned() else {
        return MessageOutcome::Unreachable { problem: "no mail relay is configured".to_owned() };
    };
    match tokio::task::spawn_blocking(move || mailer.send(&letter)).await {
        Ok(outcome) => outcome,
        Err(failure) => MessageOutcome::Unreachable { problem: failure.to_string() },
    }
}

async fn post(app: &App, outbound: Outbound, claim: &MessageClaim) -> MessageOutcome {
    let headers = claim.headers(app.clock.now());
    let (url, payload) = (claim.url().to_owned(), claim.payload().to_owned());
    let posted = tokio::task::spawn_blocking(move || {
        let mut sent: Vec<(&str, &str)> = vec![("content-type", "application/json")];
        sent.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
        outbound.post(&url, &sent, payload.as_bytes())
    });
    match posted.await {
        Ok(answer) => outcome(answer),
        Err(failure) => MessageOutcome::Unreachable { problem: failure.to_string() },
    }
}

fn outcome(answer: std::result::Result<Answered, OutboundError>) -> MessageOutcome {
    match answer {
        Ok(Answered { status, retry_after, body }) => {
            let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
            MessageOutcome::Answered { status, retry_after, body }
        }
        Err(error) => MessageOutcome::Unreachable { problem: error.to_string() },
    }
}

fn told(step: &'static str, outcome: Result<()>) {
    if let Err(failure) = outcome {
        error!(error = failure.chain(), "failed to {step}");
    }
}
