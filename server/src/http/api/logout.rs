//! Logging out.

use axum::extract::State as Extract;
use axum::http::StatusCode;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// End the session of this request, with every token that was made from it.
#[utoipa::path(
    post, path = "/api/v1/logout", tag = "access",
    responses((status = 204, description = "The session and its tokens are of no use any more"), (status = 401, body = Problem))
)]
pub(crate) async fn logout(Extract(state): Extract<State>, caller: Caller) -> Result<StatusCode, Problem> {
    let ended = state.app.control.logout(&caller.principal, &caller.trace).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(|error| caller.problem(error))
}
