//! Adverse events: how many, when, which and how bad, and which of them a site reports.

use chrono::NaiveDate;

use super::dataset::AdverseEventRow;
use super::draw::{Draw, after, whole};
use super::error::SimulateError;
use super::extract::Extract;
use super::page::{Desk, Field, Form, Page};
use super::site::Planting;
use super::subject::{Cause, Course, Subject};
use super::words::BODY_AREAS;

/// An adverse event as it happened.
struct Event {
    onset: NaiveDate,
    end: NaiveDate,
    area: &'static str,
    term: &'static str,
    grade: i64,
    serious: bool,
    related: bool,
    /// The day the site hears of it.
    heard: NaiveDate,
    /// Events that end a subject's stay are always reported.
    ends_stay: bool,
}

const LOG: Form = Form {
    code: "AE",
    fields: &[
        field("AETERM", "What happened"),
        field("AETOXGR", "Grade"),
        field("AESER", "Serious"),
        field("AESTDAT", "First day"),
        field("AEREL", "Related to treatment"),
    ],
};

const fn field(code: &'static str, label: &'static str) -> Field {
    Field { code, label, unit: None, may_lack: false }
}

/// Writes the adverse events that are reported and entered by the cut-off; returns how many would have been
/// there as well had the site reported them.
pub(super) fn write(
    subject: &Subject<'_>,
    planting: &Planting,
    desk: &mut Desk<'_>,
    extract: &mut Extract,
) -> Result<u64, SimulateError> {
    let Some(course) = subject.course() else { return Ok(0) };
    let mut reporting = subject.stream("adverse events reported");
    let mut not_reported = 0;
    for event in events(subject, course) {
        let reported = reporting.chance(planting.events_reported) || event.ends_stay;
        if reported {
            write_event(subject, &event, desk, extract)?;
        } else {
            not_reported += u64::from(subject.known(event.heard));
        }
    }
    Ok(not_reported)
}

/// The events of a stay, by onset. The count is negative binomial: Poisson around the product of a rate, the
/// subject's frailty and the site's, with more in the first four weeks.
fn events(subject: &Subject<'_>, course: Course) -> Vec<Event> {
    const DAYS_PER_YEAR: f64 = 365.25;
    const EARLY_DAYS: i64 = 28;
    // Over the 24 weeks of treatment the two factors average 1.
    const EARLY_FACTOR: f64 = 1.5;
    const LATE_FACTOR: f64 = 0.9;
    let rates = &subject.plan.rates;
    let mut draw = subject.stream("adverse events");
    let frailty = draw.frailty(rates.adverse_events_subject_variance) * subject.site.effects.adverse_events;
    let per_day = rates.adverse_events_per_year / DAYS_PER_YEAR * frailty;
    let late = after(course.baseline, EARLY_DAYS).min(after(course.end, 1));
    let stay = [(course.baseline, late, EARLY_FACTOR), (late, after(course.end, 1), LATE_FACTOR)];

    let mut events = Vec::new();
    for (first, past, factor) in stay {
        let days = (past - first).num_days() as f64;
        for _ in 0..draw.poisson(per_day * factor * days) {
            let onset = draw.day(first, after(past, -1));
            events.push(Event::draw(onset, None, &mut draw));
        }
    }
    match course.departure {
        Some(Cause::AdverseEvent) => events.push(Event::draw(course.end, Some(3), &mut draw)),
        Some(Cause::Death) => events.push(Event::draw(course.end, Some(5), &mut draw)),
        _ => {}
    }
    // The sort is stable, so that events of one day stay in the order in which they were drawn.
    events.sort_by_key(|event| event.onset);
    events
}

impl Event {
    /// An event of a day; with a grade it is the one that ends the stay.
    // Source: grades of 4,857 graded events of clindata, and the serious share within each.
    fn draw(onset: NaiveDate, grade: Option<i64>, draw: &mut Draw) -> Self {
        const GRADES: [f64; 4] = [3718.0, 1015.0, 112.0, 12.0];
        const SERIOUS: [f64; 5] = [0.005, 0.049, 0.55, 1.0, 1.0];
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
        Self {
            onset,
            end: if level == 4 { onset } else { end },
            area: area.name,
            term,
            grade: [1, 2, 3, 4, 5][level],
            serious,
            related: draw.chance(0.3),
            heard,
            ends_stay: grade.is_some(),
        }
    }
}

fn write_event(
    subject: &Subject<'_>,
    event: &Event,
    desk: &mut Desk<'_>,
    extract: &mut Extract,
) -> Result<(), SimulateError> {
    let yes_no = |yes: bool| if yes { "Y" } else { "N" };
    let values = vec![
        event.term.to_owned(),
        event.grade.to_string(),
        yes_no(event.serious).to_owned(),
        event.onset.to_string(),
        yes_no(event.related).to_owned(),
    ];
    let page = Page { form: &LOG, visit: "Adverse event log", visit_number: None, date: event.heard, values };
    let entered = desk.enter(&page, extract)?;
    if !subject.known(entered.date()) {
        return Ok(());
    }
    let over = subject.known(event.end);
    extract.adverse_events.push(AdverseEventRow {
        studyid: subject.study(),
        subjid: &subject.id,
        aeser: yes_no(event.serious),
        mdrpt_nsv: event.term,
        mdrsoc_nsv: event.area,
        aetoxgr: event.grade,
        aeongo: yes_no(!over),
        aerel: yes_no(event.related),
        aest_dt: event.onset,
        aeen_dt: over.then_some(event.end),
        mincreated_dts: entered,
    })
}
