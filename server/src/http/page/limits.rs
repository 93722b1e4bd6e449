//! The tolerance limits of a study, as its pages show them, and acting upon their alarms.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{OriginalUri, Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use control::LimitAct;
use flight::published::Visible;
use frontend::link;
use frontend::view::{
    AlarmState, Definition, LimitActLine, LimitMethod, LimitRow, LimitSnapshot, LimitVerdict, LimitsView,
    NotApplicable, Tab, ToleranceLimit,
};
use kernel::{Build, Read, StudyScope};
use marts::tolerance::{Alarm, Verdict};
use serde::Deserialize;

use super::{Answer, Visit, definition_changes, signals};
use crate::app::App;
use crate::error::{Failure, Result};
use crate::http::State;
use crate::http::caller::Reader;
use crate::work::limit_alarms::{self, LimitAlarm, MethodSaid, Said};

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct ActForm {
    act: String,
    reason: String,
}

/// `GET /studies/{study}/limits`.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(study): Path<String>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let scope = visit.scope(&study).await?;
    let visible = visit.visible(&scope).await?;
    let read = limit_alarms::read(&state.app, &scope, &visible).await;
    let alarms = read.map_err(|failure| visit.fail(failure))?;
    let read = kept(&state.app, &scope, &visible).await;
    let kept = read.map_err(|failure| visit.fail(failure))?;
    let of_limits = |known: &str| known.starts_with("qtl");
    let changes = definition_changes::of(&state.app, &scope, of_limits).await;
    let changes = changes.map_err(|failure| visit.fail(failure))?;
    let grants = visit.caller.principal.grants();
    let view = LimitsView {
        frame: visit.frame(Some(Tab::Rbqm), Some((&scope, &visible.row))).await?,
        may_act: grants.scope::<Build>(scope.study()).is_ok(),
        limits: alarms.into_iter().map(|alarm| row(alarm, &kept)).collect(),
        not_applicable: kept.not_applicable,
        definition: Definition { changes, ..definition() },
        downloads: signals::downloads(&study, "mart_tolerance_limit"),
    };
    Ok(visit.page(frontend::page::limits(&view)))
}

/// `POST /studies/{study}/limits/{limit}`.
pub(crate) async fn act(
    Extract(state): Extract<State>,
    reader: Reader,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((study, limit)): Path<(String, String)>,
    Form(form): Form<ActForm>,
) -> Answer {
    let visit = Visit::new(&state, &reader, &headers, &uri);
    let engineer = visit.caller.engineer(&state, &study).await;
    let engineer = engineer.map_err(|problem| visit.refuse(&problem))?;
    let visible = visit.visible(&engineer.scope.to_read()).await?;
    let act = LimitAct::from_name(&form.act).ok_or_else(|| {
        visit.fail(Failure::Usage(
            "an alarm is acknowledged, resolved or reopened: `act` is none of these".into(),
        ))
    })?;
    let done = limit_alarms::act(&state.app, &engineer, &visible, (&limit, act, &form.reason)).await;
    match done {
        Ok(_) => Ok(Redirect::to(&link::limits(&study)).into_response()),
        Err(failure) => Err(visit.fail(failure)),
    }
}

/// What the snapshot says of limits besides their verdicts.
struct Kept {
    versions: BTreeMap<String, String>,
    not_applicable: Vec<NotApplicable>,
    /// The site that adds most events to each limit.
    largest: BTreeMap<String, (String, u64)>,
}

