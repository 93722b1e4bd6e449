//! Visits: what the protocol asks for, and when subjects come.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, NaiveTime};

use super::anomaly::AnomalyKind;
use super::calendar::{after, next_working_day, working_day};
use super::draw::{Draw, whole};
use super::history::{PlannedVisit, Visit};
use super::plan::Protocol;
use super::planting::{Mark, Planting};
use super::subject::Subject;
use super::world::World;

/// The protocol's visits: screening, baseline, and one for each week of the plan.
pub(super) fn schedule(protocol: &Protocol) -> Vec<PlannedVisit> {
    const STRICT_UNTIL_WEEK: u32 = 12;
    let screening = PlannedVisit {
        number: 1.0,
        name: Cow::Borrowed("Screening"),
        day: -14,
        window_lower: -14,
        window_upper: 13,
    };
    let baseline = PlannedVisit {
        number: 2.0,
        name: Cow::Borrowed("Baseline"),
        day: 1,
        window_lower: 0,
        window_upper: 0,
    };
    let week = |(number, week): (u32, &u32)| {
        let window = if *week <= STRICT_UNTIL_WEEK { 3 } else { 5 };
        PlannedVisit {
            number: f64::from(number),
            name: Cow::Owned(format!("Week {week}")),
            day: 7 * i64::from(*week) + 1,
            window_lower: -window,
            window_upper: window,
        }
    };
    let mut schedule = vec![screening, baseline];
    schedule.extend((3..).zip(&protocol.visit_weeks).map(week));
    schedule
}

/// The visit at which a subject is screened.
pub(super) fn screening<'w>(world: &'w World<'w>, date: NaiveDate) -> Visit<'w> {
    planned(&world.schedule[0], date)
}

/// A visit's name among records.
pub(super) fn visit_id(subject: &str, number: f64) -> String {
    format!("{subject}-V{number}")
}

/// What is planted at one due visit.
struct Planted<'w> {
    drift: Option<(&'w Planting, i64)>,
    sunday: Option<&'w Planting>,
    missed: Option<&'w Planting>,
    perfect: Option<&'w Planting>,
}

impl<'w> Planted<'w> {
    /// What concerns the visit that is due on a day, `progress` of the way from baseline (0) to the end (1).
    fn at(subject: &Subject<'w>, due: NaiveDate, progress: f64, draw: &mut Draw) -> Self {
        const CLUSTER_DAYS: i64 = 84;
        let (sunday, missed, perfect) = (draw.uniform(), draw.uniform(), draw.uniform());
        let on = |kind| subject.planted.on(kind, due);
        let drift =
            on(AnomalyKind::WindowDrift).map(|planting| (planting, whole(planting.magnitude * progress)));
        let chosen = |kind, u: f64| on(kind).filter(|planting| u < planting.magnitude);
        let cluster = chosen(AnomalyKind::MissedVisits, missed);
        Self {
            drift: drift.filter(|(_, days)| *days > 0),
            sunday: chosen(AnomalyKind::WeekdayVisits, sunday),
            missed: cluster.filter(|planting| due < after(planting.start, CLUSTER_DAYS)),
            perfect: chosen(AnomalyKind::PerfectAdherence, perfect),
        }
    }

    /// Those that move a visit which takes place.
    fn movers(&self) -> impl Iterator<Item = &'w Planting> {
        [self.drift.map(|(planting, _)| planting), self.sunday, self.perfect].into_iter().flatten()
    }
}

/// The visits of a subject who stays, from baseline on, and the day of the last one whether it was kept or not.
///
/// The deviation from the planned day has a Student distribution of 4 degrees around the site's own habit, a little
/// wider every week, and moves to the nearest working day.
// Source: clindata's visits: standard deviation 1.5 days at week 4 and 2.2 at week 32, 95 % within 3 days.
pub(super) fn draw<'w>(
    subject: &Subject<'w>,
    baseline: NaiveDate,
    marks: &mut Vec<Mark>,
) -> (Vec<Visit<'w>>, NaiveDate) {
    let (world, site, country) = (subject.world, subject.origin.site, subject.site.country.code);
    let missed = world.plan.rates.missed_visit * site.effects.missing;
    let mut draw = subject.body_stream("visits");
    let mut planting_draw = subject.stream("planted visits");
    let mut visits = vec![planned(&world.schedule[1], baseline)];
    let mut last = baseline;
    let due_visits = &world.schedule[2..];
    for (index, due) in due_visits.iter().enumerate() {
        let due_date = after(baseline, due.day - 1);
        let progress = (index + 1) as f64 / due_visits.len() as f64;
        let here = Planted::at(subject, due_date, progress, &mut planting_draw);
        let offset = site.effects.visit_days + offset_scale(due.day) * draw.student_t(4.0);
        let drift = here.drift.map_or(0, |(_, days)| days);
        let came = working_day(after(due_date, whole(offset).clamp(-7, 20) + drift), country);
        last = came.max(next_working_day(last, country));
        if here.perfect.is_some() && visits.last().is_none_or(|before| before.date < due_date) {
            last = due_date;
        } else if here.sunday.is_some() {
            last = sunday_from(last);
        }
        let id = visit_id(&subject.id, due.number);
        let takes_place = !draw.chance(missed);
        match here.missed.filter(|_| takes_place) {
            Some(planting) => marks.push(planting.mark_absent("visit", id, last)),
            None if takes_place => {
                marks.extend(here.movers().map(|planting| planting.mark("visit", id.clone(), last)));
                visits.push(Visit { is_made_up: here.perfect.is_some(), ..planned(due, last) });
            }
            None => {}
        }
        let called_back = draw.day(after(last, 3), after(last, 7));
        if draw.chance(world.plan.rates.unscheduled_visit) && here.perfect.is_none() {
            last = working_day(called_back, country).max(next_working_day(last, country));
            visits.push(unscheduled(due, last));
        }
    }
    (visits, last)
}

/// The scale of the deviation, in days, of a visit of a planned day.
fn offset_scale(planned_day: i64) -> f64 {
    // A Student distribution of 4 degrees has the variance 2.
    let sd = 1.5 + (planned_day - 29) as f64 * (0.7 / 196.0);
    sd.clamp(1.4, 3.0) / std::f64::consts::SQRT_2
}

fn sunday_from(day: NaiveDate) -> NaiveDate {
    after(day, (7 - i64::from(day.weekday().num_days_from_sunday())) % 7)
}

fn planned(due: &PlannedVisit, date: NaiveDate) -> Visit<'_> {
    Visit {
        number: due.number,
        name: Cow::Borrowed(&due.name),
        date,
        planned: Some(due),
        entered: date.and_time(NaiveTime::MIN),
        is_made_up: false,
    }
}

/// An unscheduled visit is numbered after the visit that it follows.
fn unscheduled(after: &PlannedVisit, date: NaiveDate) -> Visit<'static> {
    // One division of whole numbers gives the double nearest to the decimal.
    let number = (10.0 * after.number + 1.0) / 10.0;
    Visit {
        number,
        name: Cow::Owned(format!("Unscheduled {number:.1}")),
        date,
        planned: None,
        entered: date.and_time(NaiveTime::MIN),
        is_made_up: false,
    }
}
