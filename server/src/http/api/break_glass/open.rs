//! Opening an emergency access.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use control::NewBreakGlass;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{BreakGlassAnswer, problem};
use crate::break_glass;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::Problem;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakGlassOrder {
    /// The study, of your own organisation.
    #[schema(example = "TRIAL01")]
    study: String,
    /// Why, in at most 500 characters. Reviewers read it.
    #[schema(example = "unblinded physician is out of reach; suspected overdose at site 12")]
    reason: String,
    /// For how many minutes, 1 to 60.
    #[serde(default = "minutes")]
    minutes: u16,
}

const fn minutes() -> u16 {
    60
}

/// Open an emergency access to a study in which you have no role. You can read it at once, in the session that you ask
/// in; it ends by itself, everything you do is recorded as done in an emergency, and another person reviews it.
#[utoipa::path(
    post, path = "/api/v1/break-glass", tag = "governed",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = BreakGlassOrder,
    responses(
        (status = 201, body = BreakGlassAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)
    )
)]
pub(crate) async fn open(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &once)).await
}

async fn done(state: &State, caller: &Caller, once: &Once) -> Result<Response, Problem> {
    let order: BreakGlassOrder = once.json(caller)?;
    let principal = &caller.principal;
    // A token that a program keeps is not a person in an emergency.
    if principal.session().is_none() {
        return Err(caller.refuse(state, "no_session").await);
    }
    let Ok(study) = order.study.parse() else { return Err(caller.refuse(state, "no_grant").await) };
    let (account, tenant) = (principal.account(), principal.tenant());
    let lasting = TimeDelta::minutes(i64::from(order.minutes));
    let new = NewBreakGlass { account, study, reason: order.reason, lasting };
    let opened = state.app.control.open_break_glass(&principal.actor(), tenant, &new, &caller.trace).await;
    match opened {
        Ok(row) => {
            break_glass::alert(tenant, &row);
            let answer = BreakGlassAnswer::of(&row, state.app.clock.now());
            Ok((StatusCode::CREATED, Json(answer)).into_response())
        }
        Err(error) => Err(problem(state, caller, error).await),
    }
}
