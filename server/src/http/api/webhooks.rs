//! Endpoints that messages are posted to.

use axum::Json;
use axum::extract::State as Extract;
use chrono::{DateTime, SecondsFormat, Utc};
use control::{Announcement, ControlError, EndpointId, EndpointRow, IssuedEndpoint};
use kernel::Administer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

pub(crate) mod add;
pub(crate) mod deliveries;
pub(crate) mod enable;
pub(crate) mod remove;
pub(crate) mod retry;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod test;

/// An endpoint, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "endpoint": "019aa0b4-1f2e-7c3d-8e4f-5a6b7c8d9e0f", "channel": "WEBHOOK", "url": "https://hooks.acme.example/cairn",
    "description": "the data lake", "kinds": ["job.failed", "snapshot.published"], "state": "ENABLED", "reason": null,
    "breaker": "closed", "failures": 0, "last_status": 204, "last_sent_at": "2026-11-22T14:00:01.250000Z",
    "last_delivered_at": "2026-11-22T14:00:01.391000Z", "previous_secret_until": null,
    "created_at": "2026-11-20T09:00:00.000000Z"
}))]
pub(crate) struct EndpointAnswer {
    /// Its id.
    pub(crate) endpoint: String,
    /// `WEBHOOK`, or `MAIL` for the one that stands for e-mail where the operator has set it up.
    pub(crate) channel: String,
    /// Where messages are posted; `mailto:` for e-mail.
    pub(crate) url: String,
    /// What it is, in your own words.
    pub(crate) description: String,
    /// The kinds of messages that it asks for.
    pub(crate) kinds: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub(crate) state: String,
    /// Why it was turned off, when it was not you.
    pub(crate) reason: Option<String>,
    /// `closed`, `open` while nothing is sent because it fails, or `half_open` while it is tried.
    pub(crate) breaker: String,
    /// How many attempts in a row have failed.
    pub(crate) failures: u64,
    /// The last HTTP status that it answered with.
    pub(crate) last_status: Option<u16>,
    /// When something was last sent to it,
    pub(crate) last_sent_at: Option<String>,
    /// and taken.
    pub(crate) last_delivered_at: Option<String>,
    /// Until when the secret before the present one signs too.
    pub(crate) previous_secret_until: Option<String>,
    /// When it was added.
    pub(crate) created_at: String,
}

/// An endpoint whose secret was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedEndpointAnswer {
    /// What verifies signatures: `whsec_` and base 64. It is shown this once; an answer that is given again under the same
    /// `Idempotency-Key` has none.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(crate) secret: Option<String>,
    /// What is known of it.
    #[serde(flatten)]
    pub(crate) described: EndpointAnswer,
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl EndpointAnswer {
    pub(crate) fn of(row: &EndpointRow, now: DateTime<Utc>) -> Self {
        Self {
            endpoint: row.id.to_string(),
            channel: row.channel.name().to_owned(),
            url: row.url.clone(),
            description: row.description.clone(),
            kinds: row.kinds.iter().map(|kind| Announcement::name(*kind).to_owned()).collect(),
            state: row.state.name().to_owned(),
            reason: row.reason.clone(),
            breaker: row.breaker(now).name().to_owned(),
            failures: row.failures,
            last_status: row.last_status,
            last_sent_at: row.last_sent_at.map(time),
            last_delivered_at: row.last_delivered_at.map(time),
            previous_secret_until: row.previous_until.filter(|until| now < *until).map(time),
            created_at: time(row.created_at),
        }
    }
}

impl IssuedEndpointAnswer {
    fn of(issued: &IssuedEndpoint, now: DateTime<Utc>) -> Self {
        let described = EndpointAnswer::of(&issued.endpoint, now);
        Self { secret: Some(issued.secret.clone()), described }
    }

    /// The answer as it is kept for requests that are sent again: the secret is stored nowhere in plain.
    fn without_secret(self) -> Self {
        Self { secret: None, ..self }
    }
}

/// The endpoints of your organisation, oldest first. For administrators.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks",
    responses(
        (status = 200, body = Vec<EndpointAnswer>), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<Vec<EndpointAnswer>>, Problem> {
    caller.everywhere::<Administer>(&state).await?;
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    let rows = state.app.control.webhooks(&actor, grants).await.map_err(|error| caller.problem(error))?;
    let now = state.app.clock.now();
    Ok(Json(rows.iter().map(|row| EndpointAnswer::of(row, now)).collect()))
}

/// The id of an endpoint, for who administers the tenant.
async fn id(state: &State, caller: &Caller, endpoint: &str) -> Result<EndpointId, Problem> {
    caller.everywhere::<Administer>(state).await?;
    match endpoint.parse() {
        Ok(id) => Ok(id),
        Err(_) => Err(caller.refuse(state, "no_such_endpoint").await),
    }
}

/// The problem of an operation; an endpoint that is not the caller's is as if it were not there, and that is recorded.
async fn problem(state: &State, caller: &Caller, error: ControlError) -> Problem {
    match error {
        ControlError::Denied => caller.refuse(state, "no_such_endpoint").await,
        error => caller.problem(error),
    }
}
