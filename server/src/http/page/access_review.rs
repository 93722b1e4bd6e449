//! Who has which access, and its sign-off.

use axum::Form;
use axum::extract::{OriginalUri, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use control::{AccessReview, AccountSummary, Actor, ControlError, Order, ReviewMark};
use frontend::link;
use frontend::view::{AccessLine, AccessReviewView, OwnedToken, Tab};
use serde::Deserialize;

use super::account::token_line;
use super::accounts::{admin, by_in_words, is_mendable, sentence};
use super::{Answer, Visit, pairs, role_in_words};
use crate::http::State;
use crate::http::api::access_review::as_file;
use crate::http::caller::Reader;

/// `GET /admin/access-review`, and as a file with `?format=csv`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    if pairs(&uri).iter().any(|(name, value)| name == "format" && value == "csv") {
        let review = state.app.control.access_review(&actor, visit.caller.principal.tenant()).await;
        return Ok(as_file(&review.map_err(|error| visit.fail(error))?));
    }
    page(&visit, &actor, None).await
}

async fn page(visit: &Visit<'_>, actor: &Actor, problem: Option<String>) -> Answer {
    let (control, tenant) = (&visit.state.app.control, visit.caller.principal.tenant());
    let review = control.access_review(actor, tenant).await.map_err(|error| visit.fail(error))?;
    let everybody = control.accounts(actor, tenant).await.map_err(|error| visit.fail(error))?;
    let mut frame = visit.frame(Some(Tab::Admin), None).await?;
    frame.here = link::ACCESS_REVIEW.to_owned();
    let view = view(&review, &everybody);
    Ok(visit.page(frontend::page::access_review(&AccessReviewView { frame, problem, ..view })))
}

fn view(review: &AccessReview, everybody: &[AccountSummary]) -> AccessReviewView {
    let last = review.last.as_ref().map(|last| {
        let by = format!("{}:{}", last.by.0, last.by.1);
        (last.at.timestamp(), by_in_words(Some(&by), everybody))
    });
    let entries = review.entries.iter().map(|entry| AccessLine {
        account: entry.account.to_string(),
        email: entry.email.clone(),
        is_enabled: entry.is_enabled,
        role: entry.held.grant.role.name().to_owned(),
        label: role_in_words(entry.held.grant.role).to_owned(),
        study: entry.held.grant.study.as_ref().map(ToString::to_string),
        since_unix_s: entry.held.granted_at.timestamp(),
        by: by_in_words(entry.held.granted_by.as_deref(), everybody),
        used_unix_s: entry.last_used_at.map(|at| at.timestamp()),
        marks: words(&entry.marks),
    });
    let tokens = review.tokens.iter().map(|entry| {
        let owner = (entry.token.account.to_string(), entry.email.clone());
        let token = token_line(&entry.token, review.at.timestamp());
        (OwnedToken { owner, token }, words(&entry.marks))
    });
    AccessReviewView {
        last,
        due_unix_s: review.due_at.timestamp(),
        is_overdue: review.is_overdue(),
        marked: review.marked() as u64,
        list_sha256: review.sha256.clone(),
        entries: entries.collect(),
        tokens: tokens.collect(),
        ..AccessReviewView::default()
    }
}

fn words(marks: &[ReviewMark]) -> Vec<String> {
    let word = |mark: &ReviewMark| match mark {
        ReviewMark::NeverUsed => "never used",
        ReviewMark::Unused => "not used for 90 days",
        ReviewMark::Disabled => "account disabled",
        ReviewMark::Expired => "expired",
    };
    marks.iter().map(|mark| word(mark).to_owned()).collect()
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct SignOffForm {
    list_sha256: String,
    #[serde(default)]
    reason: String,
}

/// `POST /admin/access-review/sign-off`
pub(crate) async fn sign_off(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Form(form): Form<SignOffForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let actor = admin(&visit).await?;
    let order = Order { actor: &actor, reason: Some(&form.reason), trace: Some(&visit.caller.trace) };
    let tenant = visit.caller.principal.tenant();
    match state.app.control.sign_access_review(order, tenant, &form.list_sha256).await {
        Ok(()) => Ok(Redirect::to(link::ACCESS_REVIEW).into_response()),
        Err(error) if is_mendable(&error) || matches!(error, ControlError::ReviewChanged) => {
            page(&visit, &actor, Some(sentence(&error))).await
        }
        Err(error) => Err(visit.fail(error)),
    }
}
