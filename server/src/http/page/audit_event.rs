//! One event of the ledger, its proof, and a search as a file.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::link;
use frontend::view::{AuditEventView, Tab};
use serde_json::Value;

use super::{Answer, Visit};
use crate::http::State;
use crate::http::api::audit::{export::exported, show};
use crate::http::caller::Reader;

/// `GET /audit/{seq}`
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(seq): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let found = show::find(&state, visit.caller, &seq).await.map_err(|problem| visit.refuse(&problem))?;
    let mut frame = visit.frame(Some(Tab::Audit), None).await?;
    frame.here = link::audit_event(found.seq);
    let (event_id, trace_id, leaf) = (found.event_id.clone(), found.trace_id.clone(), found.leaf.clone());
    let fact = |name: &str| found.data.get(name).map(in_words);
    let change = fact("before").zip(fact("after"));
    let facts = found.data.as_object().map(|facts| {
        let others = facts
            .iter()
            .filter(|(name, _)| change.is_none() || !["before", "after"].contains(&name.as_str()));
        others.map(|(name, value)| (name.replace('_', " "), in_words(value))).collect()
    });
    let facts = facts.unwrap_or_default();
    let control = &state.app.control;
    let names = control.audit_names(visit.caller.principal.grants(), std::slice::from_ref(&found)).await;
    let names = names.map_err(|error| visit.fail(error))?;
    let id = format!(" ({} {})", found.actor_type, found.actor_id);
    let mut event = super::audit::event(found, &names);
    if !names.is_empty() {
        event.actor.push_str(&id);
    }
    let view = AuditEventView { frame, event, event_id, trace_id, facts, change, leaf };
    Ok(visit.page(frontend::page::audit_event(&view)))
}

fn in_words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `GET /audit/{seq}/proof`
pub(crate) async fn proof(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(seq): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    show::proven(&state, visit.caller, &seq).await.map_err(|problem| visit.refuse(&problem))
}

/// `GET /audit/export`
pub(crate) async fn export(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    exported(&state, visit.caller, &uri).await.map_err(|problem| visit.refuse(&problem))
}
