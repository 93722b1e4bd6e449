//! A person's messages.

use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use control::{ControlError, Notice, NoticeId, NoticeRow};
use frontend::link;
use frontend::view::{InboxView, NoticeLine};

use super::{Answer, Visit, pairs};
use crate::http::State;
use crate::http::caller::Reader;

const PER_PAGE: u32 = 50;

/// `GET /inbox`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let principal = &visit.caller.principal;
    let own = (principal.tenant(), principal.account());
    let before = pairs(&uri).into_iter().find(|(key, _)| key == "before");
    let before = before.and_then(|(_, before)| before.parse().ok());
    let rows = state.app.control.inbox(&principal.actor(), own, (before, PER_PAGE)).await;
    let rows = rows.map_err(|error| visit.fail(error))?;
    let older = rows.last().map(|last| last.id.to_string());
    let view = InboxView {
        frame: visit.frame(None, None).await?,
        older_before: older.filter(|_| rows.len() == PER_PAGE as usize),
        notices: rows.iter().map(line).collect(),
    };
    Ok(visit.page(frontend::page::inbox(&view)))
}

/// `POST /inbox/read`.
pub(crate) async fn read_all(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    mark(&Visit::new(&state, &reader, &headers, &uri), None).await
}

/// `POST /inbox/{notice}/read`.
pub(crate) async fn read(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(notice): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    match notice.parse() {
        Ok(notice) => mark(&visit, Some(notice)).await,
        Err(_) => {
            let problem = visit.caller.refuse(&state, "no_such_notice").await;
            Err(visit.refuse(&problem))
        }
    }
}

async fn mark(visit: &Visit<'_>, notice: Option<NoticeId>) -> Answer {
    let principal = &visit.caller.principal;
    let own = (principal.tenant(), principal.account());
    match visit.state.app.control.mark_read(&principal.actor(), own, notice).await {
        Ok(()) => Ok(Redirect::to(link::INBOX).into_response()),
        Err(ControlError::Denied) => {
            let problem = visit.caller.refuse(visit.state, "no_such_notice").await;
            Err(visit.refuse(&problem))
        }
        Err(error) => Err(visit.fail(error)),
    }
}

fn line(row: &NoticeRow) -> NoticeLine {
    let data = &row.message["data"];
    let fact = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    let (about, href) = match row.notice {
        Notice::OwnJobFailed => {
            let about = [fact("kind"), fact("study")];
            (
                about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" of "),
                link::JOBS.to_owned(),
            )
        }
        Notice::WebhookFailed => (fact("resource_id"), link::webhook(&fact("resource_id"))),
        Notice::VerificationFailed => {
            (format!("event {}: {}", data["first_bad_event"], fact("found")), link::AUDIT.to_owned())
        }
    };
    NoticeLine {
        id: row.id.to_string(),
        text: row.notice.in_words().to_owned(),
        about,
        href,
        since_unix_s: row.created_at.timestamp(),
        is_read: row.read_at.is_some(),
    }
}
