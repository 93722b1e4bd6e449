//! Watching a job.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State as Extract};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use control::JobId;
use futures::stream::{Stream, unfold};
use utoipa::ToSchema;

use super::{JobAnswer, find};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// How often it is looked whether the job has changed.
const LOOK: Duration = Duration::from_millis(500);
/// How long one watch lasts. The client then comes back by itself, and proves who it is once more.
const LOOKS: u32 = 2 * 60 * 5;

/// One server-sent event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the events of the stream, which are written as text")]
pub(crate) struct JobEvent {
    /// `job`.
    event: String,
    /// A job as JSON.
    data: String,
}

/// The job whenever it changes, as server-sent events called `job`, until it has ended. The stream also ends after five
/// minutes, when the server does, and when the organisation is disabled; a browser's `EventSource` then comes back by itself.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}/events", tag = "jobs", params(("job" = String, Path)),
    responses(
        (status = 200, description = "The job, each time it changed", content_type = "text/event-stream", body = JobEvent),
        (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn events(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(job): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let job = find(&state, &caller, &job).await?;
    let watch = Watch { state, caller, job: job.id, seen: None, looks: 0 };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(unfold(Some(watch), next)).keep_alive(keep_alive))
}

struct Watch {
    state: State,
    caller: Caller,
    job: JobId,
    seen: Option<JobAnswer>,
    looks: u32,
}

/// The next change, and the watch that goes on from there; none behind the job's end.
async fn next(watch: Option<Watch>) -> Option<(Result<Event, Infallible>, Option<Watch>)> {
    let mut watch = watch?;
    loop {
        watch.looks += 1;
        if watch.looks > LOOKS || *watch.state.announced.stopping.borrow() {
            return None;
        }
        let tenant = watch.caller.principal.tenant();
        if watch.state.app.control.is_tenant_disabled(tenant).await.ok()? {
            return None;
        }
        let row = watch.state.app.control.job(watch.caller.principal.grants(), watch.job).await.ok()?;
        let (has_ended, answer) = (row.state.has_ended(), JobAnswer::from(row));
        // A lease that is renewed is no news.
        let is_news = watch
            .seen
            .as_ref()
            .is_none_or(|seen| JobAnswer { changed_at: answer.changed_at.clone(), ..seen.clone() } != answer);
        if is_news {
            let event = Event::default().event("job").json_data(&answer).ok()?;
            watch.seen = Some(answer);
            return Some((Ok(event), (!has_ended).then_some(watch)));
        }
        tokio::time::sleep(LOOK).await;
    }
}