async fn kept(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Kept> {
    let rows = app.mart_rows.table(scope, visible, "mart_definition").await?;
    let [ids, kinds, codes, titles, needs, versions] =
        ["definition_id", "kind", "code", "title", "needs", "version"].map(|name| rows.texts(name));
    let [shown, answered] = ["is_shown", "is_answered"].map(|name| rows.truths(name));
    let limits: Vec<usize> = (0..rows.len()).filter(|row| kinds[*row] == "limit" && shown[*row]).collect();
    let missing = |row: &usize| NotApplicable {
        code: codes[*row].clone(),
        title: titles[*row].clone(),
        reason: format!("no source tells {}", needs[*row]),
    };
    let sites = app.mart_rows.table(scope, visible, "mart_tolerance_site").await?;
    let (of, names, events) = (sites.texts("limit_id"), sites.texts("site_id"), sites.counts("events"));
    let mut largest: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for row in (0..sites.len()).filter(|row| events[*row] > 0) {
        let known = largest.entry(of[row].clone()).or_default();
        if events[row] > known.1 {
            *known = (names[row].clone(), events[row]);
        }
    }
    Ok(Kept {
        versions: limits.iter().map(|row| (ids[*row].clone(), versions[*row].clone())).collect(),
        not_applicable: limits.iter().filter(|row| !answered[**row]).map(missing).collect(),
        largest,
    })
}

fn row(alarm: LimitAlarm, kept: &Kept) -> LimitRow {
    let act = |act: &control::LimitActRow| LimitActLine {
        act: act.act.name().to_owned(),
        reason: act.reason.clone(),
        by: act.acted_by.clone(),
        at_unix_s: act.acted_at.timestamp(),
    };
    LimitRow {
        expected: alarm.expected,
        secondary: alarm.secondary,
        tolerated: alarm.tolerated,
        alarm: match alarm.alarm {
            Alarm::Ok => AlarmState::Ok,
            Alarm::Warn => AlarmState::Warn,
            Alarm::Breach => AlarmState::Breach,
            Alarm::Acknowledged(_) => AlarmState::Acknowledged,
            Alarm::Resolved(_) => AlarmState::Resolved,
        },
        course: alarm.course.iter().map(said).collect(),
        methods: alarm.methods.iter().map(method).collect(),
        acts: alarm.acts.iter().map(act).collect(),
        largest_site: kept.largest.get(&alarm.id).cloned(),
        version: kept.versions.get(&alarm.id).cloned().unwrap_or_default(),
        id: alarm.id,
        title: alarm.title,
    }
}

fn said(said: &Said) -> LimitSnapshot {
    LimitSnapshot {
        published_unix_s: said.published_at.timestamp(),
        events: said.events,
        units: said.units,
        verdict: verdict(said.verdict),
    }
}

fn method(said: &MethodSaid) -> LimitMethod {
    LimitMethod {
        method: said.method.clone(),
        statistic: said.statistic,
        secondary: said.secondary,
        limit: said.limit,
        verdict: verdict(said.verdict),
    }
}

const fn verdict(verdict: Verdict) -> LimitVerdict {
    match verdict {
        Verdict::TooFew => LimitVerdict::TooFew,
        Verdict::Within => LimitVerdict::Within,
        Verdict::Secondary => LimitVerdict::Secondary,
        Verdict::Breach => LimitVerdict::Breach,
    }
}

fn definition() -> Definition {
    Definition {
        title: "Tolerance limits".to_owned(),
        summary: "The alarm follows the share itself: a warning goes by itself, a limit that was exceeded stays until \
                  somebody has taken it up and closed it. The other methods say how far chance may be behind it."
            .to_owned(),
        source: "ICH E6(R3) 3.10.1.3; gsm.qtl 1.3; rbqmR (docs/indicators.md)".to_owned(),
        ..Definition::default()
    }
}

/// Each limit of `mart_tolerance_limit` once: judged by its fixed limits, with the forecast beside them.
pub(crate) async fn read(
    app: &App,
    scope: &StudyScope<Read>,
    visible: &Visible,
) -> Result<Vec<ToleranceLimit>> {
    let rows = app.mart_rows.table(scope, visible, "mart_tolerance_limit").await?;
    let [ids, methods, titles, verdicts] =
        ["limit_id", "method", "title", "verdict"].map(|name| rows.texts(name));
    let [events, units] = ["events", "units"].map(|name| rows.counts(name));
    let [expected, tolerated, statistic] =
        ["expected", "tolerated", "statistic"].map(|name| rows.numbers(name));
    let forecast = |id: &str| {
        (0..rows.len())
            .find(|row| ids[*row] == id && methods[*row] == "predictive")
            .and_then(|row| statistic[row])
    };
    let limits = (0..rows.len()).filter(|row| methods[*row] == "fixed").map(|row| ToleranceLimit {
        title: titles[row].clone(),
        events: events[row],
        units: units[row],
        expected: expected[row].unwrap_or_default(),
        tolerated: tolerated[row].unwrap_or_default(),
        verdict: match verdicts[row].as_str() {
            "within" => LimitVerdict::Within,
            "secondary" => LimitVerdict::Secondary,
            "breach" => LimitVerdict::Breach,
            _ => LimitVerdict::TooFew,
        },
        chance_above: forecast(&ids[row]),
    });
    Ok(limits.collect())
}
