//! The tolerance limits of a study with their alarms.

use axum::Json;
use axum::extract::{Path, State as Extract};
use axum::response::{IntoResponse, Response};
use control::LimitAct;
use kernel::{Read, StudyScope};
use marts::tolerance::{Alarm, Severity, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::State;
use crate::http::caller::Caller;
use crate::http::idempotency::Once;
use crate::http::problem::{Kind, Problem};
use crate::work::limit_alarms::{self, LimitAlarm};

/// A limit and its alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitAnswer {
    /// The limit.
    #[schema(example = "qtl_ineligible")]
    pub(crate) limit: String,
    /// In words.
    pub(crate) title: String,
    /// What was counted.
    pub(crate) events: u64,
    /// Of what.
    pub(crate) units: u64,
    /// The share expected.
    pub(crate) expected: f64,
    /// The share at which an early word is due.
    pub(crate) secondary: f64,
    /// The share tolerated.
    pub(crate) tolerated: f64,
    /// `too_few`, `within`, `secondary` or `breach`: what the snapshot says.
    pub(crate) verdict: String,
    /// `ok`, `warn`, `breach`, `acknowledged` or `resolved`: what has become of it.
    pub(crate) alarm: String,
    /// Of an alarm that was taken up or closed: `warning` or `breach`.
    pub(crate) severity: Option<String>,
    /// The probability that the study ends above the limit, where its size is planned.
    pub(crate) chance_above: Option<f64>,
    /// What people did, oldest first.
    pub(crate) acts: Vec<ActAnswer>,
}

/// What somebody did about an alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActAnswer {
    /// `acknowledge`, `resolve` or `reopen`.
    pub(crate) act: String,
    /// Why.
    pub(crate) reason: String,
    /// Who.
    pub(crate) acted_by: String,
    /// When, in RFC 3339.
    pub(crate) acted_at: String,
}

/// What is to be done about an alarm.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActOrder {
    /// `acknowledge`, `resolve` or `reopen`.
    #[schema(example = "acknowledge")]
    act: String,
    /// Why, or what was done.
    reason: String,
}

impl From<&LimitAlarm> for LimitAnswer {
    fn from(limit: &LimitAlarm) -> Self {
        let now = limit.course.last();
        let (alarm, severity) = match limit.alarm {
            Alarm::Ok => ("ok", None),
            Alarm::Warn => ("warn", None),
            Alarm::Breach => ("breach", None),
            Alarm::Acknowledged(severity) => ("acknowledged", Some(severity)),
            Alarm::Resolved(severity) => ("resolved", Some(severity)),
        };
        let predictive = limit.methods.iter().find(|said| said.method == "predictive");
        Self {
            limit: limit.id.clone(),
            title: limit.title.clone(),
            events: now.map_or(0, |said| said.events),
            units: now.map_or(0, |said| said.units),
            expected: limit.expected,
            secondary: limit.secondary,
            tolerated: limit.tolerated,
            verdict: match now.map_or(Verdict::TooFew, |said| said.verdict) {
                Verdict::TooFew => "too_few",
                Verdict::Within => "within",
                Verdict::Secondary => "secondary",
                Verdict::Breach => "breach",
            }
            .to_owned(),
            alarm: alarm.to_owned(),
            severity: severity.map(|severity| match severity {
                Severity::Warning => "warning".to_owned(),
                Severity::Breach => "breach".to_owned(),
            }),
            chance_above: predictive.and_then(|said| said.statistic),
            acts: limit
                .acts
                .iter()
                .map(|act| ActAnswer {
                    act: act.act.name().to_owned(),
                    reason: act.reason.clone(),
                    acted_by: act.acted_by.clone(),
                    acted_at: act.acted_at.to_rfc3339(),
                })
                .collect(),
        }
    }
}

/// The tolerance limits that the study's sources answer.
#[utoipa::path(
    get, path = "/api/v1/studies/{study}/limits", tag = "indicators", params(("study" = String, Path)),
    responses((status = 200, body = Vec<LimitAnswer>), (status = 401, body = Problem), (status = 404, body = Problem))
)]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Path(study): Path<String>,
) -> Result<Json<Vec<LimitAnswer>>, Problem> {
    let scope = caller.read(&state, &study).await?;
    Ok(Json(read(&state, &caller, &scope).await?.iter().map(LimitAnswer::from).collect()))
}

async fn read(state: &State, caller: &Caller, scope: &StudyScope<Read>) -> Result<Vec<LimitAlarm>, Problem> {
    let visible = caller.visible(state, scope, None).await?;
    limit_alarms::read(&state.app, scope, &visible).await.map_err(|failure| caller.problem(failure))
}

/// Take an alarm up, close it, or open it again.
#[utoipa::path(
    post, path = "/api/v1/studies/{study}/limits/{limit}", tag = "indicators",
    params(("study" = String, Path), ("limit" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    request_body = ActOrder,
    responses(
        (status = 200, body = Vec<LimitAnswer>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)
    )
)]
pub(crate) async fn act(
    Extract(state): Extract<State>,
    caller: Caller,
    Path((study, limit)): Path<(String, String)>,
    once: Once,
) -> Result<Response, Problem> {
    once.run(&state, &caller, done(&state, &caller, (&study, &limit), &once)).await
}

async fn done(
    state: &State,
    caller: &Caller,
    (study, limit): (&str, &str),
    once: &Once,
) -> Result<Response, Problem> {
    let engineer = caller.engineer(state, study).await?;
    let scope = engineer.scope.to_read();
    let visible = caller.visible(state, &scope, None).await?;
    let order: ActOrder = once.json(caller)?;
    let act = LimitAct::from_name(&order.act).ok_or_else(|| {
        let said = "`act` is not `acknowledge`, `resolve` or `reopen`.";
        Problem::new(Kind::BadRequest, said.to_owned(), &caller.trace)
    })?;
    let done = limit_alarms::act(&state.app, &engineer, &visible, (limit, act, &order.reason)).await;
    done.map_err(|failure| caller.problem(failure))?;
    let answers = read(state, caller, &scope).await?;
    Ok(Json(answers.iter().map(LimitAnswer::from).collect::<Vec<_>>()).into_response())
}
