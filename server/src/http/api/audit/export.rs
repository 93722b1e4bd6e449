//! A search of the ledger as a file, each event with its proof. That it was made is an event itself.

use axum::extract::{OriginalUri, State as Extract};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use control::AuditEvent;
use kernel::Audit;

use super::EventAnswer;
use crate::access_list::cell;
use crate::error::Failure;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::page::pairs;
use crate::http::problem::{Kind, Problem};

/// Events in one file: each has a proof of some kilobytes.
const EVENTS: usize = 500;

/// An event of an export.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct ProvenAnswer {
    /// The event.
    #[serde(flatten)]
    event: EventAnswer,
    /// The text of its `.tlog-proof` file, which `cairn audit verify --receipt` checks offline.
    proof: String,
}

/// The events of a search as a file, newest first, each with its proof: at most 500, and the rest by the header `Link`.
#[utoipa::path(
    get, path = "/api/v1/audit/export", tag = "audit",
    params(super::AuditParams, crate::http::openapi::PageParams,
        ("format" = Option<String>, Query, description = "`json`, or `csv` with the proof in base64")),
    responses(
        (status = 200, description = "The events with their proofs.", content(
            (Vec<ProvenAnswer> = "application/json"), (String = "text/csv")
        )),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn export(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    exported(&state, &caller, &uri).await
}

/// The same, for the page's links as well.
pub(crate) async fn exported(state: &State, caller: &Caller, uri: &Uri) -> Result<Response, Problem> {
    caller.everywhere::<Audit>(state).await?;
    let bad = |words: String| Problem::new(Kind::BadRequest, words, &caller.trace);
    let format = pairs(uri).into_iter().find(|(name, _)| name == "format").map(|(_, value)| value);
    let is_csv = match format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => return Err(bad(format!("`format` is `{other}`: give `json` or `csv`."))),
    };
    let paging = Paging::of(caller, uri)?;
    let page = super::page(state, caller, (uri, &paging, EVENTS)).await?;
    let seqs: Vec<u64> = page.items.iter().map(|event| event.seq).collect();
    let (control, link) = (&state.app.control, page.link());
    let proofs = control.audit_proofs(caller.principal.grants(), &seqs).await;
    let proofs = proofs.map_err(|error| caller.problem(error))?;
    let (body, kind, name) = if is_csv {
        (csv(&page.items, &proofs), "text/csv; charset=utf-8", "audit.csv")
    } else {
        let proven = page.items.into_iter().zip(proofs);
        let proven: Vec<_> =
            proven.map(|(event, proof)| ProvenAnswer { event: event.into(), proof }).collect();
        let text = serde_json::to_string_pretty(&proven);
        let text = text.map_err(|error| caller.problem(Failure::Lost(error.to_string())))?;
        (text, "application/json", "audit.json")
    };
    let hash = blake3::hash(body.as_bytes()).to_hex();
    let told = (seqs.len() as u64, if is_csv { "csv" } else { "json" }, hash.as_str());
    let recorded = control.record_ledger_export(&caller.principal, told, &caller.trace).await;
    recorded.map_err(|error| caller.problem(error))?;
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(Page::<()>::linked(link, response))
}

fn csv(events: &[AuditEvent], proofs: &[String]) -> String {
    use base64::Engine as _;
    let encode = |proof: &String| base64::engine::general_purpose::STANDARD.encode(proof);
    let mut text =
        "seq,event_id,at,action,outcome,actor,resource,trace_id,data,entry_hash,leaf,proof_base64\n"
            .to_owned();
    for (event, proof) in events.iter().zip(proofs) {
        let answer = EventAnswer::from(event.clone());
        let cells = [
            event.seq.to_string(),
            event.event_id.clone(),
            answer.at,
            answer.action,
            answer.outcome,
            answer.actor,
            answer.resource,
            answer.trace_id.unwrap_or_default(),
            answer.data.to_string(),
            answer.entry_hash,
            answer.leaf,
            encode(proof),
        ];
        text.push_str(&cells.map(|value| cell(&value)).join(","));
        text.push('\n');
    }
    text
}
