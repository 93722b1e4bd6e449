//! `/studies/{study}/limits`
use leptos::prelude::*;

use crate::component::definition::{definition_box, downloads};
use crate::component::document::{Document, Drawing};
use crate::component::empty::Empty;
use crate::component::frame::csrf_field;
use crate::component::limits::verdict_pill;
use crate::component::table::{head, scrolling};
use crate::view::{AlarmState, LimitMethod, LimitRow, LimitsView, Tab};
use crate::{format, link};

/// The tolerance limits of a study, the gravest alarm first.
#[must_use]
pub fn limits(view: &LimitsView) -> String {
    let mut sorted: Vec<&LimitRow> = view.limits.iter().collect();
    sorted.sort_by(|a, b| b.alarm.cmp(&a.alarm).then_with(|| a.title.cmp(&b.title)));
    let body = if sorted.is_empty() {
        nothing(view)
    } else {
        sorted.into_iter().map(|limit| section(view, limit)).collect_view().into_any()
    };
    let content = view! {
        <div class="page-head">
            <h1>"Tolerance limits of the study"</h1>
            <p><a class="button small" href=link::tab(view.frame.study_key(), Tab::Rbqm)>"Risk indicators"</a></p>
        </div>
        {overview(view)}
        {body}
        {not_applicable(view)}
        {downloads(&view.downloads)}
        {definition_box(&view.definition)}
    };
    Document { frame: &view.frame, title: "Tolerance limits", drawing: Drawing::None }
        .render(content.into_any())
}

fn overview(view: &LimitsView) -> AnyView {
    let count = |state| view.limits.iter().filter(|limit| limit.alarm == state).count() as u64;
    let said = format!(
        "{} exceeded and open, {} at the secondary limit, {} taken up, {} closed, {} without an alarm.",
        count(AlarmState::Breach),
        count(AlarmState::Warn),
        count(AlarmState::Acknowledged),
        count(AlarmState::Resolved),
        count(AlarmState::Ok)
    );
    view! { <p class="tally">{said}</p> }.into_any()
}

fn section(view: &LimitsView, limit: &LimitRow) -> AnyView {
    let (words, class) = alarm_pill(limit.alarm);
    let heading = format!("limit-{}", limit.id);
    let heading_id = heading.clone();
    let now = limit.course.last().copied().unwrap_or_default();
    let site = limit
        .largest_site
        .as_ref()
        .map(|(site, events)| format!(" Most at one site: {} at {site}.", format::count(*events)));
    let said = format!(
        "{} of {} ({}). Expected {}, secondary limit {}, limit {}. Definition: {}.{}",
        format::count(now.events),
        format::count(now.units),
        format::percent(share(now.events, now.units)),
        format::percent(limit.expected),
        format::percent(limit.secondary),
        format::percent(limit.tolerated),
        limit.version,
        site.unwrap_or_default()
    );
    view! {
        <section class="panel" aria-labelledby=heading>
            <h2 id=heading_id>{limit.title.clone()}" "<span class=class>{words}</span></h2>
            <p>{said}</p>
            {history(limit)}
            {acts(limit)}
            {view.may_act.then(|| forms(view, limit))}
            <details>
                <summary>"What each method says"</summary>
                {methods(limit)}
            </details>
        </section>
    }
    .into_any()
}

