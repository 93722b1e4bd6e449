//! The checks of a study's data: counts and verdicts, and the rows that violate one.

use axum::Json;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::response::{IntoResponse, Response};
use control::{Amount, Outcome, TableRead};
use flight::published::Visible;
use kernel::{Read, StudyScope};
use serde::Serialize;
use utoipa::ToSchema;
use warehouse::quality::{
    CheckRow, FINDING_TABLE, Finding, Judgement, Thresholds, read_checks, read_findings,
};

use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::cursor::{Page, Paging};
use crate::http::problem::Problem;
use crate::work::blocking;

/// A check of the data's quality.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckAnswer {
    /// Its id.
    #[schema(example = "R-10")]
    pub(crate) check: String,
    /// The version of its meaning.
    pub(crate) version: u32,
    /// `conformance`, `completeness` or `plausibility`.
    pub(crate) category: String,
    /// The finer kind.
    pub(crate) subcategory: String,
    /// `error`, `warn` or `info`.
    pub(crate) severity: String,
    /// The entity.
    pub(crate) entity: String,
    /// The column that violations are shown at.
    pub(crate) column: String,
    /// What holds when nothing is violated.
    pub(crate) description: String,
    /// What to do about a violation.
    pub(crate) remedy: String,
    /// Rows it was asked of.
    pub(crate) denominator: u64,
    /// Rows that violate it.
    pub(crate) violations: u64,
    /// `fail`, `pass` or `not_applicable`, judged now.
    pub(crate) verdict: String,
    /// What it was judged by.
    pub(crate) threshold: Option<ThresholdAnswer>,
    /// Who checked.
    pub(crate) source: String,
}

/// A limit on violations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ThresholdAnswer {
    /// The version of its set.
    pub(crate) set: String,
    /// More violations than this fail.
    pub(crate) max_violations: Option<u64>,
    /// A larger share of violations than this fails.
    pub(crate) max_share: Option<f64>,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Why it is what it is.
    pub(crate) reason: String,
}

/// Rows that violate a check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingsAnswer {
    /// The check.
    pub(crate) check: CheckAnswer,
    /// The snapshot that was checked.
    pub(crate) snapshot: String,
    /// How many violating rows are kept; `violations` counts all.
    pub(crate) kept: u64,
    /// The first finding given here, from 0.
    pub(crate) offset: u64,
    /// The findings.
    pub(crate) findings: Vec<FindingAnswer>,
    /// Send it as `cursor` for the next page, which is of the same snapshot; none at the end. The header `Link` holds the whole
    /// address.
    pub(crate) next: Option<String>,
}

