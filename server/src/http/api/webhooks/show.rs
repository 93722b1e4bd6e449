//! One endpoint.

use axum::Json;
use axum::extract::{Path, State as Extract};

use super::{EndpointAnswer, id, problem};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// One endpoint.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{endpoint}", tag = "webhooks", params(("endpoint" = String, Path)),
    responses((status = 200, body = EndpointAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(endpoint): Path<String>,
) -> Result<Json<EndpointAnswer>, Problem> {
    let id = id(&state, &caller, &endpoint).await?;
    match state.app.control.webhook(&caller.principal.actor(), caller.principal.grants(), id).await {
        Ok(row) => Ok(Json(EndpointAnswer::of(&row, state.app.clock.now()))),
        Err(error) => Err(problem(&state, &caller, error).await),
    }
}
