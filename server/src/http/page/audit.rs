//! Who did what.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{OriginalUri, State as Extract};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Redirect};
use control::{AuditAction, AuditFilter, ControlError, LedgerStanding, VerifyReport};
use frontend::query::AuditQuery;
use frontend::view::{AuditEvent, AuditView, Choice, StandingFacts, Tab, Verification};
use kernel::Audit;
use serde::Deserialize;

use super::accounts::sentence;
use super::{Answer, Visit, pairs};
use crate::http::State;
use crate::http::api::audit::search::filter;
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
    page(&visit, &uri, None).await
}

async fn page(visit: &Visit<'_>, uri: &Uri, problem: Option<String>) -> Answer {
    let query = AuditQuery::from_pairs(&pairs(uri));
    let (filter, wrong) = match filter(uri) {
        Ok(filter) => (filter, None),
        Err(words) => (AuditFilter::default(), Some(words)),
    };
    let filter = AuditFilter { before_seq: query.before, limit: EVENTS_PER_PAGE, ..filter };
    let (control, grants) = (&visit.state.app.control, visit.caller.principal.grants());
    let events = control.audit_page(grants, filter).await;
    let events = events.map_err(|error| visit.fail(error))?;
    let names = control.audit_names(grants, &events).await.map_err(|error| visit.fail(error))?;
    let report =
        control.verify_tenant(visit.caller.principal.tenant()).await.map_err(|error| visit.fail(error))?;
    let standing = control.ledger_standing(grants).await.map_err(|error| visit.fail(error))?;
    let older = events.last().map(|event| event.seq).filter(|seq| *seq > 0);
    let mut frame = visit.frame(Some(Tab::Audit), None).await?;
    if problem.is_some() {
        frame.here = frontend::link::AUDIT.to_owned();
    }
    let view = AuditView {
        frame,
        query,
        actions: AuditAction::ALL
            .iter()
            .map(|action| Choice { key: action.name().to_owned(), label: action.name().to_owned() })
            .collect(),
        older_before: older.filter(|_| events.len() == EVENTS_PER_PAGE as usize),
        events: events.into_iter().map(|found| event(found, &names)).collect(),
        verification: verification(report, visit.state.app.clock.now().timestamp()),
        standing: facts(standing),
        problem: problem.or(wrong),
    };
    Ok(visit.page(frontend::page::audit(&view)))
}

/// What the form for a review sends.
#[derive(Debug, Deserialize)]
pub(crate) struct ReviewForm {
    first: u64,
    last: u64,
    #[serde(default)]
    remark: String,
}

/// `POST /audit/reviews`
pub(crate) async fn sign_off(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<ReviewForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let caller = visit.caller;
    caller.everywhere::<Audit>(&state).await.map_err(|problem| visit.refuse(&problem))?;
    let span = (form.first, form.last);
    let signed =
        state.app.control.sign_trail_review(&caller.principal, span, &form.remark, &caller.trace).await;
    match signed {
        Ok(()) => Ok(Redirect::to(frontend::link::AUDIT).into_response()),
        Err(error @ (ControlError::InvalidSpan | ControlError::InvalidText { .. })) => {
            page(&visit, &uri, Some(sentence(&error))).await
        }
        Err(error) => Err(visit.fail(error)),
    }
}

fn facts(standing: LedgerStanding) -> StandingFacts {
    StandingFacts {
        log: standing.log,
        newest: standing.size.saturating_sub(1),
        checkpoints: standing.checkpoints.into_iter().map(|(at, size)| (at.timestamp(), size)).collect(),
        cosignatures: standing.cosignatures,
        is_anchored: standing.is_anchored,
        verified: standing.verified.map(|(at, is_whole)| (at.timestamp(), is_whole)),
        reviewed: standing
            .reviewed
            .map(|span| (span.at.timestamp(), span.by, span.first, span.last, span.remark)),
    }
}

/// An event with the address of who acted, where it is known.
pub(super) fn event(event: control::AuditEvent, names: &BTreeMap<String, String>) -> AuditEvent {
    let by_id = || format!("{} {}", event.actor_type, event.actor_id);
    let detail = event.data.as_object().map(|facts| {
        let fact = |(name, value): (&String, &serde_json::Value)| {
            format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        facts.iter().map(fact).collect::<Vec<_>>().join(", ")
    });
    AuditEvent {
        sequence: event.seq,
        at_unix_s: event.at.timestamp(),
        actor: names.get(&event.actor_id).cloned().unwrap_or_else(by_id),
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
