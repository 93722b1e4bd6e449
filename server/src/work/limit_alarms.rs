//! The alarms of a study's tolerance limits: what its snapshots said of each limit, and what people did about it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use control::{LimitAct, LimitActRow, NewLimitAct};
use flight::published::Visible;
use kernel::{Read, StudyScope};
use marts::tolerance::{Alarm, Occurrence, Verdict, after};

use super::Engineer;
use crate::app::App;
use crate::error::{Failure, Result};

/// Snapshots that an alarm looks back on.
const LOOKED_AT: usize = 24;

/// What one snapshot said of a limit.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) published_at: DateTime<Utc>,
    pub(crate) events: u64,
    pub(crate) units: u64,
    pub(crate) verdict: Verdict,
}

/// One limit of a study.
#[derive(Debug, Clone)]
pub(crate) struct LimitAlarm {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) expected: f64,
    pub(crate) secondary: f64,
    pub(crate) tolerated: f64,
    /// Oldest first; the last is what readers see.
    pub(crate) course: Vec<Said>,
    /// The verdict of each method now, with its statistic and its two limits.
    pub(crate) methods: Vec<MethodSaid>,
    pub(crate) acts: Vec<LimitActRow>,
    pub(crate) alarm: Alarm,
}

/// What one method says now.
#[derive(Debug, Clone)]
pub(crate) struct MethodSaid {
    pub(crate) method: String,
    pub(crate) statistic: Option<f64>,
    pub(crate) secondary: Option<f64>,
    pub(crate) limit: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// Every limit that the study's sources answer.
///
/// # Errors
/// When a snapshot or the acts cannot be read.
pub(crate) async fn read(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<Vec<LimitAlarm>> {
    let mut limits = now(app, scope, visible).await?;
    let rows = app.control.snapshots(scope).await?;
    let former = rows.into_iter().filter(|row| row.has_marts && row.seq < visible.row.seq);
    for row in former.take(LOOKED_AT) {
        let former = app.published.open(scope, row)?;
        for (id, said) in judged(app, scope, &former).await? {
            if let Some(limit) = limits.get_mut(&id) {
                limit.course.insert(0, said);
            }
        }
    }
    for act in app.control.limit_acts(scope).await? {
        if let Some(limit) = limits.get_mut(&act.limit) {
            limit.acts.push(act);
        }
    }
    let mut limits: Vec<LimitAlarm> = limits.into_values().collect();
    for limit in &mut limits {
        limit.alarm = state(limit);
    }
    Ok(limits)
}

/// Does what a person decided about an alarm.
///
/// # Errors
/// A refusal when the state of the alarm does not allow it, when no reason is given, and when somebody else was quicker.
pub(crate) async fn act(
    app: &App,
    engineer: &Engineer,
    visible: &Visible,
    (limit, act, reason): (&str, LimitAct, &str),
) -> Result<LimitActRow> {
    let scope = engineer.scope.to_read();
    let limits = read(app, &scope, visible).await?;
    let known = limits.iter().find(|known| known.id == limit);
    let known = known.ok_or_else(|| Failure::NotThere(format!("the limit `{limit}`")))?;
    known.alarm.after(occurrence(act)).map_err(|error| Failure::Usage(error.to_string()))?;
    let new = NewLimitAct {
        limit: limit.to_owned(),
        act,
        snapshot: visible.row.id,
        after: known.acts.last().map_or(0, |act| act.number),
        reason: reason.to_owned(),
    };
    Ok(app.control.act_on_limit(&engineer.actor, &engineer.scope, new, &engineer.trace).await?)
}

const fn occurrence(act: LimitAct) -> Occurrence {
    match act {
        LimitAct::Acknowledge => Occurrence::Acknowledged,
        LimitAct::Resolve => Occurrence::Resolved,
        LimitAct::Reopen => Occurrence::Reopened,
    }
}

/// The state that snapshots and people, in the order of time, have led to.
fn state(limit: &LimitAlarm) -> Alarm {
    let judged = limit.course.iter().map(|said| (said.published_at, Occurrence::Judged(said.verdict)));
    let acted = limit.acts.iter().map(|act| (act.acted_at, occurrence(act.act)));
    let mut all: Vec<(DateTime<Utc>, Occurrence)> = judged.chain(acted).collect();
    all.sort_by_key(|(at, _)| *at);
    after(all.into_iter().map(|(_, occurrence)| occurrence))
}

async fn now(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<BTreeMap<String, LimitAlarm>> {
    let rows = app.mart_rows.table(scope, visible, "mart_tolerance_limit").await?;
    let [ids, methods, titles, verdicts] =
        ["limit_id", "method", "title", "verdict"].map(|name| rows.texts(name));
    let [expected, tolerated, statistic, secondary, limit] =
        ["expected", "tolerated", "statistic", "secondary_limit", "limit"].map(|name| rows.numbers(name));
    let mut said = judged(app, scope, visible).await?;
    let mut limits: BTreeMap<String, LimitAlarm> = BTreeMap::new();
    for row in 0..rows.len() {
        let of = limits.entry(ids[row].clone()).or_insert_with(|| LimitAlarm {
            id: ids[row].clone(),
            title: titles[row].clone(),
            expected: expected[row].unwrap_or_default(),
            secondary: 0.0,
            tolerated: tolerated[row].unwrap_or_default(),
            course: said.remove(&ids[row]).into_iter().collect(),
            methods: Vec::new(),
            acts: Vec::new(),
            alarm: Alarm::Ok,
        });
        if methods[row] == "fixed" {
            of.secondary = secondary[row].unwrap_or_default();
        }
        of.methods.push(MethodSaid {
            method: methods[row].clone(),
            statistic: statistic[row],
            secondary: secondary[row],
            limit: limit[row],
            verdict: verdict(&verdicts[row]),
        });
    }
    Ok(limits)
}

/// What one snapshot said of each limit by its fixed shares.
async fn judged(app: &App, scope: &StudyScope<Read>, visible: &Visible) -> Result<BTreeMap<String, Said>> {
    let rows = app.mart_rows.table(scope, visible, "mart_tolerance_limit").await?;
    let [ids, methods, verdicts] = ["limit_id", "method", "verdict"].map(|name| rows.texts(name));
    let [events, units] = ["events", "units"].map(|name| rows.counts(name));
    let fixed = (0..rows.len()).filter(|row| methods[*row] == "fixed");
    let said = |row: usize| Said {
        published_at: visible.row.published_at,
        events: events[row],
        units: units[row],
        verdict: verdict(&verdicts[row]),
    };
    Ok(fixed.map(|row| (ids[row].clone(), said(row))).collect())
}

fn verdict(name: &str) -> Verdict {
    match name {
        "within" => Verdict::Within,
        "secondary" => Verdict::Secondary,
        "breach" => Verdict::Breach,
        _ => Verdict::TooFew,
    }
}
