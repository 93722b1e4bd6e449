//! The ledger of the caller's tenant.

use axum::Json;
use axum::extract::{OriginalUri, State as Extract};
use axum::http::Uri;
use control::AuditEvent;
use kernel::Audit;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::text;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::{Kind, Problem};

/// Events of one page at most.
const EVENTS: usize = 500;

pub(crate) mod export;
pub(crate) mod review;
pub(crate) mod search;
pub(crate) mod show;

/// Which events.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `search::filter` reads")]
pub(crate) struct AuditParams {
    /// Only this action.
    #[param(example = "data.read.finished")]
    action: Option<String>,
    /// Only what this account did, by its id; `local` is the operator and `cairn` the program.
    actor: Option<String>,
    /// Only events about this study, or that name it.
    study: Option<String>,
    /// Only events about the thing of this id: an account, a job, a snapshot.
    resource: Option<String>,
    /// Only events that ended so: `success`, `denied` or `failed`.
    outcome: Option<String>,
    /// Only events of this day or instant and later.
    #[param(example = "2026-11-22")]
    from: Option<String>,
    /// Only events until the end of this day, or before this instant.
    to: Option<String>,
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

impl From<AuditEvent> for EventAnswer {
    fn from(event: AuditEvent) -> Self {
        Self {
            seq: event.seq,
            at: text(event.at),
            action: event.action,
            outcome: event.outcome,
            actor: format!("{}:{}", event.actor_type, event.actor_id),
            resource: format!("{}:{}", event.resource_type, event.resource_id),
            trace_id: event.trace_id,
            data: event.data,
            entry_hash: event.entry_hash,
            leaf: event.leaf,
        }
    }
}

/// Events of the ledger, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditParams, crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<EventAnswer>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<EventAnswer>, Problem> {
    caller.everywhere::<Audit>(&state).await?;
    let paging = Paging::of(&caller, &uri)?;
    Ok(page(&state, &caller, (&uri, &paging, EVENTS)).await?.map(EventAnswer::from))
}

/// A page of a search, of at most `most` events.
async fn page(
    state: &State,
    caller: &Caller,
    (uri, paging, most): (&Uri, &Paging, usize),
) -> Result<Page<AuditEvent>, Problem> {
    let bad = |words: String| Problem::new(Kind::BadRequest, words, &caller.trace);
    let mut filter = search::filter(uri).map_err(bad)?;
    let after = paging.after().map(str::parse).transpose();
    filter.before_seq = after.map_err(|_| Paging::lost(caller))?;
    let limit = paging.limit().min(most);
    filter.limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let events = state.app.control.audit_page(caller.principal.grants(), filter).await;
    let events = events.map_err(|error| caller.problem(error))?;
    let last =
        events.last().filter(|last| events.len() == limit && last.seq > 0).map(|last| last.seq.to_string());
    Ok(paging.page(events, last))
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
