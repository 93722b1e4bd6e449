//! Asking for a job.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{ControlError, JobKind};
use serde::Deserialize;
use utoipa::ToSchema;

use super::JobAnswer;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobOrder {
    /// `marts_build`; deliveries are taken in by committing them.
    #[schema(example = "marts_build")]
    kind: String,
}

/// Ask for a job in a study. When one that does the same waits already, that one is given.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/jobs", tag = "jobs",
    params(("study" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = JobOrder,
    responses(
        (status = 202, description = "It is in line", body = JobAnswer), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 429, description = "Too many jobs are in line", body = Problem)
    )
)]
pub(crate) async fn enqueue(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&study, &once))).await
}

async fn done(state: &State, caller: &Caller, (study, once): (&str, &Once)) -> Result<Response, Problem> {
    let scope = caller.build(state, study).await?;
    let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let order: JobOrder = once.json(caller)?;
    let kind = JobKind::from_name(&order.kind).filter(|kind| *kind == JobKind::MartsBuild);
    let kind = kind.ok_or_else(|| bad("`kind` is not `marts_build`.".into()))?;
    let (control, actor) = (&state.app.control, caller.principal.actor());
    let (job, _) = match control.enqueue_job(&actor, &scope, kind, &caller.trace).await {
        Ok(asked) => asked,
        // Who may build whatever study there is asks for one that is not there.
        Err(ControlError::StudyNotRegistered { .. }) => {
            return Err(caller.refuse(state, "no_such_study").await);
        }
        Err(error) => return Err(caller.problem(error)),
    };
    let place = format!("/api/v1/jobs/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(JobAnswer::from(job))).into_response())
}
