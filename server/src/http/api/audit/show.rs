//! One event, and its proof.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use control::{AuditEvent, ControlError};
use kernel::Audit;

use super::EventAnswer;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// One event of the ledger.
#[utoipa::path(
    get, path = "/api/v1/audit/{seq}", tag = "audit", params(("seq" = u64, Path, description = "The event's place in the log")),
    responses((status = 200, body = EventAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(seq): Path<String>,
) -> Result<Json<EventAnswer>, Problem> {
    Ok(Json(find(&state, &caller, &seq).await?.into()))
}

/// The event of that place.
pub(crate) async fn find(state: &State, caller: &Caller, seq: &str) -> Result<AuditEvent, Problem> {
    caller.everywhere::<Audit>(state).await?;
    let Ok(seq) = seq.parse() else { return Err(caller.refuse(state, "no_such_event").await) };
    match state.app.control.audit_event(caller.principal.grants(), seq).await {
        Ok(event) => Ok(event),
        Err(ControlError::Denied) => Err(caller.refuse(state, "no_such_event").await),
        Err(error) => Err(caller.problem(error)),
    }
}

/// The proof of one event, as a `.tlog-proof` file: whoever holds it needs neither this server nor its database, only the
/// log's verifier key (`cairn audit keys`). When no checkpoint covers the event yet, one is made.
#[utoipa::path(
    get, path = "/api/v1/audit/{seq}/proof", tag = "audit", params(("seq" = u64, Path, description = "The event's place in the log")),
    responses(
        (status = 200, description = "The proof (C2SP tlog-proof)", body = String, content_type = "text/plain"),
        (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn proof(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(seq): Path<String>,
) -> Result<Response, Problem> {
    proven(&state, &caller, &seq).await
}

/// The same, for the page's link as well.
pub(crate) async fn proven(state: &State, caller: &Caller, seq: &str) -> Result<Response, Problem> {
    let event = find(state, caller, seq).await?;
    let proofs = state.app.control.audit_proofs(caller.principal.grants(), &[event.seq]).await;
    let text = proofs.map_err(|error| caller.problem(error))?.concat();
    let mut response = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response();
    let name = format!("attachment; filename=\"event-{}.tlog-proof\"", event.seq);
    if let Ok(disposition) = HeaderValue::try_from(name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}
