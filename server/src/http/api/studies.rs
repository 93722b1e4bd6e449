//! The studies of the caller's tenant.

use axum::extract::{OriginalUri, State as Extract};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::Problem;

/// A study.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StudyAnswer {
    /// Its code.
    #[schema(example = "CDISCPILOT01")]
    pub(crate) study: String,
    /// Its title.
    pub(crate) title: String,
    /// The snapshot that is current, if one is published.
    pub(crate) snapshot: Option<String>,
    /// When that was published, in RFC 3339.
    pub(crate) published_at: Option<String>,
}

/// The studies this account may read, by code.
#[utoipa::path(
    get, path = "/api/v1/studies", tag = "studies", params(crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<StudyAnswer>), (status = 401, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<StudyAnswer>, Problem> {
    let paging = Paging::of(&caller, &uri)?;
    let studies = state.app.control.studies(caller.principal.grants()).await;
    let studies = studies.map_err(|error| caller.problem(error))?;
    let page = paging.cut(&caller, studies, |study| study.id.to_string())?;
    Ok(page.map(|study| StudyAnswer {
        study: study.id.to_string(),
        title: study.title,
        snapshot: study.current.as_ref().map(|row| row.id.to_string()),
        published_at: study.current.map(|row| row.published_at.to_rfc3339()),
    }))
}
