//! Changing a definition, and taking changes back.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};
use marts::Change;
use marts::indicators::AccrualOn;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ChangeAnswer;
use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};
use crate::work::definitions::{Wanted, set};

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeOrder {
    /// Why. It is kept with the change and in the ledger.
    #[schema(example = "agreed in the monitoring plan, version 2")]
    reason: String,
    /// In every study of the organisation that does not say otherwise.
    #[serde(default)]
    everywhere: bool,
    /// Of an indicator: ascending.
    thresholds: Option<Vec<f64>>,
    /// Of an indicator: -2 to 2, one for each interval between thresholds.
    flags: Option<Vec<i8>>,
    /// Of an indicator: one for each flag.
    weights: Option<Vec<f64>>,
    /// Of an indicator: `numerator`, `denominator` or `difference`.
    accrual_on: Option<String>,
    /// Of an indicator: the least.
    accrual_least: Option<f64>,
    /// Of a limit: the share expected.
    expected: Option<f64>,
    /// Of a limit: the share at which an early word is due.
    secondary: Option<f64>,
    /// Of a limit: the share tolerated.
    tolerated: Option<f64>,
    /// Of a limit: below so many units no verdict is given.
    least_units: Option<f64>,
    /// Whether it is computed and shown.
    shown: Option<bool>,
}

/// Taking back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetOrder {
    /// Why.
    reason: String,
    /// What holds in every study.
    #[serde(default)]
    everywhere: bool,
}

/// Change a definition. Its marts are due with the next build.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/definitions/{definition}", tag = "indicators",
    params(("study" = String, Path), ("definition" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ChangeOrder,
    responses(
        (status = 200, body = ChangeAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn change(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, definition)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let wanted = async {
        let scope = caller.build(&state, &study).await?;
        caller.require_published(&state, &scope.to_read()).await?;
        let order: ChangeOrder = once.json(&caller)?;
        let (reason, everywhere) = (order.reason.clone(), order.everywhere);
        let wanted = Wanted::Changed(order.change(&caller)?);
        done(&state, &caller, (&study, &definition), (wanted, &reason, everywhere)).await
    };
    once.run(&state, &caller, wanted).await
}

/// Take back what was changed of a definition.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/definitions/{definition}/reset", tag = "indicators",
    params(("study" = String, Path), ("definition" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ResetOrder,
    responses(
        (status = 200, body = ChangeAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub(crate) async fn reset(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, definition)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    let wanted = async {
        let scope = caller.build(&state, &study).await?;
        caller.require_published(&state, &scope.to_read()).await?;
        let order: ResetOrder = once.json(&caller)?;
        done(&state, &caller, (&study, &definition), (Wanted::Reset, &order.reason, order.everywhere)).await
    };
    once.run(&state, &caller, wanted).await
}

async fn done(
    state: &State,
    caller: &Caller,
    (study, definition): (&str, &str),
    (wanted, reason, everywhere): (Wanted, &str, bool),
) -> Result<Response, Problem> {
    let engineer = caller.engineer(state, study).await?;
    if everywhere {
        caller.everywhere::<kernel::Build>(state).await?;
    }
    let grants = everywhere.then(|| caller.principal.grants());
    let set = set(&state.app, &engineer, grants, (definition, wanted, reason)).await;
    let row = set.map_err(|failure| caller.problem(failure))?;
    Ok(Json(ChangeAnswer::from(row)).into_response())
}

impl ChangeOrder {
    fn change(self, caller: &Caller) -> Result<Change, Problem> {
        let known = [AccrualOn::Numerator, AccrualOn::Denominator, AccrualOn::Difference];
        let accrual_on = match self.accrual_on {
            None => None,
            Some(name) => Some(known.into_iter().find(|on| on.name() == name).ok_or_else(|| {
                let said = "`accrual_on` is not `numerator`, `denominator` or `difference`.";
                Problem::new(Kind::BadRequest, said.to_owned(), &caller.trace)
            })?),
        };
        Ok(Change {
            thresholds: self.thresholds,
            flags: self.flags,
            weights: self.weights,
            accrual_on,
            accrual_least: self.accrual_least,
            expected: self.expected,
            secondary: self.secondary,
            tolerated: self.tolerated,
            least_units: self.least_units,
            shown: self.shown,
        })
    }
}
