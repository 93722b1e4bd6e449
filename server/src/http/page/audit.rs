//! Who did what.

use axum::extract::{OriginalUri, State as Extract};
use axum::http::HeaderMap;
use control::{AuditAction, AuditFilter, VerifyReport};
use frontend::query::AuditQuery;
use frontend::view::{AuditEvent, AuditView, Choice, Tab, Verification};
use kernel::Audit;

use super::{Answer, Visit, pairs};
use crate::http::State;
use crate::http::caller::Reader;

const EVENTS_PER_PAGE: u32 = 100;

/// `GET /audit`: a page of the ledger, which is verified as a whole on the way.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let allowed = visit.caller.everywhere::<Audit>(&state).await;
    allowed.map_err(|problem| visit.refuse(&problem))?;
    let query = AuditQuery::from_pairs(&pairs(&uri));
    let filter =
        AuditFilter { action: query.action.clone(), before_seq: query.before, limit: EVENTS_PER_PAGE };
    let control = &state.app.control;
    let events = control.audit_page(visit.caller.principal.grants(), filter).await;
    let events = events.map_err(|error| visit.fail(error))?;
    let report =
        control.verify_tenant(visit.caller.principal.tenant()).await.map_err(|error| visit.fail(error))?;
    let older = events.last().map(|event| event.seq).filter(|seq| *seq > 0);
    let view = AuditView {
        frame: visit.frame(Some(Tab::Audit), None).await?,
        query,
        actions: AuditAction::ALL
            .iter()
            .map(|action| Choice { key: action.name().to_owned(), label: action.name().to_owned() })
            .collect(),
        older_before: older.filter(|_| events.len() == EVENTS_PER_PAGE as usize),
        events: events.into_iter().map(event).collect(),
        verification: verification(report, state.app.clock.now().timestamp()),
    };
    Ok(visit.page(frontend::page::audit(&view)))
}

fn event(event: control::AuditEvent) -> AuditEvent {
    let detail = event.data.as_object().map(|facts| {
        let fact = |(name, value): (&String, &serde_json::Value)| {
            format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        facts.iter().map(fact).collect::<Vec<_>>().join(", ")
    });
    AuditEvent {
        sequence: event.seq,
        at_unix_s: event.at.timestamp(),
        actor: format!("{} {}", event.actor_type, event.actor_id),
        action: event.action,
        object: format!("{} {}", event.resource_type, event.resource_id),
        outcome: event.outcome,
        detail: detail.unwrap_or_default(),
        leaf_hash: event.entry_hash,
    }
}

fn verification(report: VerifyReport, now_unix_s: i64) -> Verification {
    match report.fault {
        None => Verification::Verified {
            entries: report.size,
            head: report.last_hash,
            checked_unix_s: now_unix_s,
        },
        Some(fault) => Verification::Broken { sequence: fault.index, reason: fault.kind.to_string() },
    }
}