/// One row that violates a check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingAnswer {
    /// The entity.
    pub(crate) entity: String,
    /// Its subject.
    pub(crate) subject_id: Option<String>,
    /// Its site.
    pub(crate) site_id: Option<String>,
    /// The row of the unified model, in hexadecimal.
    pub(crate) row_id: Option<String>,
    /// The delivery it came with.
    pub(crate) batch: Option<String>,
    /// Its file, where that is known.
    pub(crate) source_file: Option<String>,
    /// Its row in that file, counted from 1.
    pub(crate) source_row: Option<u64>,
    /// The column.
    pub(crate) column: String,
    /// The value as text.
    pub(crate) value: Option<String>,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// The checks of a study's current snapshot with their counts, judged by the thresholds that hold now.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/quality", tag = "quality", params(("study" = String, Path), crate::http::openapi::PageParams),
    responses((status = 200, body = Vec<CheckAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Page<CheckAnswer>, Problem> {
    let scope = caller.read(&state, &study).await?;
    let visible = caller.visible(&state, &scope, None).await?;
    let (checks, thresholds) =
        checked(&state, &scope, &visible).await.map_err(|failure| caller.problem(failure))?;
    let page = Paging::of(&caller, &uri)?.cut(&caller, checks, |check| {
        format!("{} {} {} {}", check.check_id, check.entity, check.column, check.source)
    })?;
    Ok(page.map(|check| answer(check, &thresholds)))
}

/// The rows that violate one check. Values of subjects leave here: every read is an event of the ledger.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/quality/{check}", tag = "quality",
    params(("study" = String, Path), ("check" = String, Path), crate::http::openapi::PageParams),
    responses(
        (status = 200, body = FindingsAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, check)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let scope = caller.read(&state, &study).await?;
    let paging = Paging::of(&caller, &uri)?;
    let before = paging.rows_before(&caller)?;
    let visible = caller.visible(&state, &scope, before.map(|(snapshot, _)| snapshot)).await?;
    let (checks, thresholds) =
        checked(&state, &scope, &visible).await.map_err(|failure| caller.problem(failure))?;
    let Some(check) = checks.into_iter().find(|row| row.check_id == check) else {
        return Err(caller.refuse(&state, "no_such_check").await);
    };
    let read = TableRead {
        door: "http".into(),
        study: scope.study().clone(),
        snapshot: visible.row.id,
        table: FINDING_TABLE.into(),
        trace: caller.trace.clone(),
    };
    let (offset, limit) = (before.map_or(0, |(_, row)| row), paging.limit() as u64);
    let (storage, manifest, wanted) =
        (state.app.storage.clone(), visible.manifest.clone(), check.check_id.clone());
    let reading =
        blocking(move || Ok(read_findings(&storage, &scope, (&manifest, &wanted), (offset, limit))?));
    let findings = recorded(&state, &caller, read, reading).await?;
    let end = offset.saturating_add(findings.len() as u64);
    let more = (end < check.findings && !findings.is_empty()).then(|| paging.rows_from(visible.row.id, end));
    let (next, link) = more.unzip();
    let answer = FindingsAnswer {
        kept: check.findings,
        next,
        check: answer(check, &thresholds),
        snapshot: visible.row.id.to_string(),
        offset,
        findings: findings.into_iter().map(FindingAnswer::from).collect(),
    };
    Ok(Page::<()>::linked(link, Json(answer).into_response()))
}

/// The checks of a snapshot and what they are judged by.
pub(crate) async fn checked(
    state: &State,
    scope: &StudyScope<Read>,
    visible: &Visible,
) -> Result<(Vec<CheckRow>, Thresholds)> {
    let (storage, scope, manifest) = (state.app.storage.clone(), scope.clone(), visible.manifest.clone());
    blocking(move || {
        let thresholds = Thresholds::of(&storage.study(&scope))?;
        Ok((read_checks(&storage, &scope, &manifest)?, thresholds))
    })
    .await
}

/// Does the reading between the two events of the ledger, on a task of its own: a caller that goes away does not keep
/// the end of the read from the ledger.
pub(super) async fn recorded<T: Send + 'static>(
    state: &State,
    caller: &Caller,
    read: TableRead,
    reading: impl Future<Output = Result<Vec<T>>> + Send + 'static,
) -> Result<Vec<T>, Problem> {
    let (control, principal, trace) =
        (state.app.control.clone(), caller.principal.clone(), caller.trace.clone());
    let work = tokio::spawn(async move {
        let pull = control.read_started(&principal, read.clone()).await?;
        let rows = reading.await;
        let (count, outcome) = match &rows {
            Ok(rows) => (rows.len() as u64, Outcome::Success),
            Err(_) => (0, Outcome::Failed),
        };
        let amount = Amount { rows: count, bytes: 0 };
        control.read_finished(&principal, pull, read, amount, outcome).await?;
        rows
    });
    let done = work.await.unwrap_or_else(|error| Err(Failure::Lost(error.to_string())));
    done.map_err(|failure| Problem::of(&failure, &trace))
}

fn answer(check: CheckRow, thresholds: &Thresholds) -> CheckAnswer {
    let Judgement { verdict, set, threshold } = thresholds.judge(&check);
    let threshold = threshold.map(|threshold| ThresholdAnswer {
        set: set.to_owned(),
        max_violations: threshold.max_violations,
        max_share: threshold.max_share,
        owner: threshold.owner.clone(),
        reason: threshold.reason.clone(),
    });
    CheckAnswer {
        check: check.check_id,
        version: check.version,
        category: check.category,
        subcategory: check.subcategory,
        severity: check.severity,
        entity: check.entity,
        column: check.column,
        description: check.description,
        remedy: check.remedy,
        denominator: check.denominator,
        violations: check.violations,
        verdict: verdict.name().to_owned(),
        threshold,
        source: check.source,
    }
}

impl From<Finding> for FindingAnswer {
    fn from(finding: Finding) -> Self {
        Self {
            entity: finding.entity,
            subject_id: finding.subject_id,
            site_id: finding.site_id,
            row_id: finding.row_id,
            batch: finding.batch_id,
            source_file: finding.source_file,
            source_row: finding.source_row,
            column: finding.column,
            value: finding.value,
            message: finding.message,
        }
    }
}
