//! Adding a schedule.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use control::{JobKind, NewSchedule, Timetable};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ScheduleAnswer, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleOrder {
    /// `marts_build` of a study, or `ledger_verify` of the whole organisation.
    #[schema(example = "marts_build")]
    kind: String,
    /// The study of a `marts_build`.
    #[serde(default)]
    study: Option<String>,
    /// A cron expression of five fields: minute, hour, day of the month, month, weekday.
    #[schema(example = "30 2 * * 1-5")]
    cron: String,
    /// The time zone in which it is read, by its name in the IANA database.
    #[schema(example = "Europe/Berlin")]
    zone: String,
}

/// Add a schedule. It is in force at once.
#[utoipa::path(
    post, path = "/api/v1/schedules", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")), request_body = ScheduleOrder,
    responses(
        (status = 201, body = ScheduleAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn add(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &once)).await
}

async fn done(state: &State, caller: &Caller, once: &Once) -> Result<Response, Problem> {
    caller.build_somewhere(state).await?;
    let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let order: ScheduleOrder = once.json(caller)?;
    let kind = JobKind::from_name(&order.kind);
    let kind = kind.ok_or_else(|| bad("`kind` is not `marts_build` or `ledger_verify`.".into()))?;
    let timetable = Timetable::new(&order.cron, &order.zone).map_err(|error| bad(error.to_string()))?;
    let study = match order.study.as_deref().map(str::parse).transpose() {
        Ok(study) => study,
        Err(_) => return Err(caller.refuse(state, "no_grant").await),
    };
    let (actor, grants) = (caller.principal.actor(), caller.principal.grants());
    let schedule = NewSchedule { kind, study, timetable };
    match state.app.control.add_schedule(&actor, grants, schedule, &caller.trace).await {
        Ok(row) => Ok((StatusCode::CREATED, Json(ScheduleAnswer::from(row))).into_response()),
        Err(error) => Err(problem(state, caller, error).await),
    }
}
