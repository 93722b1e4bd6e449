//! Adverse events: how many, when, which and how bad, and which of them a site reports.

use chrono::NaiveDate;

use super::anomaly::AnomalyKind;
use super::calendar::after;
use super::draw::{Draw, whole};
use super::entry::{Answer, Desk, Order};
use super::history::{Cause, Course, Event, History, Page, Value};
use super::planting::Planting;
use super::subject::Subject;
use super::words::BODY_AREAS;

const DAYS_PER_YEAR: f64 = 365.25;
const EARLY_DAYS: i64 = 28;
// Over 24 weeks of treatment the two factors average 1.
const EARLY_FACTOR: f64 = 1.5;
const LATE_FACTOR: f64 = 0.9;
/// How much more often the active arm has events, against less in the other: they average 1.
const ARM_EFFECT: f64 = 0.05;

/// Grades 1 to 4 of clindata's 4,857 graded events.
pub(super) const GRADES: [f64; 4] = [3718.0, 1015.0, 112.0, 12.0];
/// The share of serious events within grades 1 to 5 of the same.
const SERIOUS: [f64; 5] = [0.005, 0.049, 0.55, 1.0, 1.0];

/// An adverse event as it happened, and what is planted on it.
struct Happening<'w> {
    event: Event,
    /// Events that end a subject's stay are always reported.
    ends_stay: bool,
    invented_by: Option<&'w Planting>,
}

/// The reported events and their pages, in the order in which the site hears of them; the events are then put in
/// the order of entry.
pub(super) fn draw<'w>(history: &History<'w>, desk: &mut Desk<'_, 'w>) -> (Vec<Event>, Vec<Page<'w>>) {
    let Some(course) = history.stay() else { return (Vec::new(), Vec::new()) };
    let subject = &history.subject;
    let mut happenings = happenings(subject, course);
    happenings.extend(inventions(subject, course));
    // The sort is stable, so that events of one day stay in the order in which they were drawn.
    happenings.sort_by_key(|happening| happening.event.heard);
    let mut reporting = subject.stream("adverse events reported");
    let (mut events, mut pages) = (Vec::new(), Vec::new());
    for (place, happening) in happenings.into_iter().enumerate() {
        let (report, grading) = (reporting.uniform(), reporting.uniform());
        if let Some(planting) = silenced(subject, &happening, report) {
            let record = format!("{}-unreported-{}", subject.id, place + 1);
            desk.note(planting.mark_absent("ae", record, happening.event.heard));
            continue;
        }
        let mut event = Event { id: format!("{}-AE-{}", subject.id, events.len() + 1), ..happening.event };
        let coded = subject.planted.on(AnomalyKind::GradeMiscoding, event.onset);
        let coded = coded.filter(|planting| grading < planting.magnitude && event.grade > 1);
        pages.push(enter(subject, &mut event, coded, desk));
        for planting in [happening.invented_by, coded].into_iter().flatten() {
            desk.note(planting.mark("ae", event.id.clone(), event.entered.date()));
        }
        events.push(event);
    }
    events.sort_by(|a, b| {
        a.entered.cmp(&b.entered).then_with(|| a.id.len().cmp(&b.id.len()).then(a.id.cmp(&b.id)))
    });
    (events, pages)
}

/// The planting that keeps an event from being reported.
fn silenced<'w>(subject: &Subject<'w>, happening: &Happening<'w>, report: f64) -> Option<&'w Planting> {
    if happening.ends_stay || happening.invented_by.is_some() {
        return None;
    }
    let on = |kind| subject.planted.on(kind, happening.event.onset);
    let under = on(AnomalyKind::AeUnderReporting).filter(|planting| report < planting.magnitude);
    under.or_else(|| on(AnomalyKind::CountryShift).filter(|planting| report < 1.0 - planting.magnitude))
}

/// The events of a stay. The count is negative binomial: Poisson around the product of a rate, the subject's frailty
/// and the site's, with more in the first four weeks.
fn happenings<'w>(subject: &Subject<'w>, course: Course) -> Vec<Happening<'w>> {
    let mut draw = subject.body_stream("adverse events");
    let per_day = rate_per_day(subject);
    let mut found = occurrences(per_day, course, course.baseline, &mut draw);
    let last = match course.departure {
        Some(Cause::AdverseEvent) => Some(3),
        Some(Cause::Death) => Some(5),
        _ => None,
    };
    found.extend(last.map(|grade| (draw_event(course.end, Some(grade), &mut draw), true)));
    let happening = |(event, ends_stay)| Happening { event, ends_stay, invented_by: None };
    found.into_iter().map(happening).collect()
}

