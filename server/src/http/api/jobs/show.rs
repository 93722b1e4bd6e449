//! Looking at a job.

use axum::Json;
use axum::extract::{Path, State as Extract};

use super::{JobAnswer, find};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// How far a job is, and what came of it.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job}", tag = "jobs", params(("job" = String, Path)),
    responses((status = 200, body = JobAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(job): Path<String>,
) -> Result<Json<JobAnswer>, Problem> {
    Ok(Json(find(&state, &caller, &job).await?.into()))
}
