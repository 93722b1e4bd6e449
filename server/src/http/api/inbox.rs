//! The caller's inbox.

use axum::Json;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use control::{ControlError, NoticeId, NoticeRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::webhooks::time;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

pub(crate) mod mail;

const MOST: u32 = 200;

/// Which notices.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxQuery {
    /// Only those older than this one: `next` of the page before.
    before: Option<String>,
    /// At most so many: 50 when nothing is said, up to 200.
    limit: Option<u32>,
}

/// A message in the caller's inbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeAnswer {
    /// Its id.
    #[schema(example = "019aa0b5-0a1b-7c2d-9e3f-4a5b6c7d8e9f")]
    notice: String,
    /// What it tells: `job.failed`, `webhook.delivery.failed`, `mail.delivery.failed` or `audit.verification.failed`.
    #[schema(example = "job.failed")]
    kind: String,
    /// The same in words.
    #[schema(example = "A job that you asked for failed")]
    text: String,
    /// The message, as a webhook would get it.
    #[schema(value_type = Object)]
    message: serde_json::Value,
    /// When it came.
    created_at: String,
    /// When it was read.
    read_at: Option<String>,
}

/// A page of the caller's inbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboxAnswer {
    /// How many notices are unread in all.
    unread: u64,
    /// Newest first.
    notices: Vec<NoticeAnswer>,
    /// Pass as `before` for the next page; absent on the last.
    next: Option<String>,
}

impl From<NoticeRow> for NoticeAnswer {
    fn from(row: NoticeRow) -> Self {
        Self {
            notice: row.id.to_string(),
            kind: row.notice.name().to_owned(),
            text: row.notice.in_words().to_owned(),
            message: row.message,
            created_at: time(row.created_at),
            read_at: row.read_at.map(time),
        }
    }
}

/// Your inbox, newest first.
#[utoipa::path(
    get, path = "/api/v1/inbox", tag = "inbox", params(InboxQuery),
    responses((status = 200, body = InboxAnswer), (status = 400, body = Problem), (status = 401, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Query(query): Query<InboxQuery>,
) -> Result<Json<InboxAnswer>, Problem> {
    let bad = |detail: &str| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let limit = query.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(bad("`limit` is a number from 1 to 200."));
    }
    let before = query.before.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| bad("`before` is the id of a notice: `next` of the page before."))?;
    let (principal, control) = (&caller.principal, &state.app.control);
    let (actor, own) = (principal.actor(), (principal.tenant(), principal.account()));
    let rows = control.inbox(&actor, own, (before, limit)).await.map_err(|error| caller.problem(error))?;
    let unread = control.unread_notices(&actor, own).await.map_err(|error| caller.problem(error))?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| is_full).map(|last| last.id.to_string());
    Ok(Json(InboxAnswer { unread, notices: rows.into_iter().map(NoticeAnswer::from).collect(), next }))
}

/// Mark a notice of yours as read. To mark it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/inbox/{notice}/read", tag = "inbox",
    params(("notice" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn read(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(notice): Path<String>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, mark(&state, &caller, &notice)).await
}

async fn mark(state: &State, caller: &Caller, notice: &str) -> Result<Response, Problem> {
    let Ok(notice) = notice.parse::<NoticeId>() else {
        return Err(caller.refuse(state, "no_such_notice").await);
    };
    let principal = &caller.principal;
    let own = (principal.tenant(), principal.account());
    match state.app.control.mark_read(&principal.actor(), own, Some(notice)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(ControlError::Denied) => Err(caller.refuse(state, "no_such_notice").await),
        Err(error) => Err(caller.problem(error)),
    }
}
