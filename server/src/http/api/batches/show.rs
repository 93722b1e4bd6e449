//! Looking at a delivery.

use axum::Json;
use axum::extract::{Path, State as Extract};

use super::{DeliveryAnswer, answer, find};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// How far a delivery is: what has been received of its files, what is being done, and in the end its receipt or
/// the reason why it was rejected.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/batches/{batch}", tag = "deliveries",
    params(("study" = String, Path), ("batch" = String, Path)),
    responses((status = 200, body = DeliveryAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, batch)): Path<(String, String)>,
) -> Result<Json<DeliveryAnswer>, Problem> {
    let (engineer, row) = find(&state, &caller, (&study, &batch)).await?;
    answer(&state, &engineer, row).await.map(Json).map_err(|failure| caller.problem(failure))
}
