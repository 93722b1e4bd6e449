//! What the forms below the jobs do with schedules.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use control::{ControlError, Enabled, JobKind, NewSchedule, ScheduleId, ScheduleRow, Timetable};
use frontend::link;
use frontend::view::ScheduleLine;
use serde::Deserialize;

use super::jobs::kind_in_words;
use super::{Answer, Visit};
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;

/// How many of the next times are shown.
const NEXT: usize = 3;

/// What the form sends. Without a study the ledger is verified.
#[derive(Debug, Deserialize)]
pub(crate) struct ScheduleForm {
    study: String,
    cron: String,
    zone: String,
}

/// `POST /schedules`.
pub(crate) async fn add(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<ScheduleForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let schedule = new_schedule(&form).map_err(|failure| visit.fail(failure))?;
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let added = state.app.control.add_schedule(&actor, grants, schedule, &visit.caller.trace).await;
    back(&visit, added.map(drop)).await
}

/// `POST /schedules/{schedule}/enable`.
pub(crate) async fn enable(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(schedule): Path<String>,
) -> Answer {
    turn(&Visit::new(&state, &reader, &headers, &uri), &schedule, Enabled::Yes).await
}

/// `POST /schedules/{schedule}/disable`.
pub(crate) async fn disable(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(schedule): Path<String>,
) -> Answer {
    turn(&Visit::new(&state, &reader, &headers, &uri), &schedule, Enabled::No).await
}

/// `POST /schedules/{schedule}/remove`.
pub(crate) async fn remove(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(schedule): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let removed = match id(&schedule) {
        Ok(id) => state.app.control.remove_schedule(&actor, grants, id, &visit.caller.trace).await,
        Err(error) => Err(error),
    };
    back(&visit, removed).await
}

/// `POST /schedules/{schedule}/run`.
pub(crate) async fn run(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(schedule): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let run = match id(&schedule) {
        Ok(id) => state.app.control.run_schedule(&actor, grants, id, &visit.caller.trace).await.map(drop),
        Err(error) => Err(error),
    };
    back(&visit, run).await
}

async fn turn(visit: &Visit<'_>, schedule: &str, enabled: Enabled) -> Answer {
    let (actor, grants) = (visit.caller.principal.actor(), visit.caller.principal.grants());
    let control = &visit.state.app.control;
    let turned = match id(schedule) {
        Ok(id) => control.enable_schedule(&actor, grants, (id, enabled), &visit.caller.trace).await.map(drop),
        Err(error) => Err(error),
    };
    back(visit, turned).await
}

fn id(schedule: &str) -> Result<ScheduleId, ControlError> {
    schedule.parse().map_err(|_| ControlError::Denied)
}

fn new_schedule(form: &ScheduleForm) -> Result<NewSchedule> {
    let timetable =
        Timetable::new(&form.cron, &form.zone).map_err(|error| Failure::Usage(error.to_string()))?;
    if form.study.is_empty() {
        return Ok(NewSchedule { kind: JobKind::LedgerVerify, study: None, timetable });
    }
    let study = form.study.parse().map_err(|_| Failure::NotThere("the study".into()))?;
    Ok(NewSchedule { kind: JobKind::MartsBuild, study: Some(study), timetable })
}

/// Back to the page, or the page that says why not.
async fn back(visit: &Visit<'_>, outcome: Result<(), ControlError>) -> Result<Response, Response> {
    match outcome {
        Ok(()) => Ok(Redirect::to(link::JOBS).into_response()),
        Err(ControlError::Denied) => {
            let problem = visit.caller.refuse(visit.state, "no_such_schedule").await;
            Err(visit.refuse(&problem))
        }
        Err(error) => Err(visit.fail(error)),
    }
}

/// A schedule as the page shows it.
pub(super) fn line(row: ScheduleRow) -> ScheduleLine {
    ScheduleLine {
        id: row.id.to_string(),
        kind: kind_in_words(row.kind).to_owned(),
        next_unix_s: row.next_runs(NEXT).into_iter().map(|at| at.timestamp()).collect(),
        cron: row.timetable.cron().to_owned(),
        zone: row.timetable.zone().to_owned(),
        study: row.study.map(|study| study.to_string()).unwrap_or_default(),
    }
}
