//! The ledger of the caller's tenant.

use axum::Json;
use axum::extract::{Query, State as Extract};
use control::AuditFilter;
use kernel::Audit;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Only this action.
    #[param(example = "data.read.finished")]
    pub(crate) action: Option<String>,
    /// Only events before this place: the last of the previous page.
    pub(crate) before: Option<u64>,
    /// How many, at most 500.
    pub(crate) limit: Option<u32>,
}

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventAnswer {
    /// Its place in the log.
    pub(crate) seq: u64,
    /// When, in RFC 3339.
    pub(crate) at: String,
    /// What was done.
    pub(crate) action: String,
    /// `success`, `denied` or `failed`.
    pub(crate) outcome: String,
    /// Who did it.
    pub(crate) actor: String,
    /// What it was done to.
    pub(crate) resource: String,
    /// The request it was part of.
    pub(crate) trace_id: Option<String>,
    /// Further facts.
    pub(crate) data: serde_json::Value,
    /// The hash of the entry, in hexadecimal.
    pub(crate) entry_hash: String,
    /// The exact text that was hashed.
    pub(crate) leaf: String,
}

/// Whether the log is whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerificationAnswer {
    /// The log's name.
    pub(crate) log: String,
    /// Whether nothing is wrong.
    pub(crate) intact: bool,
    /// How many events are proved good.
    pub(crate) size: u64,
    /// The hash of the last good event.
    pub(crate) last_hash: String,
    /// What is wrong first, in words.
    pub(crate) fault: Option<String>,
}

/// A page of the ledger, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditParams),
    responses((status = 200, body = Vec<EventAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Query(params): Query<AuditParams>,
) -> Result<Json<Vec<EventAnswer>>, Problem> {
    caller.everywhere::<Audit>(&state).await?;
    let filter =
        AuditFilter { action: params.action, before_seq: params.before, limit: params.limit.unwrap_or(100) };
    let events = state.app.control.audit_page(caller.principal.grants(), filter).await;
    let events = events.map_err(|error| caller.problem(error))?;
    let answer = events.into_iter().map(|event| EventAnswer {
        seq: event.seq,
        at: event.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        action: event.action,
        outcome: event.outcome,
        actor: format!("{}:{}", event.actor_type, event.actor_id),
        resource: format!("{}:{}", event.resource_type, event.resource_id),
        trace_id: event.trace_id,
        data: event.data,
        entry_hash: event.entry_hash,
        leaf: event.leaf,
    });
    Ok(Json(answer.collect()))
}

/// Re-hash the whole log of the caller's tenant.
#[utoipa::path(
    get, path = "/api/v1/audit/verification", tag = "audit",
    responses((status = 200, body = VerificationAnswer), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn verification(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<VerificationAnswer>, Problem> {
    caller.everywhere::<Audit>(&state).await?;
    let report = state.app.control.verify_tenant(caller.principal.tenant()).await;
    let report = report.map_err(|error| caller.problem(error))?;
    Ok(Json(VerificationAnswer {
        intact: report.is_intact(),
        log: report.log,
        size: report.size,
        last_hash: report.last_hash,
        fault: report.fault.map(|fault| format!("event {}: {}", fault.index, fault.kind)),
    }))
}
