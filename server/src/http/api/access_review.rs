//! The review of access: who has what, and its sign-off.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{AccessReview, Order, ReviewMark};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{administrator, text};
use crate::access_list::csv;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};

/// In which form the review is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewParams {
    /// `json`, or `csv` for one line for each role and token.
    #[serde(default)]
    #[param(inline)]
    format: ReviewFormat,
}

/// The form of a review.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReviewFormat {
    /// One object.
    #[default]
    Json,
    /// Comma-separated text with a header.
    Csv,
}

/// Who has what at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewAnswer {
    /// The moment, in RFC 3339.
    at: String,
    /// When the last review was signed off; none when none was.
    reviewed_at: Option<String>,
    /// When the next one has to be.
    due_at: String,
    /// Whether that is over.
    overdue: bool,
    /// How many roles and tokens are marked.
    marked: usize,
    /// The hash of the list, to sign it off with.
    list_sha256: String,
    /// Roles, by e-mail address, role and study.
    grants: Vec<ReviewedGrant>,
    /// Tokens that were not revoked.
    tokens: Vec<ReviewedToken>,
}

/// A role of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewedGrant {
    account: String,
    email: String,
    enabled: bool,
    role: String,
    study: Option<String>,
    since: String,
    granted_by: Option<String>,
    last_used_at: Option<String>,
    /// `never_used`, `unused_90_days`, `account_disabled`.
    marks: Vec<String>,
}

/// A token of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewedToken {
    account: String,
    email: String,
    token: String,
    kind: String,
    label: String,
    created_at: String,
    ends_at: String,
    last_used_at: Option<String>,
    /// `never_used`, `unused_90_days`, `expired`.
    marks: Vec<String>,
}

fn names(marks: &[ReviewMark]) -> Vec<String> {
    marks.iter().map(|mark| mark.name().to_owned()).collect()
}

impl From<AccessReview> for ReviewAnswer {
    fn from(review: AccessReview) -> Self {
        Self {
            at: text(review.at),
            reviewed_at: review.last.as_ref().map(|last| text(last.at)),
            due_at: text(review.due_at),
            overdue: review.is_overdue(),
            marked: review.marked(),
            list_sha256: review.sha256,
            grants: review
                .entries
                .into_iter()
                .map(|entry| ReviewedGrant {
                    account: entry.account.to_string(),
                    email: entry.email,
                    enabled: entry.is_enabled,
                    role: entry.held.grant.role.name().to_owned(),
                    study: entry.held.grant.study.map(String::from),
                    since: text(entry.held.granted_at),
                    granted_by: entry.held.granted_by,
                    last_used_at: entry.last_used_at.map(text),
                    marks: names(&entry.marks),
                })
                .collect(),
            tokens: review
                .tokens
                .into_iter()
                .map(|entry| ReviewedToken {
                    account: entry.token.account.to_string(),
                    email: entry.email,
                    token: entry.token.id.to_string(),
                    kind: entry.token.kind.name().to_owned(),
                    label: entry.token.label,
                    created_at: text(entry.token.created_at),
                    ends_at: text(entry.token.ends_at),
                    last_used_at: entry.token.last_used_at.map(text),
                    marks: names(&entry.marks),
                })
                .collect(),
        }
    }
}

/// Who has which role and token in your organisation, since when, given by whom and when last used.
#[utoipa::path(
    get, path = "/api/v1/access-review", tag = "accounts", params(ReviewParams),
    responses(
        (status = 200, description = "The list, in the form that was asked for.", content(
            (ReviewAnswer = "application/json"), (String = "text/csv")
        )),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    query: Result<Query<ReviewParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let actor = administrator(&state, &caller).await?;
    let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
    let Query(params) = query.map_err(|rejected| bad(rejected.body_text()))?;
    let review = state.app.control.access_review(&actor, caller.principal.tenant()).await;
    let review = review.map_err(|error| caller.problem(error))?;
    Ok(match params.format {
        ReviewFormat::Json => Json(ReviewAnswer::from(review)).into_response(),
        ReviewFormat::Csv => as_file(&review),
    })
}

/// The list as a file to keep.
pub(crate) fn as_file(review: &AccessReview) -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"access-review.csv\""),
    ];
    (head, csv(review)).into_response()
}

/// What is signed off, and what the reviewer says of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignOffRequest {
    /// `list_sha256` of the list that was looked through.
    list_sha256: String,
    /// What came of it, in up to 200 characters, without naming a person: it stands in the ledger for ever.
    reason: String,
}

/// Sign the review off. Refused when access has changed since the list was made.
#[utoipa::path(
    post, path = "/api/v1/access-review/sign-off", tag = "accounts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = SignOffRequest,
    responses((status = 204, description = "It is signed off"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "Access has changed since the list was made", body = Problem))
)]
pub(crate) async fn sign_off(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
) -> Result<Response, Problem> {
    let work = async {
        let actor = administrator(&state, &caller).await?;
        let request: SignOffRequest = once.json(&caller)?;
        let order = Order { actor: &actor, reason: Some(&request.reason), trace: Some(&caller.trace) };
        let tenant = caller.principal.tenant();
        let signed = state.app.control.sign_access_review(order, tenant, &request.list_sha256).await;
        signed.map_err(|error| caller.problem(error))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    once.run(&state, &caller, work).await
}