/// Events that a site makes up, or that a country has beyond the others.
fn inventions<'w>(subject: &Subject<'w>, course: Course) -> Vec<Happening<'w>> {
    let mut found = Vec::new();
    for kind in [AnomalyKind::AeOverReporting, AnomalyKind::CountryShift] {
        let Some(planting) = subject.planted.find(kind) else { continue };
        let mut draw = subject.stream(&format!("planted {kind}"));
        let more = rate_per_day(subject) * (planting.magnitude - 1.0).max(0.0);
        let invented = occurrences(more, course, planting.start, &mut draw);
        let happening = |(event, ends_stay)| Happening { event, ends_stay, invented_by: Some(planting) };
        found.extend(invented.into_iter().map(happening));
    }
    found
}

fn rate_per_day(subject: &Subject<'_>) -> f64 {
    let arm = match subject.arm {
        super::subject::Arm::Active => 1.0 + ARM_EFFECT,
        super::subject::Arm::Placebo => 1.0 - ARM_EFFECT,
    };
    let rates = &subject.world.plan.rates;
    rates.adverse_events_per_year / DAYS_PER_YEAR
        * subject.frailty
        * subject.site.effects.adverse_events
        * arm
}

/// Events with onset in a stay, from a day on.
fn occurrences(per_day: f64, course: Course, from: NaiveDate, draw: &mut Draw) -> Vec<(Event, bool)> {
    let past = after(course.end, 1);
    let turn = after(course.baseline, EARLY_DAYS).min(past);
    let mut found = Vec::new();
    for (first, past, factor) in [(course.baseline, turn, EARLY_FACTOR), (turn, past, LATE_FACTOR)] {
        let first = first.max(from);
        let days = (past - first).num_days().max(0) as f64;
        for _ in 0..draw.poisson(per_day * factor * days) {
            let onset = draw.day(first, after(past, -1));
            found.push((draw_event(onset, None, draw), false));
        }
    }
    found
}

/// An event of a day; with a grade it is the one that ends the stay. Preferred terms follow Zipf's law within the
/// parts of the body.
fn draw_event(onset: NaiveDate, grade: Option<i64>, draw: &mut Draw) -> Event {
    const ZIPF: [f64; 5] = [1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0];
    const DAYS_MEDIAN: f64 = 7.0;
    const HEARD_DAYS_MEDIAN: f64 = 4.0;
    let area = &BODY_AREAS[draw.weighted(BODY_AREAS.iter().map(|area| area.weight))];
    let term = area.terms[draw.weighted(ZIPF.into_iter())];
    let drawn = draw.weighted(GRADES.into_iter());
    let level = grade.and_then(|grade| usize::try_from(grade - 1).ok()).unwrap_or(drawn).min(4);
    let serious = draw.chance(SERIOUS[level]);
    let end = after(onset, whole(draw.log_normal(DAYS_MEDIAN, 1.0)));
    // A serious event is heard of at once.
    let heard_days = whole(draw.log_normal(HEARD_DAYS_MEDIAN, 0.8));
    let heard = after(onset, if serious { heard_days.min(1) } else { heard_days });
    Event {
        id: String::new(),
        onset,
        end: if level == 4 { onset } else { end },
        area: area.name,
        term,
        grade: [1, 2, 3, 4, 5][level],
        serious,
        related: draw.chance(0.3),
        fatal: level == 4,
        heard,
        entered: heard.and_time(chrono::NaiveTime::MIN),
    }
}

/// Enters the page of an event, which gets its recorded grade and its moment of entry.
fn enter<'w>(
    subject: &Subject<'w>,
    event: &mut Event,
    coded_by: Option<&'w Planting>,
    desk: &mut Desk<'_, 'w>,
) -> Page<'w> {
    let yes_no = |yes: bool| Value::Text(if yes { "Y" } else { "N" });
    let recorded = if coded_by.is_some() { 1 } else { event.grade };
    let grade = Answer {
        recorded: Value::Whole(recorded),
        altered_by: coded_by,
        ..Answer::of(Value::Whole(event.grade))
    };
    let answers = vec![
        Answer::of(Value::Text(event.term)),
        grade,
        Answer::of(yes_no(event.serious)),
        Answer::of(Value::Day(event.onset)),
        Answer::of(yes_no(event.related)),
    ];
    let late = subject.planted.on(AnomalyKind::SaeLateEntry, event.onset).filter(|_| event.serious);
    let page = desk.enter(Order {
        id: event.id.clone(),
        visit: "Adverse event log".into(),
        kept_back: late.map(|planting| (planting, whole(planting.magnitude))),
        ..Order::log(&subject.world.forms.adverse_event, event.heard, answers)
    });
    event.grade = recorded;
    event.entered = page.entered;
    if let Some(planting) = late {
        desk.note(planting.mark("ae", event.id.clone(), page.entered.date()));
    }
    page
}
