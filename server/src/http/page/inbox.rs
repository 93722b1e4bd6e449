//! A person's messages.

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use control::{ControlError, InboxMail, MailChoice, NoticeId, NoticeRow};
use frontend::link;
use frontend::view::{InboxView, MailLine, NoticeLine};
use serde::Deserialize;

use super::{Answer, Visit, pairs};
use crate::http::State;
use crate::http::caller::Reader;
use crate::http::problem::{Kind, Problem};
use crate::notices::{Told, told};

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
    let mail = state.app.control.inbox_mail(&principal.actor(), own).await;
    let view = InboxView {
        frame: visit.frame(None, None).await?,
        mail: choices(mail.map_err(|error| visit.fail(error))?),
        older_before: older.filter(|_| rows.len() == PER_PAGE as usize),
        notices: rows.iter().map(line).collect(),
    };
    Ok(visit.page(frontend::page::inbox(&view)))
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct MailForm {
    choice: String,
}

/// `POST /inbox/mail`: what comes by e-mail too.
pub(crate) async fn choose_mail(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<MailForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let principal = &visit.caller.principal;
    let own = (principal.tenant(), principal.account());
    let Some(choice) = MailChoice::from_name(&form.choice) else {
        let detail = "The choice is none: it is `NONE`, `ALERTS` or `ALL`.";
        return Err(visit.refuse(&Problem::new(Kind::BadRequest, detail, &visit.caller.trace)));
    };
    let chosen = state.app.control.choose_mail(&principal.actor(), own, choice).await;
    chosen.map_err(|error| visit.fail(error))?;
    Ok(Redirect::to(link::INBOX).into_response())
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
    let Told { text, about, path } = told(row.notice, &row.message["data"]);
    NoticeLine {
        id: row.id.to_string(),
        text: text.to_owned(),
        about,
        href: path,
        since_unix_s: row.created_at.timestamp(),
        is_read: row.read_at.is_some(),
    }
}

/// What can be chosen, in words.
fn choices(mail: InboxMail) -> Option<MailLine> {
    let word = |choice| match choice {
        MailChoice::None => "nothing",
        MailChoice::Alerts => "alerts: a ledger that does not verify",
        MailChoice::All => "every message",
    };
    mail.is_sent.then(|| MailLine {
        chosen: mail.choice.name().to_owned(),
        choices: MailChoice::ALL.map(|choice| (choice.name().to_owned(), word(choice).to_owned())).to_vec(),
    })
}
