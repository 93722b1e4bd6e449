//! Emergency access to a study: asked for with a reason, over within the hour, reviewed within the day.

use axum::Json;
use axum::extract::State as Extract;
use chrono::{DateTime, SecondsFormat, Utc};
use control::{BreakGlassId, BreakGlassRow, ControlError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

pub(crate) mod end;
pub(crate) mod open;
pub(crate) mod review;

/// An emergency access.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakGlassAnswer {
    /// Its id.
    pub(crate) break_glass: String,
    /// Whose it is.
    pub(crate) account: String,
    /// Which study it opens.
    pub(crate) study: String,
    /// Why; none once the account was erased.
    pub(crate) reason: Option<String>,
    /// When it was opened, in RFC 3339.
    pub(crate) opened_at: String,
    /// When it ends by itself.
    pub(crate) ends_at: String,
    /// When it was ended before that.
    pub(crate) ended_at: Option<String>,
    /// Whether it opens the study at this moment.
    pub(crate) is_open: bool,
    /// When it has to be reviewed by.
    pub(crate) review_due_at: String,
    /// Whether that time has passed without a review.
    pub(crate) is_overdue: bool,
    /// When it was reviewed.
    pub(crate) reviewed_at: Option<String>,
    /// By whom.
    pub(crate) reviewed_by: Option<String>,
    /// `justified` or `unjustified`.
    pub(crate) verdict: Option<String>,
}

impl BreakGlassAnswer {
    fn of(row: &BreakGlassRow, now: DateTime<Utc>) -> Self {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let review = row.review.as_ref();
        Self {
            break_glass: row.id.to_string(),
            account: row.account.to_string(),
            study: row.study.to_string(),
            reason: row.reason.clone(),
            opened_at: text(row.opened_at),
            ends_at: text(row.ends_at),
            ended_at: row.ended_at.map(text),
            is_open: row.is_open(now),
            review_due_at: text(row.review_due_at),
            is_overdue: row.is_overdue(now),
            reviewed_at: review.map(|review| text(review.at)),
            reviewed_by: review.map(|review| review.by.to_string()),
            verdict: review.map(|review| review.verdict.name().to_owned()),
        }
    }
}

/// Emergency accesses, newest first: yours, and everybody's when you may review them.
#[utoipa::path(
    get, path = "/api/v1/break-glass", tag = "governed",
    responses((status = 200, body = Vec<BreakGlassAnswer>), (status = 401, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
) -> Result<Json<Vec<BreakGlassAnswer>>, Problem> {
    let principal = &caller.principal;
    let rows = state.app.control.break_glasses(&principal.actor(), principal.tenant()).await;
    let rows = rows.map_err(|error| caller.problem(error))?;
    let now = state.app.clock.now();
    Ok(Json(rows.iter().map(|row| BreakGlassAnswer::of(row, now)).collect()))
}

async fn id(state: &State, caller: &Caller, text: &str) -> Result<BreakGlassId, Problem> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Err(caller.refuse(state, "no_such_break_glass").await),
    }
}

/// The problem of an operation; what is not the caller's is as if it were not there, and that is recorded.
async fn problem(state: &State, caller: &Caller, error: ControlError) -> Problem {
    match error {
        ControlError::Denied => caller.refuse(state, "no_such_break_glass").await,
        error => caller.problem(error),
    }
}
