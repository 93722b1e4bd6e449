//! Sites against indicators.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use frontend::query::RbqmQuery;
use frontend::view::{RbqmView, Tab};

use super::{Answer, Visit, limits, pairs, signals};
use crate::http::State;
use crate::http::caller::Reader;

/// `GET /studies/{study}/rbqm`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let query = RbqmQuery::from_pairs(&pairs(&uri));
    let wanted = signals::Comparison {
        level: query.level,
        method: query.method.clone(),
        domain: query.domain.clone(),
    };
    let read = signals::compared(&state.app, &scope, &visible, &wanted).await;
    let read = read.map_err(|failure| visit.fail(failure))?;
    let limits = limits::read(&state.app, &scope, &visible).await.map_err(|failure| visit.fail(failure))?;
    let view = RbqmView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&scope, &visible.row))).await?,
        query,
        levels: read.levels,
        indicators: read.indicators,
        sites: read.sites,
        not_applicable: read.not_applicable,
        limits,
        definition: signals::definition_of_risk(),
        downloads: signals::downloads(&study, wanted.table()),
        limit_downloads: signals::downloads(&study, "mart_tolerance_limit"),
    };
    Ok(visit.page(frontend::page::rbqm(&view)))
}
