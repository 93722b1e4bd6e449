//! The studies of a tenant.

use axum::extract::{OriginalUri, State as Extract};
use axum::http::HeaderMap;
use frontend::view::{StudiesView, StudyRow};
use kernel::Read;

use super::{Answer, Visit, signals, snapshot_line};
use crate::app::App;
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::{Caller, Reader};

/// `GET /studies`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let frame = visit.frame(None, None).await?;
    let studies = rows(&state.app, visit.caller).await.map_err(|failure| visit.fail(failure))?;
    let command = || "cairn ingest --tenant <tenant> --study <study> <files>".to_owned();
    let view = StudiesView { frame, studies, ingest_command: visit.may_build().then(command) };
    Ok(visit.page(frontend::page::studies(&view)))
}

async fn rows(app: &App, caller: &Caller) -> Result<Vec<StudyRow>> {
    let grants = caller.principal.grants();
    let mut rows = Vec::new();
    for study in app.control.studies(grants).await? {
        let scope =
            grants.scope::<Read>(&study.id).map_err(|denied| Failure::NotThere(denied.to_string()))?;
        let mut row = StudyRow {
            key: study.id.to_string(),
            label: study.id.to_string(),
            title: study.title.clone(),
            ..StudyRow::default()
        };
        if let Some(visible) = app.published.current(&scope).await? {
            let signals = signals::read(app, &scope, &visible).await?;
            row.site_count = signals.sites.len() as u64;
            row.subject_count = signals.sites.iter().map(|site| site.subject_count).sum();
            row.snapshot = Some(snapshot_line(&visible.row));
            let calls = || frontend::site_call::site_calls(&signals.indicators, &signals.sites).len() as u64;
            row.sites_to_call = visible.manifest.has_marts().then(calls);
        }
        rows.push(row);
    }
    Ok(rows)
}
