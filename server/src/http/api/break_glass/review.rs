//! Reviewing an emergency access.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};
use control::{NewReview, Verdict};
use kernel::Review;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{BreakGlassAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

/// What the reviewer found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewOrder {
    /// `justified` or `unjustified`.
    #[schema(example = "justified")]
    verdict: String,
    /// In your words, at most 500 characters.
    #[schema(example = "called the site; the reading was confined to the subject")]
    note: String,
}

/// Review an emergency access of another person. It ends with that, if it has not.
#[utoipa::path(
    post, path = "/api/v1/break-glass/{emergency}/review", tag = "governed",
    params(("emergency" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ReviewOrder,
    responses(
        (status = 200, body = BreakGlassAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)
    )
)]
pub(crate) async fn review(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(emergency): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &emergency, &once)).await
}

async fn done(state: &State, caller: &Caller, emergency: &str, once: &Once) -> Result<Response, Problem> {
    caller.everywhere::<Review>(state).await?;
    let id = id(state, caller, emergency).await?;
    let order: ReviewOrder = once.json(caller)?;
    let verdict = Verdict::from_name(&order.verdict).ok_or_else(|| {
        let detail = "`verdict` is neither `justified` nor `unjustified`.";
        Problem::new(Kind::BadRequest, detail, &caller.trace)
    })?;
    let principal = &caller.principal;
    let new = NewReview { by: principal.account(), verdict, note: order.note };
    let (actor, tenant) = (principal.actor(), principal.tenant());
    match state.app.control.review_break_glass(&actor, tenant, id, &new, &caller.trace).await {
        Ok(row) => Ok(Json(BreakGlassAnswer::of(&row, state.app.clock.now())).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
