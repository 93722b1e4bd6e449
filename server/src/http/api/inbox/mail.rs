//! Which messages of the caller's inbox also come by e-mail.

use axum::Json;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use control::{InboxMail, MailChoice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

/// What comes by e-mail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MailAnswer {
    /// `NONE`, `ALERTS` (what cannot wait: a ledger that does not verify) or `ALL`.
    #[schema(example = "ALERTS")]
    choice: String,
    /// Whether anything is sent: the server is set up for e-mail, and your administrators have not turned it off.
    sent: bool,
}

impl From<InboxMail> for MailAnswer {
    fn from(mail: InboxMail) -> Self {
        Self { choice: mail.choice.name().to_owned(), sent: mail.is_sent }
    }
}

/// What is to come by e-mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailOrder {
    /// `NONE`, `ALERTS` or `ALL`.
    #[schema(example = "ALL")]
    choice: String,
}

/// Which messages of your inbox also come to your address.
#[utoipa::path(
    get, path = "/api/v1/inbox/mail", tag = "inbox",
    responses((status = 200, body = MailAnswer), (status = 401, body = Problem))
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<MailAnswer>, Problem> {
    chosen(&state, &caller).await.map(Json)
}

/// Choose which messages of your inbox also come to your address. Nothing is sent while the server is not set up for it;
/// the choice is kept.
#[utoipa::path(
    put, path = "/api/v1/inbox/mail", tag = "inbox",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = MailOrder,
    responses((status = 200, body = MailAnswer), (status = 400, body = Problem), (status = 401, body = Problem))
)]
pub(crate) async fn choose(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, &once)).await
}

async fn done(state: &State, caller: &Caller, once: &Once) -> Result<Response, Problem> {
    let order: MailOrder = once.json(caller)?;
    let choice = MailChoice::from_name(&order.choice).ok_or_else(|| {
        let detail = "`choice` is not `NONE`, `ALERTS` or `ALL`.";
        Problem::new(Kind::BadRequest, detail, &caller.trace)
    })?;
    let principal = &caller.principal;
    let own = (principal.tenant(), principal.account());
    let kept = state.app.control.choose_mail(&principal.actor(), own, choice).await;
    kept.map_err(|error| caller.problem(error))?;
    Ok(Json(chosen(state, caller).await?).into_response())
}

async fn chosen(state: &State, caller: &Caller) -> Result<MailAnswer, Problem> {
    let principal = &caller.principal;
    let own = (principal.tenant(), principal.account());
    let mail = state.app.control.inbox_mail(&principal.actor(), own).await;
    mail.map(MailAnswer::from).map_err(|error| caller.problem(error))
}
