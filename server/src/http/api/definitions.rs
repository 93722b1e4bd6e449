//! The definitions of a study's indicators and tolerance limits.

use axum::Json;
use axum::extract::{Path, State as Extract};
use control::DefinitionChangeRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::work::definitions::of_study;

pub(crate) mod change;

/// A definition as the next build will use it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DefinitionAnswer {
    /// The indicator or limit.
    #[schema(example = "kri0001")]
    pub(crate) definition: String,
    /// `indicator` or `limit`.
    pub(crate) kind: String,
    /// Its place in the catalogue.
    #[schema(example = "S1")]
    pub(crate) code: String,
    /// In words.
    pub(crate) title: String,
    /// Of an indicator: ascending.
    pub(crate) thresholds: Vec<f64>,
    /// Of an indicator: one for each interval between thresholds.
    pub(crate) flags: Vec<i8>,
    /// Of an indicator: one for each flag.
    pub(crate) weights: Vec<f64>,
    /// Of an indicator: what must reach the least before a group is judged.
    pub(crate) accrual_on: Option<String>,
    /// Of an indicator: the least; of a limit: the least units.
    pub(crate) accrual_least: f64,
    /// Of a limit: the share expected.
    pub(crate) expected: Option<f64>,
    /// Of a limit: the share at which an early word is due.
    pub(crate) secondary: Option<f64>,
    /// Of a limit: the share tolerated.
    pub(crate) tolerated: Option<f64>,
    /// Whether it is computed and shown.
    pub(crate) shown: bool,
    /// `shipped`, or who changed it last and how often.
    #[schema(example = "study 1")]
    pub(crate) version: String,
}

/// One change of a definition.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeAnswer {
    /// The indicator or limit.
    pub(crate) definition: String,
    /// The study; none is every study.
    pub(crate) study: Option<String>,
    /// 1 for the first change at that place.
    pub(crate) version: i64,
    /// What is changed since, as JSON; none takes everything back.
    pub(crate) change: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// Who.
    pub(crate) changed_by: String,
    /// When, in RFC 3339.
    pub(crate) changed_at: String,
}

impl From<DefinitionChangeRow> for ChangeAnswer {
    fn from(row: DefinitionChangeRow) -> Self {
        Self {
            definition: row.definition,
            study: row.study.map(|study| study.to_string()),
            version: row.version,
            change: row.change,
            reason: row.reason,
            changed_by: row.changed_by,
            changed_at: row.changed_at.to_rfc3339(),
        }
    }
}

/// Every definition, as the next build will use it.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/definitions", tag = "indicators", params(("study" = String, Path)),
    responses(
        (status = 200, body = Vec<DefinitionAnswer>), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
) -> Result<Json<Vec<DefinitionAnswer>>, Problem> {
    let scope = caller.build(&state, &study).await?.to_read();
    caller.require_published(&state, &scope).await?;
    let all = of_study(&state.app, &scope).await.map_err(|failure| caller.problem(failure))?;
    let mut answers: Vec<DefinitionAnswer> = Vec::new();
    for one in all.indicators() {
        answers.push(DefinitionAnswer {
            definition: one.id.clone(),
            kind: "indicator".to_owned(),
            code: one.code.clone(),
            title: one.title.clone(),
            thresholds: one.thresholds.clone(),
            flags: one.flags.clone(),
            weights: one.weights.clone(),
            accrual_on: Some(one.accrual.on.name().to_owned()),
            accrual_least: one.accrual.least,
            expected: None,
            secondary: None,
            tolerated: None,
            shown: one.shown,
            version: one.version.clone(),
        });
    }
    for one in all.limits() {
        answers.push(DefinitionAnswer {
            definition: one.id.clone(),
            kind: "limit".to_owned(),
            code: one.code.clone(),
            title: one.title.clone(),
            thresholds: Vec::new(),
            flags: Vec::new(),
            weights: Vec::new(),
            accrual_on: None,
            accrual_least: one.least_units,
            expected: Some(one.expected),
            secondary: Some(one.secondary()),
            tolerated: Some(one.tolerated),
            shown: one.shown,
            version: one.version.clone(),
        });
    }
    Ok(Json(answers))
}

/// The changes of one definition: those of every study first, then those of this one.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/definitions/{definition}/history", tag = "indicators",
    params(("study" = String, Path), ("definition" = String, Path)),
    responses(
        (status = 200, body = Vec<ChangeAnswer>), (status = 401, body = Problem), (status = 404, body = Problem)
    )
)]
pub(crate) async fn history(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, definition)): Path<(String, String)>,
) -> Result<Json<Vec<ChangeAnswer>>, Problem> {
    let scope = caller.build(&state, &study).await?.to_read();
    caller.require_published(&state, &scope).await?;
    let rows = state.app.control.definition_changes(&scope).await;
    let rows = rows.map_err(|error| caller.problem(error))?;
    Ok(Json(rows.into_iter().filter(|row| row.definition == definition).map(ChangeAnswer::from).collect()))
}
