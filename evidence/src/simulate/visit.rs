//! Visits: what the protocol asks for, and when subjects come.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::dataset::{ScheduleRow, VisitRow};
use super::draw::{Draw, after, whole, working_day};
use super::error::SimulateError;
use super::extract::Extract;
use super::plan::StudyPlan;
use super::site::Site;
use super::subject::Subject;

/// A visit of the protocol. Day 1 is the baseline visit, and there is no day 0.
pub(super) struct PlannedVisit {
    pub(super) number: f64,
    pub(super) name: &'static str,
    pub(super) day: i64,
    /// Days before the planned day that are still in time, not above 0.
    pub(super) window_lower: i64,
    /// Days after the planned day that are still in time.
    pub(super) window_upper: i64,
}

/// A visit that took place.
pub(super) struct Visit {
    pub(super) number: f64,
    pub(super) name: Cow<'static, str>,
    pub(super) date: NaiveDate,
    /// None for an unscheduled visit.
    pub(super) planned: Option<&'static PlannedVisit>,
}

/// The protocol's visits.
pub(super) const SCHEDULE: [PlannedVisit; 9] = [
    PlannedVisit { number: 1.0, name: "Screening", day: -14, window_lower: -14, window_upper: 13 },
    PlannedVisit { number: 2.0, name: "Baseline", day: 1, window_lower: 0, window_upper: 0 },
    week(3.0, "Week 2", 2, 3),
    week(4.0, "Week 4", 4, 3),
    week(5.0, "Week 8", 8, 3),
    week(6.0, "Week 12", 12, 3),
    week(7.0, "Week 16", 16, 5),
    week(8.0, "Week 20", 20, 5),
    week(9.0, "Week 24", 24, 5),
];

/// Days from baseline to the last planned visit.
pub(super) const TREATMENT_DAYS: i64 = 24 * 7;

/// Days from screening to the last visit, with the windows.
pub(super) const LONGEST_STAY_DAYS: i64 = 28 + TREATMENT_DAYS + 5;

const fn week(number: f64, name: &'static str, week: i64, window: i64) -> PlannedVisit {
    PlannedVisit { number, name, day: 7 * week + 1, window_lower: -window, window_upper: window }
}

/// The visit at which a subject is screened.
pub(super) fn screening(date: NaiveDate) -> Visit {
    planned(&SCHEDULE[0], date)
}

/// The visits of a subject who stays, from baseline on, and the day of the last one whether it was kept or not.
///
/// The deviation from the planned day has a Student distribution of 4 degrees, with 95 % of it within 3 days,
/// and moves to the nearest working day.
pub(super) fn draw(
    plan: &StudyPlan,
    site: &Site,
    baseline: NaiveDate,
    draw: &mut Draw,
) -> (Vec<Visit>, NaiveDate) {
    const OFFSET_DAYS_SCALE: f64 = 3.0 / 2.776;
    let missed = plan.rates.missed_visit * site.effects.missing;
    let mut visits = vec![planned(&SCHEDULE[1], baseline)];
    let mut last = baseline;
    for due in &SCHEDULE[2..] {
        let offset = site.effects.visit_days + OFFSET_DAYS_SCALE * draw.student_t(4.0);
        let came = working_day(after(baseline, due.day - 1 + whole(offset).clamp(-7, 20)));
        last = came.max(next_working_day(last));
        if !draw.chance(missed) {
            visits.push(planned(due, last));
        }
        let called_back = draw.day(after(last, 3), after(last, 7));
        if draw.chance(plan.rates.unscheduled_visit) {
            last = working_day(called_back);
            // One division of whole numbers gives the double nearest to the decimal.
            let number = (10.0 * due.number + 1.0) / 10.0;
            visits.push(Visit {
                number,
                name: Cow::Owned(format!("Unscheduled {number:.1}")),
                date: last,
                planned: None,
            });
        }
    }
    (visits, last)
}

fn planned(due: &'static PlannedVisit, date: NaiveDate) -> Visit {
    Visit { number: due.number, name: Cow::Borrowed(due.name), date, planned: Some(due) }
}

fn next_working_day(day: NaiveDate) -> NaiveDate {
    let next = after(day, 1);
    let nearest = working_day(next);
    if nearest > day { nearest } else { after(next, 2) }
}

/// Writes the protocol's schedule.
pub(super) fn write_schedule(plan: &StudyPlan, extract: &mut Extract) -> Result<(), SimulateError> {
    for due in &SCHEDULE {
        extract.schedule.push(ScheduleRow {
            studyid: plan.study.as_str(),
            visit_num: due.number,
            foldername: due.name,
            planned_day: due.day,
            window_lower: due.window_lower,
            window_upper: due.window_upper,
        })?;
    }
    Ok(())
}

/// Writes the visits that a subject has made by the cut-off.
pub(super) fn write(subject: &Subject<'_>, extract: &mut Extract) -> Result<(), SimulateError> {
    for visit in subject.visits.iter().filter(|visit| subject.known(visit.date)) {
        extract.visits.push(VisitRow {
            studyid: subject.study(),
            subjid: &subject.id,
            invid: &subject.site.id,
            foldername: &visit.name,
            visit_dt: visit.date,
            visit_num: visit.number,
            planned_day: visit.planned.map(|due| due.day),
            window_lower: visit.planned.map(|due| due.window_lower),
            window_upper: visit.planned.map(|due| due.window_upper),
            scheduled: visit.planned.is_some(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_next(day: (i32, u32, u32), next: (i32, u32, u32)) {
        let date = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).expect("the day exists");
        assert_eq!(next_working_day(date(day)), date(next));
    }

    #[test]
    fn after_a_friday_comes_a_monday() {
        check_next((2025, 1, 9), (2025, 1, 10));
        check_next((2025, 1, 10), (2025, 1, 13));
        check_next((2025, 1, 11), (2025, 1, 13));
        check_next((2025, 1, 12), (2025, 1, 13));
    }
}
