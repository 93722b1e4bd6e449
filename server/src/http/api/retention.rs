//! How long studies are kept, and what holds them.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use control::{ControlError, HoldRow, NewRetention, StudyRetention};
use kernel::{Administer, Review, StudyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

pub(crate) mod hold;

/// How long one study is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetentionAnswer {
    /// The study.
    pub(crate) study: String,
    /// The first day, in UTC, on which its data may be removed; none while nobody has decided.
    #[schema(example = "2051-11-22")]
    pub(crate) not_before: Option<String>,
    /// Holds, oldest first; lifted ones too.
    pub(crate) holds: Vec<HoldAnswer>,
    /// When its data were removed, in RFC 3339.
    pub(crate) removed_at: Option<String>,
}

/// A hold on a study's data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldAnswer {
    /// Its id.
    pub(crate) hold: String,
    /// Why.
    pub(crate) reason: String,
    /// Since when, in RFC 3339.
    pub(crate) placed_at: String,
    /// Until when, once it was lifted.
    pub(crate) lifted_at: Option<String>,
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl From<&HoldRow> for HoldAnswer {
    fn from(row: &HoldRow) -> Self {
        Self {
            hold: row.id.to_string(),
            reason: row.reason.clone(),
            placed_at: text(row.placed_at),
            lifted_at: row.lifted_at.map(text),
        }
    }
}

impl From<&StudyRetention> for RetentionAnswer {
    fn from(row: &StudyRetention) -> Self {
        Self {
            study: row.study.to_string(),
            not_before: row.not_before.map(|day| day.to_string()),
            holds: row.holds.iter().map(HoldAnswer::from).collect(),
            removed_at: row.removed_at.map(text),
        }
    }
}

/// Every study of the organisation with its day and its holds, by code; also those that were removed.
#[utoipa::path(
    get, path = "/api/v1/retention", tag = "governed",
    responses((status = 200, body = Vec<RetentionAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<Vec<RetentionAnswer>>, Problem> {
    caller.everywhere::<Review>(&state).await?;
    let principal = &caller.principal;
    let rows = state.app.control.retentions(&principal.actor(), principal.tenant()).await;
    let rows = rows.map_err(|error| caller.problem(error))?;
    Ok(Json(rows.iter().map(RetentionAnswer::from).collect()))
}

/// From which day on, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionOrder {
    /// The first day, in UTC, on which the data may be removed.
    #[schema(example = "2051-11-22")]
    not_before: String,
    /// Why, without naming a person: it is recorded for ever.
    reason: String,
    /// The account of a second person who agrees; it takes one to choose an earlier day than before.
    #[serde(default)]
    approved_by: Option<String>,
}

/// Decide from which day on a study's data may be removed. Removing them is for the operator (`cairn admin study remove`).
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/retention", tag = "governed",
    params(("study" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = RetentionOrder,
    responses(
        (status = 204, description = "It is decided"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn decide(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, decided(&state, &caller, &study, &once)).await
}

async fn decided(state: &State, caller: &Caller, study: &str, once: &Once) -> Result<Response, Problem> {
    let study = kept(state, caller, study).await?;
    let order: RetentionOrder = once.json(caller)?;
    let bad = |detail: &str| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let day = order.not_before.parse::<NaiveDate>();
    let not_before = day.map_err(|_| bad("`not_before` is not a day such as 2051-11-22."))?;
    let second = order.approved_by.as_deref().map(str::parse).transpose();
    let approved_by = second.map_err(|_| bad("`approved_by` is not the id of an account."))?;
    let new = NewRetention { not_before, reason: order.reason, approved_by };
    let (actor, tenant) = (caller.principal.actor(), caller.principal.tenant());
    match state.app.control.set_retention(&actor, tenant, &study, &new, &caller.trace).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}

/// The study that an administrator decides about.
async fn kept(state: &State, caller: &Caller, study: &str) -> Result<StudyId, Problem> {
    caller.everywhere::<Administer>(state).await?;
    match study.parse() {
        Ok(study) => Ok(study),
        Err(_) => Err(caller.refuse(state, "no_such_study").await),
    }
}

/// The problem of an operation; what is not there is recorded as a refusal.
async fn problem(state: &State, caller: &Caller, error: ControlError) -> Problem {
    match error {
        ControlError::Denied => caller.refuse(state, "no_such_study").await,
        error @ ControlError::ApproverUnfit => {
            Problem::new(Kind::BadRequest, error.to_string(), &caller.trace)
        }
        error => caller.problem(error),
    }
}