const fn alarm_pill(alarm: AlarmState) -> (&'static str, &'static str) {
    match alarm {
        AlarmState::Ok => ("no alarm", "pill good"),
        AlarmState::Warn => ("secondary limit", "pill high-amber"),
        AlarmState::Breach => ("limit exceeded", "pill high-red"),
        AlarmState::Acknowledged => ("taken up", "pill none"),
        AlarmState::Resolved => ("closed", "pill none"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of counts needs no more than 53 bits")]
fn share(events: u64, units: u64) -> f64 {
    events as f64 / units.max(1) as f64
}

fn history(limit: &LimitRow) -> Option<AnyView> {
    if limit.course.len() < 2 {
        return None;
    }
    let rows = limit.course.iter().rev().map(|said| {
        view! {
            <tr>
                <td class="nowrap">{format::instant(said.published_unix_s)}</td>
                <td class="num">{format!("{} of {}", format::count(said.events), format::count(said.units))}</td>
                <td class="num">{format::percent(share(said.events, said.units))}</td>
                <td>{verdict_pill(said.verdict)}</td>
            </tr>
        }
    });
    let label = format!("{} by snapshot, the newest first", limit.title);
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>{head("Snapshot", "")}{head("Counted", "num")}{head("Share", "num")}{head("Verdict", "")}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    };
    let folded = view! {
        <details>
            <summary>{format!("{} snapshots", limit.course.len())}</summary>
            {scrolling(label, table.into_any())}
        </details>
    };
    Some(folded.into_any())
}

fn acts(limit: &LimitRow) -> Option<AnyView> {
    if limit.acts.is_empty() {
        return None;
    }
    let lines = limit.acts.iter().map(|act| {
        let (at, iso) = (format::instant(act.at_unix_s), format::instant_iso(act.at_unix_s));
        view! { <li><time datetime=iso>{at}</time>{format!(": {}: {} ({})", act.act, act.reason, act.by)}</li> }
    });
    Some(view! { <ul class="soft">{lines.collect_view()}</ul> }.into_any())
}

/// The acts that the state of the alarm allows.
fn forms(view: &LimitsView, limit: &LimitRow) -> Option<AnyView> {
    let (act, word) = match limit.alarm {
        AlarmState::Ok => return None,
        AlarmState::Warn | AlarmState::Breach => ("acknowledge", "Take it up"),
        AlarmState::Acknowledged => ("resolve", "Close it"),
        AlarmState::Resolved => ("reopen", "Open it again"),
    };
    let id = format!("reason-{}", limit.id);
    let action = link::act_on_limit(view.frame.study_key(), &limit.id);
    let form = view! {
        <form class="filter" method="post" action=action aria-label=format!("{word}: {}", limit.title)>
            {csrf_field(view.frame.csrf.as_deref())}
            <input type="hidden" name="act" value=act/>
            <div class="field">
                <label for=id.clone()>"Reason, or what was done"</label>
                <input id=id name="reason" required=true maxlength="1000"/>
            </div>
            <div class="field-buttons"><button class="button primary" type="submit">{word}</button></div>
        </form>
    };
    Some(form.into_any())
}

fn methods(limit: &LimitRow) -> AnyView {
    let label = format!("{} by every method", limit.title);
    let table = view! {
        <table>
            <caption class="vh">{label.clone()}</caption>
            <thead><tr>
                {head("Method", "")}{head("Judged by", "num")}{head("Secondary limit", "num")}{head("Limit", "num")}
                {head("Verdict", "")}
            </tr></thead>
            <tbody>{limit.methods.iter().map(method).collect_view()}</tbody>
        </table>
    };
    scrolling(label, table.into_any())
}

fn method(said: &LimitMethod) -> AnyView {
    let (words, scale) = METHODS
        .iter()
        .find(|(name, ..)| *name == said.method)
        .map_or((said.method.as_str(), Scale::Number), |(_, words, scale)| (*words, *scale));
    let number = |value: Option<f64>| match (value, scale) {
        (None, _) => format::NO_VALUE.to_owned(),
        (Some(value), Scale::Share) => format::percent(value),
        (Some(value), Scale::Number) => format::rate(value),
    };
    view! {
        <tr>
            <th scope="row">{words.to_owned()}</th>
            <td class="num">{number(said.statistic)}</td>
            <td class="num">{number(said.secondary)}</td>
            <td class="num">{number(said.limit)}</td>
            <td>{verdict_pill(said.verdict)}</td>
        </tr>
    }
    .into_any()
}

#[derive(Clone, Copy)]
enum Scale {
    Share,
    Number,
}

const METHODS: [(&str, &str, Scale); 10] = [
    ("fixed", "The share itself", Scale::Share),
    ("deviations", "Standard deviations above the expected share", Scale::Share),
    ("exact", "Exact critical count", Scale::Number),
    ("shewhart", "Control chart: share of the last month's subjects", Scale::Share),
    ("cusum", "Control chart: cumulative sum", Scale::Number),
    ("ewma", "Control chart: weighted mean", Scale::Number),
    ("observed_minus_expected", "Events above the expected number", Scale::Number),
    ("posterior", "Probability that the true share is above the limit", Scale::Share),
    ("predictive", "Probability that the study ends above the limit", Scale::Share),
    ("hierarchical", "Probability that the share expected of a site is above the limit", Scale::Share),
];

fn not_applicable(view: &LimitsView) -> Option<AnyView> {
    if view.not_applicable.is_empty() {
        return None;
    }
    let said = format!(
        "{} not applicable",
        format::counted(view.not_applicable.len() as u64, "limit is", "limits are")
    );
    let lines = view.not_applicable.iter().map(|missing| {
        view! { <li>{format!("{} ({}): {}.", missing.title, missing.code, missing.reason)}</li> }
    });
    let folded = view! { <details><summary>{said}</summary><ul>{lines.collect_view()}</ul></details> };
    Some(folded.into_any())
}

fn nothing(view: &LimitsView) -> AnyView {
    Empty {
        title: "No tolerance limit can be judged",
        advice: "The sources hold no dispositions, deviations or visits, or the marts are not built yet."
            .to_owned(),
        command: None,
        link: Some((link::tab(view.frame.study_key(), Tab::Data), "See what was loaded")),
    }
    .render()
}
